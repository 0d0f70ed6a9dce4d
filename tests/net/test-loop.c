/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop, once with each poller. */
#include "net/loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "net/poller.h"
#include "net/hook.h"
#include "net/fixture.h"

/* Two ends; [0] is watched. */
typedef struct
{
  int fds[2];
  PrWatch watch;
  guint n_in, n_out, n_hup;
  gpointer other;
} Pair;

static void
open_pair (Pair *pair)
{
  *pair = (Pair){ 0 };
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair->fds),
                   ==, 0);
}

static void
close_pair (Pair *pair)
{
  pr_watch_stop (&pair->watch);
  pr_watch_stop (&pair->watch); /* twice is harmless */
  close (pair->fds[0]);
  if (pair->fds[1] >= 0)
    close (pair->fds[1]);
}

static void
on_ready (PrWatch *watch, PrIo ready, gpointer user_data)
{
  Pair *pair = user_data;

  g_assert_true (watch == &pair->watch);
  pair->n_in += (ready & PR_IO_IN) != 0;
  pair->n_out += (ready & PR_IO_OUT) != 0;
  pair->n_hup += (ready & PR_IO_HUP) != 0;
}

static void
test_watch (Fixture *f, gconstpointer poller)
{
  Pair pair;

  open_pair (&pair);
  g_assert_true (pr_watch_start (&pair.watch, f->loop, pair.fds[0], PR_IO_IN, on_ready, &pair));
  fixture_settle (f);
  g_assert_cmpuint (pair.n_in + pair.n_out + pair.n_hup, ==, 0);

  g_assert_cmpint (write (pair.fds[1], "x", 1), ==, 1);
  wait_for (f->context, pair.n_in >= 2, "a level-triggered IN"); /* not read: told again */
  g_assert_cmpuint (pair.n_out, ==, 0);

  pr_watch_set (&pair.watch, PR_IO_OUT);
  pair.n_in = 0;
  wait_for (f->context, pair.n_out > 0, "OUT");
  g_assert_cmpuint (pair.n_in, ==, 0);

  pr_watch_set (&pair.watch, 0);
  pair.n_out = 0;
  fixture_settle (f);
  g_assert_cmpuint (pair.n_in + pair.n_out + pair.n_hup, ==, 0);

  close (pair.fds[1]);
  pair.fds[1] = -1;
  wait_for (f->context, pair.n_hup > 0, "HUP although nothing is wanted");

  pr_watch_stop (&pair.watch);
  pair.n_hup = 0;
  fixture_settle (f);
  g_assert_cmpuint (pair.n_hup, ==, 0);
  close_pair (&pair);
}

static Pair *alive[2];

static void
on_ready_free_other (PrWatch *watch, PrIo ready, gpointer user_data)
{
  guint own = user_data == alive[0] ? 0 : 1;

  g_assert_true (user_data == alive[own]);
  alive[own]->n_out++;
  pr_watch_stop (watch);
  close_pair (alive[1 - own]);
  g_clear_pointer (&alive[1 - own], g_free); /* an event fetched for it must be dropped */
}

/* Of two that are ready at once, whoever is first frees the other. */
static void
test_free_other (Fixture *f, gconstpointer poller)
{
  for (guint round = 0; round < 20; round++)
    {
      Pair *survivor;

      for (guint i = 0; i < 2; i++)
        {
          alive[i] = g_new (Pair, 1);
          open_pair (alive[i]);
        }
      for (guint i = 0; i < 2; i++)
        pr_watch_start (&alive[i]->watch, f->loop, alive[i]->fds[0], PR_IO_OUT, on_ready_free_other,
                        alive[i]);
      wait_for (f->context, alive[0] == NULL || alive[1] == NULL, "one to free the other");
      fixture_settle (f);
      survivor = alive[0] != NULL ? alive[0] : alive[1];
      g_assert_cmpuint (survivor->n_out, ==, 1);
      close_pair (survivor);
      g_free (survivor);
    }
}

static void
on_ready_restart (PrWatch *watch, PrIo ready, gpointer user_data)
{
  Pair *pair = user_data;

  if (++pair->n_out % 2 == 1)
    {
      pr_watch_stop (watch);
      pr_watch_start (watch, pair->other, pair->fds[0], PR_IO_OUT, on_ready_restart, pair);
    }
}

static void
test_restart_inside (Fixture *f, gconstpointer poller)
{
  Pair pair;

  open_pair (&pair);
  pair.other = f->loop;
  pr_watch_start (&pair.watch, f->loop, pair.fds[0], PR_IO_OUT, on_ready_restart, &pair);
  wait_for (f->context, pair.n_out >= 6, "a watch restarted in its callback");
  close_pair (&pair);
}

static gboolean
all_served (const Pair *pairs, guint n)
{
  for (guint i = 0; i < n; i++)
    if (pairs[i].n_out == 0)
      return FALSE;
  return TRUE;
}

/* More than one turn's worth of ready watches: all are served. */
static void
test_many (Fixture *f, gconstpointer poller)
{
  guint n = 300;
  g_autofree Pair *pairs = g_new0 (Pair, n);

  for (guint i = 0; i < n; i++)
    {
      open_pair (&pairs[i]);
      pr_watch_start (&pairs[i].watch, f->loop, pairs[i].fds[0], PR_IO_OUT, on_ready, &pairs[i]);
    }
  wait_for (f->context, all_served (pairs, n), "300 watches");
  for (guint i = 0; i < n; i++)
    close_pair (&pairs[i]);
}

static void
test_bad_descriptor (Fixture *f, gconstpointer poller)
{
  PrWatch watch = { 0 };

  if (poller == &pr_poller_glib)
    {
      g_test_skip ("poll() tells later");
      return;
    }
  g_assert_false (pr_watch_start (&watch, f->loop, -1, PR_IO_IN, on_ready, NULL));
  pr_watch_stop (&watch);
}

/* --- timers ------------------------------------------------------------------------------ */

typedef struct
{
  PrTimer timer;
  PrLoop *loop;
  gint64 started_ms, delay_ms;
  guint n_fired;
  gpointer other;
} Alarm;

static void
on_alarm (gpointer user_data)
{
  Alarm *alarm = user_data;

  g_assert_false (pr_timer_is_running (&alarm->timer));
  g_assert_cmpint (pr_loop_now_ms (alarm->loop), >=, alarm->started_ms + alarm->delay_ms);
  alarm->n_fired++;
}

static guint
sum_fired (const Alarm *alarms, guint n)
{
  guint sum = 0;

  for (guint i = 0; i < n; i++)
    sum += alarms[i].n_fired;
  return sum;
}

static void
test_timers (Fixture *f, gconstpointer poller)
{
  Alarm alarms[100] = { 0 };

  for (guint i = 0; i < 100; i++)
    {
      alarms[i].loop = f->loop;
      alarms[i].delay_ms = g_test_rand_int_range (0, 200);
      alarms[i].started_ms = pr_loop_now_ms (f->loop);
      pr_timer_start (&alarms[i].timer, f->loop, (guint64) alarms[i].delay_ms, on_alarm,
                      &alarms[i]);
      g_assert_true (pr_timer_is_running (&alarms[i].timer));
    }
  for (guint i = 0; i < 100; i += 4)
    {
      pr_timer_stop (&alarms[i].timer);
      pr_timer_stop (&alarms[i].timer);
    }
  /* Moved to a day from now. */
  pr_timer_start (&alarms[1].timer, f->loop, 86400000, on_alarm, &alarms[1]);

  wait_for (f->context, sum_fired (alarms, 100) == 74, "74 timers");
  fixture_settle (f);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (alarms[i].n_fired, ==, i % 4 != 0 && i != 1);
  pr_timer_stop (&alarms[1].timer);
}

static void
on_alarm_free_both (gpointer user_data)
{
  Alarm *alarm = user_data, *other = alarm->other;

  pr_timer_stop (&other->timer);
  *(guint *) alarm->loop += 1; /* a counter in disguise */
  g_free (other);
  g_free (alarm);
}

/* Both are due on the same turn; the first frees the second and itself. */
static void
test_timer_free_inside (Fixture *f, gconstpointer poller)
{
  Alarm *a = g_new0 (Alarm, 1), *b = g_new0 (Alarm, 1);
  guint n = 0;

  a->other = b;
  b->other = a;
  a->loop = b->loop = (PrLoop *) &n;
  pr_timer_start (&a->timer, f->loop, 1, on_alarm_free_both, a);
  pr_timer_start (&b->timer, f->loop, 1, on_alarm_free_both, b);
  wait_for (f->context, n == 1, "a timer that frees itself");
  fixture_settle (f);
  g_assert_cmpuint (n, ==, 1);
}

static void
on_alarm_again (gpointer user_data)
{
  Alarm *alarm = user_data;

  if (++alarm->n_fired < 5)
    pr_timer_start (&alarm->timer, alarm->loop, 0, on_alarm_again, alarm);
}

static void
test_timer_restart_inside (Fixture *f, gconstpointer poller)
{
  Alarm alarm = { .loop = f->loop };

  pr_timer_start (&alarm.timer, f->loop, 0, on_alarm_again, &alarm);
  g_assert_cmpuint (alarm.n_fired, ==, 0);
  wait_for (f->context, alarm.n_fired == 5, "a timer that restarts itself");
  g_assert_false (pr_timer_is_running (&alarm.timer));
}

/* --- the rest ---------------------------------------------------------------------------- */

static void
test_buffer (Fixture *f, gconstpointer poller)
{
  char *buffer = pr_loop_get_buffer (f->loop);

  buffer[PR_LOOP_BUFFER_SIZE - 1] = 'x';
  g_assert_true (pr_loop_get_buffer (f->loop) == buffer);
  g_assert_true (pr_loop_get_context (f->loop) == f->context);
}

typedef struct
{
  PrHook hook;
  guint n_fed;
  gboolean full;
} Eater;

static void
on_hungry (gpointer user_data)
{
  Eater *eater = user_data;

  eater->n_fed++;
  if (eater->full)
    pr_hook_remove (&eater->hook);
}

static void
test_hooks (Fixture *f, gconstpointer poller)
{
  Eater a = { .full = TRUE }, b = { 0 }, c = { .full = TRUE };

  pr_hooks_run (f->loop, PR_HOOK_STARVED);
  pr_hook_add (&a.hook, f->loop, PR_HOOK_STARVED, on_hungry, &a);
  pr_hook_add (&b.hook, f->loop, PR_HOOK_STARVED, on_hungry, &b);
  pr_hook_add (&c.hook, f->loop, PR_HOOK_STARVED, on_hungry, &c);
  pr_hooks_run (f->loop, PR_HOOK_STARVED);
  pr_hooks_run (f->loop, PR_HOOK_STARVED);
  g_assert_cmpuint (a.n_fed, ==, 1);
  g_assert_cmpuint (b.n_fed, ==, 2);
  g_assert_cmpuint (c.n_fed, ==, 1);
  pr_hook_remove (&b.hook);
  pr_hook_remove (&b.hook);
}

static void
on_turn (gpointer user_data)
{
}

/* So many in one turn, and on the next turn again. */
static void
test_handshakes (Fixture *f, gconstpointer poller)
{
  guint n = 0;
  PrTimer timer = { 0 };

  while (n < 100 && pr_loop_may_shake_hands (f->loop))
    n++;
  g_assert_cmpuint (n, ==, 8);
  pr_timer_start (&timer, f->loop, 1, on_turn, NULL);
  wait_for (f->context, !pr_timer_is_running (&timer), "another turn");
  g_assert_true (pr_loop_may_shake_hands (f->loop));
}

static void
add_tests (const char *name, const PrPoller *poller)
{
  static const struct
  {
    const char *name;
    void (*func) (Fixture *f, gconstpointer poller);
  } tests[] = {
    { "watch", test_watch },
    { "free-other", test_free_other },
    { "restart-inside", test_restart_inside },
    { "many", test_many },
    { "bad-descriptor", test_bad_descriptor },
    { "timers", test_timers },
    { "timer-free-inside", test_timer_free_inside },
    { "timer-restart-inside", test_timer_restart_inside },
    { "buffer", test_buffer },
    { "hooks", test_hooks },
    { "handshakes", test_handshakes },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/loop/%s/%s", name, tests[i].name);

      g_test_add (path, Fixture, poller, fixture_set_up, tests[i].func, fixture_tear_down);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  add_tests ("best", NULL);
  add_tests ("portable", &pr_poller_glib);
  return g_test_run ();
}
