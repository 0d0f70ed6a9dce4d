/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits of a route and what its provider says, with real sockets and a real store. */
#include <string.h>

#include "relay/pacer.h"
#include "relay/world.h"

static World *
new_world (FakeHop **hop)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");

  *hop = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  return world;
}

static char *
config_for (FakeHop *hop, const char *more)
{
  return g_strdup_printf ("[server]\nhostname=relay.test\n"
                          "[route out]\ntls=off\nhosts=127.0.0.1:%u\n%s\n"
                          "[retry]\nschedule=1s;1s;2s\n",
                          fake_hop_get_port (hop), more);
}

static void
set_config (World *world, FakeHop *hop, const char *more)
{
  g_autofree char *text = config_for (hop, more);

  world_set_config (world, text);
}

static const char *
reason (World *world)
{
  gint64 until_us;

  return pr_runner_get_hop_failure (world->runner, "out", &until_us);
}

static guint
used (World *world, guint limit)
{
  PrPaceUse use[4];
  guint n = pr_runner_get_pace (world->runner, world->runner->config->routes->pdata[0], use, 4);

  g_assert_cmpuint (limit, <, n);
  return use[limit].used;
}

/* What is more than the limit waits, says so, and goes when the limit allows it. */
static void
test_waits (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrRunnerStats stats;

  set_config (world, hop, "limit=2/1h");
  pr_runner_start (world->runner);
  for (guint i = 0; i < 5; i++)
    world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 2, "what the limit allows");
  world_wait (world, reason (world) != NULL, "the rest to wait");
  g_assert_true (g_str_has_prefix (reason (world), "Waits until "));
  g_assert_true (
    g_str_has_suffix (reason (world), ": this route takes 2 messages an hour (limit= changes it)"));
  g_assert_cmpuint (used (world, 0), ==, 2);
  pr_runner_get_stats (world->runner, &stats);
  g_assert_cmpuint (stats.n_hops_paced, ==, 1);
  g_assert_cmpuint (stats.n_hops_blocked, ==, 0);
  g_assert_cmpuint (stats.n_deferred, ==, 0); /* nothing was tried in vain */

  set_config (world, hop, "limit=4/1h");
  world_wait (world, fake_hop_count_mail (hop) == 4, "what the new limit allows");
  set_config (world, hop, "");
  world_wait (world, world_count_messages (world) == 0, "all to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 5);
  world_end (world, hop);
}

/* A restart forgets nothing of what went. */
static void
test_restart (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = config_for (hop, "limit=4 recipients/1h;100/1m");

  world_set_config (world, config);
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "you@b.example he@b.example she@b.example");
  world_wait (world, world_count_messages (world) == 0, "the first message to leave");
  world_restart (world, config);
  world_put (world, "me@a.example", "you@b.example he@b.example");
  world_wait (world, reason (world) != NULL, "the second message to wait");
  g_assert_nonnull (strstr (reason (world), "4 recipients an hour"));
  g_assert_cmpuint (used (world, 0), ==, 3);
  g_assert_cmpuint (used (world, 1), ==, 1); /* one message, whatever its recipients */
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  world_end (world, hop);
}

/* More recipients than ever fit: in pieces. */
static void
test_split (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  set_config (world, hop, "limit=2 recipients/1s");
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "a@b.example b@b.example c@b.example d@b.example e@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (fake_hop_get_mail (hop, i)->recipients->len, ==, i < 2 ? 2 : 1);
  world_end (world, hop);
}

/* What was refused or never arrived is not counted, and gives way at once. */
static void
test_refused (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  set_config (world, hop, "limit=1/1h");
  fake_hop_answer (hop, "RCPT", "550 5.1.1 Nobody", 1);
  pr_runner_start (world->runner);
  world_put (world, "", "nobody@b.example");
  world_wait (world, world_count_events (world, "failed") == 1, "the refusal");
  g_assert_cmpuint (used (world, 0), ==, 0);
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 1, "the other message");
  world_wait (world, used (world, 0) == 1, "it to count");
  world_end (world, hop);
}

/* Routes share a limit where they sign in with one name, and not otherwise. */
static void
test_account (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *more =
    g_strdup_printf ("recipients=*@b.example\nlimit=1/1h\nprovider=posteo\n"
                     "[route other]\ntls=off\nhosts=127.0.0.1:%u\nlimit=1/1h\nprovider=posteo\n",
                     fake_hop_get_port (hop));

  set_config (world, hop, more);
  pr_runner_start (world->runner);
  world_put (world, "me@a.example", "you@b.example");
  world_put (world, "me@a.example", "you@c.example"); /* its route has a limit of its own */
  world_wait (world, world_count_messages (world) == 0, "both to leave");
  g_assert_nonnull (pr_pacer_find (world->runner, world->runner->config->routes->pdata[0]));
  g_assert_true (pr_pacer_find (world->runner, world->runner->config->routes->pdata[0]) !=
                 pr_pacer_find (world->runner, world->runner->config->routes->pdata[1]));
  world_end (world, hop);
}

static void
on_blocked (const PrBlocked *blocked, gpointer user_data)
{
  g_assert_cmpint (blocked->kind, ==, PR_BLOCKED_PACED);
  g_assert_nonnull (strstr (blocked->reason, "as much as Google allows in 24 hours"));
  g_assert_nonnull (strstr (blocked->reason, "550 5.4.5 Daily user sending limit exceeded"));
  ++*(guint *) user_data;
}

/* The provider says that it is too much: nothing bounces, nothing more is sent. */
static void
test_slow_down (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  guint n_blocked = 0;
  g_autoptr (PrMessage) message = NULL;
  gint64 id;

  set_config (world, hop, "provider=gmail");
  fake_hop_answer (hop, ".", "550 5.4.5 Daily user sending limit exceeded", 1);
  pr_runner_start (world->runner);
  id = world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "hop-failed") == 1, "the answer to be heard");
  world_put (world, "me@a.example", "you@b.example");
  pr_runner_list_blocked (world->runner, 10, on_blocked, &n_blocked);
  g_assert_cmpuint (n_blocked, ==, 1);
  world_wait (world, world_count_events (world, "deferred") == 1, "the outcome");
  world_wait (world, !pr_runner_is_active (world->runner, id), "nothing to be sent");
  message = world_get (world, id);
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_QUEUED);
  g_assert_cmpuint (message->progress[0].attempts, ==, 0);
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 0);
  g_assert_cmpuint (fake_hop_count (hop, "MAIL"), ==, 1);
  world_end (world, hop);
}

/* A sender that the account may not use wants a person, not a bounce. */
static void
test_held (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (PrMessage) message = NULL;
  gint64 id;

  set_config (world, hop, "provider=zoho");
  fake_hop_answer (hop, ".", "553 Relaying disallowed as printer@a.example", 1);
  pr_runner_start (world->runner);
  id = world_put (world, "printer@a.example", "you@b.example");
  world_wait (world, world_count_events (world, "held") == 1, "it to be held");
  world_wait (world, !pr_runner_is_active (world->runner, id), "nothing to be sent");
  message = world_get (world, id);
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_HELD);
  g_assert_nonnull (strstr (message->progress[0].last_reply, "Set rewrite-sender"));
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 0);
  world_end (world, hop);
}

/* Where the server does not say what it takes, its provider's preset does. */
static void
test_preset (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (GString) text = g_string_new ("Subject: large\r\n\r\n");
  g_autoptr (GString) to = g_string_new ("user@b.example");
  PrEnvelope *envelope = pr_envelope_new ();

  set_config (world, hop, "provider=postmark"); /* 10 MB, 50 recipients */
  fake_hop_set_ehlo (hop, "PIPELINING");
  pr_runner_start (world->runner);
  for (guint i = 1; i < 70; i++)
    g_string_append_printf (to, " user%u@b.example", i);
  world_put (world, "me@a.example", to->str);
  world_wait (world, world_count_messages (world) == 0, "all to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 2);
  g_assert_cmpuint (fake_hop_get_mail (hop, 0)->recipients->len, ==, 50);

  while (text->len <= 10000000)
    g_string_append (text, "0123456789012345678901234567890123456789012345678901234567890123\r\n");
  g_free (envelope->sender);
  envelope->sender = g_strdup (""); /* nobody to tell: no report goes out */
  pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_UNSET, NULL);
  world_put_envelope (world, envelope, text->str, 0);
  world_wait (world, world_count_events (world, "failed you@b.example 552") == 1, "the refusal");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 2);
  world_end (world, hop);
}

/* As words, however the report broke its lines. (transfer full) */
static char *
join_lines (const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \r\n", -1);
  g_autoptr (GString) joined = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_string_append_printf (joined, "%s ", words[i]);
  return g_string_free (g_steal_pointer (&joined), FALSE);
}

static gboolean
has_mail (FakeHop *hop, const char *words)
{
  for (guint i = 0; i < fake_hop_count_mail (hop); i++)
    {
      g_autofree char *text = join_lines (fake_hop_get_mail (hop, i)->text->str);

      if (strstr (text, words) != NULL)
        return TRUE;
    }
  return FALSE;
}

static World *
new_waiting_world (FakeHop **hop, const char *limit)
{
  World *world = new_world (hop);
  g_autofree char *more = g_strdup_printf ("limit=%s\n[retry]\nwarn-after=1h\ngive-up=2d", limit);
  g_autofree char *text = g_strdup_printf (
    "[server]\nhostname=relay.test\n[route out]\ntls=off\nhosts=127.0.0.1:%u\n%s\n",
    fake_hop_get_port (*hop), more);

  world_set_config (world, text);
  world->runner->overdue_ms = 1;
  pr_runner_start (world->runner);
  world_put (world, "", "first@b.example");
  world_wait (world, fake_hop_count_mail (*hop) == 1, "what the limit allows");
  return world;
}

/* What waits for its time is late all the same: its sender hears so once, with the reason. */
static void
test_late (void)
{
  FakeHop *hop;
  World *world = new_waiting_world (&hop, "1/12h");
  g_autoptr (PrMessage) old = NULL;
  g_autoptr (PrMessage) last = NULL;
  gint64 first_id, last_id;

  world->runner->window = 1; /* the others stay in the store */
  first_id = world_put_aged (world, "me@a.example", "a@b.example b@b.example", 7200);
  for (guint i = 0; i < 6; i++)
    last_id = world_put_aged (world, "me@a.example", "you@b.example", 7200 - i);
  world_put_aged (world, "me@a.example", "young@b.example", 1800);
  world_wait (world, world_count_events (world, "warned") >= 7, "the senders to be told");
  world_idle (world, 300);
  g_assert_cmpuint (world_count_events (world, "warned"), <=, 8); /* its recipients came apart */
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);

  old = world_get (world, first_id);
  g_assert_true (old->progress[0].warned && old->progress[1].warned);
  g_assert_cmpuint (old->progress[0].attempts, ==, 0);
  g_assert_cmpint (old->progress[0].state, ==, PR_RECIPIENT_QUEUED);
  g_assert_true (
    g_str_has_prefix (old->progress[0].last_reply,
                      "Waits, because this route takes 1 message in 12 hours, until about "));
  last = world_get (world, last_id);
  g_assert_nonnull (strstr (last->progress[0].last_reply, "its turn may not come in time"));

  world->runner->window = 100;
  set_config (world, hop, "");
  world_wait (world, world_count_messages (world) == 0, "all to leave");
  g_assert_true (has_mail (hop, "because this route takes 1 message in 12 hours, until about"));
  world_end (world, hop);
}

/* … and so is its end. */
static void
test_given_up (void)
{
  FakeHop *hop;
  World *world = new_waiting_world (&hop, "1/1h");

  world->runner->window = 1;
  for (guint i = 0; i < 3; i++)
    world_put_aged (world, "me@a.example", "old@b.example", 3 * 86400);
  world_put (world, "me@a.example", "young@b.example");
  world_wait (world, world_count_events (world, "failed old@b.example") == 3, "all to be given up");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  world->runner->window = 100;
  set_config (world, hop, "");
  world_wait (world, world_count_messages (world) == 0, "the reports to leave");
  g_assert_true (has_mail (hop, "could not be delivered within 2 days. What stood in the way: this "
                                "route takes 1 message an hour"));
  g_assert_true (has_mail (hop, "What to do: Send fewer messages by this account"));
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1 + 3 + 1);
  world_end (world, hop);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/pacer/waits", test_waits);
  g_test_add_func ("/pacer/late", test_late);
  g_test_add_func ("/pacer/given-up", test_given_up);
  g_test_add_func ("/pacer/restart", test_restart);
  g_test_add_func ("/pacer/split", test_split);
  g_test_add_func ("/pacer/refused", test_refused);
  g_test_add_func ("/pacer/account", test_account);
  g_test_add_func ("/pacer/slow-down", test_slow_down);
  g_test_add_func ("/pacer/held", test_held);
  g_test_add_func ("/pacer/preset", test_preset);
  return g_test_run ();
}
