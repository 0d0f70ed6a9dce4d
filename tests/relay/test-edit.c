/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up, moving to another route and other recipients, by a person's order. */
#include "relay/bucket.h"
#include "relay/world.h"

#define TWO_ROUTES                                                                                 \
  "[server]\nhostname=relay.test\npostmaster=boss@hold.test\n"                                     \
  "[route wait]\nrecipients=*@hold.test\nvia=hold\n"                                               \
  "[route out]\nrecipients=*@there.test\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u\n"

static World *
new_world (FakeHop **hop)
{
  World *world = world_new ("[server]\nhostname=relay.test\n");
  g_autofree char *config = NULL;

  *hop = fake_hop_new (world->loop, "127.0.0.1", 0, FALSE);
  config = g_strdup_printf (TWO_ROUTES, fake_hop_get_port (*hop));
  world_set_config (world, config);
  pr_runner_start (world->runner);
  return world;
}

/* @route: "" lets the routes decide. */
static void
move (World *world, const char *route, gint64 id, guint expected)
{
  Answer answer = { 0 };

  pr_runner_move (world->runner, *route != '\0' ? route : NULL, &id, 1, world_on_done, &answer);
  world_wait (world, answer.done, "a move");
  g_assert_cmpuint (answer.n_done, ==, expected);
  g_assert_true (expected > 0 || answer.why != NULL);
  g_free (answer.why);
}

/* @why: NULL: it works; else part of the words. */
static void
edit (World *world, gint64 id, const char *remove, const char *add, const char *why)
{
  g_auto (GStrv) removed = g_strsplit (remove, " ", -1);
  g_auto (GStrv) added = g_strsplit (add, " ", -1);
  Answer answer = { 0 };

  pr_runner_edit (world->runner, id, (const char *const *) removed, (const char *const *) added,
                  world_on_done, &answer);
  world_wait (world, answer.done, "an edit");
  g_assert_cmpuint (answer.n_done, ==, why == NULL);
  if (why != NULL)
    g_assert_nonnull (strstr (answer.why, why));
  g_free (answer.why);
}

/* "address=bucket state ..." */
static char *
describe (World *world, gint64 id)
{
  g_autoptr (PrMessage) message = world_get (world, id);
  GString *out = g_string_new (NULL);

  for (guint i = 0; message != NULL && i < message->envelope->recipients->len; i++)
    g_string_append_printf (
      out, "%s%s=%s %d", i > 0 ? ", " : "", pr_envelope_recipient (message->envelope, i)->address,
      message->progress[i].hop != NULL ? message->progress[i].hop : "", message->progress[i].state);
  return g_string_free (out, FALSE);
}

#define assert_is(world, id, expected)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *described = describe (world, id);                                             \
    g_assert_cmpstr (described, ==, expected);                                                     \
  }                                                                                                \
  G_STMT_END

/* ── Giving up ────────────────────────────────────────────────────────────────────────────── */

static void
test_fail (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id = world_put (world, "me@there.test", "a@hold.test b@hold.test");
  Answer answer = { 0 };

  pr_runner_order (world->runner, PR_ORDER_FAIL, &id, 1, world_on_done, &answer);
  world_wait (world, answer.done, "the order");
  g_assert_cmpuint (answer.n_done, ==, 1);
  g_assert_null (answer.why);
  world_wait (world, fake_hop_count_mail (hop) == 1, "the sender to be told");
  world_wait (world, world_count_messages (world) == 0, "all to be done");
  g_assert_cmpuint (world_count_events (world, "failed a@hold.test"), ==, 1);
  g_assert_cmpuint (world_count_events (world, "failed b@hold.test"), ==, 1);
  g_assert_cmpuint (world_count_events (world, "bounced"), ==, 1);
  g_assert_nonnull (strstr (fake_hop_get_mail (hop, 0)->text->str, "5.3.0"));

  answer = (Answer){ 0 };
  pr_runner_order (world->runner, PR_ORDER_FAIL, &id, 1, world_on_done, &answer);
  world_wait (world, answer.done, "the second order");
  g_assert_cmpuint (answer.n_done, ==, 0);
  g_assert_nonnull (answer.why);
  g_free (answer.why);
  world_end (world, hop);
}

/* ── Moving ───────────────────────────────────────────────────────────────────────────────── */

static void
test_move (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id = world_put (world, "me@here.test", "a@hold.test");
  gint64 lost = world_put (world, "me@here.test", "a@nowhere.test");

  assert_is (world, id, "a@hold.test=wait/ 1");
  assert_is (world, lost, "a@nowhere.test= 1");
  move (world, "out", id, 1);
  move (world, "out", lost, 1);
  world_wait (world, fake_hop_count_mail (hop) == 2, "both to go by the other route");
  world_wait (world, world_count_messages (world) == 0, "both to leave");
  g_assert_cmpuint (world_count_events (world, "edited"), ==, 2);
  move (world, "out", id, 0);
  world_end (world, hop);
}

/* A pin outlives tries, restarts and other configurations, until its route is gone. */
static void
test_pin_stays (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = g_strdup_printf (TWO_ROUTES, fake_hop_get_port (hop));
  gint64 id = world_put (world, "me@here.test", "a@hold.test");

  pr_runner_set_paused (world->runner, TRUE);
  move (world, "out", id, 1);
  assert_is (world, id, "a@hold.test=\tout 0");
  world_set_config (world, config);
  assert_is (world, id, "a@hold.test=\tout 0");
  move (world, "", id, 1);
  assert_is (world, id, "a@hold.test=wait/ 1");
  move (world, "out", id, 1);
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, fake_hop_count_mail (hop) == 1, "it to go");
  world_end (world, hop);
}

static void
test_pin_to_hold (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id;
  Answer answer = { 0 };

  pr_runner_set_paused (world->runner, TRUE);
  id = world_put (world, "me@here.test", "a@there.test");
  move (world, "wait", id, 1);
  assert_is (world, id, "a@there.test=\twait/ 1");
  pr_runner_order (world->runner, PR_ORDER_RELEASE, &id, 1, world_on_done, &answer);
  world_wait (world, answer.done, "the release");
  g_assert_cmpuint (answer.n_done, ==, 1);
  assert_is (world, id, "a@there.test=out 0");
  pr_runner_set_paused (world->runner, FALSE);
  world_wait (world, fake_hop_count_mail (hop) == 1, "it to go");
  world_end (world, hop);
}

static void
test_pinned_names (void)
{
  static const char text[] = "[route mx]\nvia=mx\nrecipients=*@a.test\n"
                             "[route out]\nhosts=x.test\ntls=off\n";
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "test.conf", &faults);
  g_autofree char *pin = pr_bucket_pin ("mx");
  PrBucket bucket = pr_bucket_find (config, "me@b.test", "", pin);
  g_autofree char *name = pr_bucket_name (&bucket);
  g_autofree char *route = pr_bucket_route_name (name);
  PrBucket again = pr_bucket_find (config, "me@b.test", "", name);
  PrBucket gone = pr_bucket_find (config, "me@b.test", "", "\tgone/b.test");

  g_assert_cmpstr (name, ==, "\tmx/b.test");
  g_assert_cmpstr (route, ==, "mx");
  g_assert_cmpstr (pr_bucket_shown (name), ==, "mx/b.test");
  g_assert_cmpstr (pr_bucket_domain (name), ==, "b.test");
  g_assert_true (pr_bucket_is (&again, name));
  g_assert_false (pr_bucket_is (&again, "mx/b.test"));
  g_assert_true (pr_bucket_is (&gone, "out"));
  g_assert_false (pr_bucket_is (&gone, "\tout"));
}

/* ── Other recipients ─────────────────────────────────────────────────────────────────────── */

static void
test_edit (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id = world_put (world, "me@here.test", "a@hold.test b@hold.test");
  const FakeMail *mail;

  edit (world, id, "a@hold.test", "c@there.test", NULL);
  world_wait (world, fake_hop_count_mail (hop) == 1, "the new recipient's mail");
  mail = fake_hop_get_mail (hop, 0);
  g_assert_cmpuint (mail->recipients->len, ==, 1);
  g_assert_true (g_str_has_prefix (mail->recipients->pdata[0], "<c@there.test>"));
  world_wait (world, world_count_events (world, "delivered c@there.test") == 1, "its record");
  assert_is (world, id, "b@hold.test=wait/ 1, c@there.test=out 2");
  g_assert_cmpuint (world_count_events (world, "edited"), ==, 1);

  /* Who has it already may get it again. */
  edit (world, id, "", "c@there.test", NULL);
  world_wait (world, fake_hop_count_mail (hop) == 2, "it once more");
  world_end (world, hop);
}

static void
test_edit_refused (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id = world_put (world, "me@here.test", "a@hold.test b@hold.test");

  edit (world, id, "x@hold.test", "", "none of its recipients");
  edit (world, id, "", "a@hold.test", "already");
  edit (world, id, "a@hold.test b@hold.test", "", "Nobody");
  edit (world, id, "", "gr\303\274n@there.test", "SMTPUTF8");
  edit (world, id + 1, "", "c@there.test", "no such message");
  assert_is (world, id, "a@hold.test=wait/ 1, b@hold.test=wait/ 1");
  g_assert_cmpuint (world_count_events (world, "edited"), ==, 0);
  world_end (world, hop);
}

/* While one is written, other orders do not touch the message. */
static void
test_edit_alone (void)
{
  static const char *const none[] = { NULL };
  static const char *const add[] = { "c@hold.test", NULL };
  FakeHop *hop;
  World *world = new_world (&hop);
  gint64 id = world_put (world, "me@here.test", "a@hold.test");
  Answer first = { 0 }, second = { 0 }, third = { 0 };

  pr_runner_edit (world->runner, id, none, add, world_on_done, &first);
  pr_runner_edit (world->runner, id, none, add, world_on_done, &second);
  pr_runner_order (world->runner, PR_ORDER_RELEASE, &id, 1, world_on_done, &third);
  world_wait (world, first.done && second.done && third.done, "all three");
  g_assert_cmpuint (first.n_done, ==, 1);
  g_assert_cmpuint (second.n_done, ==, 0);
  g_assert_cmpuint (third.n_done, ==, 0);
  g_assert_nonnull (second.why);
  g_assert_nonnull (third.why);
  g_free (second.why);
  g_free (third.why);
  assert_is (world, id, "a@hold.test=wait/ 1, c@hold.test=wait/ 1");
  world_end (world, hop);
}

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

static void
on_blocked (const PrBlocked *blocked, gpointer user_data)
{
  g_string_append_printf (user_data, "%s: %s;", blocked->hop, blocked->reason);
  g_assert_cmpint (blocked->until_us, >, 0);
  g_assert_cmpint (blocked->kind, ==, PR_BLOCKED_FAILED);
}

static void
test_blocked (void)
{
  FakeHop *hop;
  World *world = new_world (&hop);
  g_autofree char *config = g_strdup_printf (TWO_ROUTES, 1u); /* nobody listens there */
  g_autoptr (GString) blocked = g_string_new (NULL);
  gint64 id;

  world_set_config (world, config);
  pr_runner_list_blocked (world->runner, 10, on_blocked, blocked);
  g_assert_cmpstr (blocked->str, ==, "");
  id = world_put (world, "me@here.test", "a@there.test");
  world_wait (world, world_count_events (world, "hop-failed") > 0, "the hop to fail");
  pr_runner_list_blocked (world->runner, 0, on_blocked, blocked);
  g_assert_cmpstr (blocked->str, ==, "");
  pr_runner_list_blocked (world->runner, 10, on_blocked, blocked);
  g_assert_true (g_str_has_prefix (blocked->str, "out: Could not connect to 127.0.0.1:1"));
  world_wait (world, !pr_runner_is_active (world->runner, id), "nothing to be sent");
  world_end (world, hop);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/edit/fail", test_fail);
  g_test_add_func ("/edit/move", test_move);
  g_test_add_func ("/edit/pin-stays", test_pin_stays);
  g_test_add_func ("/edit/pin-to-hold", test_pin_to_hold);
  g_test_add_func ("/edit/pinned-names", test_pinned_names);
  g_test_add_func ("/edit/recipients", test_edit);
  g_test_add_func ("/edit/recipients-refused", test_edit_refused);
  g_test_add_func ("/edit/recipients-alone", test_edit_alone);
  g_test_add_func ("/edit/blocked", test_blocked);
  return g_test_run ();
}
