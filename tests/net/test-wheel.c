/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timer wheel against a plain list, with a clock of the test's own. */
#include "net/wheel.h"

#include <string.h>

#define N_TIMERS 300
#define TICK_US (PR_WHEEL_TICK_MS * 1000)
#define DAY_MS (G_GUINT64_CONSTANT (86400) * 1000)

typedef struct
{
  PrTimer timer;
  gboolean running;
  gint64 due_us; /* by the model */
} Modelled;

/* From a millisecond to months, each magnitude as likely as the others. */
static guint64
random_delay_ms (void)
{
  guint64 delay = (guint64) g_test_rand_int_range (1, 1024);

  return delay << g_test_rand_int_range (0, 24);
}

static void
start (PrWheel *wheel, Modelled *modelled, gint64 now_us)
{
  guint64 delay_ms = g_test_rand_int_range (0, 10) == 0 ? 0 : random_delay_ms ();

  pr_wheel_add (wheel, &modelled->timer, now_us, delay_ms);
  modelled->running = TRUE;
  modelled->due_us = now_us + (gint64) delay_ms * 1000;
}

static void
pop_all (PrWheel *wheel, Modelled *timers, gint64 now_us)
{
  PrTimer *timer;

  while ((timer = pr_wheel_pop (wheel)) != NULL)
    {
      Modelled *modelled = (Modelled *) timer;

      g_assert_true (modelled->running);
      g_assert_cmpint (now_us, >=, modelled->due_us); /* never early */
      modelled->running = FALSE;
    }
  /* Nor forgotten: what is left is due within two ticks or later. */
  for (guint i = 0; i < N_TIMERS; i++)
    if (timers[i].running)
      g_assert_cmpint (timers[i].due_us + 2 * TICK_US, >, now_us);
}

static void
test_model (void)
{
  static Modelled timers[N_TIMERS];
  PrWheel wheel;
  gint64 now_us = G_GINT64_CONSTANT (123456789012);

  memset (timers, 0, sizeof timers);
  pr_wheel_init (&wheel, now_us);
  for (guint step = 0; step < 20000; step++)
    {
      Modelled *modelled = &timers[g_test_rand_int_range (0, N_TIMERS)];
      gint64 next_us;

      if (modelled->running && g_test_rand_bit ())
        {
          pr_wheel_remove (&wheel, &modelled->timer);
          modelled->running = FALSE;
        }
      else if (!modelled->running)
        start (&wheel, modelled, now_us);

      next_us = pr_wheel_get_next_us (&wheel);
      if (g_test_rand_int_range (0, 4) == 0 && next_us >= 0)
        now_us = MAX (now_us, next_us); /* what a loop does */
      else
        now_us += (gint64) (random_delay_ms () * (guint64) g_test_rand_int_range (0, 1000));
      pr_wheel_advance (&wheel, now_us);
      pop_all (&wheel, timers, now_us);
    }

  /* A loop that only wakes when told to sees them all. */
  while (wheel.n_timers > 0)
    {
      gint64 next_us = pr_wheel_get_next_us (&wheel);

      g_assert_cmpint (next_us, >, now_us);
      now_us = next_us;
      pr_wheel_advance (&wheel, now_us);
      pop_all (&wheel, timers, now_us);
    }
  for (guint i = 0; i < N_TIMERS; i++)
    g_assert_false (timers[i].running);
  g_assert_cmpint (pr_wheel_get_next_us (&wheel), ==, -1);
}

/* An idle wheel wakes its loop a few times for a day, not for each tick of it. */
static void
test_few_wake_ups (void)
{
  PrWheel wheel;
  PrTimer timer = { 0 };
  gint64 now_us = 5000000;
  guint n_wake_ups = 0;

  pr_wheel_init (&wheel, now_us);
  pr_wheel_add (&wheel, &timer, now_us, 30 * DAY_MS);
  while (pr_wheel_pop (&wheel) == NULL)
    {
      n_wake_ups++;
      now_us = pr_wheel_get_next_us (&wheel);
      pr_wheel_advance (&wheel, now_us);
    }
  g_assert_cmpuint (n_wake_ups, <=, PR_WHEEL_LEVELS);
  g_assert_cmpint (now_us, >=, 5000000 + (gint64) (30 * DAY_MS) * 1000);
}

static void
test_extremes (void)
{
  PrWheel wheel;
  PrTimer now = { 0 }, never = { 0 };

  pr_wheel_init (&wheel, 0);
  pr_wheel_add (&wheel, &now, 0, 0);
  pr_wheel_add (&wheel, &never, 0, G_MAXUINT64);
  g_assert_null (pr_wheel_pop (&wheel)); /* on a later turn */
  pr_wheel_advance (&wheel, TICK_US);
  g_assert_true (pr_wheel_pop (&wheel) == &now);
  g_assert_null (pr_wheel_pop (&wheel));
  pr_wheel_advance (&wheel, (gint64) (9 * 365 * DAY_MS) * 1000);
  g_assert_null (pr_wheel_pop (&wheel));
  pr_wheel_remove (&wheel, &never);
  g_assert_cmpint (pr_wheel_get_next_us (&wheel), ==, -1);
}

/* Stopped between due and fired: the other timers of the same tick must not be lost. */
static void
test_remove_due (void)
{
  PrWheel wheel;
  PrTimer timers[5] = { 0 };
  guint n = 0;

  pr_wheel_init (&wheel, 0);
  for (guint i = 0; i < 5; i++)
    pr_wheel_add (&wheel, &timers[i], 0, 1);
  pr_wheel_advance (&wheel, TICK_US);
  g_assert_cmpint (pr_wheel_get_next_us (&wheel), ==, 0);
  pr_wheel_remove (&wheel, &timers[0]);
  pr_wheel_remove (&wheel, &timers[2]);
  pr_wheel_remove (&wheel, &timers[4]);
  while (pr_wheel_pop (&wheel) != NULL)
    n++;
  g_assert_cmpuint (n, ==, 2);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/wheel/model", test_model);
  g_test_add_func ("/wheel/few-wake-ups", test_few_wake_ups);
  g_test_add_func ("/wheel/extremes", test_extremes);
  g_test_add_func ("/wheel/remove-due", test_remove_due);
  return g_test_run ();
}
