/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/rewrite.h"

#include <gmime/gmime.h>
#include <string.h>

#include "smtp/headers.h"

#define ME "me@example.org"

static const struct
{
  const char *from, *expected;
} names[] = {
  { NULL, ME },
  { "", ME },
  { "scanner@lan", ME },
  { "<scanner@lan>", ME },
  { "Scanner <scanner@lan>", "Scanner <" ME ">" },
  { "\"Scanner, 2nd floor\" <scanner@lan>", "\"Scanner, 2nd floor\" <" ME ">" },
  { "\"A \\\"B\\\"\" <a@lan>", "\"A \\\"B\\\"\" <" ME ">" },
  { "=?utf-8?q?J=C3=B6rg?= <j@lan>", "=?iso-8859-1?b?SvZyZw==?= <" ME ">" },
  { "J\303\266rg <j@lan>", "=?iso-8859-1?b?SvZyZw==?= <" ME ">" },
  { "A <a@lan>, B <b@lan>", "A <" ME ">" },
  { "Team: A <a@lan>, B <b@lan>;", "A <" ME ">" },
  { "undisclosed:;", ME },
  { "a@lan (Comment)", "Comment <" ME ">" },
  { ">>> nonsense <<<", ME },
};

static void
test_from (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *value = pr_rewrite_from (names[i].from, ME);

      g_test_message ("%s", names[i].from);
      g_assert_cmpstr (value, ==, names[i].expected);
    }
}

/* A line break in an encoded word stays a word. */
static void
test_hostile_name (void)
{
  g_autofree char *broken = pr_rewrite_from ("=?utf-8?q?a=0D=0ABcc:_x@y=0D=0A?= <a@lan>", ME);
  g_autofree char *name = g_strnfill (5000, 'x');
  g_autofree char *from = g_strdup_printf ("%s <a@lan>", name);
  g_autofree char *long_name = pr_rewrite_from (from, ME);

  g_assert_null (strpbrk (broken, "\r\n"));
  g_assert_true (g_str_has_suffix (broken, "<" ME ">"));
  g_assert_cmpstr (long_name, ==, ME);
}

static void
test_envelope (void)
{
  g_assert_cmpstr (pr_rewrite_envelope ("a@lan", ME), ==, ME);
  g_assert_cmpstr (pr_rewrite_envelope ("", ME), ==, "");
}

static const struct
{
  const char *name, *in, *out;
} cases[] = {
  { "usual", "Received: x\r\nFrom: A <a@lan>\r\nTo: b\r\n\r\nFrom: body\r\n",
    "Received: x\r\nFrom: A <" ME ">\r\nTo: b\r\nReply-To: A <a@lan>\r\n\r\nFrom: body\r\n" },
  { "reply-to", "From: a@lan\r\nReply-To: c@lan\r\n\r\n",
    "From: " ME "\r\nReply-To: c@lan\r\n\r\n" },
  { "folded", "From: A\r\n <a@lan>,\r\n b@lan\r\n\r\n",
    "From: A <" ME ">\r\nReply-To: A\r\n <a@lan>,\r\n b@lan\r\n\r\n" },
  { "sender", "Sender: s@lan\r\nfrom: a@lan\r\n\r\n", "From: " ME "\r\nReply-To: a@lan\r\n\r\n" },
  { "missing", "To: b\r\n\r\nx", "To: b\r\nFrom: " ME "\r\n\r\nx" },
  { "empty", "From:\r\n\r\n", "From: " ME "\r\n\r\n" },
  { "two", "From: a@lan\r\nFrom: b@lan\r\n\r\n", "From: " ME "\r\nReply-To: a@lan\r\n\r\n" },
  { "own", "Sender: s\r\nFrom: Me <ME@example.org>\r\n\r\n",
    "Sender: s\r\nFrom: Me <ME@example.org>\r\n\r\n" },
  { "own-among-others", "From: me@example.org, a@lan\r\n\r\n",
    "From: " ME "\r\nReply-To: me@example.org, a@lan\r\n\r\n" },
  { "dkim", "DKIM-Signature: v=1; h=from\r\nFrom: a@lan\r\n\r\n",
    "DKIM-Signature: v=1; h=from\r\nFrom: " ME "\r\nReply-To: a@lan\r\n\r\n" },
  { "no-header", "Hello\r\n", "From: " ME "\r\n\r\nHello\r\n" },
  { "header-alone", "From: a@lan\r\n", "From: " ME "\r\nReply-To: a@lan\r\n\r\n" },
  { "nothing", "", "From: " ME "\r\n\r\n" },
};

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].in) + 1; step++)
      {
        g_autoptr (PrRewrite) rewrite = pr_rewrite_new (ME);
        g_autoptr (GString) out = g_string_new (NULL);
        gsize len = strlen (cases[i].in);

        g_test_message ("%s by %" G_GSIZE_FORMAT, cases[i].name, step);
        for (gsize at = 0; at < len; at += step)
          pr_rewrite_feed (rewrite, cases[i].in + at, MIN (step, len - at), FALSE, out);
        pr_rewrite_feed (rewrite, NULL, 0, TRUE, out);
        g_assert_cmpstr (out->str, ==, cases[i].out);
      }
}

/* A header beyond the bound is not held: it passes as it is. */
static void
test_too_large (void)
{
  g_autoptr (PrRewrite) rewrite = pr_rewrite_new (ME);
  g_autoptr (GString) in = g_string_new ("From: a@lan\r\n"), out = g_string_new (NULL);

  while (in->len <= 2 * PR_HEADERS_MAX)
    g_string_append (in, "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
  g_string_append (in, "\r\nText\r\n");
  for (gsize at = 0; at < in->len; at += 4096)
    {
      pr_rewrite_feed (rewrite, in->str + at, MIN (4096, in->len - at), FALSE, out);
      g_assert_cmpuint (at, <=, out->len + PR_HEADERS_MAX + 4096);
    }
  pr_rewrite_feed (rewrite, NULL, 0, TRUE, out);
  g_assert_cmpmem (out->str, out->len, in->str, in->len);
}

/* Given up in the middle: nothing leaks. */
static void
test_free (void)
{
  g_autoptr (PrRewrite) rewrite = pr_rewrite_new (ME);
  g_autoptr (GString) out = g_string_new (NULL);

  pr_rewrite_feed (rewrite, "From: a", 7, FALSE, out);
  g_assert_cmpuint (out->len, ==, 0);
}

/* What the service shows people before they set an address is made by this alone. */
static void
test_headers_in_memory (void)
{
  static const char before[] = "From: Scan <scan@lan>\r\nSender: root@lan\r\nTo: a@b.example\r\n";
  g_autoptr (PrHeaders) headers = pr_headers_new (before, sizeof before - 1);
  g_autoptr (GString) after = g_string_new (NULL);

  pr_rewrite_headers (headers, ME);
  pr_headers_write (headers, after);
  g_assert_cmpstr (after->str, ==,
                   "From: Scan <" ME ">\r\nTo: a@b.example\r\nReply-To: Scan <scan@lan>\r\n");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/rewrite/from", test_from);
  g_test_add_func ("/rewrite/hostile-name", test_hostile_name);
  g_test_add_func ("/rewrite/envelope", test_envelope);
  g_test_add_func ("/rewrite/cases", test_cases);
  g_test_add_func ("/rewrite/too-large", test_too_large);
  g_test_add_func ("/rewrite/free", test_free);
  g_test_add_func ("/rewrite/headers-in-memory", test_headers_in_memory);
  return g_test_run ();
}
