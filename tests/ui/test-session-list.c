/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/session-list, against a real service with real clients. No display. */

#include "control/client.h"
#include "daemon.h"
#include "ui/session-list.h"
#include "wait.h"

typedef struct
{
  Daemon daemon;
  PrService *service;
  PrSessionList *list;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  daemon_set_up (&f->daemon, NULL);
  daemon_start (&f->daemon);
  f->service = pr_service_new (f->daemon.home);
  f->list = pr_session_list_new (f->service);
  pr_service_connect (f->service);
  pr_session_list_watch (f->list, TRUE);
  wait_for (NULL, pr_service_get_status (f->service) != NULL, "the service");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  PrService *service = f->service;

  g_clear_object (&f->list);
  g_object_add_weak_pointer (G_OBJECT (service), (gpointer *) &f->service);
  g_object_unref (service);
  wait_for (NULL, f->service == NULL, "the end of the object");
  daemon_tear_down (&f->daemon);
}

/* "127.0.0.1:34567": where the service takes mail. (transfer full) */
static GSocketConnection *
connect_client (Fixture *f)
{
  g_autoptr (GVariant) addresses =
    g_variant_lookup_value (pr_service_get_status (f->service), "addresses", G_VARIANT_TYPE ("as"));
  g_autofree const char **first = g_variant_get_strv (addresses, NULL);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection;

  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect_to_host (client, first[0], 0, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static PrSession *
get_row (Fixture *f, guint position)
{
  PrSession *row = g_list_model_get_item (G_LIST_MODEL (f->list), position);

  g_assert_nonnull (row);
  g_object_unref (row); /* the list keeps it */
  return row;
}

static guint
count (Fixture *f)
{
  return g_list_model_get_n_items (G_LIST_MODEL (f->list));
}

static void
test_come_and_go (Fixture *f, gconstpointer data)
{
  GSocketConnection *first = connect_client (f);
  GSocketConnection *second;
  PrSession *older, *newer;
  g_autofree char *client = NULL;
  g_autofree char *text = NULL;

  wait_for (NULL, count (f) == 1 && pr_session_list_count_alive (f->list) == 1, "one client");
  older = get_row (f, 0);
  second = connect_client (f);
  wait_for (NULL, count (f) == 2, "two clients");
  newer = get_row (f, 0);
  g_assert_true (get_row (f, 1) == older); /* rows keep who they are */
  g_assert_cmpuint (pr_session_get_id (newer), >, pr_session_get_id (older));
  g_assert_true (pr_session_is_alive (newer));
  client = pr_session_get_client (newer);
  g_assert_cmpstr (client, ==, "127.0.0.1");
  g_assert_nonnull (pr_session_get_title (newer));

  g_io_stream_close (G_IO_STREAM (second), NULL, NULL);
  wait_for (NULL, !pr_session_is_alive (newer), "the end of the newer");
  g_assert_cmpuint (count (f), ==, 2);
  g_assert_true (get_row (f, 0) == older); /* what goes on stands above what ended */
  g_assert_true (get_row (f, 1) == newer);
  wait_for (
    NULL, g_str_has_prefix ((g_free (text), text = pr_session_describe (newer)), "State: Ended: "),
    "why it ended");
  wait_for (NULL, pr_session_list_count_alive (f->list) == 1, "the count");

  g_object_unref (second);
  g_object_unref (first);
}

static gboolean
knock (Fixture *f)
{
  g_object_unref (connect_client (f));
  return TRUE;
}

/* Who comes and goes between two looks has a row all the same, up to a bound. */
static void
test_many (Fixture *f, gconstpointer data)
{
  wait_for (NULL, knock (f) && count (f) >= PR_SESSION_LIST_ENDED, "many that ended");
  for (guint i = 0; i < 20; i++)
    knock (f);
  wait_for (NULL, count (f) == PR_SESSION_LIST_ENDED && !pr_session_is_alive (get_row (f, 0)),
            "the latest of them");
}

static void
test_service_goes (Fixture *f, gconstpointer data)
{
  GSocketConnection *client = connect_client (f);

  wait_for (NULL, count (f) == 1, "one client");
  daemon_kill (&f->daemon);
  wait_for (NULL, count (f) == 0 && pr_session_list_count_alive (f->list) == 0, "an empty list");
  daemon_start (&f->daemon);
  wait_for (NULL, pr_service_is_connected (f->service), "the service again");
  g_object_unref (client);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/session-list/come-and-go", test_come_and_go);
  ADD ("/session-list/many", test_many);
  ADD ("/session-list/service-goes", test_service_goes);
#undef ADD
  return g_test_run ();
}
