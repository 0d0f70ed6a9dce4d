/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/hand.h"

#include "relay/hosts.h"

static PrMessage *
new_message (gint64 id, guint n_recipients)
{
  PrEnvelope *envelope = pr_envelope_new ();

  for (guint i = 0; i < n_recipients; i++)
    pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_UNSET, NULL);
  return pr_message_new (id, 1, envelope);
}

/* Any pointer: the hand only keeps it. */
static PrHop *
hop (guintptr n)
{
  return (PrHop *) n;
}

/* Both ways to remember who is in hand: few recipients, and many. */
static void
test_add_and_remove (gconstpointer data)
{
  guint n = GPOINTER_TO_UINT (data);
  g_autoptr (PrHand) hand = pr_hand_new ();
  g_autoptr (PrMessage) message = new_message (7, n);
  g_autoptr (PrMessage) again = new_message (7, n); /* as read from the store once more */
  const guint first[] = { 0, n - 1 }, second[] = { 1 };
  PrWork *a = pr_hand_add (hand, message, hop (1), first, 2);
  PrWork *b = pr_hand_add (hand, again, hop (2), second, 1);

  g_assert_true (a->parcel == b->parcel);
  g_assert_true (b->parcel->message == message);
  g_assert_true (pr_hand_find (hand, 7) == a->parcel);
  g_assert_null (pr_hand_find (hand, 8));
  g_assert_cmpuint (pr_hand_count (hand), ==, 3);
  g_assert_true (pr_hand_has (hand, 7, n - 1));
  g_assert_false (pr_hand_has (hand, 7, 2));
  g_assert_false (pr_hand_has (hand, 7, n + 1000)); /* whatever a database says */
  g_assert_false (pr_hand_has (hand, 8, 0));

  pr_hand_remove (hand, a);
  g_assert_false (pr_hand_has (hand, 7, n - 1));
  g_assert_true (pr_hand_has (hand, 7, 1));
  pr_hand_remove (hand, b);
  g_assert_null (pr_hand_find (hand, 7));
  g_assert_cmpuint (pr_hand_count (hand), ==, 0);
}

static void
test_extend_and_split (void)
{
  g_autoptr (PrHand) hand = pr_hand_new ();
  g_autoptr (PrMessage) message = new_message (7, 10);
  const guint first = 3;
  PrWork *work = pr_hand_add (hand, message, hop (1), &first, 1);
  PrWork *rest;

  for (guint i = 4; i < 10; i++)
    pr_hand_extend (hand, work, i);
  g_assert_cmpuint (work->n_indexes, ==, 7);
  rest = pr_hand_split (hand, work, 1);
  g_assert_cmpuint (work->n_indexes, ==, 1);
  g_assert_cmpuint (work->indexes[0], ==, 3);
  g_assert_cmpuint (rest->n_indexes, ==, 6);
  g_assert_cmpuint (rest->indexes[5], ==, 9);
  g_assert_true (rest->hop == hop (1));
  g_assert_cmpuint (pr_hand_count (hand), ==, 7);
  work = pr_hand_split (hand, rest, 5);
  g_assert_cmpuint (work->n_indexes, ==, 1);
  g_assert_cmpuint (work->indexes[0], ==, 9);
}

static void
test_queue (void)
{
  g_autoptr (PrHand) hand = pr_hand_new ();
  g_autoptr (PrMessage) message = new_message (7, 4);
  PrWorkQueue queue = { 0 };
  PrWork *works[4];

  for (guint i = 0; i < 4; i++)
    works[i] = pr_hand_add (hand, message, hop (1), &i, 1);
  pr_work_queue_push (&queue, works[1]);
  pr_work_queue_push (&queue, works[2]);
  pr_work_queue_push (&queue, works[3]);
  pr_work_queue_push_front (&queue, works[0]);
  g_assert_cmpuint (queue.n_works, ==, 4);
  pr_work_queue_remove (&queue, works[2]);
  pr_work_queue_remove (&queue, works[0]);
  g_assert_true (queue.first == works[1]);
  g_assert_true (queue.last == works[3]);
  pr_work_queue_remove (&queue, works[3]);
  pr_work_queue_remove (&queue, works[1]);
  g_assert_cmpuint (queue.n_works, ==, 0);
  g_assert_null (queue.first);
  g_assert_null (queue.last);
}

static void
test_hosts (void)
{
  g_autoptr (PrHosts) hosts = pr_hosts_new ();
  PrHost *host = pr_hosts_get (hosts, "out", "a.example:25");

  g_assert_true (pr_hosts_get (hosts, "out", "a.example:25") == host);
  g_assert_false (pr_hosts_get (hosts, "other", "a.example:25") == host);
  g_assert_false (pr_hosts_has_failed (hosts, "out", "a.example:25"));
  pr_host_note_failure (host);
  g_assert_true (pr_hosts_has_failed (hosts, "out", "a.example:25"));
  g_assert_false (pr_hosts_has_failed (hosts, "out", "unknown.example:25"));
  pr_hosts_forget_failures (hosts);
  g_assert_false (pr_hosts_has_failed (hosts, "out", "a.example:25"));

  /* Those in use survive the pruning of a table that only grows. */
  host->n_connections = 1;
  for (guint i = 0; i < 5000; i++)
    {
      g_autofree char *label = g_strdup_printf ("h%u.example:25", i);

      pr_hosts_get (hosts, "out", label);
    }
  g_assert_true (pr_hosts_get (hosts, "out", "a.example:25") == host);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_data_func ("/hand/add-and-remove/few", GUINT_TO_POINTER (64), test_add_and_remove);
  g_test_add_data_func ("/hand/add-and-remove/many", GUINT_TO_POINTER (65), test_add_and_remove);
  g_test_add_func ("/hand/extend-and-split", test_extend_and_split);
  g_test_add_func ("/hand/queue", test_queue);
  g_test_add_func ("/hand/hosts", test_hosts);
  return g_test_run ();
}
