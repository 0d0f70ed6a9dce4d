/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner against real sockets and a real store: what goes well, and who gets what. */
#include "relay/fake-resolver.h"
#include "relay/world.h"

#define ROUTE(hop) config_for (hop, "")

static char *
config_for (FakeHop *hop, const char *more)
{
  return g_strdup_printf ("[server]\nhostname=relay.test\n"
                          "[route out]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n%s\n"
                          "[retry]\nschedule=1s;1s;2s\n",
                          fake_hop_get_port (hop), more);
}

/* A world needs its hop's port for its configuration, and the hop needs the world's loop: the
 * world starts with another one. */
static World *
new_world (FakeHop **hop)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");

  *hop = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  return world;
}

static void
start (World *world, char *config)
{
  world_set_config (world, config);
  pr_runner_start (world->runner);
  g_free (config);
}

static void
end (World *world, FakeHop *hop)
{
  if (hop != NULL)
    fake_hop_free (hop);
  world_free (world);
}

static void
test_one_message (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  const FakeMail *mail;

  start (world, ROUTE (hop));
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  mail = fake_hop_get_mail (hop, 0);
  g_assert_true (g_str_has_prefix (mail->sender, "<me@a.example>"));
  g_assert_cmpuint (mail->recipients->len, ==, 1);
  g_assert_true (g_str_has_prefix (mail->recipients->pdata[0], "<you@b.example>"));
  g_assert_cmpstr (mail->text->str, ==, "Subject: test\r\n\r\nHello\r\n.dot\r\n");
  g_assert_cmpuint (world_count_events (world, "delivered you@b.example 250 Thanks"), ==, 1);
  end (world, hop);
}

static void
test_reuse (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrRunnerStats stats;

  start (world, ROUTE (hop));
  for (guint i = 0; i < 5; i++)
    {
      world_put (world, "me@a.example", "you@b.example");
      world_wait (world, fake_hop_count_mail (hop) == i + 1, "a message to arrive");
    }
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 1);
  world_wait (world, fake_hop_count_open (hop) == 0, "the idle connection to end");
  g_assert_cmpuint (fake_hop_count (hop, "QUIT"), ==, 1);
  pr_runner_get_stats (world->runner, &stats);
  g_assert_cmpuint (stats.n_delivered, ==, 5);
  g_assert_cmpuint (stats.n_idle, ==, 0);
  end (world, hop);
}

static void
test_bounded_messages_for_each_connection (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, config_for (hop, "max-messages-per-connection=2\nmax-connections=1"));
  pr_runner_set_paused (world->runner, TRUE);
  for (guint i = 0; i < 6; i++)
    world_put (world, "me@a.example", "you@b.example");
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, fake_hop_count_mail (hop) == 6, "all messages");
  g_assert_cmpuint (fake_hop_count_connections (hop), ==, 3);
  end (world, hop);
}

static void
test_connections_follow_the_backlog (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, config_for (hop, "max-connections=3"));
  pr_runner_set_paused (world->runner, TRUE);
  for (guint i = 0; i < 60; i++)
    world_put (world, "me@a.example", "you@b.example");
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, world_count_messages (world) == 0, "all messages to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 60);
  g_assert_cmpuint (fake_hop_count_most (hop), ==, 3);
  end (world, hop);
}

static void
test_one_transaction_for_all_recipients (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, ROUTE (hop));
  world_put (world, "me@a.example", "a@b.example b@c.example c@d.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  g_assert_cmpuint (fake_hop_get_mail (hop, 0)->recipients->len, ==, 3);
  end (world, hop);
}

static void
test_recipients_are_split (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (GString) recipients = g_string_new (NULL);

  fake_hop_set_ehlo (hop, "PIPELINING\nLIMITS RCPTMAX=7");
  start (world, ROUTE (hop));
  for (guint i = 0; i < 20; i++)
    g_string_append_printf (recipients, "%su%u@b.example", i > 0 ? " " : "", i);
  world_put (world, "me@a.example", recipients->str);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count (hop, "RCPT"), ==, 20);
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 3);
  end (world, hop);
}

static void
test_each_recipient_has_its_result (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (PrMessage) message = NULL;
  gint64 id;

  fake_hop_answer (hop, "RCPT TO:<late@", "450 4.2.1 Later", -1);
  fake_hop_answer (hop, "RCPT TO:<bad@", "550 5.1.1 No such user", -1);
  start (world, ROUTE (hop));
  id = world_put (world, "me@a.example", "good@b.example late@b.example bad@b.example");
  world_wait (world, fake_hop_count_mail (hop) == 2, "the message and its bounce");
  message = world_get (world, id);
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_DELIVERED);
  g_assert_cmpint (message->progress[1].state, ==, PR_RECIPIENT_QUEUED);
  g_assert_cmpstr (message->progress[1].last_reply, ==, "450 4.2.1 Later");
  g_assert_cmpuint (message->progress[1].attempts, >=, 1);
  g_assert_cmpint (message->progress[2].state, ==, PR_RECIPIENT_FAILED);
  g_assert_cmpuint (world_count_events (world, "bounced me@a.example"), ==, 1);
  g_assert_true (g_str_has_prefix (fake_hop_get_mail (hop, 1)->sender, "<>"));
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 1)->text->str, "Remote-MTA: dns; 127.0.0.1"));

  /* The late one goes by itself, and alone. */
  fake_hop_forget_answers (hop);
  world_wait (world, world_count_messages (world) == 0, "the late recipient");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 3);
  g_assert_cmpuint (fake_hop_get_mail (hop, 2)->recipients->len, ==, 1);
  end (world, hop);
}

static void
test_too_many_recipients (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  fake_hop_answer (hop, "RCPT TO:<c@", "452 4.5.3 Too many recipients", 1);
  start (world, ROUTE (hop));
  world_put (world, "me@a.example", "a@b.example b@b.example c@b.example");
  world_wait (world, world_count_messages (world) == 0, "all recipients");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 2);
  g_assert_cmpuint (world_count_events (world, "deferred"), ==, 0);
  end (world, hop);
}

static void
test_lmtp (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");
  g_autofree char *path = g_build_filename (world->home, "lmtp", NULL);
  FakeHop *hop = fake_hop_new_unix (world->loop, path);
  g_autoptr (PrMessage) message = NULL;
  gint64 id;

  fake_hop_answer (hop, ".", "450 4.2.2 Full", 1);
  start (world, g_strdup_printf ("[route in]\nvia=lmtp\npath=%s\n", path));
  id = world_put (world, "me@a.example", "a@b.example b@b.example");
  world_wait (world, world_count_events (world, "delivered b@b.example") == 1, "one recipient");
  message = world_get (world, id);
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_QUEUED);
  g_assert_cmpint (message->progress[1].state, ==, PR_RECIPIENT_DELIVERED);
  g_assert_cmpuint (fake_hop_count (hop, "LHLO"), ==, 1);
  end (world, hop);
}

static void
test_discard_and_hold (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");
  g_autoptr (PrMessage) message = NULL;
  gint64 id;

  start (world, g_strdup ("[route drop]\nvia=discard\nrecipients=*@drop.example\n"
                          "[route keep]\nvia=hold\n"));
  world_put (world, "me@a.example", "a@drop.example");
  world_wait (world, world_count_messages (world) == 0, "the message to be discarded");
  g_assert_cmpuint (world_count_events (world, "delivered a@drop.example 250 Discarded"), ==, 1);

  id = world_put (world, "me@a.example", "a@keep.example");
  message = world_get (world, id);
  g_assert_cmpint (message->progress[0].state, ==, PR_RECIPIENT_HELD);
  g_assert_cmpuint (world_count_events (world, "held a@keep.example"), ==, 1);
  end (world, NULL);
}

static void
test_big_message (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (GString) text = g_string_new ("Subject: big\r\n\r\n");
  PrEnvelope *envelope = pr_envelope_new ();

  while (text->len < 3 * 1024 * 1024)
    g_string_append_printf (text, ".line %zu of a message that is not small\r\n", text->len);
  g_free (envelope->sender);
  envelope->sender = g_strdup ("me@a.example");
  pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_UNSET, NULL);
  start (world, ROUTE (hop));
  world_put_envelope (world, envelope, text->str, 0);
  world_wait (world, world_count_messages (world) == 0, "a big message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  g_assert_true (g_string_equal (fake_hop_get_mail (hop, 0)->text, text));
  end (world, hop);
}

static void
test_restart_finds_what_waits (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = ROUTE (hop);

  world_set_config (world, config);
  for (guint i = 0; i < 3; i++)
    world_put (world, "me@a.example", "you@b.example");
  world_restart (world, config);
  world_wait (world, world_count_messages (world) == 0, "mail from before the restart");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 3);
  end (world, hop);
}

static void
test_window_is_refilled (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  world->runner->window = 4;
  start (world, ROUTE (hop));
  pr_runner_set_paused (world->runner, TRUE);
  for (guint i = 0; i < 50; i++)
    world_put (world, "me@a.example", i % 2 == 0 ? "a@b.example" : "a@b.example b@b.example");
  pr_runner_set_paused (world->runner, FALSE);
  while (world_count_messages (world) > 0)
    {
      PrRunnerStats stats;

      pr_runner_get_stats (world->runner, &stats);
      g_assert_cmpuint (stats.n_in_hand, <=, 4 + 4);
      world_turn (world, world_begin_wait (), "the queue to empty");
    }
  g_assert_cmpuint (fake_hop_count (hop, "RCPT"), ==, 75);
  end (world, hop);
}

static void
test_mx (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");
  FakeHop *first = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  FakeHop *second = fake_hop_new (world->loop, "127.0.0.2", fake_hop_get_port (first), FALSE);

  world->runner->mx_port = fake_hop_get_port (first);
  fake_resolver_add_domain ("b.example", "10 mx1.b.example 20 mx2.b.example");
  fake_resolver_add_host ("mx1.b.example", "127.0.0.1");
  fake_resolver_add_host ("mx2.b.example", "127.0.0.2");
  fake_hop_answer (first, "greeting", "421 4.3.2 Not now", 1);
  start (world, g_strdup ("[server]\nhostname=relay.test\n[route out]\nvia=mx\ntls=off\n"));
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (second), ==, 1);
  fake_hop_free (first);
  end (world, second);
}

static void
test_mx_failures (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");

  fake_resolver_add_domain ("null.example", "");
  fake_resolver_add_domain ("loop.example", "10 relay.test 20 other.example");
  start (world, g_strdup ("[server]\nhostname=relay.test\n[route out]\nvia=mx\ntls=off\n"));
  /* The null sender: no bounces to follow; without a postmaster they stay visible. */
  world_put (world, "", "a@null.example");
  world_put (world, "", "a@missing.example");
  world_put (world, "", "a@loop.example");
  world_wait (world, world_count_events (world, "failed") == 3, "three failures");
  g_assert_nonnull (strstr (world_last_event (world, "failed a@null"), "556"));
  g_assert_nonnull (strstr (world_last_event (world, "failed a@missing"), "550"));
  g_assert_nonnull (strstr (world_last_event (world, "failed a@loop"), "loop"));
  g_assert_cmpuint (world_count_messages (world), ==, 3);
  end (world, NULL);
}

static PrEnvelope *
envelope_for (const char *sender, const char *recipient, PrBodyType body)
{
  PrEnvelope *envelope = pr_envelope_new ();

  g_free (envelope->sender);
  envelope->sender = g_strdup (sender);
  envelope->body = body;
  pr_envelope_add_recipient (envelope, recipient, PR_NOTIFY_UNSET, NULL);
  return envelope;
}

static void
test_maildir (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");
  g_autofree char *path = g_build_filename (world->home, "mail", NULL);
  g_autofree char *fresh = g_build_filename (path, "new", NULL);
  g_autoptr (GString) text = g_string_new ("Subject: big\r\n\r\n");
  guint n = 0;
  GDir *dir;

  while (text->len < 300 * 1024)
    g_string_append (text, "Some line or other\r\n");
  start (world, g_strdup_printf ("[route in]\nvia=maildir\npath=%s\n", path));
  for (guint i = 0; i < 6; i++)
    world_put (world, "me@a.example", "a@b.example b@b.example");
  world_put_envelope (world, envelope_for ("me@a.example", "a@b.example", PR_BODY_7BIT), text->str,
                      0);
  world_wait (world, world_count_messages (world) == 0, "mail to be in the Maildir");
  dir = g_dir_open (fresh, 0, NULL);
  while (g_dir_read_name (dir) != NULL)
    n++;
  g_dir_close (dir);
  g_assert_cmpuint (n, ==, 7);
  g_assert_cmpuint (world_count_events (world, "delivered"), ==, 13);
  end (world, NULL);
}

static void
test_maildir_that_cannot_be (void)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");

  start (world, g_strdup ("[route in]\nvia=maildir\npath=/dev/null/mail\n"));
  world_put (world, "me@a.example", "a@b.example");
  world_wait (world, world_count_events (world, "deferred") == 1, "the mail to wait");
  g_assert_cmpuint (world_count_events (world, "hop-failed"), ==, 1);
  g_assert_cmpuint (world_count_messages (world), ==, 1);
  end (world, NULL);
}

static void
test_rewrite_sender (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);

  start (world, config_for (hop, "rewrite-sender=box@provider.example"));
  world_put_envelope (world, envelope_for ("scan@lan.example", "you@b.example", PR_BODY_7BIT),
                      "From: Scanner <scan@lan.example>\r\n\r\nHello\r\n", 0);
  world_wait (world, world_count_messages (world) == 0, "the message to leave");
  g_assert_true (g_str_has_prefix (fake_hop_get_mail (hop, 0)->sender, "<box@provider.example>"));
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "box@provider.example"));
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "Reply-To:"));
  end (world, hop);
}

/* To a hop of the old kind, a small message and one that lies in a file. */
static void
test_conversion (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autoptr (GString) text = g_string_new ("Subject: x\r\nMIME-Version: 1.0\r\n"
                                           "Content-Type: text/plain; charset=utf-8\r\n"
                                           "Content-Transfer-Encoding: 8bit\r\n\r\n");

  fake_hop_set_ehlo (hop, NULL);
  start (world, ROUTE (hop));
  for (guint i = 0; i < 2; i++)
    {
      const char *sent;

      g_string_append (text, "Gr\303\274n\r\n");
      while (i > 0 && text->len < 700 * 1024)
        g_string_append (text, "Gr\303\274n und gr\303\274ner\r\n");
      world_put_envelope (world, envelope_for ("me@a.example", "you@b.example", PR_BODY_8BITMIME),
                          text->str, 0);
      world_wait (world, world_count_messages (world) == 0, "the message to leave");
      g_assert_cmpuint (fake_hop_count_mail (hop), ==, i + 1);
      sent = fake_hop_get_mail (hop, i)->text->str;
      g_assert_nonnull (strstr (sent, "Gr=C3=BCn"));
      g_assert_null (strstr (sent, "\303"));
      g_assert_true (g_str_has_suffix (sent, "\r\n"));
    }
  end (world, hop);
}

static void
test_what_cannot_be_expressed_bounces (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrEnvelope *envelope = envelope_for ("me@a.example", "you@b.example", PR_BODY_8BITMIME);

  envelope->smtputf8 = TRUE;
  start (world, ROUTE (hop));
  world_put_envelope (world, envelope, "Subject: Gr\303\274n\r\n\r\nHello\r\n", 0);
  world_wait (world, world_count_messages (world) == 0, "the bounce to leave");
  g_assert_cmpuint (world_count_events (world, "failed you@b.example"), ==, 1);
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "5.6.7"));
  /* it was our finding: nobody else may be named as its source */
  g_assert_null (strstr (fake_hop_get_mail (hop, 0)->text->str, "Remote-MTA"));
  g_assert_null (strstr (fake_hop_get_mail (hop, 0)->text->str, " said: "));
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  end (world, hop);
}

/* RFC 3461 §5.2.2: where the hop does not do DSN, we say that it was relayed. */
static void
test_success_report (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrEnvelope *envelope = pr_envelope_new ();

  g_free (envelope->sender);
  envelope->sender = g_strdup ("me@a.example");
  pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_SUCCESS, NULL);
  fake_hop_set_ehlo (hop, "8BITMIME");
  start (world, ROUTE (hop));
  world_put_envelope (world, envelope, "Subject: x\r\n\r\nHello\r\n", 0);
  world_wait (world, world_count_messages (world) == 0, "the message and its report to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 2);
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 1)->text->str, "Action: relayed"));
  end (world, hop);
}

static void
test_sessions_are_listed (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  PrLive *live;
  PrLiveFacts facts;
  guint64 octet = 0;

  fake_hop_answer (hop, ".", "MUTE", 1);
  start (world, ROUTE (hop));
  world_put (world, "me@a.example", "you@b.example");
  world_wait (world, fake_hop_count (hop, "DATA") == 1, "the message to be on its way");
  live = pr_lives_first (world->lives);
  g_assert_nonnull (live);
  live->describe (live, &facts);
  g_assert_cmpstr (facts.route, ==, "out");
  g_assert_cmpstr (facts.state, ==, "sending a message");
  g_assert_nonnull (strstr (pr_transcript_read (&live->transcript, &octet), "MAIL FROM:"));
  fake_hop_drop_all (hop);
  world_wait (world, world_count_events (world, "deferred") == 1, "the broken connection");
  g_assert_nonnull (strstr (world_last_event (world, "deferred"), "twice"));
  g_assert_cmpuint (pr_lives_count (world->lives, TRUE), ==, 0);
  end (world, hop);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/runner/one-message", test_one_message);
  g_test_add_func ("/runner/reuse", test_reuse);
  g_test_add_func ("/runner/bounded-messages-for-each-connection",
                   test_bounded_messages_for_each_connection);
  g_test_add_func ("/runner/connections-follow-the-backlog", test_connections_follow_the_backlog);
  g_test_add_func ("/runner/one-transaction-for-all-recipients",
                   test_one_transaction_for_all_recipients);
  g_test_add_func ("/runner/recipients-are-split", test_recipients_are_split);
  g_test_add_func ("/runner/each-recipient-has-its-result", test_each_recipient_has_its_result);
  g_test_add_func ("/runner/too-many-recipients", test_too_many_recipients);
  g_test_add_func ("/runner/lmtp", test_lmtp);
  g_test_add_func ("/runner/discard-and-hold", test_discard_and_hold);
  g_test_add_func ("/runner/big-message", test_big_message);
  g_test_add_func ("/runner/restart-finds-what-waits", test_restart_finds_what_waits);
  g_test_add_func ("/runner/window-is-refilled", test_window_is_refilled);
  g_test_add_func ("/runner/mx", test_mx);
  g_test_add_func ("/runner/mx-failures", test_mx_failures);
  g_test_add_func ("/runner/maildir", test_maildir);
  g_test_add_func ("/runner/maildir-that-cannot-be", test_maildir_that_cannot_be);
  g_test_add_func ("/runner/rewrite-sender", test_rewrite_sender);
  g_test_add_func ("/runner/conversion", test_conversion);
  g_test_add_func ("/runner/what-cannot-be-expressed-bounces",
                   test_what_cannot_be_expressed_bounces);
  g_test_add_func ("/runner/success-report", test_success_report);
  g_test_add_func ("/runner/sessions-are-listed", test_sessions_are_listed);
  return g_test_run ();
}
