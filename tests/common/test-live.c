/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "common/live.h"

static void
test_enter_and_leave (void)
{
  g_autoptr (PrLives) set = pr_lives_new ();
  PrLive in = { .outbound = FALSE };
  PrLive out = { .outbound = TRUE };
  guint64 before = pr_lives_get_revision (set);

  pr_live_enter (&in, set);
  pr_live_enter (&out, set);
  g_assert_cmpuint (in.id, !=, out.id);
  g_assert_true (pr_lives_first (set) == &out);
  g_assert_true (out.next == &in);
  g_assert_true (pr_lives_find (set, in.id) == &in);
  g_assert_cmpuint (pr_lives_count (set, FALSE), ==, 1);
  g_assert_cmpuint (pr_lives_count (set, TRUE), ==, 1);
  g_assert_cmpuint (pr_lives_get_revision (set), >, before);

  pr_live_leave (&out);
  pr_live_leave (&out); /* twice is harmless */
  g_assert_true (pr_lives_first (set) == &in);
  g_assert_null (pr_lives_find (set, out.id));
  pr_live_leave (&in);
  g_assert_null (pr_lives_first (set));
}

static void
test_transcript_follows (void)
{
  PrTranscript t = { 0 };
  guint64 octet = 0;

  g_assert_cmpstr (pr_transcript_read (&t, &octet), ==, "");
  pr_transcript_add (&t, TRUE, "220 hi", 6);
  pr_transcript_add (&t, FALSE, "EHLO \x01\0x", 8);
  g_assert_cmpstr (pr_transcript_read (&t, &octet), ==, "> 220 hi\n< EHLO ??x\n");
  g_assert_cmpstr (pr_transcript_read (&t, &octet), ==, "");
  pr_transcript_add (&t, FALSE, "QUIT", 4);
  g_assert_cmpstr (pr_transcript_read (&t, &octet), ==, "< QUIT\n");
  pr_transcript_clear (&t);
}

static void
test_transcript_is_bounded (void)
{
  PrTranscript t = { 0 };
  char line[2000];
  guint64 all = 0, late = 1;

  memset (line, 'x', sizeof line);
  for (guint i = 0; i < 1000; i++)
    {
      pr_transcript_add (&t, FALSE, line, i * 2);
      g_assert_cmpuint (t.text->len, <=, PR_TRANSCRIPT_MAX);
    }
  pr_transcript_add (&t, FALSE, "end", 3);
  g_assert_true (g_str_has_prefix (pr_transcript_read (&t, &all), "< "));
  /* a follower who fell behind gets what is left, from a line's start */
  g_assert_true (g_str_has_prefix (pr_transcript_read (&t, &late), "< "));
  g_assert_cmpuint (all, ==, late);
  pr_transcript_clear (&t);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/live/enter-and-leave", test_enter_and_leave);
  g_test_add_func ("/live/transcript/follows", test_transcript_follows);
  g_test_add_func ("/live/transcript/is-bounded", test_transcript_is_bounded);
  return g_test_run ();
}
