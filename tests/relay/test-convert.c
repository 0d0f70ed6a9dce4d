/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/convert.h"

#include <glib/gstdio.h>
#include <gmime/gmime.h>
#include <string.h>

#include "common/error.h"

#define OLD 0 /* a hop without any extension */
#define TODAY PR_EXT_8BITMIME
#define UUML "\303\274"

#define MIXED "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"

static const struct
{
  const char *name;
  PrExtensions extensions;
  PrBodyType declared;
  gboolean smtputf8;
  const char *in;
  const char *out;     /* NULL: unchanged */
  const char *refusal; /* NULL: none */
  PrBodyType body;
} cases[] = {
  { "ascii", OLD, PR_BODY_8BITMIME, FALSE, "Subject: x\r\n\r\nText\r\n", NULL, NULL, PR_BODY_7BIT },
  { "8bit-goes", TODAY, PR_BODY_8BITMIME, FALSE, "Subject: x\r\n\r\n" UUML "\r\n", NULL, NULL,
    PR_BODY_8BITMIME },
  { "plain-8bit", OLD, PR_BODY_8BITMIME, FALSE,
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\nGr" UUML "n, gr" UUML "ner \r\n",
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCn, gr=C3=BCner=20\r\n",
    NULL, PR_BODY_7BIT },
  { "undeclared", OLD, PR_BODY_7BIT, FALSE, "Subject: x\r\n\r\n" UUML " in a text\r\n",
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC in a text\r\n",
    NULL, PR_BODY_7BIT },
  { "undeclared-latin", OLD, PR_BODY_7BIT, FALSE, "Subject: x\r\n\r\n\374 in a text\r\n",
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=FC in a text\r\n",
    NULL, PR_BODY_7BIT },
  { "mostly-8bit", OLD, PR_BODY_8BITMIME, FALSE,
    "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" UUML UUML UUML "\r\n",
    "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nw7zDvMO8DQo=",
    NULL, PR_BODY_7BIT },
  { "mixed", OLD, PR_BODY_8BITMIME, FALSE,
    MIXED "Content-Transfer-Encoding: 8bit\r\n\r\npre " UUML "\r\n--b\r\n\r\nascii\r\n--b\r\n"
          "Content-Type: image/x\r\nContent-Transfer-Encoding: 8bit\r\nX: y\r\n\r\n\377\r\n"
          "--b\r\nContent-Type: text/plain\r\n\r\nabc" UUML "def" UUML "ghi\r\n\r\n--b--\r\n",
    MIXED "\r\npre ??\r\n--b\r\n\r\nascii\r\n--b\r\n"
          "Content-Type: image/x\r\nX: y\r\nContent-Transfer-Encoding: base64\r\n\r\n/w==\r\n"
          "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
          "abc=C3=BCdef=C3=BCghi\r\n\r\n--b--\r\n",
    NULL, PR_BODY_7BIT },
  { "enclosed", OLD, PR_BODY_8BITMIME, FALSE,
    MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          "Subject: y\r\n\r\nabcdefg" UUML "\r\n--b--\r\n",
    MIXED "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
          "Subject: y\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\nabcdefg=C3=BC\r\n--b--\r\n",
    NULL, PR_BODY_7BIT },
  { "signed", OLD, PR_BODY_8BITMIME, FALSE,
    "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n" UUML "\r\n--s--\r\n", NULL,
    "554 5.6.3", 0 },
  { "signed-ascii", OLD, PR_BODY_8BITMIME, FALSE,
    MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"
          "Content-Transfer-Encoding: 8bit\r\n\r\nA \r\n--s--\r\n--b\r\n\r\naaaaaaaaaa" UUML
          "\r\n--b--\r\n",
    MIXED "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"
          "Content-Transfer-Encoding: 8bit\r\n\r\nA \r\n--s--\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\naaaaaaaaaa=C3=BC\r\n--b--\r\n",
    NULL, PR_BODY_7BIT },
  { "bad-qp", OLD, PR_BODY_8BITMIME, FALSE,
    "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3D" UUML "=\r\nb\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3D=C3=BC=\r\nb\r\n", NULL, PR_BODY_7BIT },
  { "header-without-end", OLD, PR_BODY_8BITMIME, FALSE, "Subject: x\r\nText with " UUML "\r\n",
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\nText with =C3=BC\r\n",
    NULL, PR_BODY_7BIT },
  { "bad-base64", OLD, PR_BODY_8BITMIME, FALSE,
    "Content-Transfer-Encoding: base64\r\n\r\nAAAA" UUML "\r\n", NULL, "554 5.6.3", 0 },
  { "unknown-encoding", OLD, PR_BODY_8BITMIME, FALSE,
    "Content-Transfer-Encoding: x-uuencode\r\n\r\n" UUML "\r\n", NULL, "554 5.6.3", 0 },
  { "opaque", OLD, PR_BODY_8BITMIME, FALSE, "Content-Type: multipart/mixed\r\n\r\n" UUML "\r\n",
    NULL, "554 5.6.3", 0 },
  { "binary", TODAY, PR_BODY_BINARYMIME, FALSE,
    MIXED "Content-Transfer-Encoding: binary\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
          "Content-Transfer-Encoding: binary\r\n\r\na\nb\r\n--b\r\n"
          "Content-Transfer-Encoding: 8bit\r\n\r\n" UUML "\r\n--b--\r\n",
    MIXED "Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\nYQpi\r\n--b\r\n"
          "Content-Transfer-Encoding: 8bit\r\n\r\n" UUML "\r\n--b--\r\n",
    NULL, PR_BODY_8BITMIME },
  { "binary-to-old", OLD, PR_BODY_BINARYMIME, FALSE,
    "MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: "
    "binary\r\n\r\n\377\r\r\n",
    "MIME-Version: 1.0\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: "
    "base64\r\n\r\n/w0NCg==",
    NULL, PR_BODY_7BIT },
  { "not-binary", TODAY, PR_BODY_BINARYMIME, FALSE,
    "Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\na\r\n", NULL, NULL,
    PR_BODY_7BIT },
  { "binary-goes", TODAY | PR_EXT_BINARYMIME, PR_BODY_BINARYMIME, FALSE,
    "Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\r", NULL, NULL,
    PR_BODY_BINARYMIME },
  { "utf8-header", TODAY, PR_BODY_8BITMIME, TRUE, "Subject: " UUML "\r\n\r\nText\r\n", NULL,
    "550 5.6.7", 0 },
  { "utf8-part-header", TODAY, PR_BODY_8BITMIME, TRUE,
    MIXED "\r\n--b\r\nContent-Description: " UUML "\r\n\r\nx\r\n--b--\r\n", NULL, "550 5.6.7", 0 },
  { "utf8-not-needed", TODAY, PR_BODY_8BITMIME, TRUE, "Subject: x\r\n\r\n" UUML "\r\n", NULL, NULL,
    PR_BODY_8BITMIME },
  { "utf8-goes", TODAY | PR_EXT_SMTPUTF8, PR_BODY_8BITMIME, TRUE, "Subject: " UUML "\r\n\r\n", NULL,
    NULL, PR_BODY_8BITMIME },
  { "undeclared-8bit-header", OLD, PR_BODY_7BIT, FALSE, "Subject: " UUML "\r\n\r\nText\r\n", NULL,
    NULL, PR_BODY_7BIT },
  { "empty", OLD, PR_BODY_BINARYMIME, TRUE, "", NULL, NULL, PR_BODY_7BIT },
};

static void
check (const PrConvert *job, gsize i)
{
  g_assert_cmpint (job->refusal.code != 0, ==, cases[i].refusal != NULL);
  if (cases[i].refusal != NULL)
    {
      g_autofree char *text = pr_reply_to_string (&job->refusal);

      g_assert_true (g_str_has_prefix (text, cases[i].refusal));
      g_assert_false (job->changed);
      return;
    }
  g_assert_cmpint (job->changed, ==, cases[i].out != NULL);
  g_assert_cmpint (job->body, ==, cases[i].body);
  g_assert_cmpint (job->smtputf8, ==,
                   cases[i].smtputf8 && (cases[i].extensions & PR_EXT_SMTPUTF8) != 0);
  g_assert_cmpuint (job->size_octets, ==,
                    strlen (cases[i].out != NULL ? cases[i].out : cases[i].in));
}

static void
test_bytes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
      g_autoptr (GBytes) bytes = g_bytes_new_static (cases[i].in, strlen (cases[i].in));
      g_autoptr (GError) error = NULL;
      PrConvert job = { .bytes = bytes, .envelope = envelope, .extensions = cases[i].extensions };

      g_test_message ("%s", cases[i].name);
      envelope->body = cases[i].declared;
      envelope->smtputf8 = cases[i].smtputf8;
      g_assert_true (pr_convert_run (&job, &error));
      g_assert_no_error (error);
      check (&job, i);
      if (cases[i].out != NULL)
        g_assert_cmpmem (g_bytes_get_data (job.result, NULL), g_bytes_get_size (job.result),
                         cases[i].out, strlen (cases[i].out));
      else
        g_assert_null (job.result);
      pr_convert_clear (&job);
    }
}

static void
test_files (void)
{
  g_autofree char *source = g_build_filename (g_get_user_data_dir (), "source", NULL);
  g_autofree char *target = g_build_filename (g_get_user_data_dir (), "target", NULL);

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_data_dir (), 0700), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
      g_autofree char *text = NULL;
      PrConvert job = { .path = source,
                        .target_path = target,
                        .envelope = envelope,
                        .extensions = cases[i].extensions };

      g_test_message ("%s", cases[i].name);
      envelope->body = cases[i].declared;
      envelope->smtputf8 = cases[i].smtputf8;
      g_assert_true (g_file_set_contents (source, cases[i].in, -1, NULL));
      g_assert_true (pr_convert_run (&job, NULL));
      check (&job, i);
      g_assert_null (job.result);
      g_assert_cmpint (g_file_get_contents (target, &text, NULL, NULL), ==, cases[i].out != NULL);
      g_assert_cmpstr (text, ==, cases[i].out);
      g_unlink (target);
      pr_convert_clear (&job);
    }
}

/* A message of some MiB goes through in pieces and arrives whole. */
static void
test_large (void)
{
  g_autofree char *source = g_build_filename (g_get_user_data_dir (), "source", NULL);
  g_autofree char *target = g_build_filename (g_get_user_data_dir (), "target", NULL);
  g_autoptr (GString) text = g_string_new (NULL), message = g_string_new (NULL);
  g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
  g_autofree char *converted = NULL;
  gsize len;
  PrConvert job = { .path = source, .target_path = target, .envelope = envelope };
  GMimeStream *stream;
  GMimeParser *parser;
  GMimeMessage *parsed;
  GByteArray *decoded;
  GMimeObject *part;

  while (text->len < 700 * 1024)
    g_string_append_printf (text, "line %" G_GSIZE_FORMAT " of " UUML " text = . \t\r\n",
                            text->len);
  g_string_append (text, "end");
  g_string_printf (message, MIXED "\r\n--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b--\r\n",
                   text->str);
  g_assert_cmpint (g_mkdir_with_parents (g_get_user_data_dir (), 0700), ==, 0);
  g_assert_true (g_file_set_contents (source, message->str, message->len, NULL));
  g_assert_true (pr_convert_run (&job, NULL));
  g_assert_true (job.changed);
  g_assert_true (g_file_get_contents (target, &converted, &len, NULL));
  g_assert_cmpuint (len, ==, job.size_octets);
  g_assert_true (g_str_is_ascii (converted));

  stream = g_mime_stream_mem_new_with_buffer (converted, len);
  parser = g_mime_parser_new_with_stream (stream);
  parsed = g_mime_parser_construct_message (parser, NULL);
  part = g_mime_multipart_get_part (GMIME_MULTIPART (g_mime_message_get_mime_part (parsed)), 0);
  g_object_unref (stream);
  stream = g_mime_stream_mem_new ();
  g_mime_data_wrapper_write_to_stream (g_mime_part_get_content (GMIME_PART (part)), stream);
  decoded = g_mime_stream_mem_get_byte_array (GMIME_STREAM_MEM (stream));
  g_assert_cmpmem (decoded->data, decoded->len, text->str, text->len);
  g_object_unref (stream);
  g_object_unref (parsed);
  g_object_unref (parser);
  pr_convert_clear (&job);
}

static void
test_failures (void)
{
  g_autofree char *source = g_build_filename (g_get_user_data_dir (), "source", NULL);
  g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
  g_autoptr (GError) no_source = NULL, no_target = NULL, no_read = NULL;
  PrConvert job = { .path = source, .target_path = "/nowhere/at/all", .envelope = envelope };

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_data_dir (), 0700), ==, 0);
  g_assert_false (pr_convert_run (&job, &no_source));
  g_assert_error (no_source, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_false (job.changed);

  g_assert_true (g_file_set_contents (source, "Subject: x\r\n\r\n" UUML "\r\n", -1, NULL));
  g_assert_false (pr_convert_run (&job, &no_target));
  g_assert_error (no_target, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_nonnull (strstr (no_target->message, "/nowhere/at/all"));
  g_assert_false (job.changed);

  job.path = g_get_user_data_dir (); /* a folder can be opened, not read */
  g_assert_false (pr_convert_run (&job, &no_read));
  g_assert_error (no_read, PR_ERROR, PR_ERROR_TEMPORARY);
}

static void
test_too_many_parts (void)
{
  g_autoptr (GString) in = g_string_new (MIXED "\r\n");
  g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
  g_autoptr (GBytes) bytes = NULL;
  PrConvert job = { .envelope = envelope };

  for (guint i = 0; i < 20000; i++)
    g_string_append (in, "--b\r\n\r\nx\r\n");
  g_string_append (in, "--b\r\n\r\n" UUML "\r\n--b--\r\n");
  job.bytes = bytes = g_bytes_new (in->str, in->len);
  g_assert_true (pr_convert_run (&job, NULL));
  g_assert_cmpuint (job.refusal.code, ==, 554);
  pr_convert_clear (&job);
}

static void
test_is_due (void)
{
  g_autoptr (PrEnvelope) envelope = pr_envelope_new ();

  g_assert_true (pr_convert_is_due (envelope, OLD));
  g_assert_false (pr_convert_is_due (envelope, TODAY));
  envelope->body = PR_BODY_8BITMIME;
  g_assert_false (pr_convert_is_due (envelope, TODAY));
  envelope->body = PR_BODY_BINARYMIME;
  g_assert_true (pr_convert_is_due (envelope, TODAY));
  g_assert_false (pr_convert_is_due (envelope, TODAY | PR_EXT_BINARYMIME));
  envelope->smtputf8 = TRUE;
  g_assert_true (pr_convert_is_due (envelope, TODAY | PR_EXT_BINARYMIME));
  g_assert_false (pr_convert_is_due (envelope, TODAY | PR_EXT_BINARYMIME | PR_EXT_SMTPUTF8));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/convert/bytes", test_bytes);
  g_test_add_func ("/convert/files", test_files);
  g_test_add_func ("/convert/large", test_large);
  g_test_add_func ("/convert/failures", test_failures);
  g_test_add_func ("/convert/too-many-parts", test_too_many_parts);
  g_test_add_func ("/convert/is-due", test_is_due);
  return g_test_run ();
}
