/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people order, and what they change in the configuration, while mail waits or is sent. */
#include "relay/order.h"

#include "relay/world.h"

#define HOST "[server]\nhostname=relay.test\n"

static World *
new_world (FakeHop **hop)
{
  World *world = world_new (HOST);

  *hop = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  return world;
}

static char *
smarthost (FakeHop *hop)
{
  return g_strdup_printf (HOST "[route out]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n",
                          fake_hop_get_port (hop));
}

static void
set_smarthost (World *world, FakeHop *hop)
{
  g_autofree char *config = smarthost (hop);

  world_set_config (world, config);
}

static void
order (World *world, PrOrder what, gint64 id, guint expected)
{
  Answer answer = { 0 };

  pr_runner_order (world->runner, what, &id, 1, world_on_done, &answer);
  world_wait (world, answer.done, "an order to be carried out");

  g_assert_cmpuint (answer.n_done, ==, expected);
  g_assert_cmpint (answer.why == NULL, ==, expected == 1);
  g_free (answer.why);
}

static void
order_all (World *world, PrOrder what, guint expected)
{
  Answer answer = { 0 };

  pr_runner_order_all (world->runner, what, world_on_done, &answer);
  world_wait (world, answer.done, "an order for all to be carried out");
  g_assert_cmpuint (answer.n_done, ==, expected);
  g_free (answer.why);
}

static PrRecipientState
state_of (World *world, gint64 id)
{
  g_autoptr (PrMessage) message = world_get (world, id);

  return message->progress[0].state;
}

static void
test_retry (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id;

  fake_hop_answer (hop, "RCPT", "450 4.2.1 Later", 1);
  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  id = world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "deferred") == 1, "the message to be deferred");
  world_settle (world);
  order (world, PR_ORDER_RETRY, id, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (world_count_events (world, "retried"), ==, 1);
  order (world, PR_ORDER_RETRY, id, 0);
  world_end (world, hop);
}

static void
test_retry_of_a_dead_hop (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, "greeting", "DROP", 1);
  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "you@b.example");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "hop-failed") == 1, "the hop to fail");
  world_settle (world);
  order_all (world, PR_ORDER_RETRY, 2);
  world_wait (world, world_count_messages (world) == 0, "the messages to leave");
  world_end (world, hop);
}

static void
test_retry_of_a_failed_one (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id;

  fake_hop_answer (hop, "RCPT", "550 5.1.1 No", 1);
  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  id = world_put (world, "", "you@b.example");
  world_wait (world, world_count_events (world, "failed") == 1, "the message to fail");
  world_settle (world);
  g_assert_cmpint (state_of (world, id), ==, PR_RECIPIENT_FAILED);
  order (world, PR_ORDER_RETRY, id, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  world_end (world, hop);
}

static void
test_hold_and_release (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id;

  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  pr_runner_set_paused (world->runner, TRUE);
  g_assert_true (pr_runner_is_paused (world->runner));
  id = world_put (world, "me@a.example", "you@b.example");
  order (world, PR_ORDER_HOLD, id, 1);
  order (world, PR_ORDER_HOLD, id, 0);
  pr_runner_set_paused (world->runner, FALSE);
  world_idle (world, 100);
  g_assert_cmpint (state_of (world, id), ==, PR_RECIPIENT_HELD);
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 0);
  order (world, PR_ORDER_RELEASE, id, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  world_end (world, hop);
}

/* Held while it is being sent, before the final dot: it does not go. */
static void
test_hold_while_sending (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id;

  fake_hop_answer (hop, "MAIL", "MUTE", 1);
  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  id = world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, "MAIL") == 1, "the message to be on its way");
  order (world, PR_ORDER_HOLD, id, 1);
  world_settle (world);
  g_assert_cmpint (state_of (world, id), ==, PR_RECIPIENT_HELD);
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 0);
  order (world, PR_ORDER_RELEASE, id, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  world_end (world, hop);
}

static void
test_delete (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 waiting, sending, behind;

  set_smarthost (world, hop);
  pr_runner_start (world->runner);

  fake_hop_answer (hop, "MAIL", "MUTE", 1);
  sending = world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, "MAIL") == 1, "the message to be on its way");
  order (world, PR_ORDER_DELETE, sending, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to be gone");

  /* Behind its final dot the answer is waited for; either way it is gone then. */
  fake_hop_answer (hop, ".", "MUTE", 1);
  behind = world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, ".") == 1, "the message to be sent");
  order (world, PR_ORDER_DELETE, behind, 1);
  g_assert_cmpuint (world_count_messages (world), ==, 1);
  fake_hop_drop_all (hop);
  world_wait (world, world_count_messages (world) == 0, "the message to be gone");

  pr_runner_set_paused (world->runner, TRUE);
  waiting = world_put (world, "me@a.example", "you@b.example");
  order (world, PR_ORDER_DELETE, waiting, 1);
  g_assert_cmpuint (world_count_messages (world), ==, 0);
  order (world, PR_ORDER_DELETE, waiting, 0);
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 0);
  world_end (world, hop);
}

static void
test_for_all (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  set_smarthost (world, hop);
  pr_runner_set_paused (world->runner, TRUE);
  pr_runner_start (world->runner);
  for (guint i = 0; i < 10; i++)
    world_put (world, "me@a.example", "you@b.example");
  order_all (world, PR_ORDER_HOLD, 10);
  pr_runner_set_paused (world->runner, FALSE);
  world_idle (world, 200);
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 0);
  order_all (world, PR_ORDER_RELEASE, 10);
  world_wait (world, world_count_messages (world) == 0, "all messages to leave");

  pr_runner_set_paused (world->runner, TRUE);
  for (guint i = 0; i < 10; i++)
    world_put (world, "me@a.example", "you@b.example");
  order_all (world, PR_ORDER_DELETE, 10);
  g_assert_cmpuint (world_count_messages (world), ==, 0);
  world_end (world, hop);
}

/* ── Configuration ────────────────────────────────────────────────────────────────────────── */

static void
test_a_route_appears (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  pr_runner_start (world->runner);
  for (guint i = 0; i < 3; i++)
    world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "held") == 3, "all to be held");
  g_assert_nonnull (strstr (world_last_event (world, "held"), "No route"));
  set_smarthost (world, hop);
  world_wait (world, world_count_messages (world) == 0, "the messages to leave");
  g_assert_cmpuint (world_count_events (world, "released"), ==, 3);
  world_end (world, hop);
}

static void
test_a_route_changes (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = smarthost (hop);
  g_autofree char *holds = g_strdup (HOST "[route keep]\nvia=hold\n");
  g_autofree char *renamed = g_strdup_printf (
    HOST "[route other]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n", fake_hop_get_port (hop));
  gint64 id;

  /* To hold: queued mail is kept. */
  world_set_config (world, config);
  pr_runner_set_paused (world->runner, TRUE);
  pr_runner_start (world->runner);
  id = world_put (world, "me@a.example", "you@b.example");
  world_set_config (world, holds);
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, world_count_events (world, "held") == 1, "the message to be held");

  /* Only a hold route carries it: it cannot be released. */
  order (world, PR_ORDER_RELEASE, id, 0);

  /* With another route behind it, it can, and it stays released after a temporary refusal. */
  g_free (holds);
  holds = g_strdup_printf (HOST "[route keep]\nvia=hold\n"
                                "[route out]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n"
                                "[retry]\nschedule=1s\n",
                           fake_hop_get_port (hop));
  fake_hop_answer (hop, "RCPT", "450 4.2.1 Later", 1);
  world_set_config (world, holds);
  order (world, PR_ORDER_RELEASE, id, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");

  /* To a route of another name. */
  world_set_config (world, config);
  pr_runner_set_paused (world->runner, TRUE);
  world_put (world, "me@a.example", "you@b.example");
  world_set_config (world, renamed);
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, world_count_messages (world) == 0, "the message to leave by the new route");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 2);
  world_end (world, hop);
}

static void
test_postmaster_appears (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = smarthost (hop);
  g_autofree char *with =
    g_strdup_printf ("[server]\nhostname=relay.test\npostmaster=boss@c.example\n"
                     "[route out]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n",
                     fake_hop_get_port (hop));

  world_set_config (world, config);
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "postmaster");
  world_wait (world, world_count_events (world, "held postmaster") == 1, "it to be held");
  world_set_config (world, with);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_true (
    g_str_has_prefix (fake_hop_get_mail (hop, 0)->recipients->pdata[0], "<boss@c.example>"));
  world_end (world, hop);
}

static void
test_pause_lets_a_message_end (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  for (guint i = 0; i < 10; i++)
    world_put (world, "me@a.example", "you@b.example");
  pr_runner_set_paused (world->runner, TRUE);
  world_wait (world, fake_hop_count_open (hop) == 0, "the connections to end");
  world_settle (world);
  g_assert_cmpuint (world_count_messages (world) + fake_hop_count_mail (hop), ==, 10);
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, world_count_messages (world) == 0, "all messages to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 10);
  g_assert_cmpuint (world_count_events (world, "paused"), ==, 1);
  g_assert_cmpuint (world_count_events (world, "resumed"), ==, 1);
  world_end (world, hop);
}

static void
on_stopped (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* What is behind its final dot is waited for, what is not is given back. */
static void
test_stop (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = g_strdup_printf (
    HOST "[route a]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\nrecipients=*@a.example\n"
         "[route b]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n",
    fake_hop_get_port (hop), fake_hop_get_port (hop));
  gboolean stopped = FALSE;

  fake_hop_answer (hop, ".", "WAIT", 1);
  fake_hop_answer (hop, "MAIL FROM:<early@", "MUTE", 1);
  world_set_config (world, config);
  pr_runner_start (world->runner);
  world_put (world, "late@a.example", "you@a.example");
  world_wait (world, fake_hop_count (hop, ".") == 1, "one message to be sent");
  world_put (world, "early@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, "MAIL FROM:<early@") == 1, "another to have begun");

  pr_runner_stop (world->runner, 20000, on_stopped, &stopped);
  world_wait (world, fake_hop_count_open (hop) == 1, "the other connection to end");
  g_assert_false (stopped);
  fake_hop_speak (hop, "250 2.0.0 Thanks");
  world_wait (world, stopped, "the runner to stop");
  g_assert_cmpuint (world_count_events (world, "delivered you@a.example"), ==, 1);
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);

  world_restart (world, config);
  world_wait (world, world_count_messages (world) == 0, "what was given back to leave");
  g_assert_cmpuint (fake_hop_count (hop, "MAIL FROM:<late@"), ==, 1);
  world_end (world, hop);
}

/* All hops together keep within one bound, and each has its turn. */
static void
test_bound_of_all_connections (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (GString) config = g_string_new (HOST);

  for (guint i = 0; i < 10; i++)
    g_string_append_printf (config,
                            "[route r%u]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n"
                            "recipients=*@r%u.example\n",
                            i, fake_hop_get_port (hop), i);
  world->runner->max_connections = 2;
  world_set_config (world, config->str);
  pr_runner_set_paused (world->runner, TRUE);
  pr_runner_start (world->runner);
  for (guint i = 0; i < 60; i++)
    {
      g_autofree char *to = g_strdup_printf ("you@r%u.example", i % 10);

      world_put (world, "me@a.example", to);
    }
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, world_count_messages (world) == 0, "all messages to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 60);
  g_assert_cmpuint (fake_hop_count_most (hop), <=, 3); /* one may be saying goodbye */
  world_end (world, hop);
}

static void
test_network_is_watched (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  GNetworkMonitor *monitor = g_network_monitor_get_default ();
  PrRunnerStats stats;

  pr_runner_watch_network (world->runner);
  pr_runner_get_stats (world->runner, &stats);
  g_assert_cmpint (stats.network_available, ==, g_network_monitor_get_network_available (monitor));
  pr_runner_set_network (world->runner, FALSE);
  g_signal_emit_by_name (monitor, "network-changed", TRUE);
  pr_runner_get_stats (world->runner, &stats);
  g_assert_true (stats.network_available);
  world_end (world, hop);
}

/* A session that a person ends returns its message. */
static void
test_disconnect (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrLive *live;

  fake_hop_answer (hop, "MAIL", "MUTE", 1);
  set_smarthost (world, hop);
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, "MAIL") == 1, "the message to be on its way");
  live = pr_lives_first (world->lives);
  live->disconnect (live);
  world_wait (world, world_count_messages (world) == 0, "the message to leave after all");
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 2);
  world_end (world, hop);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/order/retry", test_retry);
  g_test_add_func ("/order/retry-of-a-dead-hop", test_retry_of_a_dead_hop);
  g_test_add_func ("/order/retry-of-a-failed-one", test_retry_of_a_failed_one);
  g_test_add_func ("/order/hold-and-release", test_hold_and_release);
  g_test_add_func ("/order/hold-while-sending", test_hold_while_sending);
  g_test_add_func ("/order/delete", test_delete);
  g_test_add_func ("/order/for-all", test_for_all);
  g_test_add_func ("/order/a-route-appears", test_a_route_appears);
  g_test_add_func ("/order/a-route-changes", test_a_route_changes);
  g_test_add_func ("/order/postmaster-appears", test_postmaster_appears);
  g_test_add_func ("/order/pause-lets-a-message-end", test_pause_lets_a_message_end);
  g_test_add_func ("/order/stop", test_stop);
  g_test_add_func ("/order/bound-of-all-connections", test_bound_of_all_connections);
  g_test_add_func ("/order/network-is-watched", test_network_is_watched);
  g_test_add_func ("/order/disconnect", test_disconnect);
  return g_test_run ();
}
