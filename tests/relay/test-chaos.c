/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything at once, by chance: next hops in every trouble, pauses, reloads, restarts, orders, a
 * window far smaller than the queue. In the end each recipient was served, and nothing is left. */
#include "relay/world.h"

#define N_MESSAGES 150
#define N_HOPS 3

typedef struct
{
  World *world;
  FakeHop *hops[N_HOPS];
  GArray *ids; /* of gint64 */
  guint n_put;
} Chaos;

static char *
make_config (Chaos *self)
{
  guint connections = g_test_rand_int_range (1, 6);

  return g_strdup_printf (
    "[server]\nhostname=relay.test\n"
    "[route a]\nvia=smarthost\ntls=off\nrecipients=*@a.example\nhosts=127.0.0.1:%u\n"
    "max-connections=%u\nmax-messages-per-connection=%d\n"
    "[route b]\nvia=smarthost\ntls=off\nhosts=127.0.0.1:%u;127.0.0.1:%u\n"
    "max-connections=%u\nreply-timeout=1s\n"
    "[retry]\nschedule=1s\nwarn-after=0\n",
    fake_hop_get_port (self->hops[0]), connections, g_test_rand_int_range (1, 10),
    fake_hop_get_port (self->hops[1]), fake_hop_get_port (self->hops[2]), connections);
}

static void
put_one (Chaos *self)
{
  g_autoptr (GString) recipients = g_string_new (NULL);
  guint n = (guint) g_test_rand_int_range (1, 6);
  gint64 id;

  for (guint i = 0; i < n; i++)
    g_string_append_printf (recipients, "%sm%u-%u@%c.example", i > 0 ? " " : "", self->n_put, i,
                            g_test_rand_bit () ? 'a' : 'b');
  self->n_put++;
  id = world_put (self->world, "me@a.example", recipients->str);
  g_array_append_val (self->ids, id);
}

static void
disturb_hop (FakeHop *hop)
{
  static const char *const steps[] = { "greeting", "EHLO", "MAIL", "RCPT", "DATA", "half", "." };
  static const char *const answers[] = { "421 4.3.2 Busy", "451 4.3.0 Later", "DROP",    "DROP",
                                         "MUTE",           "452 4.5.3 Many",  "nonsense" };

  fake_hop_answer (hop, steps[g_test_rand_int_range (0, G_N_ELEMENTS (steps))],
                   answers[g_test_rand_int_range (0, G_N_ELEMENTS (answers))],
                   g_test_rand_int_range (1, 4));
  if (g_test_rand_int_range (0, 4) == 0)
    fake_hop_drop_all (hop);
  if (g_test_rand_int_range (0, 6) == 0)
    fake_hop_forget_answers (hop);
}

static void
give_order (Chaos *self)
{
  static const PrOrder orders[] = { PR_ORDER_RETRY, PR_ORDER_HOLD, PR_ORDER_RELEASE };
  PrOrder order = orders[g_test_rand_int_range (0, G_N_ELEMENTS (orders))];
  gint64 id = g_array_index (self->ids, gint64, g_test_rand_int_range (0, (gint32) self->ids->len));

  if (g_test_rand_int_range (0, 10) == 0)
    pr_runner_order_all (self->world->runner, order, NULL, NULL);
  else
    pr_runner_order (self->world->runner, order, &id, 1, NULL, NULL);
}

static void
shrink (Chaos *self)
{
  self->world->runner->window = 8;
  self->world->runner->total_window = 12;
  self->world->runner->max_connections = 4;
}

static void
disturb (Chaos *self)
{
  g_autofree char *config = make_config (self);
  int what = g_test_rand_int_range (0, 100);

  if (what < 40)
    disturb_hop (self->hops[g_test_rand_int_range (0, N_HOPS)]);
  else if (what < 60)
    give_order (self);
  else if (what < 70)
    pr_runner_set_paused (self->world->runner, g_test_rand_bit ());
  else if (what < 80)
    world_set_config (self->world, config);
  else if (what < 85)
    pr_runner_set_network (self->world->runner, g_test_rand_bit ());
  else if (what < 88)
    {
      world_restart (self->world, config);
      shrink (self);
    }
  else
    world_idle (self->world, (guint) g_test_rand_int_range (0, 40));
}

/* A recipient may be served twice, by what breaks after the dot; never less than once. */
static void
assert_served (Chaos *self)
{
  g_autoptr (GHashTable) served = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint h = 0; h < N_HOPS; h++)
    for (guint i = 0; i < fake_hop_count_mail (self->hops[h]); i++)
      {
        const FakeMail *mail = fake_hop_get_mail (self->hops[h], i);

        for (guint r = 0; r < mail->recipients->len; r++)
          g_hash_table_add (served, g_strndup (mail->recipients->pdata[r],
                                               strcspn (mail->recipients->pdata[r], ">") + 1));
      }
  g_assert_cmpuint (world_count_events (self->world, "failed"), ==, 0);
  for (guint m = 0; m < self->n_put; m++)
    for (guint i = 0; i < 6; i++)
      {
        g_autofree char *in_a = g_strdup_printf ("<m%u-%u@a.example>", m, i);
        g_autofree char *in_b = g_strdup_printf ("<m%u-%u@b.example>", m, i);

        if (g_hash_table_contains (served, in_a) || g_hash_table_contains (served, in_b))
          continue;
        if (i == 0) /* each has at least this one; fewer than six is by chance */
          g_error ("%s was never served", in_a);
        break;
      }
}

static void
calm_down (Chaos *self)
{
  g_autofree char *config = make_config (self);
  gint64 next_us = 0, deadline_us = world_begin_wait ();

  for (guint i = 0; i < N_HOPS; i++)
    {
      fake_hop_forget_answers (self->hops[i]);
      fake_hop_drop_all (self->hops[i]); /* those that were told to be mute */
    }
  pr_runner_set_network (self->world->runner, TRUE);
  pr_runner_set_paused (self->world->runner, FALSE);
  world_set_config (self->world, config);
  while (world_count_messages (self->world) > 0)
    {
      if (g_get_monotonic_time () > next_us) /* what was held for good */
        {
          pr_runner_order_all (self->world->runner, PR_ORDER_RELEASE, NULL, NULL);
          next_us = g_get_monotonic_time () + G_USEC_PER_SEC;
        }
      world_turn (self->world, deadline_us, "the queue to empty");
    }
}

static void
test_chaos (void)
{
  Chaos self = { .ids = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  g_autofree char *config = NULL;

  self.world = world_new ("[server]\nhostname=relay.test\n");
  for (guint i = 0; i < N_HOPS; i++)
    self.hops[i] = fake_hop_new (self.world->loop, "127.0.0.1", 0, FALSE);
  shrink (&self);
  config = make_config (&self);
  world_set_config (self.world, config);
  pr_runner_start (self.world->runner);

  for (guint i = 0; i < N_MESSAGES; i++)
    {
      put_one (&self);
      disturb (&self);
    }
  calm_down (&self);
  assert_served (&self);

  for (guint i = 0; i < N_HOPS; i++)
    fake_hop_free (self.hops[i]);
  world_free (self.world);
  g_array_unref (self.ids);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/chaos/1", test_chaos);
  g_test_add_func ("/chaos/2", test_chaos);
  return g_test_run ();
}
