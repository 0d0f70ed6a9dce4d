/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "smtp/reply.h"

#include <string.h>

static void
test_set_and_text (void)
{
  PrReply reply = { 0 };
  PrReply copy = { 0 };
  g_autofree char *text = NULL;

  pr_reply_set (&reply, 550, "5.7.1", "no\nnever");
  pr_reply_copy (&copy, &reply);
  text = pr_reply_to_string (&copy);
  g_assert_cmpstr (text, ==, "550 5.7.1 no / never");
  g_assert_cmpstr (copy.text, ==, "no\nnever");
  g_assert_true (copy.is_own);
  g_assert_true (pr_reply_is_permanent (&copy));
  g_assert_false (pr_reply_is_temporary (&copy));
  g_assert_false (pr_reply_is_positive (&copy));

  pr_reply_set (&reply, 250, "nonsense", "a\tb\x01\xff");
  g_assert_cmpuint (reply.status[0], ==, 0);
  g_assert_cmpstr (reply.text, ==, "a b ?");

  pr_reply_clear (&reply);
  pr_reply_clear (&copy);
}

static void
test_set_is_bounded (void)
{
  g_autofree char *long_text = g_strnfill (3 * PR_REPLY_MAX_TEXT, 'x');
  g_autoptr (GString) wide = g_string_new ("x");
  PrReply reply = { 0 };

  pr_reply_set (&reply, 250, NULL, long_text);
  g_assert_cmpuint (strlen (reply.text), ==, PR_REPLY_MAX_TEXT);

  while (wide->len < 2 * PR_REPLY_MAX_TEXT)
    g_string_append (wide, "\xc3\xa4");
  pr_reply_set (&reply, 250, NULL, wide->str);
  g_assert_cmpuint (strlen (reply.text), ==, PR_REPLY_MAX_TEXT - 1);
  g_assert_true (g_utf8_validate (reply.text, -1, NULL));
  pr_reply_clear (&reply);
}

static void
test_string_round_trip (void)
{
  static const char *const good[] = { "250",         "250 ok",          "250 2.0.0 ok",
                                      "550 5.7.1",   "421 4.3.2 a / b", "354 go on",
                                      "000 no reply" };
  static const char *const bad[] = { "", "25", "2500", "250-ok", "abc", "150 x", "600 x", " 250" };
  PrReply reply = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *text = NULL;

      g_assert_true (pr_reply_from_string (&reply, good[i]));
      text = pr_reply_to_string (&reply);
      g_assert_cmpstr (text, ==, good[i]);
    }

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (pr_reply_from_string (&reply, bad[i]));
  g_assert_cmpstr (reply.text, ==, "no reply");

  pr_reply_clear (&reply);
}

typedef struct
{
  const char *wire;
  const char *expected; /* NULL: broken */
} ReaderCase;

static const ReaderCase reader_cases[] = {
  { "250 ok\r\n", "250 ok" },
  { "250\r\n", "250" },
  { "250 \r\n", "250" },
  { "250 lf\n", "250 lf" },
  { "250-a\r\n250-b\r\n250 c\r\n", "250 a / b / c" },
  { "250-\r\n250 c\r\n", "250  / c" },
  { "250 2.1.0 ok\r\n", "250 2.1.0 ok" },
  { "550-5.7.1 no\r\n550 5.7.1 never\r\n", "550 5.7.1 no / never" },
  { "550-5.7.1 no\r\n550 5.7.2 never\r\n", "550 5.7.1 no / 5.7.2 never" },
  { "550-no\r\n550 5.7.2 never\r\n", "550 5.7.2 no / never" },
  { "550 2.0.0 class of another\r\n", "550 2.0.0 class of another" },
  { "550 5.7 short\r\n", "550 5.7 short" },
  { "550 5.7.1234 long\r\n", "550 5.7.1234 long" },
  { "550 5.999.1 unknown\r\n", "550 5.0.1 unknown" },
  { "250 caf\xc3\xa9 \xe9\x1b[2J\r\n", "250 caf\xc3\xa9 ? [2J" },
  { "421-a\r\n450 b\r\n", NULL },
  { "150 x\r\n", NULL },
  { "600 x\r\n", NULL },
  { "25 x\r\n", NULL },
  { "2500 x\r\n", NULL },
  { "250_x\r\n", NULL },
  { "\r\n", NULL },
  { "HTTP/1.1 400 Bad Request\r\n", NULL },
};

static void
check_reader (const ReaderCase *c, gsize step)
{
  PrReplyReader reader = { 0 };
  PrReplyStatus status = PR_REPLY_MORE;
  gsize len = strlen (c->wire);
  gsize done = 0;

  while (done < len && status == PR_REPLY_MORE)
    {
      gsize taken = 0;

      status = pr_reply_reader_feed (&reader, c->wire + done, MIN (step, len - done), &taken);
      done += taken;
    }

  if (c->expected == NULL)
    g_assert_cmpint (status, ==, PR_REPLY_BROKEN);
  else
    {
      g_autofree char *text = pr_reply_to_string (&reader.reply);

      g_assert_cmpint (status, ==, PR_REPLY_COMPLETE);
      g_assert_cmpuint (done, ==, len);
      g_assert_cmpstr (text, ==, c->expected);
      g_assert_false (reader.reply.is_own);
    }

  pr_reply_reader_clear (&reader);
}

static void
test_reader (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reader_cases); i++)
    for (gsize step = 1; step < 40; step += 3)
      check_reader (&reader_cases[i], step);
}

static void
test_reader_pipelined (void)
{
  static const char wire[] = "250 one\r\n250-two\r\n250 three\r\n354 ";
  PrReplyReader reader = { 0 };
  gsize taken;
  gsize done = 0;

  g_assert_cmpint (pr_reply_reader_feed (&reader, wire, strlen (wire), &taken), ==,
                   PR_REPLY_COMPLETE);
  g_assert_cmpuint (taken, ==, strlen ("250 one\r\n"));
  g_assert_cmpstr (reader.reply.text, ==, "one");
  done += taken;
  g_assert_cmpint (pr_reply_reader_feed (&reader, wire + done, strlen (wire) - done, &taken), ==,
                   PR_REPLY_COMPLETE);
  g_assert_cmpstr (reader.reply.text, ==, "two\nthree");
  done += taken;
  g_assert_cmpint (pr_reply_reader_feed (&reader, wire + done, strlen (wire) - done, &taken), ==,
                   PR_REPLY_MORE);
  g_assert_cmpuint (taken, ==, 4);
  pr_reply_reader_clear (&reader);
  g_assert_null (reader.line);
}

static void
test_reader_bounds (void)
{
  g_autofree char *x = g_strnfill (PR_REPLY_MAX_LINE - 4, 'x');
  g_autofree char *longest = g_strdup_printf ("250 %s\n", x);
  g_autofree char *too_long = g_strdup_printf ("250 %sx\n", x);
  g_autoptr (GString) many = g_string_new (NULL);
  PrReplyReader reader = { 0 };
  gsize taken;

  g_assert_cmpint (pr_reply_reader_feed (&reader, longest, strlen (longest), &taken), ==,
                   PR_REPLY_COMPLETE);
  g_assert_cmpint (pr_reply_reader_feed (&reader, too_long, strlen (too_long), &taken), ==,
                   PR_REPLY_BROKEN);
  pr_reply_reader_clear (&reader);

  /* The same without any line end: nothing grows. */
  for (gsize i = 0; i < PR_REPLY_MAX_LINE; i++)
    g_assert_cmpint (pr_reply_reader_feed (&reader, "2", 1, &taken), ==, PR_REPLY_MORE);
  g_assert_cmpint (pr_reply_reader_feed (&reader, "2", 1, &taken), ==, PR_REPLY_BROKEN);
  pr_reply_reader_clear (&reader);

  for (guint i = 0; i < PR_REPLY_MAX_LINES; i++)
    g_string_append_printf (many, "250-%.1000s\r\n", x);
  g_assert_cmpint (pr_reply_reader_feed (&reader, many->str, many->len, &taken), ==, PR_REPLY_MORE);
  g_assert_cmpuint (reader.text->len, <=, PR_REPLY_MAX_TEXT);
  g_assert_cmpint (pr_reply_reader_feed (&reader, "250 x\n", 6, &taken), ==, PR_REPLY_BROKEN);
  pr_reply_reader_clear (&reader);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/reply/set-and-text", test_set_and_text);
  g_test_add_func ("/reply/set-is-bounded", test_set_is_bounded);
  g_test_add_func ("/reply/string-round-trip", test_string_round_trip);
  g_test_add_func ("/reply/reader", test_reader);
  g_test_add_func ("/reply/reader-pipelined", test_reader_pipelined);
  g_test_add_func ("/reply/reader-bounds", test_reader_bounds);

  return g_test_run ();
}
