/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports are read back with GMime, as a mail program would. */
#include "relay/report.h"

#include <gmime/gmime.h>
#include <string.h>

#include "relay/report-words.h"

#define ARRIVAL_US (G_GINT64_CONSTANT (1795462946) * G_USEC_PER_SEC)

static const char small[] = "From: a@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
                            "Date: Mon, 23 Nov 2026 19:42:26 +0000\r\n"
                            "Message-ID: <1@example.org>\r\n\r\nText\r\n--x\r\n.\r\n";

typedef struct
{
  PrMessage *original; /* owned */
  PrReply reply;       /* owned */
  PrReportRecipient recipient;
  PrReportFacts facts;
  PrIdSource ids;
  GBytes *head; /* owned */

  PrMessage *report; /* owned */
  GMimeMessage *mime;
  GMimeMultipart *multipart; /* borrowed */
} Fixture;

static void
setup_many (Fixture *f, guint n_recipients, const char *body, gsize len)
{
  PrEnvelope *envelope = pr_envelope_new ();

  envelope->sender = g_strdup ("a@example.org");
  for (guint i = 0; i < n_recipients; i++)
    pr_envelope_add_recipient (envelope, "b@example.net", PR_NOTIFY_UNSET, NULL);
  f->original = pr_message_new (ARRIVAL_US, ARRIVAL_US, envelope);
  f->original->size_octets = len;
  f->head = g_bytes_new (body, len);
  pr_reply_set (&f->reply, 550, "5.1.1", "no such user");
  f->recipient = (PrReportRecipient){ 0, &f->reply, "mx.example.net" };
  f->facts = (PrReportFacts){
    .kind = PR_REPORT_FAILED,
    .original = f->original,
    .to = "a@example.org",
    .head = f->head,
    .recipients = &f->recipient,
    .n_recipients = 1,
    .hostname = "relay.example.org",
    .now_us = ARRIVAL_US + G_USEC_PER_SEC,
    .give_up_us = ARRIVAL_US + 5 * G_TIME_SPAN_DAY,
  };
}

static void
setup_with (Fixture *f, const char *body, gsize len)
{
  setup_many (f, 1, body, len);
}

static void
setup (Fixture *f)
{
  setup_with (f, small, strlen (small));
}

static void
teardown (Fixture *f)
{
  g_clear_object (&f->mime);
  g_clear_pointer (&f->report, pr_message_unref);
  g_clear_pointer (&f->original, pr_message_unref);
  g_clear_pointer (&f->head, g_bytes_unref);
  pr_reply_clear (&f->reply);
}

static void
check_line_ends (const char *data, gsize len)
{
  for (gsize i = 0; i < len; i++)
    {
      g_assert_true (data[i] != '\n' || (i > 0 && data[i - 1] == '\r'));
      g_assert_true (data[i] != '\r' || (i + 1 < len && data[i + 1] == '\n'));
    }
}

static gboolean
is_7bit (const char *data, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((guchar) data[i] > 127)
      return FALSE;
  return TRUE;
}

/* Makes the report and takes it apart. */
static void
make (Fixture *f)
{
  gsize len;
  const char *data;
  GMimeStream *stream;
  GMimeParser *parser;

  f->report = pr_report_new (&f->facts, &f->ids);
  data = g_bytes_get_data (f->report->body, &len);
  g_assert_cmpuint (f->report->size_octets, ==, len);
  g_assert_true (f->report->is_report);
  g_assert_cmpstr (f->report->envelope->sender, ==, "");
  g_assert_cmpuint (f->report->envelope->recipients->len, ==, 1);
  g_assert_cmpstr (pr_envelope_recipient (f->report->envelope, 0)->address, ==, f->facts.to);
  g_assert_cmpint (f->report->received_us, ==, f->facts.now_us);
  check_line_ends (data, len);
  if (f->report->envelope->body == PR_BODY_7BIT && !f->report->envelope->smtputf8)
    g_assert_true (is_7bit (data, len));

  stream = g_mime_stream_mem_new_with_buffer (data, len);
  parser = g_mime_parser_new_with_stream (stream);
  f->mime = g_mime_parser_construct_message (parser, NULL);
  g_assert_nonnull (f->mime);
  g_assert_true (GMIME_IS_MULTIPART (g_mime_message_get_mime_part (f->mime)));
  f->multipart = GMIME_MULTIPART (g_mime_message_get_mime_part (f->mime));
  g_assert_cmpint (g_mime_multipart_get_count (f->multipart), ==, 3);
  g_object_unref (parser);
  g_object_unref (stream);
}

static const char *
get_header (Fixture *f, const char *name)
{
  return g_mime_object_get_header (GMIME_OBJECT (f->mime), name);
}

static char *
get_type (Fixture *f, int index)
{
  GMimeObject *part = g_mime_multipart_get_part (f->multipart, index);

  return g_mime_content_type_get_mime_type (g_mime_object_get_content_type (part));
}

static void
assert_type (Fixture *f, int index, const char *expected)
{
  g_autofree char *type = get_type (f, index);

  g_assert_cmpstr (type, ==, expected);
}

/* The decoded text of a part. */
static char *
get_text (Fixture *f, int index)
{
  GMimeObject *part = g_mime_multipart_get_part (f->multipart, index);
  GMimeStream *stream = g_mime_stream_mem_new ();
  GByteArray *bytes = g_mime_stream_mem_get_byte_array (GMIME_STREAM_MEM (stream));
  GMimeFormatOptions *options = g_mime_format_options_new ();
  char *text;

  g_mime_format_options_set_newline_format (options, GMIME_NEWLINE_FORMAT_DOS);
  if (GMIME_IS_MESSAGE_PART (part))
    g_mime_object_write_to_stream (
      GMIME_OBJECT (g_mime_message_part_get_message (GMIME_MESSAGE_PART (part))), options, stream);
  else
    g_mime_data_wrapper_write_to_stream (g_mime_part_get_content (GMIME_PART (part)), stream);
  text = g_strndup ((const char *) bytes->data, bytes->len);
  g_mime_format_options_free (options);
  g_object_unref (stream);
  return text;
}

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("\"%s\" is not in:\n%s", part, text);
}

static void
assert_part_has (Fixture *f, int index, const char *part)
{
  g_autofree char *text = get_text (f, index);

  assert_has (text, part);
}

static void
assert_part_lacks (Fixture *f, int index, const char *part)
{
  g_autofree char *text = get_text (f, index);

  g_assert_null (strstr (text, part));
}

static void
test_failed (void)
{
  Fixture f = { 0 };

  setup (&f);
  make (&f);
  g_assert_cmpstr (get_header (&f, "From"), ==,
                   "Mail Delivery System <MAILER-DAEMON@relay.example.org>");
  g_assert_cmpstr (get_header (&f, "To"), ==, "<a@example.org>");
  g_assert_cmpstr (get_header (&f, "Subject"), ==, "Mail could not be delivered");
  g_assert_cmpstr (get_header (&f, "Auto-Submitted"), ==, "auto-replied");
  g_assert_cmpstr (get_header (&f, "In-Reply-To"), ==, "<1@example.org>");
  g_assert_nonnull (get_header (&f, "Date"));
  g_assert_nonnull (get_header (&f, "Message-ID"));
  g_assert_cmpstr (
    g_mime_object_get_content_type_parameter (GMIME_OBJECT (f.multipart), "report-type"), ==,
    "delivery-status");

  assert_type (&f, 0, "text/plain");
  assert_part_has (&f, 0, "  b@example.net\r\n    mx.example.net said: 550 5.1.1 no such user\r\n");
  assert_part_has (&f, 0, "Check the address for typing mistakes");
  assert_part_has (&f, 0, "  Subject: Gr\303\274\303\237e\r\n");

  assert_type (&f, 1, "message/delivery-status");
  assert_part_has (&f, 1, "Reporting-MTA: dns; relay.example.org\r\nArrival-Date: ");
  assert_part_has (&f, 1,
                   "\r\n\r\nFinal-Recipient: rfc822; b@example.net\r\nAction: failed\r\n"
                   "Status: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n"
                   "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\nLast-Attempt-Date: ");
  assert_part_lacks (&f, 1, "Will-Retry-Until");
  assert_part_lacks (&f, 1, "Original-");

  assert_type (&f, 2, "message/rfc822");
  assert_part_has (&f, 2, "Text\r\n--x\r\n.\r\n");
  teardown (&f);
}

static void
test_kinds (void)
{
  static const struct
  {
    PrReportKind kind;
    const char *action, *status, *words;
    gboolean whole;
  } cases[] = {
    { PR_REPORT_FAILED, "Action: failed\r\n", "Status: 5.0.0\r\n", "not be delivered to", TRUE },
    { PR_REPORT_DELAYED, "Action: delayed\r\n", "Status: 4.0.0\r\n", "need not do anything",
      FALSE },
    { PR_REPORT_DELIVERED, "Action: delivered\r\n", "Status: 2.0.0\r\n", "was delivered to",
      FALSE },
    { PR_REPORT_RELAYED, "Action: relayed\r\n", "Status: 2.0.0\r\n", "passed on", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Fixture f = { 0 };

      setup (&f);
      f.facts.kind = cases[i].kind;
      f.recipient.reply = NULL;
      f.recipient.remote = NULL;
      make (&f);
      g_assert_cmpstr (get_header (&f, "Subject"), ==, pr_report_get_subject (cases[i].kind));
      assert_part_has (&f, 1, cases[i].action);
      assert_part_has (&f, 1, cases[i].status);
      assert_part_has (&f, 0, cases[i].words);
      assert_type (&f, 2, cases[i].whole ? "message/rfc822" : "text/rfc822-headers");
      if (!cases[i].whole)
        assert_part_lacks (&f, 2, "Text");
      if (cases[i].kind == PR_REPORT_DELAYED)
        assert_part_has (&f, 1, "Will-Retry-Until: ");
      teardown (&f);
    }
}

/* A status of the wrong class for what happened is not repeated. */
static void
test_status (void)
{
  static const struct
  {
    PrReportKind kind;
    guint code;
    const char *enhanced, *expected;
  } cases[] = {
    { PR_REPORT_FAILED, 452, "4.2.2", "Status: 4.2.2\r\n" },
    { PR_REPORT_FAILED, 550, "2.0.0", "Status: 5.0.0\r\n" },
    { PR_REPORT_DELIVERED, 250, "2.1.5", "Status: 2.1.5\r\n" },
    { PR_REPORT_DELIVERED, 250, "5.1.1", "Status: 2.0.0\r\n" },
    { PR_REPORT_DELAYED, 0, NULL, "Status: 4.0.0\r\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Fixture f = { 0 };

      setup (&f);
      f.facts.kind = cases[i].kind;
      f.recipient.remote = NULL;
      pr_reply_set (&f.reply, cases[i].code, cases[i].enhanced, "Could not connect");
      make (&f);
      assert_part_has (&f, 1, cases[i].expected);
      assert_part_lacks (&f, 1, "Remote-MTA");
      if (cases[i].code != 0)
        assert_part_has (&f, 1, "Diagnostic-Code: x-postroom; ");
      else
        assert_part_lacks (&f, 1, "Diagnostic-Code");
      teardown (&f);
    }
}

static void
test_dsn_parameters (void)
{
  Fixture f = { 0 };
  PrRecipient *recipient;

  setup (&f);
  recipient = pr_envelope_recipient (f.original->envelope, 0);
  recipient->orcpt = g_strdup ("rfc822;old+2Bname+20x@example.net");
  f.original->envelope->envid = g_strdup ("QQ+3D1");
  f.original->envelope->ret = PR_RET_HDRS;
  g_assert_cmpuint (pr_report_get_head_size (PR_REPORT_FAILED, f.original), ==, strlen (small));
  make (&f);
  assert_part_has (&f, 1, "Original-Envelope-Id: QQ=1\r\n");
  assert_part_has (&f, 1, "Original-Recipient: rfc822;old+name x@example.net\r\n");
  assert_type (&f, 2, "text/rfc822-headers");
  assert_part_has (&f, 2, "Message-ID: <1@example.org>\r\n");
  assert_part_lacks (&f, 2, "Text");
  teardown (&f);
}

/* What a stranger wrote into parameters and replies makes no field of its own. */
static void
test_hostile (void)
{
  static const char *const orcpts[] = {
    "rfc822;a+0D+0AStatus: 2.0.0", "rfc822;a+zz", "rfc822", "", "utf-8;\303\274@x", "rfc822;a+0"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (orcpts); i++)
    {
      Fixture f = { 0 };

      setup (&f);
      pr_envelope_recipient (f.original->envelope, 0)->orcpt = g_strdup (orcpts[i]);
      f.original->envelope->envid = g_strdup ("x+0AStatus");
      pr_reply_set (&f.reply, 550, NULL, "a\nFinal-Recipient: rfc822; x@y\n\303\274 \033[31m");
      make (&f);
      assert_part_lacks (&f, 1, "Original-");
      assert_part_lacks (&f, 1, "\nFinal-Recipient: rfc822; x@y");
      assert_part_lacks (&f, 1, "2.0.0");
      teardown (&f);
    }
}

static void
test_long_reply (void)
{
  Fixture f = { 0 };
  g_autofree char *text = g_strnfill (PR_REPLY_MAX_TEXT, 'x');

  setup (&f);
  pr_reply_set (&f.reply, 550, NULL, text);
  make (&f);
  for (int part = 0; part < 2; part++)
    {
      g_autofree char *written = get_text (&f, part);
      g_auto (GStrv) lines = g_strsplit (written, "\r\n", -1);

      for (char **line = lines; *line != NULL; line++)
        g_assert_cmpuint (strlen (*line), <=, 998);
    }
  teardown (&f);
}

static void
test_utf8 (void)
{
  static const char text[] =
    "From: \303\274@b\303\274cher.example\r\nSubject: \303\274\r\n\r\nx\r\n";

  for (guint whole = 0; whole < 2; whole++)
    {
      Fixture f = { 0 };

      setup_with (&f, text, strlen (text));
      f.original->envelope->ret = whole ? PR_RET_FULL : PR_RET_HDRS;
      f.original->envelope->smtputf8 = TRUE;
      g_free (f.original->envelope->sender);
      f.original->envelope->sender = g_strdup ("\303\274@b\303\274cher.example");
      f.facts.to = f.original->envelope->sender;
      g_free (pr_envelope_recipient (f.original->envelope, 0)->address);
      pr_envelope_recipient (f.original->envelope, 0)->address = g_strdup ("\303\266@example.net");
      pr_envelope_recipient (f.original->envelope, 0)->orcpt =
        g_strdup ("utf-8;\\x{F6}@example.net");
      make (&f);
      g_assert_true (f.report->envelope->smtputf8);
      assert_has (g_bytes_get_data (f.report->body, NULL),
                  "To: <\303\274@b\303\274cher.example>\r\n");
      assert_type (&f, 1, "message/global-delivery-status");
      assert_part_has (&f, 1, "Final-Recipient: utf-8; \303\266@example.net\r\n");
      assert_part_has (&f, 1, "Original-Recipient: utf-8;\\x{F6}@example.net\r\n");
      assert_type (&f, 2, whole ? "message/global" : "message/global-headers");
      teardown (&f);
    }
}

/* 8-bit text is enclosed as it is; a header that is no UTF-8 is encoded. */
static void
test_8bit (void)
{
  static const char body[] = "Subject: x\r\n\r\n\374\r\n", header[] = "Subject: \374\r\n\r\nx\r\n";
  Fixture f = { 0 };

  setup_with (&f, body, strlen (body));
  make (&f);
  g_assert_cmpint (f.report->envelope->body, ==, PR_BODY_8BITMIME);
  assert_type (&f, 2, "message/rfc822");
  teardown (&f);

  f = (Fixture){ 0 };
  setup_with (&f, header, strlen (header));
  f.original->envelope->ret = PR_RET_HDRS;
  make (&f);
  g_assert_cmpint (f.report->envelope->body, ==, PR_BODY_7BIT);
  assert_type (&f, 2, "text/rfc822-headers");
  assert_part_has (&f, 2, "Subject: \374\r\n");
  teardown (&f);

  f = (Fixture){ 0 };
  setup_with (&f, "Subject: x\r\n\r\n\0\1\n", 17);
  f.original->envelope->body = PR_BODY_BINARYMIME;
  make (&f);
  assert_type (&f, 2, "text/rfc822-headers");
  teardown (&f);
}

static void
test_large (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Fixture f = { 0 };
  gsize head;

  for (guint i = 0; i < 4000; i++)
    g_string_append_printf (text, "X-%u: aaaaaaaaaaaaaaaa\r\n", i);
  g_string_append (text, "\r\nText\r\n");
  setup_with (&f, text->str, text->len);
  head = pr_report_get_head_size (PR_REPORT_FAILED, f.original);
  g_assert_cmpuint (head, <, 64 * 1024);
  g_bytes_unref (f.head);
  f.facts.head = f.head = g_bytes_new (text->str, head);
  make (&f);
  assert_type (&f, 2, "text/rfc822-headers");
  assert_part_lacks (&f, 2, "Text");
  g_assert_cmpuint (f.report->size_octets, <, PR_BODY_INLINE_MAX);
  teardown (&f);

  /* No head at all: the store could not read it. */
  f = (Fixture){ 0 };
  setup (&f);
  f.facts.head = NULL;
  make (&f);
  assert_type (&f, 2, "text/rfc822-headers");
  teardown (&f);
}

static void
test_many_recipients (void)
{
  Fixture f = { 0 };
  g_autofree PrReportRecipient *recipients = g_new0 (PrReportRecipient, 200);
  g_autofree char *fields = NULL;
  guint n_found = 0;

  setup_many (&f, 200, small, strlen (small));
  for (guint i = 0; i < 200; i++)
    recipients[i] = (PrReportRecipient){ i, &f.reply, "mx.example.net" };
  f.facts.recipients = recipients;
  f.facts.n_recipients = 200;
  make (&f);
  assert_part_has (&f, 0, "and 150 more");
  fields = get_text (&f, 1);
  for (const char *p = fields; (p = strstr (p, "Final-Recipient:")) != NULL; p++)
    n_found++;
  g_assert_cmpuint (n_found, ==, 200);
  teardown (&f);
}

static void
test_postmaster (void)
{
  Fixture f = { 0 };

  setup (&f);
  *f.original->envelope->sender = '\0';
  f.facts.to = "me@example.org";
  make (&f);
  assert_part_has (&f, 0, "You are told as the postmaster");
  g_assert_cmpstr (get_header (&f, "To"), ==, "<me@example.org>");
  teardown (&f);
}

static void
test_words (void)
{
  Fixture f = { 0 };
  g_autoptr (GString) out = g_string_new (NULL);

  setup (&f);
  pr_reply_set (&f.reply, 552, "5.3.4", "too large");
  f.recipient.remote = NULL;
  pr_report_write_text (&f.facts, NULL, NULL, out);
  assert_has (out->str, "    too large\r\n    What to do: Make the message smaller");
  assert_has (out->str, "  Size: 1 KiB\r\n");
  g_assert_null (strstr (out->str, "Subject"));
  teardown (&f);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/report/failed", test_failed);
  g_test_add_func ("/report/kinds", test_kinds);
  g_test_add_func ("/report/status", test_status);
  g_test_add_func ("/report/dsn-parameters", test_dsn_parameters);
  g_test_add_func ("/report/hostile", test_hostile);
  g_test_add_func ("/report/long-reply", test_long_reply);
  g_test_add_func ("/report/utf8", test_utf8);
  g_test_add_func ("/report/8bit", test_8bit);
  g_test_add_func ("/report/large", test_large);
  g_test_add_func ("/report/many-recipients", test_many_recipients);
  g_test_add_func ("/report/postmaster", test_postmaster);
  g_test_add_func ("/report/words", test_words);
  return g_test_run ();
}
