/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "smtp/headers.h"

/* What a message looks like when "<END>" is written where the header ends. */
static const struct
{
  const char *name, *in, *out;
  PrFields seen;
  guint n_received;
} cases[] = {
  { "usual", "Date: x\r\nFrom: a\r\n\r\nbody\r\n", "Date: x\r\nFrom: a\r\n<END>\r\nbody\r\n",
    PR_FIELD_DATE | PR_FIELD_FROM, 0 },
  { "no-body", "Subject: x\r\n\r\n", "Subject: x\r\n<END>\r\n", PR_FIELD_SUBJECT, 0 },
  { "no-empty-line", "Subject: x\r\n", "Subject: x\r\n<END>\r\n", PR_FIELD_SUBJECT, 0 },
  { "no-line-end", "Subject: x", "Subject: x\r\n<END>\r\n", PR_FIELD_SUBJECT, 0 },
  { "nothing", "", "<END>\r\n", 0, 0 },
  { "empty-header", "\r\nFrom: a\r\n", "<END>\r\nFrom: a\r\n", 0, 0 },
  { "no-header", "Hello world\r\nFrom: a\r\n", "<END>\r\nHello world\r\nFrom: a\r\n", 0, 0 },
  { "no-header-no-end", "Hello", "<END>\r\nHello", 0, 0 },
  { "leading-blank", " x\r\n", "<END>\r\n x\r\n", 0, 0 },
  { "broken-off", "To: a\r\nHello world\r\n", "To: a\r\n<END>\r\nHello world\r\n", PR_FIELD_TO, 0 },
  { "folded", "To: a,\r\n\tDate: b\r\n c\r\nCC:\r\n\r\n",
    "To: a,\r\n\tDate: b\r\n c\r\nCC:\r\n<END>\r\n", PR_FIELD_TO | PR_FIELD_CC, 0 },
  { "case-and-blank", "rEPLY-tO \t: x\r\nreply: x\r\n\r\n",
    "rEPLY-tO \t: x\r\nreply: x\r\n<END>\r\n", PR_FIELD_REPLY_TO, 0 },
  { "received", "Received: a\r\nReceived: b\r\n c\r\nX-Received: d\r\n\r\nReceived: e\r\n",
    "Received: a\r\nReceived: b\r\n c\r\nX-Received: d\r\n<END>\r\nReceived: e\r\n",
    PR_FIELD_RECEIVED, 2 },
  { "mailbox", "From a@b Mon Jan  1\r\nTo: a\r\n\r\n", "From a@b Mon Jan  1\r\nTo: a\r\n<END>\r\n",
    PR_FIELD_TO, 0 },
  { "from-later", "To: a\r\nFrom a@b\r\n\r\n", "To: a\r\n<END>\r\nFrom a@b\r\n\r\n", PR_FIELD_TO,
    0 },
  { "colon-first", ": x\r\n\r\n", "<END>\r\n: x\r\n\r\n", 0, 0 },
  { "8-bit-name", "S\303\274bject: x\r\n\r\n", "<END>\r\nS\303\274bject: x\r\n\r\n", 0, 0 },
  { "cr", "To: a\r\n\rx\r\n", "To: a\r\n<END>\r\n\rx\r\n", PR_FIELD_TO, 0 },
  { "bare-lf", "To: a\nCc: b\n\nbody\n", "To: a\nCc: b\n<END>\nbody\n", PR_FIELD_TO | PR_FIELD_CC,
    0 },
  { "long-name",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:\r\n\r\n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:\r\n<END>\r\n", 0,
    0 },
  { "too-long-name",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaa:\r\n",
    "<END>\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaa:\r\n",
    0, 0 },
};

static void
on_octets (gpointer owner, const char *data, gsize len)
{
  g_string_append_len (owner, data, len);
}

static void
on_end (gpointer owner)
{
  g_string_append (owner, "<END>");
}

static const PrHeaderSink sink = { on_octets, on_end };

static GString *
scan (PrHeaderScan *scan, const char *in, gsize len, gsize step)
{
  GString *out = g_string_new (NULL);

  for (gsize at = 0; at < len; at += step)
    {
      gsize n = MIN (step, len - at);
      g_autofree char *piece = g_memdup2 (in + at, n);

      pr_header_scan_feed (scan, piece, n, &sink, out);
    }
  pr_header_scan_finish (scan, &sink, out);
  return out;
}

static void
test_scan (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].in) + 1; step++)
      {
        PrHeaderScan state = { 0 };
        g_autoptr (GString) out = scan (&state, cases[i].in, strlen (cases[i].in), step);

        g_test_message ("%s by %" G_GSIZE_FORMAT, cases[i].name, step);
        g_assert_cmpstr (out->str, ==, cases[i].out);
        g_assert_cmphex (state.seen, ==, cases[i].seen);
        g_assert_cmpuint (state.n_received, ==, cases[i].n_received);
        g_assert_true (state.ended);
        g_assert_false (state.has_8bit);
      }
}

static void
test_8bit (void)
{
  static const struct
  {
    const char *in;
    gboolean has_8bit;
  } texts[] = {
    { "Subject: \303\274\r\n\r\n", TRUE },
    { "Subject: x\r\n \303\274\r\n\r\n", TRUE },
    { "Subject: x\r\n\r\n\303\274\r\n", FALSE },
    { "Subject: x\r\n\303\274\r\n", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    for (gsize step = 1; step <= strlen (texts[i].in); step++)
      {
        PrHeaderScan state = { 0 };
        g_autoptr (GString) out = scan (&state, texts[i].in, strlen (texts[i].in), step);

        g_assert_cmpint (state.has_8bit, ==, texts[i].has_8bit);
      }
}

static void
test_tls_required (void)
{
  static const struct
  {
    const char *in;
    gboolean waives;
  } texts[] = {
    { "TLS-Required: No\r\n\r\n", TRUE },
    { "Subject: x\r\ntls-required :\r\n\tno\r\nTo: yes\r\n\r\nbody", TRUE },
    { "TLS-Required: No", TRUE },
    { "TLS-Required: Not\r\n\r\n", FALSE },
    { "TLS-Required: Yes\r\n\r\n", FALSE },
    { "TLS-Required: No\r\nTLS-Required: No\r\n\r\n", FALSE },
    { "TLS-Required: No\r\n way\r\n\r\n", FALSE },
    { "TLS-Required:\r\n\r\n", FALSE },
    { "X-TLS-Required: No\r\n\r\n", FALSE },
    { "Subject: x\r\n\r\nTLS-Required: No\r\n", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    for (gsize step = 1; step <= strlen (texts[i].in); step++)
      {
        PrHeaderScan state = { 0 };
        g_autoptr (GString) out = scan (&state, texts[i].in, strlen (texts[i].in), step);

        g_test_message ("%s by %" G_GSIZE_FORMAT, texts[i].in, step);
        g_assert_cmpint (pr_header_scan_waives_tls (&state), ==, texts[i].waives);
      }
}

/* The scan and the block in memory agree about where the header ends and lose no octet. */
static void
test_random (void)
{
  static const char *const words[] = { "From", "To",  ":",  " ", "\t",   "\r\n",
                                       "\r\n", "\r",  "\n", "a", "\377", "Received: x\r\n",
                                       "",     "\001" };

  for (guint round = 0; round < 20000; round++)
    {
      g_autoptr (GString) in = g_string_new (NULL), kept = g_string_new (NULL);
      g_autoptr (GString) out = NULL;
      g_autoptr (PrHeaders) headers = NULL;
      PrHeaderScan state = { 0 };
      const char *mark;

      for (int n = g_test_rand_int_range (0, 20); n > 0; n--)
        {
          const char *word = words[g_test_rand_int_range (0, G_N_ELEMENTS (words))];
          g_string_append_len (in, word, *word == '\0' ? 1 : strlen (word));
        }
      out = scan (&state, in->str, in->len, g_test_rand_int_range (1, 9));
      mark = memmem (out->str, out->len, "<END>", 5);
      g_assert_nonnull (mark);

      headers = pr_headers_new (in->str, in->len);
      pr_headers_write (headers, kept);
      g_assert_cmpmem (out->str, (gsize) (mark - out->str), kept->str, kept->len);
      g_assert_cmpmem (kept->str, pr_headers_get_size (headers), in->str,
                       pr_headers_get_size (headers));
      g_assert_cmpuint (state.n_received, ==, pr_headers_count (headers, "received"));
    }
}

static const char block[] = "Received: one\r\n\tfor x\r\nFrom: A <a@b>,\r\n B <b@b>\r\n"
                            "SUBJECT:  x \r\nReceived: two\r\nEmpty:\r\n\r\nbody: x\r\n";

static void
test_read (void)
{
  g_autoptr (PrHeaders) headers = pr_headers_new (block, strlen (block));
  g_autofree char *folded = pr_headers_get (headers, "received", 0);
  g_autofree char *second = pr_headers_get (headers, "Received", 1);
  g_autofree char *raw = pr_headers_get_raw (headers, "From", 0);
  g_autofree char *subject = pr_headers_get (headers, "Subject", 0);
  g_autofree char *empty = pr_headers_get (headers, "Empty", 0);

  g_assert_cmpstr (folded, ==, "one\tfor x");
  g_assert_cmpstr (second, ==, "two");
  g_assert_cmpstr (raw, ==, "A <a@b>,\r\n B <b@b>");
  g_assert_cmpstr (subject, ==, "x");
  g_assert_cmpstr (empty, ==, "");
  g_assert_null (pr_headers_get (headers, "Received", 2));
  g_assert_null (pr_headers_get_raw (headers, "body", 0));
  g_assert_cmpuint (pr_headers_count (headers, "RECEIVED"), ==, 2);
  g_assert_true (pr_headers_is_complete (headers));
  g_assert_cmpstr (block + pr_headers_get_size (headers), ==, "\r\nbody: x\r\n");
}

static void
test_change (void)
{
  g_autoptr (PrHeaders) headers = pr_headers_new (block, strlen (block));
  g_autoptr (GString) out = g_string_new (NULL);

  pr_headers_set (headers, "received", "three");
  pr_headers_set (headers, "Date", "now,\r\n folded");
  pr_headers_remove (headers, "subject");
  pr_headers_remove (headers, "absent");
  pr_headers_append (headers, "Received", "four");
  pr_headers_write (headers, out);
  g_assert_cmpstr (out->str, ==,
                   "received: three\r\nFrom: A <a@b>,\r\n B <b@b>\r\nEmpty:\r\n"
                   "Date: now,\r\n folded\r\nReceived: four\r\n");
}

static void
test_injection (void)
{
  g_autoptr (PrHeaders) headers = pr_headers_new ("", 0);

  g_test_expect_message ("postroom-smtp", G_LOG_LEVEL_CRITICAL, "*is_one_field*");
  pr_headers_set (headers, "Subject", "x\r\nBcc: y");
  g_test_assert_expected_messages ();
  g_test_expect_message ("postroom-smtp", G_LOG_LEVEL_CRITICAL, "*is_one_field*");
  pr_headers_append (headers, "Subject", "x\n");
  g_test_assert_expected_messages ();
  g_assert_cmpuint (pr_headers_count (headers, "Subject"), ==, 0);
}

/* NUL is kept; what goes beyond the bound is not taken for complete. */
static void
test_bounds (void)
{
  g_autoptr (PrHeaders) with_nul = pr_headers_new ("A: x\0y\r\n\r\n", 10);
  g_autoptr (GString) out = g_string_new (NULL), large = g_string_new ("A: x\r\n");
  g_autoptr (PrHeaders) cut = NULL, open = pr_headers_new ("A: x\r\n", 6);

  pr_headers_write (with_nul, out);
  g_assert_cmpmem (out->str, out->len, "A: x\0y\r\n", 8);
  g_assert_true (pr_headers_is_complete (with_nul));
  g_assert_false (pr_headers_is_complete (open));
  g_assert_cmpuint (pr_headers_get_size (open), ==, 6);

  for (guint i = 0; i < PR_HEADERS_MAX / 8; i++)
    g_string_append (large, "Bb: xx\r\n");
  g_string_append (large, "\r\n");
  cut = pr_headers_new (large->str, large->len);
  g_assert_false (pr_headers_is_complete (cut));
  g_assert_cmpuint (pr_headers_get_size (cut), <=, PR_HEADERS_MAX);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/headers/scan", test_scan);
  g_test_add_func ("/headers/8bit", test_8bit);
  g_test_add_func ("/headers/tls-required", test_tls_required);
  g_test_add_func ("/headers/random", test_random);
  g_test_add_func ("/headers/read", test_read);
  g_test_add_func ("/headers/change", test_change);
  g_test_add_func ("/headers/injection", test_injection);
  g_test_add_func ("/headers/bounds", test_bounds);
  return g_test_run ();
}
