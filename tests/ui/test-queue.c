/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/queue-model and ui/queue-words, against a real service. No display. */

#include "control/client.h"
#include "daemon.h"
#include "ui/queue-model.h"
#include "ui/queue-words.h"
#include "wait.h"

typedef struct
{
  Daemon daemon;
  PrService *service;
  PrQueueModel *model;
  GPtrArray *seen; /* of items as a view keeps them, by items-changed alone */
  guint n_removed; /* rows that views heard to be gone */
} Fixture;

/* What a view does: it follows positions, and takes every row that appears. */
static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_cmpuint (position + removed, <=, f->seen->len);
  f->n_removed += removed;
  if (removed > 0)
    g_ptr_array_remove_range (f->seen, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (f->seen, (int) (position + i), g_list_model_get_item (model, position + i));
  g_assert_cmpuint (f->seen->len, ==, g_list_model_get_n_items (model));
  for (guint i = 0; i < f->seen->len; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (model, i);

      g_assert_true (item == f->seen->pdata[i]);
    }
}

static void
set_up (Fixture *f, gconstpointer data)
{
  daemon_set_up (&f->daemon, NULL);
  daemon_start (&f->daemon);
  f->service = pr_service_new (f->daemon.home);
  f->model = pr_queue_model_new (f->service);
  f->seen = g_ptr_array_new_with_free_func (g_object_unref);
  g_signal_connect (f->model, "items-changed", G_CALLBACK (on_items_changed), f);
  pr_service_connect (f->service);
  wait_for (NULL, !pr_queue_model_is_loading (f->model), "the first answer");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  PrService *service = f->service;

  g_object_add_weak_pointer (G_OBJECT (service), (gpointer *) &f->service);
  g_clear_object (&f->model);
  g_object_unref (service);
  wait_for (NULL, f->service == NULL, "the end of the connection");
  g_ptr_array_unref (f->seen);
  daemon_tear_down (&f->daemon);
}

static guint
count (Fixture *f)
{
  return g_list_model_get_n_items (G_LIST_MODEL (f->model));
}

/* The recipient of the row; NULL while it is not known. (transfer full) */
static char *
recipient_at (Fixture *f, guint position)
{
  g_autoptr (PrQueueItem) item = g_list_model_get_item (G_LIST_MODEL (f->model), position);
  GVariant *message = item != NULL ? pr_queue_item_get_message (item) : NULL;

  return message != NULL ? pr_queue_words_to (message) : NULL;
}

static gboolean
stands_at (Fixture *f, guint position, const char *address)
{
  g_autofree char *recipient = recipient_at (f, position);

  return g_strcmp0 (recipient, address) == 0;
}

static void
fill (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *to = g_strdup_printf ("p%03u@example.org", i);
      g_autofree char *id = daemon_add_mail (&f->daemon, to);
    }
  wait_for (NULL, count (f) == n, "all rows");
}

static void
order (Fixture *f, const char *name, const char *id)
{
  const char *ids[] = { id, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = pr_client_connect_sync (f->daemon.home, &error);
  g_autoptr (GVariant) answer = NULL;

  g_assert_no_error (error);
  answer = pr_client_call_sync (connection, "Queue1", "Order", g_variant_new ("(s^as)", name, ids),
                                "(us)", &error);
  g_assert_no_error (error);
}

static void
test_empty (Fixture *f, gconstpointer data)
{
  g_assert_cmpuint (count (f), ==, 0);
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (f->model), 0));
  g_assert_true (g_list_model_get_item_type (G_LIST_MODEL (f->model)) == PR_TYPE_QUEUE_ITEM);
}

/* What comes and goes moves nothing else: the same objects stay for the same messages. */
static void
test_keeps_rows (Fixture *f, gconstpointer data)
{
  g_autoptr (PrQueueItem) kept = NULL;
  g_autofree char *gone = NULL;
  g_autofree char *id = NULL;

  fill (f, 20);
  wait_for (NULL, stands_at (f, 19, "p000@example.org"), "the oldest at the end");
  kept = g_list_model_get_item (G_LIST_MODEL (f->model), 10);
  {
    g_autoptr (PrQueueItem) item = g_list_model_get_item (G_LIST_MODEL (f->model), 5);

    gone = g_strdup (pr_queue_item_get_id (item));
  }
  f->n_removed = 0;
  order (f, "delete", gone);
  wait_for (NULL, count (f) == 19, "a row to go");
  g_assert_cmpuint (f->n_removed, ==, 1);
  g_assert_true (f->seen->pdata[9] == kept);

  id = daemon_add_mail (&f->daemon, "new@example.org");
  wait_for (NULL, count (f) == 20, "a row to come");
  g_assert_cmpuint (f->n_removed, ==, 1);
  g_assert_true (f->seen->pdata[10] == kept);
  g_assert_true (stands_at (f, 0, "new@example.org"));
}

/* Rows beyond the first answer are asked for when somebody looks at them. */
static void
test_pages (Fixture *f, gconstpointer data)
{
  fill (f, 400);
  wait_for (NULL, stands_at (f, 399, "p000@example.org"), "the last row");
  wait_for (NULL, stands_at (f, 200, "p199@example.org"), "one in the middle");
  wait_for (NULL, stands_at (f, 0, "p399@example.org"), "the first row");
}

static void
test_filter_and_order (Fixture *f, gconstpointer data)
{
  fill (f, 12);
  pr_queue_model_set_filter (f->model, "p007", NULL, NULL);
  g_assert_true (pr_queue_model_is_filtered (f->model));
  wait_for (NULL, count (f) == 1 && stands_at (f, 0, "p007@example.org"), "what was searched");
  pr_queue_model_set_filter (f->model, NULL, "failed", NULL);
  wait_for (NULL, count (f) == 0, "nothing that failed");
  pr_queue_model_set_filter (f->model, NULL, "held", "wait");
  wait_for (NULL, count (f) == 12, "all that is held");
  pr_queue_model_set_order (f->model, "received", FALSE);
  wait_for (NULL, count (f) == 12 && stands_at (f, 0, "p000@example.org"), "the oldest first");
  pr_queue_model_set_filter (f->model, NULL, NULL, NULL);
  g_assert_false (pr_queue_model_is_filtered (f->model));
}

/* What was shown stays while the service is away, and is true again when it is back. */
static void
test_service_restarts (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;

  fill (f, 3);
  daemon_stop (&f->daemon);
  wait_for (NULL, !pr_service_is_connected (f->service), "the loss");
  g_assert_cmpuint (count (f), ==, 3);
  daemon_start (&f->daemon);
  id = daemon_add_mail (&f->daemon, "later@example.org");
  pr_service_connect (f->service);
  wait_for (NULL, count (f) == 4, "the row that came meanwhile");
  g_assert_true (stands_at (f, 0, "later@example.org"));
}

static void
check (char *words, const char *expected)
{
  g_assert_cmpstr (words, ==, expected);
  g_free (words);
}

static void
test_words (void)
{
  g_autoptr (GVariant) message = g_variant_ref_sink (g_variant_new_parsed (
    "{'id': <'x'>, 'sender': <''>, 'size': <uint64 2500>, 'state': <'queued'>, 'recipients':"
    " <[{'address': <'a@x.test'>, 'state': <'pending'>, 'attempts': <uint32 1>, 'route': <'r'>},"
    "  {'address': <'b@x.test'>, 'state': <'pending'>, 'attempts': <uint32 0>}]>}"));
  g_autoptr (GVariant) bare = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_autoptr (GVariant) recipient =
    g_variant_ref_sink (g_variant_new_parsed ("{'state': <'pending'>, 'held': <true>}"));

  check (pr_queue_words_from (message), "Delivery notice");
  check (pr_queue_words_to (message), "a@x.test and 1 more");
  check (pr_queue_words_subject (message), "(No subject)");
  check (pr_queue_words_size (message), "2.5\u00a0kB");
  check (pr_queue_words_state (message), "Will be tried again");
  check (pr_queue_words_route (message), "r");
  check (pr_queue_words_summary (message), "a@x.test and 1 more · Will be tried again");
  check (pr_queue_words_received (message), "");
  check (pr_queue_words_next_try (message), "");
  check (pr_queue_words_recipient (recipient), "Held");
  /* A service of another version may leave anything out. */
  check (pr_queue_words_to (bare), "");
  check (pr_queue_words_route (bare), "");
  check (pr_queue_words_state (bare), "Waiting");
  check (pr_queue_words_time (0), "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function)                                                                        \
  g_test_add ("/ui/queue/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("empty", test_empty);
  ADD ("keeps-rows", test_keeps_rows);
  ADD ("pages", test_pages);
  ADD ("filter-and-order", test_filter_and_order);
  ADD ("service-restarts", test_service_restarts);
#undef ADD
  g_test_add_func ("/ui/queue/words", test_words);

  return g_test_run ();
}
