/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/pace.h"

#define SECOND G_USEC_PER_SEC
#define MINUTE (60 * G_GINT64_CONSTANT (1000000))
#define NOW (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC)

static guint
ask (PrPace *pace, gint64 now_us, guint n, gint64 *due_us)
{
  guint limit;

  return pr_pace_ask (pace, now_us, n, due_us, &limit);
}

/* Sends one message if it may go. */
static gboolean
send (PrPace *pace, gint64 now_us, guint n)
{
  gint64 due_us;
  guint room = ask (pace, now_us, n, &due_us);

  if (room == 0)
    {
      g_assert_cmpint (due_us, >, now_us);
      return FALSE;
    }
  pr_pace_take (pace, room);
  pr_pace_settle (pace, now_us, room, room);
  return TRUE;
}

static void
test_no_limits (void)
{
  g_autoptr (PrPace) pace = pr_pace_new (NULL, 0);

  for (guint i = 0; i < 1000; i++)
    g_assert_true (send (pace, NOW, 50));
  g_assert_cmpuint (pr_pace_count_limits (pace), ==, 0);
  g_assert_cmpuint (pr_pace_get_longest_s (pace), ==, 0);
}

static void
test_messages (void)
{
  PrRateLimit limit = { 3, 60, FALSE };
  g_autoptr (PrPace) pace = pr_pace_new (&limit, 1);
  gint64 due_us;

  g_assert_true (send (pace, NOW, 100)); /* recipients do not count here */
  g_assert_true (send (pace, NOW + 10 * SECOND, 1));
  g_assert_true (send (pace, NOW + 20 * SECOND, 1));
  g_assert_cmpuint (ask (pace, NOW + 30 * SECOND, 1, &due_us), ==, 0);
  g_assert_cmpint (due_us, ==, NOW + MINUTE + 1);
  g_assert_cmpuint (ask (pace, NOW + MINUTE, 1, &due_us), ==, 0); /* still within */
  g_assert_true (send (pace, NOW + MINUTE + 1, 1));
  g_assert_false (send (pace, NOW + MINUTE + 1, 1));
}

static void
test_recipients (void)
{
  PrRateLimit limit = { 10, 60, TRUE };
  g_autoptr (PrPace) pace = pr_pace_new (&limit, 1);
  gint64 due_us;

  g_assert_cmpuint (ask (pace, NOW, 25, &due_us), ==, 10); /* never more at once */
  g_assert_true (send (pace, NOW, 6));
  g_assert_true (send (pace, NOW + SECOND, 4));
  g_assert_cmpuint (ask (pace, NOW + 2 * SECOND, 5, &due_us), ==, 0);
  g_assert_cmpint (due_us, ==, NOW + MINUTE + 1);
  g_assert_cmpuint (ask (pace, NOW + 2 * SECOND, 7, &due_us), ==, 0); /* both must have left */
  g_assert_cmpint (due_us, ==, NOW + SECOND + MINUTE + 1);
}

/* The one that lasts longest counts, and is named. */
static void
test_several (void)
{
  PrRateLimit limits[] = { { 2, 60, FALSE }, { 3, 3600, TRUE } };
  g_autoptr (PrPace) pace = pr_pace_new (limits, 2);
  gint64 due_us;
  guint limit;

  g_assert_true (send (pace, NOW, 1));
  g_assert_true (send (pace, NOW, 2));
  g_assert_cmpuint (pr_pace_ask (pace, NOW, 1, &due_us, &limit), ==, 0);
  g_assert_cmpuint (limit, ==, 1);
  g_assert_cmpint (due_us, ==, NOW + 60 * MINUTE + 1);
  g_assert_cmpuint (pr_pace_get_longest_s (pace), ==, 3600);
  g_assert_cmpuint (pr_pace_get_largest (pace), ==, 3);
}

static void
test_under_way (void)
{
  PrRateLimit limit = { 2, 60, FALSE };
  g_autoptr (PrPace) pace = pr_pace_new (&limit, 1);
  PrPaceUse use;
  gint64 due_us;

  pr_pace_take (pace, 1);
  pr_pace_take (pace, 3);
  g_assert_cmpuint (ask (pace, NOW, 1, &due_us), ==, 0);
  g_assert_cmpint (due_us, ==, G_MAXINT64);
  pr_pace_get_use (pace, NOW, 0, &use);
  g_assert_cmpuint (use.used, ==, 2);
  g_assert_cmpuint (use.limit.number, ==, 2);

  pr_pace_settle (pace, NOW + 5 * SECOND, 3, 0); /* nothing went: as if it had not been */
  g_assert_cmpuint (ask (pace, NOW + 5 * SECOND, 1, &due_us), ==, 1);
  pr_pace_settle (pace, NOW + 6 * SECOND, 1, 1); /* counts from now, not from its beginning */
  g_assert_true (send (pace, NOW + 6 * SECOND, 1));
  g_assert_cmpuint (ask (pace, NOW + 7 * SECOND, 1, &due_us), ==, 0);
  g_assert_cmpint (due_us, ==, NOW + 6 * SECOND + MINUTE + 1);
}

static void
test_history (void)
{
  PrRateLimit limit = { 500, 86400, FALSE };
  g_autoptr (PrPace) pace = pr_pace_new (&limit, 1);
  PrPaceUse use;

  pr_pace_note (pace, NOW - 25 * 60 * MINUTE, 400, 400); /* gone by */
  pr_pace_note (pace, NOW - 60 * MINUTE, 499, 499);
  g_assert_true (send (pace, NOW, 1));
  g_assert_false (send (pace, NOW, 1));
  pr_pace_get_use (pace, NOW, 0, &use);
  g_assert_cmpuint (use.used, ==, 500);
  pr_pace_forget (pace);
  g_assert_true (send (pace, NOW, 1));
}

/* A clock that was a year ahead makes nobody wait for a year. */
static void
test_clock_set_back (void)
{
  PrRateLimit limit = { 1, 60, FALSE };
  g_autoptr (PrPace) pace = pr_pace_new (&limit, 1);
  gint64 due_us;

  g_assert_true (send (pace, NOW + 365 * 1440 * MINUTE, 1));
  g_assert_cmpuint (ask (pace, NOW, 1, &due_us), ==, 0);
  g_assert_cmpint (due_us, ==, NOW + MINUTE + 1);
  g_assert_true (send (pace, NOW + MINUTE + 1, 1));
}

static void
test_set_limits (void)
{
  PrRateLimit before = { 10, 3600, FALSE };
  PrRateLimit after[] = { { 5, 1800, TRUE }, { 100, 60, FALSE } };
  g_autoptr (PrPace) pace = pr_pace_new (&before, 1);
  PrPaceUse use;

  g_assert_true (send (pace, NOW - 40 * MINUTE, 2)); /* out of the new window */
  g_assert_true (send (pace, NOW - 20 * MINUTE, 3));
  pr_pace_take (pace, 1);
  g_assert_true (pr_pace_has_limits (pace, &before, 1));
  g_assert_false (pr_pace_has_limits (pace, after, 2));
  g_assert_false (pr_pace_has_limits (pace, after, 1));
  pr_pace_set_limits (pace, after, 2);
  g_assert_true (pr_pace_has_limits (pace, after, 2));
  pr_pace_get_use (pace, NOW, 0, &use);
  g_assert_cmpuint (use.used, ==, 4);
  g_assert_true (send (pace, NOW, 1));
  g_assert_false (send (pace, NOW, 1));
}

/* Ten times the limit at once, at any moment: no window of that length ever holds more, and
 * nothing waits longer than it must, but for the thousandth that slots are coarse. */
static void
test_any_window (void)
{
  enum
  {
    NUMBER = 7,
    WINDOW_S = 50,
    ALL = 400
  };
  PrRateLimit limit = { NUMBER, WINDOW_S, FALSE };
  g_autoptr (PrPace) pace = pr_pace_new (&limit, 1);
  gint64 sent[ALL], now_us = NOW, due_us;
  guint n = 0;

  while (n < ALL)
    {
      if (ask (pace, now_us, 1, &due_us) == 0)
        {
          now_us = due_us;
          continue;
        }
      pr_pace_take (pace, 1);
      now_us += g_test_rand_int_range (0, 20000); /* it takes a moment */
      sent[n++] = now_us;
      pr_pace_settle (pace, now_us, 1, 1);
    }
  for (guint i = NUMBER; i < ALL; i++)
    g_assert_cmpint (sent[i] - sent[i - NUMBER], >, WINDOW_S * SECOND);
  g_assert_cmpint (now_us - NOW, <, (ALL / NUMBER + 1) * (WINDOW_S + 2) * (gint64) SECOND);
}

static void
test_describe (void)
{
  static const struct
  {
    PrRateLimit limit;
    const char *words;
  } cases[] = {
    { { 500, 86400, FALSE }, "500 messages a day" },
    { { 1, 1, TRUE }, "1 recipient a second" },
    { { 30, 60, FALSE }, "30 messages a minute" },
    { { 200, 3600, TRUE }, "200 recipients an hour" },
    { { 3, 300, FALSE }, "3 messages in 5 minutes" },
    { { 2, 90, FALSE }, "2 messages in 90 seconds" },
    { { 9, 2592000, FALSE }, "9 messages in 30 days" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *words = pr_rate_limit_describe (&cases[i].limit);

      g_assert_cmpstr (words, ==, cases[i].words);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/pace/no-limits", test_no_limits);
  g_test_add_func ("/pace/messages", test_messages);
  g_test_add_func ("/pace/recipients", test_recipients);
  g_test_add_func ("/pace/several", test_several);
  g_test_add_func ("/pace/under-way", test_under_way);
  g_test_add_func ("/pace/history", test_history);
  g_test_add_func ("/pace/clock-set-back", test_clock_set_back);
  g_test_add_func ("/pace/set-limits", test_set_limits);
  g_test_add_func ("/pace/any-window", test_any_window);
  g_test_add_func ("/pace/describe", test_describe);
  return g_test_run ();
}
