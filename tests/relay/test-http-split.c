/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/http-split.h"

#include <glib/gstdio.h>
#include <gmime/gmime.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"

#define HEAD "Subject: x\r\n"
#define NEW_HEAD "Subject: new\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define TEXT "--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
#define PDF                                                                                        \
  "--b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: "            \
  "base64\r\n\r\n{A}\r\n"
#define END "--b--\r\n"
#define EMPTY "Content-Type: text/plain; charset=us-ascii\r\n\r\n"

/* What {A} and its kin stand for: so many octets that each is worth to be taken out. */
#define N_A 40000 /* {A}: "ABC" in base64, over and over; {B}: the same, half as long */
#define N_Q 20000 /* {Q}: as quoted-printable; {T}: as it is */

typedef struct
{
  const char *name;
  const char *in;
  guint64 max_octets;
  const char *draft;       /* NULL: it cannot be split */
  const char *attachments; /* name|type|id|inline|octets, one a line; or a word of the refusal */
} Case;

static const Case cases[] = {
  { "last", MIXED TEXT PDF END, 10000, MIXED TEXT END, "a.pdf|application/pdf|-|0|A\n" },
  { "middle", MIXED TEXT PDF "--b\r\n\r\nBye\r\n" END "after\r\n", 10000,
    MIXED TEXT "--b\r\n\r\nBye\r\n" END "after\r\n", "a.pdf|application/pdf|-|0|A\n" },
  { "first", MIXED PDF TEXT END, 10000, MIXED "\r\n" TEXT END, "a.pdf|application/pdf|-|0|A\n" },
  { "only", MIXED PDF END, 10000, MIXED "--b\r\n" EMPTY "\r\n" END,
    "a.pdf|application/pdf|-|0|A\n" },
  { "only-two", MIXED "before\r\n" PDF PDF END, 10000, MIXED "before\r\n--b\r\n" EMPTY "\r\n" END,
    "a.pdf|application/pdf|-|0|A\na.pdf|application/pdf|-|0|A\n" },
  { "largest-first",
    MIXED TEXT "--b\r\nContent-Type: image/png; name=b.png\r\nContent-Transfer-Encoding: "
               "base64\r\n\r\n{B}\r\n" PDF END,
    40000,
    MIXED TEXT "--b\r\nContent-Type: image/png; name=b.png\r\nContent-Transfer-Encoding: "
               "base64\r\n\r\n{B}\r\n" END,
    "a.pdf|application/pdf|-|0|A\n" },
  { "names",
    MIXED TEXT "--b\r\nContent-Type: text/csv\r\nContent-Transfer-Encoding: quoted-printable\r\n"
               "Content-Disposition: attachment;\r\n filename*=utf-8''%C3%A4/%22.csv\r\n\r\n{Q}\r\n"
               "--b\r\nContent-Type: text/plain; name=\"=?utf-8?q?=C3=B6?=\"\r\n\r\n{T}\r\n" END,
    1000, MIXED TEXT END, "ä__.csv|text/csv|-|0|Q\nö|text/plain|-|0|T\n" },
  { "related",
    "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nplain\r\n--a\r\n"
    "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>"
    "\r\n--b\r\nContent-Type: image/png\r\nContent-ID:  <i@x>\r\nContent-Disposition: inline; "
    "filename=i.png\r\nContent-Transfer-Encoding: BASE64\r\n\r\n{A}\r\n--b--\r\n--a--\r\n",
    10000,
    "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nplain\r\n--a\r\n"
    "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>"
    "\r\n--b--\r\n--a--\r\n",
    "i.png|image/png|i@x|1|A\n" },
  { "root-of-related",
    "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; "
    "name=x\r\n\r\n{T}\r\n--b--\r\n",
    10000, NULL, "not an attachment" },
  { "signature-behind",
    MIXED "--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nA\r\n--s\r\n"
          "Content-Type: application/pgp-signature\r\n\r\nB\r\n--s--\r\n" PDF END,
    10000,
    MIXED "--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nA\r\n--s\r\n"
          "Content-Type: application/pgp-signature\r\n\r\nB\r\n--s--\r\n\r\n" END,
    "a.pdf|application/pdf|-|0|A\n" },
  { "unended", MIXED TEXT PDF, 10000, MIXED "--b\r\nContent-Type: text/plain\r\n\r\nHello",
    "a.pdf|application/pdf|-|0|A\n" },
  { "signed",
    "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n" MIXED TEXT PDF END
    "--s\r\nContent-Type: application/pgp-signature\r\n\r\nB\r\n--s--\r\n",
    10000, NULL, "signed or encrypted" },
  { "encrypted",
    "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\nContent-Type: "
    "application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\nContent-Type: "
    "application/octet-stream\r\n\r\n{A}\r\n" END,
    10000, NULL, "signed or encrypted" },
  { "smime", "Content-Type: application/pkcs7-mime\r\n\r\n{A}\r\n", 10000, NULL,
    "signed or encrypted" },
  { "text-alone", "\r\n{T}\r\n", 10000, NULL, "not an attachment" },
  { "large-text", MIXED "--b\r\nContent-Type: text/html\r\n\r\n{T}\r\n" END, 10000, NULL,
    "not an attachment" },
  { "root-is-it", "Content-Type: image/png\r\n\r\n{A}\r\n", 10000, NULL, "not an attachment" },
  { "forwarded", MIXED TEXT "--b\r\nContent-Type: message/rfc822\r\n\r\n" MIXED PDF END "\r\n" END,
    10000, NULL, "not an attachment" },
  { "unknown-encoding",
    MIXED TEXT "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: "
               "x-uuencode\r\n\r\n{A}\r\n" END,
    10000, NULL, "not an attachment" },
  { "alternative",
    "Content-Type: multipart/alternative; boundary=b\r\n\r\n" TEXT
    "--b\r\nContent-Type: image/png\r\n\r\n{A}\r\n" END,
    10000, NULL, "not an attachment" },
};

static char *
make_content (char letter)
{
  GString *out = g_string_new (NULL);

  if (letter == 'A' || letter == 'B')
    while (out->len < (letter == 'A' ? N_A : N_A / 2))
      g_string_append (out, out->len % 78 == 76 ? "\r\n" : "QUJD");
  else
    for (guint i = 0; i < N_Q; i++)
      g_string_append (out, letter == 'Q' ? (i % 20 == 19 ? "=3D=\r\n" : "x") : "x");
  return g_string_free (out, FALSE);
}

/* What it is when nothing encodes it. */
static char *
make_decoded (char letter)
{
  g_autofree char *content = make_content (letter);
  GString *out;
  gsize len;

  if (letter == 'T')
    return g_steal_pointer (&content);
  if (letter != 'Q')
    {
      g_autofree guchar *octets = g_base64_decode (content, &len);
      return g_strndup ((const char *) octets, len);
    }
  out = g_string_new (content);
  g_string_replace (out, "=3D=\r\n", "=", 0);
  return g_string_free (out, FALSE);
}

static char *
expand (const char *text)
{
  GString *out = g_string_new (text);

  for (const char *letter = "ABQT"; *letter != '\0'; letter++)
    {
      const char mark[] = { '{', *letter, '}', '\0' };
      g_autofree char *content = make_content (*letter);

      g_string_replace (out, mark, content, 0);
    }
  return g_string_free (out, FALSE);
}

static char *
read_range (int fd, guint64 offset, guint64 size)
{
  char *text = g_malloc0 (size + 1);

  g_assert_cmpint (pread (fd, text, size, (off_t) offset), ==, (gssize) size);
  return text;
}

static void
check_attachments (const PrHttpSplit *split, const char *expected)
{
  g_auto (GStrv) lines = g_strsplit (expected, "\n", -1);

  g_assert_cmpuint (split->attachments->len, ==, g_strv_length (lines) - 1);
  for (guint i = 0; i < split->attachments->len; i++)
    {
      const PrHttpAttachment *it = split->attachments->pdata[i];
      g_autofree char *got = read_range (split->fd, it->offset, it->size_octets);
      g_autofree char *content = make_decoded (lines[i][strlen (lines[i]) - 1]);
      g_autofree char *line = g_strdup_printf ("%s|%s|%s|%d|%c", it->name, it->type,
                                               it->content_id != NULL ? it->content_id : "-",
                                               it->is_inline, lines[i][strlen (lines[i]) - 1]);

      g_assert_cmpstr (line, ==, lines[i]);
      g_assert_cmpstr (got, ==, content);
    }
}

static void
check (const Case *it)
{
  g_autofree char *folder = g_dir_make_tmp (NULL, NULL);
  g_autofree char *path = g_build_filename (folder, "message", NULL);
  g_autofree char *target = g_build_filename (folder, "new", NULL);
  g_autofree char *with_head = g_strconcat (HEAD, it->in, NULL);
  g_autofree char *text = expand (with_head);
  g_autoptr (GError) error = NULL;
  PrHttpSplit split = { .path = path,
                        .head = NEW_HEAD,
                        .head_len = strlen (NEW_HEAD),
                        .head_octets = strlen (HEAD),
                        .target_path = target,
                        .max_draft_octets = it->max_octets };

  g_test_message ("%s", it->name);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_true (pr_http_split_run (&split, &error));
  g_assert_no_error (error);
  if (it->draft == NULL)
    {
      g_assert_nonnull (split.refusal);
      g_assert_nonnull (strstr (split.refusal, it->attachments));
    }
  else
    {
      g_autofree char *draft = read_range (split.fd, 0, split.draft_octets);
      g_autofree char *new = g_strconcat (NEW_HEAD, it->draft, NULL);
      g_autofree char *expected = expand (new);

      g_assert_null (split.refusal);
      g_assert_cmpstr (draft, ==, expected);
      check_attachments (&split, it->attachments);
    }
  g_assert_false (g_file_test (target, G_FILE_TEST_EXISTS));
  pr_http_split_clear (&split);
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check (&cases[i]);
}

static void
test_no_file (void)
{
  g_autoptr (GError) error = NULL;
  PrHttpSplit split = { .path = "/nonexistent/message", .target_path = "/nonexistent/new" };

  g_assert_false (pr_http_split_run (&split, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);
  pr_http_split_clear (&split);
}

/* Whatever comes in: the draft is small enough, or it is said why there is none. */
static void
test_random (void)
{
  static const char *const words[] = { MIXED,
                                       TEXT,
                                       PDF,
                                       END,
                                       "--b\r\n",
                                       "\r\n",
                                       "\n",
                                       "{T}",
                                       "\377",
                                       "--b",
                                       "{A}\r",
                                       "Content-Type: "
                                       "message/rfc822\r\n\r\n",
                                       "Content-Type: multipart/signed; boundary=s\r\n\r\n" };
  g_autofree char *folder = g_dir_make_tmp (NULL, NULL);
  g_autofree char *path = g_build_filename (folder, "message", NULL);
  g_autofree char *target = g_build_filename (folder, "new", NULL);

  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (GString) in = g_string_new (HEAD MIXED);
      g_autofree char *text = NULL;
      g_autoptr (GError) error = NULL;
      PrHttpSplit split = { .path = path,
                            .head = NEW_HEAD,
                            .head_len = strlen (NEW_HEAD),
                            .head_octets = strlen (HEAD),
                            .target_path = target,
                            .max_draft_octets = 50000 };

      for (int n = g_test_rand_int_range (0, 12); n > 0; n--)
        g_string_append (in, words[g_test_rand_int_range (0, G_N_ELEMENTS (words))]);
      text = expand (in->str);
      g_assert_true (g_file_set_contents (path, text, -1, NULL));
      g_assert_true (pr_http_split_run (&split, &error));
      g_assert_true (split.refusal != NULL || split.draft_octets <= 50000);
      pr_http_split_clear (&split);
    }
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/http-split/cases", test_cases);
  g_test_add_func ("/http-split/no-file", test_no_file);
  g_test_add_func ("/http-split/random", test_random);
  return g_test_run ();
}
