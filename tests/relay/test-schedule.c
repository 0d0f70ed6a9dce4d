/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/schedule.h"

#define S G_GINT64_CONSTANT (1000000)
#define NOW (G_GINT64_CONSTANT (1700000000) * S)

static guint64 schedule[] = { 60, 300, 900 };

static PrConfig
config_with (guint64 give_up_s, guint64 warn_after_s)
{
  return (PrConfig){ .retry_schedule_s = schedule,
                     .n_retry_schedule = G_N_ELEMENTS (schedule),
                     .give_up_s = give_up_s,
                     .warn_after_s = warn_after_s };
}

static void
test_intervals (void)
{
  PrConfig config = config_with (5 * 86400, 0);
  const struct
  {
    guint attempts;
    gint64 interval_s;
  } cases[] = { { 0, 60 }, { 1, 60 }, { 2, 300 }, { 3, 900 }, { 4, 900 }, { G_MAXUINT, 900 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 low = pr_schedule_next (&config, cases[i].attempts, NOW, NOW, 0);
      gint64 high = pr_schedule_next (&config, cases[i].attempts, NOW, NOW, G_MAXUINT32);

      g_assert_cmpint (low, ==, NOW + cases[i].interval_s * S * 9 / 10);
      g_assert_cmpint (high, ==, NOW + cases[i].interval_s * S * 11 / 10);
    }
}

static void
test_last_attempt_is_at_the_end (void)
{
  PrConfig config = config_with (1000, 0);

  g_assert_cmpint (pr_schedule_next (&config, 3, NOW - 500 * S, NOW, 0), ==, NOW + 500 * S);
  /* Past the end nothing is pulled back into the past. */
  g_assert_cmpint (pr_schedule_next (&config, 3, NOW - 2000 * S, NOW, 0), ==, NOW + 810 * S);
}

static void
test_an_attempt_is_at_the_warning (void)
{
  PrConfig config = config_with (86400, 100);

  g_assert_cmpint (pr_schedule_next (&config, 3, NOW - 50 * S, NOW, 0), ==, NOW + 50 * S);
  g_assert_cmpint (pr_schedule_next (&config, 3, NOW - 100 * S, NOW, 0), ==, NOW + 810 * S);
}

static void
test_over_and_late (void)
{
  PrConfig config = config_with (1000, 100);
  PrConfig quiet = config_with (1000, 0);

  g_assert_false (pr_schedule_is_late (&config, NOW, NOW + 100 * S - 1));
  g_assert_true (pr_schedule_is_late (&config, NOW, NOW + 100 * S));
  g_assert_false (pr_schedule_is_late (&quiet, NOW, NOW + 100 * S));
  g_assert_false (pr_schedule_is_over (&config, NOW, NOW + 1000 * S - 1));
  g_assert_true (pr_schedule_is_over (&config, NOW, NOW + 1000 * S));
  /* A clock that was set back makes a message young, never old. */
  g_assert_false (pr_schedule_is_over (&config, NOW, NOW - 2000 * S));
}

static void
test_absurd_durations (void)
{
  guint64 huge[] = { G_MAXINT64 };
  PrConfig config = { .retry_schedule_s = huge,
                      .n_retry_schedule = 1,
                      .give_up_s = G_MAXINT64,
                      .warn_after_s = G_MAXINT64 };

  g_assert_cmpint (pr_schedule_next (&config, 1, NOW, NOW, G_MAXUINT32), >, NOW);
  g_assert_false (pr_schedule_is_over (&config, NOW, NOW + 1000 * S));
  g_assert_false (pr_schedule_is_late (&config, NOW, NOW + 1000 * S));
}

static void
test_back_off (void)
{
  guint64 slow[] = { 14400 };
  guint64 fast[] = { 1, 2, 4 };
  PrConfig config = { .retry_schedule_s = slow, .n_retry_schedule = 1 };
  const gint64 expected_s[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };

  for (guint i = 0; i < G_N_ELEMENTS (expected_s); i++)
    g_assert_cmpint (pr_schedule_back_off_us (&config, i + 1, 0), ==, expected_s[i] * S * 9 / 10);
  g_assert_cmpint (pr_schedule_back_off_us (&config, G_MAXUINT, 0), ==, 3600 * S * 9 / 10);

  config.retry_schedule_s = fast;
  config.n_retry_schedule = G_N_ELEMENTS (fast);
  g_assert_cmpint (pr_schedule_back_off_us (&config, 1, 0), ==, S * 9 / 10);
  g_assert_cmpint (pr_schedule_back_off_us (&config, 9, 0), ==, 4 * S * 9 / 10);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/schedule/intervals", test_intervals);
  g_test_add_func ("/schedule/last-attempt-is-at-the-end", test_last_attempt_is_at_the_end);
  g_test_add_func ("/schedule/an-attempt-is-at-the-warning", test_an_attempt_is_at_the_warning);
  g_test_add_func ("/schedule/over-and-late", test_over_and_late);
  g_test_add_func ("/schedule/absurd-durations", test_absurd_durations);
  g_test_add_func ("/schedule/back-off", test_back_off);
  return g_test_run ();
}
