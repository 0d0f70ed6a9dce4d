/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers, times and text as people read them. */
#include "ctl/terminal.h"
#include "ctl/words.h"

#define NOW (G_GINT64_CONSTANT (1795467965) * G_USEC_PER_SEC)
#define S ((gint64) G_USEC_PER_SEC)

#define assert_words(call, expected)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *words = call;                                                                 \
    g_assert_cmpstr (words, ==, expected);                                                         \
  }                                                                                                \
  G_STMT_END

static void
test_sizes (void)
{
  assert_words (pr_words_size (0), "0 B");
  assert_words (pr_words_size (1023), "1023 B");
  assert_words (pr_words_size (1024), "1.0 KiB");
  assert_words (pr_words_size (10 * 1024), "10 KiB");
  assert_words (pr_words_size (50 * 1024 * 1024), "50 MiB");
  assert_words (pr_words_size (G_MAXUINT64), "16 EiB");
}

static void
test_when (void)
{
  assert_words (pr_words_when (0, NOW), "");
  assert_words (pr_words_when (NOW, NOW), "just now");
  assert_words (pr_words_when (NOW + 1, NOW), "now");
  assert_words (pr_words_when (NOW - 5 * S, NOW), "5 s ago");
  assert_words (pr_words_when (NOW + 90 * S, NOW), "in 90 s");
  assert_words (pr_words_when (NOW + 150 * S, NOW), "in 2 min");
  assert_words (pr_words_when (NOW - 7300 * S, NOW), "2 h ago");
  assert_words (pr_words_when (NOW - 3 * 86400 * S, NOW), "3 d ago");
  assert_words (pr_words_time (0), "");
  assert_words (pr_words_time (NOW), "2026-11-23 21:06:05");
}

static void
test_lists (void)
{
  assert_words (pr_words_count (1, "message"), "1 message");
  assert_words (pr_words_count (0, "message"), "0 messages");
  assert_words (pr_words_list ((const char *const[]){ NULL }), "");
  assert_words (pr_words_list ((const char *const[]){ "a", NULL }), "a");
  assert_words (pr_words_list ((const char *const[]){ "a", "b", "c", NULL }), "a, b and c");
}

static void
test_since (void)
{
  static const struct
  {
    const char *text;
    gint64 us;
  } cases[] = {
    { "90", NOW - 90 * S },
    { "2h", NOW - 7200 * S },
    { "9999999999999999d", -1 },
    { "20000d", NOW - 20000 * 86400 * S },
    { "30000d", 0 },
    { "2026-11-23", NOW - (21 * 3600 + 6 * 60 + 5) * S },
    { "2026-11-23 21:06", NOW - 5 * S },
    { "2026-11-23 21:06:05", NOW },
    { "2026-11-23T22:06:05+01:00", NOW },
    { "2026-11-23T21:06:05Z", NOW },
    { "", -1 },
    { "yesterday", -1 },
    { "2026-13-01", -1 },
    { "-1h", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 us = -1;

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (pr_words_parse_since (cases[i].text, NOW, &us), ==, cases[i].us >= 0);
      if (cases[i].us > 0)
        g_assert_cmpint (us, ==, cases[i].us);
    }
}

static void
test_fit (void)
{
  g_assert_cmpuint (pr_text_width ("abc"), ==, 3);
  g_assert_cmpuint (pr_text_width ("日本"), ==, 4);
  g_assert_cmpuint (pr_text_width ("e\xcc\x81"), ==, 1);
  assert_words (pr_text_fit ("abc", 3), "abc");
  assert_words (pr_text_fit ("abcd", 3), "ab…");
  assert_words (pr_text_fit ("abcd", 1), "…");
  assert_words (pr_text_fit ("abcd", 0), "");
  assert_words (pr_text_fit ("日本語", 4), "日…");
  assert_words (pr_text_fit ("e\xcc\x81zzz", 2), "e\xcc\x81…");
}

/* What a peer said cannot act on the terminal. */
static void
test_printable (void)
{
  assert_words (pr_text_printable (NULL), "");
  assert_words (pr_text_printable ("a\033[31mb\r\nc\x7f"), "a?[31mb??c?");
  assert_words (pr_text_printable ("\xff\xfe"), "??");
  assert_words (pr_text_printable ("\xc2\x9b"
                                   "2J"),
                "?2J");
  assert_words (pr_text_printable ("grün"), "grün");
}

static void
test_colors (void)
{
  PrTerminal plain = { 0 }, colored = { .is_tty = TRUE, .has_colors = TRUE, .width = 80 };
  PrTerminal here;

  g_assert_cmpstr (pr_terminal_begin (&plain, PR_COLOR_BAD), ==, "");
  g_assert_cmpstr (pr_terminal_end (&plain, PR_COLOR_BAD), ==, "");
  g_assert_cmpstr (pr_terminal_begin (&colored, PR_COLOR_BAD), ==, "\033[31m");
  g_assert_cmpstr (pr_terminal_end (&colored, PR_COLOR_BAD), ==, "\033[0m");
  g_assert_cmpstr (pr_terminal_end (&colored, PR_COLOR_NONE), ==, "");
  g_setenv ("NO_COLOR", "1", TRUE);
  pr_terminal_init (&here);
  g_assert_false (here.has_colors);
}

int
main (int argc, char *argv[])
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/words/sizes", test_sizes);
  g_test_add_func ("/words/when", test_when);
  g_test_add_func ("/words/lists", test_lists);
  g_test_add_func ("/words/since", test_since);
  g_test_add_func ("/words/fit", test_fit);
  g_test_add_func ("/words/printable", test_printable);
  g_test_add_func ("/words/colors", test_colors);
  return g_test_run ();
}
