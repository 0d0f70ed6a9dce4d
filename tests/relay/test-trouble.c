/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner when things fail: refusals, broken connections, dead hosts, time. */
#include "relay/fake-resolver.h"
#include "relay/world.h"

static World *
new_world (FakeHop **hop)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");

  *hop = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  return world;
}

/* What @route and @retry do not say is as usual. */
static void
start (World *world, FakeHop *hop, const char *route, const char *retry)
{
  g_autofree char *hosts = g_strdup_printf ("hosts=127.0.0.1:%u", fake_hop_get_port (hop));
  g_autofree char *config = g_strdup_printf (
    "[server]\nhostname=relay.test\n"
    "[route out]\nvia=smarthost\n%s\n%s\n%s\n[retry]\n%s\n%s\n",
    strstr (route, "tls=") != NULL ? "" : "tls=off", strstr (route, "hosts=") != NULL ? "" : hosts,
    route, strstr (retry, "schedule=") != NULL ? "" : "schedule=1s;1s;2s", retry);

  world_set_config (world, config);
  pr_runner_start (world->runner);
}

static void
end (World *world, FakeHop *hop)
{
  fake_hop_free (hop);
  world_free (world);
}

/* Nobody listens there. */
static guint16
dead_port (World *world)
{
  FakeHop *hop = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  guint16 port = fake_hop_get_port (hop);

  fake_hop_free (hop);
  return port;
}

/* ── One step at a time ───────────────────────────────────────────────────────────────────── */

typedef struct
{
  const char *step, *answer;
  const char *event; /* that must be seen */
} Trouble;

static const Trouble troubles[] = {
  { "greeting", "421 4.3.2 Busy", "hop-failed - 421 Busy" },
  { "greeting", "554 5.7.1 Go away", "hop-failed" },
  { "greeting", "DROP", "hop-failed" },
  { "greeting", "HTTP/1.0 400 Bad", "hop-failed" },
  { "EHLO", "DROP", "hop-failed" },
  { "MAIL", "451 4.3.0 Later", "deferred you@b.example 451 Later" },
  { "MAIL", "DROP", "deferred you@b.example" },
  { "MAIL", "421 4.3.2 Closing", "hop-failed - 421 Closing" },
  { "RCPT", "450 4.2.1 Later", "deferred you@b.example 450 Later" },
  { "RCPT", "DROP", "deferred you@b.example" },
  { "DATA", "451 4.3.0 Later", "deferred you@b.example 451 Later" },
  { "DATA", "DROP", "deferred you@b.example" },
  { "half", "DROP", "deferred you@b.example" },
  { ".", "451 4.3.0 Later", "deferred you@b.example 451 Later" },
  { ".", "DROP", "deferred you@b.example" },
  { ".", "garbage", "deferred you@b.example" },
};

/* Once in trouble, the mail is still there, and goes at its next try. */
static void
test_trouble_passes (gconstpointer data)
{
  const Trouble *trouble = data;
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, trouble->step, trouble->answer, 1);
  start (world, hop, "", "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, trouble->event) == 1, trouble->event);
  g_assert_cmpuint (world_count_messages (world), ==, 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave after all");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 0);
  end (world, hop);
}

static void
test_silence (gconstpointer step)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, step, "MUTE", 1);
  start (world, hop, "reply-timeout=1s", "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave after a silence");
  g_assert_cmpuint (fake_hop_count_mail (hop), >=, 1);
  g_assert_cmpuint (world_count_events (world, "deferred"), >=, 1);
  g_assert_nonnull (strstr (world_last_event (world, "deferred"), "No answer within"));
  end (world, hop);
}

/* A connection that broke while it lay idle says nothing of the message: it goes at once. */
static void
test_stale_connection (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, hop, "", "");
  world->runner->idle_ms = 20000;
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 1, "the first message");
  fake_hop_answer (hop, "MAIL", "DROP", 1);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 2, "the second message");
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 2);
  end (world, hop);
}

/* Servers that limit the messages of a connection say so with 421: the next one goes on. */
static void
test_421_on_a_used_connection (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, hop, "", "");
  world->runner->idle_ms = 20000;
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 1, "the first message");
  fake_hop_answer (hop, "MAIL", "421 4.7.0 Too many messages on this connection", 1);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 2, "the second message");
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 0);
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);
  end (world, hop);
}

/* ── Hops ─────────────────────────────────────────────────────────────────────────────────── */

static void
test_failover_and_return (void)
{
  FakeHop *backup;
  World *world = new_world (&backup);
  guint16 port = dead_port (world);
  FakeHop *preferred;
  g_autofree char *hosts =
    g_strdup_printf ("hosts=127.0.0.1:%u;127.0.0.1:%u", port, fake_hop_get_port (backup));

  start (world, backup, hosts, "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave by the backup");
  g_assert_cmpuint (fake_hop_count_mail (backup), ==, 1);
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 0);

  /* The preferred one is back, and its failure forgotten. */
  preferred = fake_hop_new (world->loop, "127.0.0.1", port, FALSE);
  world_wait (world, fake_hop_count_open (backup) == 0, "the backup's connection to end");
  pr_hosts_forget_failures (world->runner->hosts);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (preferred), ==, 1);
  fake_hop_free (preferred);
  end (world, backup);
}

static void
test_421_goes_to_the_next_host (void)
{
  FakeHop *first, *second;
  World *world = new_world (&first);
  g_autofree char *hosts = NULL;

  second = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  hosts = g_strdup_printf ("hosts=127.0.0.1:%u;127.0.0.1:%u", fake_hop_get_port (first),
                           fake_hop_get_port (second));
  fake_hop_answer (first, "MAIL", "421 4.3.2 Closing", -1);
  start (world, first, hosts, "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave by the other host");
  g_assert_cmpuint (fake_hop_count_mail (second), ==, 1);
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);
  fake_hop_free (first);
  end (world, second);
}

static void
test_dead_hop_delays_no_other (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = g_strdup_printf (
    "[route dead]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\nrecipients=*@dead.example\n"
    "[route out]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n",
    dead_port (world), fake_hop_get_port (hop));
  g_autoptr (PrMessage) message = NULL;
  gint64 id = 0, until;

  world_set_config (world, config);
  pr_runner_start (world->runner);
  for (guint i = 0; i < 20; i++)
    {
      id = world_put (world, "me@a.example", "you@dead.example");
      world_put (world, "me@a.example", "you@b.example");
    }
  world_wait (world, fake_hop_count_mail (hop) == 20, "mail for the living");
  world_wait (world, world_count_events (world, "hop-failed") == 1, "the dead hop to be noticed");

  /* What waits says why, without a try of its own, and each is counted at most once. */
  for (message = world_get (world, id); message->progress[0].last_reply == NULL;
       message = world_get (world, id))
    {
      pr_message_unref (message);
      world_idle (world, 50);
    }
  g_assert_true (
    g_str_has_prefix (message->progress[0].last_reply, "Could not connect to 127.0.0.1:"));
  g_assert_nonnull (strstr (message->progress[0].last_reply, "Connection refused"));
  g_assert_cmpuint (message->progress[0].attempts, <=, 1);
  g_assert_cmpint (message->progress[0].due_us, >, g_get_real_time ());
  g_assert_nonnull (pr_runner_get_hop_failure (world->runner, "dead", &until));
  g_assert_null (pr_runner_get_hop_failure (world->runner, "out", &until));
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 1);
  end (world, hop);
}

static void
test_hop_recovers (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, "greeting", "421 4.3.2 Busy", 2);
  start (world, hop, "", "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 1);
  g_assert_cmpuint (world_count_events (world, "hop-recovered"), ==, 1);
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 3);
  end (world, hop);
}

/* A hop that takes one connection and refuses a second is not failing. */
static void
test_crowded_hop (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, hop, "max-connections=5", "");
  fake_hop_answer (hop, ".", "MUTE", 1);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, "DATA") == 1, "the first message to be on its way");
  fake_hop_answer (hop, "greeting", "421 4.7.0 Too many connections", 1);
  for (guint i = 0; i < 20; i++)
    world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_connections (hop) == 2, "a second connection");
  world_idle (world, 300);
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 0);
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 2);
  fake_hop_drop_all (hop);
  world_wait (world, fake_hop_count_mail (hop) >= 20, "the others");
  end (world, hop);
}

static void
test_hop_that_always_drops_is_left_alone (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, "DATA", "DROP", -1);
  start (world, hop, "", "schedule=1h\n");
  pr_runner_set_paused (world->runner, TRUE);
  for (guint i = 0; i < 20; i++)
    world_put (world, "me@a.example", "you@b.example");
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, world_count_events (world, "hop-failed") == 1, "the hop to be left alone");
  world_idle (world, 200);
  g_assert_cmpuint (fake_hop_count_connections (hop), <=, 6);
  end (world, hop);
}

static void
test_tls_is_never_skipped (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, hop, "tls=required", "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "deferred") == 1, "the mail to be kept");
  g_assert_nonnull (strstr (world_last_event (world, "deferred"), "demands it"));
  g_assert_cmpuint (fake_hop_count (hop, "MAIL"), ==, 0);
  end (world, hop);
}

/* ── Time ─────────────────────────────────────────────────────────────────────────────────── */

static void
test_give_up_bounces_once (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, "RCPT TO:<you@", "450 4.2.1 Later", -1);
  start (world, hop, "", "give-up=1h\nwarn-after=0\n");
  world_put_aged (world, "me@a.example", "you@b.example", 3600);
  world_wait (world, world_count_messages (world) == 0, "the bounce to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  g_assert_true (g_str_has_prefix (fake_hop_get_mail (hop, 0)->sender, "<>"));
  g_assert_true (
    g_str_has_prefix (fake_hop_get_mail (hop, 0)->recipients->pdata[0], "<me@a.example>"));
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "Status: 5.4.7"));
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "450 4.2.1 Later"));
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 1);
  end (world, hop);
}

static void
test_warn_once (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, "RCPT TO:<you@", "450 4.2.1 Later", 3);
  start (world, hop, "", "warn-after=1h\n");
  world_put_aged (world, "me@a.example", "you@b.example", 3600);
  world_wait (world, world_count_messages (world) == 0, "the message to leave in the end");
  g_assert_cmpuint (world_count_events (world, "deferred you@"), ==, 3);
  g_assert_cmpuint (world_count_events (world, "warned"), ==, 1);
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 2);
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "Action: delayed"));
  end (world, hop);
}

static void
test_no_bounce_of_a_bounce (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrStoreCounts counts;

  fake_hop_answer (hop, "RCPT", "550 5.1.1 Nobody here", -1);
  start (world, hop, "", "");
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "failed me@a.example") == 1, "the bounce to fail");
  world_settle (world);
  world_counts (world, &counts);
  g_assert_cmpuint (counts.n_messages, ==, 1); /* the bounce, for a person to see */
  g_assert_cmpuint (counts.n_failed, ==, 1);
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 1);
  end (world, hop);
}

static void
test_postmaster_hears_once (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config =
    g_strdup_printf ("[server]\nhostname=relay.test\npostmaster=boss@c.example\n"
                     "[route out]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n",
                     fake_hop_get_port (hop));
  PrStoreCounts counts;

  fake_hop_answer (hop, "RCPT", "550 5.1.1 Nobody here", -1);
  world_set_config (world, config);
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "failed boss@c.example") == 1,
              "the notice to the postmaster to fail");
  world_settle (world);
  world_counts (world, &counts);
  g_assert_cmpuint (counts.n_messages, ==, 1);
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 2);
  end (world, hop);
}

/* ── Network ──────────────────────────────────────────────────────────────────────────────── */

static void
test_network_returns (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *hosts = g_strdup_printf ("hosts=mail.test:%u", fake_hop_get_port (hop));
  g_autoptr (PrMessage) message = NULL;
  guint n_forgets;
  gint64 id;

  fake_resolver_add_host ("mail.test", "127.0.0.1");
  fake_resolver_set_broken (TRUE);
  start (world, hop, hosts, "");
  pr_runner_set_network (world->runner, FALSE);
  id = world_put (world, "me@a.example", "you@b.example");
  world_idle (world, 300);
  message = world_get (world, id);
  g_assert_cmpuint (message->progress[0].attempts, ==, 0);
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 0);

  fake_resolver_set_broken (FALSE);
  n_forgets = fake_resolver_count_forgets ();
  pr_runner_set_network (world->runner, TRUE);
  g_assert_cmpuint (fake_resolver_count_forgets (), ==, n_forgets + 1);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  end (world, hop);
}

static void
test_unknown_names_never_bounce_offline (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");

  world_set_config (world, "[server]\nhostname=relay.test\n[route out]\nvia=mx\ntls=off\n");
  pr_runner_start (world->runner);
  pr_runner_set_network (world->runner, FALSE);
  world_put (world, "me@a.example", "you@b.example");
  world_idle (world, 300);
  g_assert_cmpuint (world_count_events (world, "failed"), ==, 0);
  g_assert_cmpuint (world_count_messages (world), ==, 1);
  world_free (world);
}

int
main (int argc, char *argv[])
{
  const char *const silent[] = { "greeting", "EHLO", "MAIL", "DATA", "." };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (troubles); i++)
    {
      g_autofree char *path = g_strdup_printf ("/trouble/passes/%zu", i);

      g_test_add_data_func (path, &troubles[i], test_trouble_passes);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (silent); i++)
    {
      g_autofree char *path = g_strdup_printf ("/trouble/silence/%zu", i);

      g_test_add_data_func (path, silent[i], test_silence);
    }
  g_test_add_func ("/trouble/stale-connection", test_stale_connection);
  g_test_add_func ("/trouble/421-on-a-used-connection", test_421_on_a_used_connection);
  g_test_add_func ("/trouble/failover-and-return", test_failover_and_return);
  g_test_add_func ("/trouble/421-goes-to-the-next-host", test_421_goes_to_the_next_host);
  g_test_add_func ("/trouble/dead-hop-delays-no-other", test_dead_hop_delays_no_other);
  g_test_add_func ("/trouble/hop-recovers", test_hop_recovers);
  g_test_add_func ("/trouble/crowded-hop", test_crowded_hop);
  g_test_add_func ("/trouble/hop-that-always-drops", test_hop_that_always_drops_is_left_alone);
  g_test_add_func ("/trouble/tls-is-never-skipped", test_tls_is_never_skipped);
  g_test_add_func ("/trouble/give-up-bounces-once", test_give_up_bounces_once);
  g_test_add_func ("/trouble/warn-once", test_warn_once);
  g_test_add_func ("/trouble/no-bounce-of-a-bounce", test_no_bounce_of_a_bounce);
  g_test_add_func ("/trouble/postmaster-hears-once", test_postmaster_hears_once);
  g_test_add_func ("/trouble/network-returns", test_network_returns);
  g_test_add_func ("/trouble/unknown-names-never-bounce-offline",
                   test_unknown_names_never_bounce_offline);
  return g_test_run ();
}
