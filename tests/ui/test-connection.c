/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/service: the window's connection, against a real service that comes and goes. No display. */

#include "control/client.h"
#include "daemon.h"
#include "ui/service.h"
#include "wait.h"

typedef struct
{
  Daemon daemon;
  PrService *service;
  guint n_queue, n_sessions, n_configuration, n_events;
} Fixture;

static void
on_queue_changed (PrService *service, guint64 revision, guint64 messages, gpointer user_data)
{
  ((Fixture *) user_data)->n_queue++;
}

static void
on_sessions_changed (PrService *service, guint64 revision, gpointer user_data)
{
  ((Fixture *) user_data)->n_sessions++;
}

static void
on_configuration_changed (PrService *service, gpointer user_data)
{
  ((Fixture *) user_data)->n_configuration++;
}

static void
on_events (PrService *service, GVariant *events, guint missed, gpointer user_data)
{
  g_assert_true (g_variant_is_of_type (events, G_VARIANT_TYPE ("aa{sv}")));
  ((Fixture *) user_data)->n_events += (guint) g_variant_n_children (events);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  daemon_set_up (&f->daemon, NULL);
  f->service = pr_service_new (f->daemon.home);
  g_signal_connect (f->service, "queue-changed", G_CALLBACK (on_queue_changed), f);
  g_signal_connect (f->service, "sessions-changed", G_CALLBACK (on_sessions_changed), f);
  g_signal_connect (f->service, "configuration-changed", G_CALLBACK (on_configuration_changed), f);
  g_signal_connect (f->service, "events", G_CALLBACK (on_events), f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  PrService *service = f->service;

  /* What was asked and not answered yet keeps it for a moment. */
  g_object_add_weak_pointer (G_OBJECT (service), (gpointer *) &f->service);
  g_object_unref (service);
  wait_for (NULL, f->service == NULL, "the end of the object");
  daemon_tear_down (&f->daemon);
}

static void
wait_state (Fixture *f, PrServiceState state, const char *what)
{
  wait_for (NULL, pr_service_get_state (f->service) == state, what);
}

static void
test_absent (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (pr_service_get_state (f->service), ==, PR_SERVICE_CONNECTING);
  g_assert_null (pr_service_get_status (f->service));
  pr_service_connect (f->service);
  wait_state (f, PR_SERVICE_ABSENT, "knowing that there is no service");
  g_assert_false (pr_service_is_connected (f->service));
  g_assert_nonnull (pr_service_get_reason (f->service));
  g_assert_cmpuint (f->n_queue, ==, 0);
}

/* It comes, is killed, comes again: found each time without being told. */
static void
test_heals (Fixture *f, gconstpointer data)
{
  pr_service_connect (f->service);
  wait_state (f, PR_SERVICE_ABSENT, "knowing that there is no service");
  daemon_start (&f->daemon);
  wait_state (f, PR_SERVICE_CONNECTED, "a connection to a service that came later");
  g_assert_null (pr_service_get_reason (f->service));
  g_assert_cmpstr (pr_dict_string (pr_service_get_status (f->service), "hostname"), ==,
                   "relay.test");
  /* Who draws what these say draws it now. */
  g_assert_cmpuint (f->n_queue, ==, 1);
  g_assert_cmpuint (f->n_sessions, ==, 1);
  g_assert_cmpuint (f->n_configuration, ==, 1);

  daemon_kill (&f->daemon);
  wait_for (NULL, !pr_service_is_connected (f->service), "noticing the loss");
  g_assert_nonnull (pr_service_get_status (f->service));
  daemon_start (&f->daemon);
  wait_state (f, PR_SERVICE_CONNECTED, "a connection to the next service");
  g_assert_cmpuint (f->n_queue, ==, 2);
}

static void
test_changes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;

  daemon_start (&f->daemon);
  pr_service_follow (f->service, PR_FOLLOW_EVENTS);
  pr_service_connect (f->service);
  wait_state (f, PR_SERVICE_CONNECTED, "a connection");
  id = daemon_add_mail (&f->daemon, "someone@example.org");
  wait_for (NULL, f->n_queue > 1, "word of a change in the queue");
  wait_for (NULL, pr_dict_number (pr_service_get_status (f->service), "messages") == 1,
            "the status after it");
  wait_for (NULL, f->n_events > 0, "its event");
  pr_service_unfollow (f->service, PR_FOLLOW_EVENTS);
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/* (transfer full) (nullable) */
static GVariant *
call (Fixture *f, const char *method, GVariant *arguments, const char *reply, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  pr_service_call (f->service, "Queue1", method, arguments, reply, NULL, on_called, &result);
  wait_for (NULL, result != NULL, method);
  return pr_service_call_finish (f->service, result, error);
}

static void
test_calls (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (call (f, "Get", g_variant_new ("(s)", "x"), "(a{sv})", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED);
  g_clear_error (&error);

  daemon_start (&f->daemon);
  pr_service_connect (f->service);
  wait_state (f, PR_SERVICE_CONNECTED, "a connection");
  answer = call (f, "Order", g_variant_new ("(sas)", "hold", NULL), "(us)", &error);
  g_assert_no_error (error);
  g_assert_nonnull (answer);
  g_assert_null (call (f, "Get", g_variant_new ("(s)", "x"), "(a{sv})", &error));
  g_assert_cmpstr (error->message, ==, "x is not the id of a message");
}

/* The object goes while it looks, and while it asks. */
static void
test_dropped (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < 2; i++)
    {
      PrService *service = pr_service_new (f->daemon.home);

      pr_service_connect (service);
      g_assert_finalize_object (service);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      if (i == 0)
        daemon_start (&f->daemon);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function)                                                                        \
  g_test_add ("/ui/service/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("absent", test_absent);
  ADD ("heals", test_heals);
  ADD ("changes", test_changes);
  ADD ("calls", test_calls);
  ADD ("dropped", test_dropped);
#undef ADD

  return g_test_run ();
}
