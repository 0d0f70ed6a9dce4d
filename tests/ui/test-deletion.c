/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/queue-deletion, against a real service; with it Queue1.SetAside and OrderMatching. No
 * display. */

#include "control/client.h"
#include "daemon.h"
#include "ui/queue-deletion.h"
#include "wait.h"

/* Mail that waits: nobody is there to take it. */
static const char config[] = "[server]\nhostname=relay.test\n"
                             "[listener main]\nlisten=127.0.0.1:0\ntls=off\n"
                             "[route out]\nvia=smarthost\nhosts=127.0.0.1:1\ntls=off\n"
                             "[route other]\nvia=hold\nrecipients=nobody@none.test\n";

typedef struct
{
  Daemon daemon;
  PrService *service;
  PrDeletion *deletion;
  guint n_changes;
} Fixture;

static void
on_changed (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_changes++;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  daemon_set_up (&f->daemon, config);
  daemon_start (&f->daemon);
  f->service = pr_service_new (f->daemon.home);
  pr_service_connect (f->service);
  wait_for (NULL, pr_service_is_connected (f->service), "the connection");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  PrService *service = f->service;

  g_clear_pointer (&f->deletion, pr_deletion_free);
  g_object_add_weak_pointer (G_OBJECT (service), (gpointer *) &f->service);
  g_object_unref (service);
  wait_for (NULL, f->service == NULL, "the end of the connection");
  daemon_tear_down (&f->daemon);
}

static GVariant *
call (Fixture *f, const char *method, GVariant *arguments, const char *reply)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = pr_client_connect_sync (f->daemon.home, &error);
  GVariant *answer;

  g_assert_no_error (error);
  answer = pr_client_call_sync (connection, "Queue1", method, arguments, reply, &error);
  g_assert_no_error (error);
  return answer;
}

/* How many messages have a recipient in @state; NULL: in any. */
static guint64
count (Fixture *f, const char *state)
{
  g_autofree char *filter =
    state != NULL ? g_strdup_printf ("{'state': <'%s'>}", state) : g_strdup ("@a{sv} {}");
  g_autoptr (GVariant) answer =
    call (f, "List", g_variant_new ("(@a{sv}tu)", g_variant_new_parsed (filter), (guint64) 0, 1u),
          "(aa{sv}tt)");
  guint64 matching;

  g_variant_get_child (answer, 1, "t", &matching);
  return matching;
}

/* @n messages to pN@example.org; (transfer full): their ids. */
static char **
fill (Fixture *f, guint n)
{
  char **ids = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *to = g_strdup_printf ("u%u@example.org", i);

      ids[i] = daemon_add_mail (&f->daemon, to);
    }
  return ids;
}

static void
order_one (Fixture *f, const char *order, const char *id)
{
  const char *const ids[] = { id, NULL };
  g_autoptr (GVariant) answer = call (f, "Order", g_variant_new ("(s^as)", order, ids), "(us)");
}

static guint
order_matching (Fixture *f, const char *order, const char *filter, const char *route)
{
  g_autoptr (GVariant) answer =
    call (f, "OrderMatching",
          g_variant_new ("(s@a{sv}s)", order, g_variant_new_parsed (filter), route), "(us)");
  guint changed;

  g_variant_get_child (answer, 0, "u", &changed);
  return changed;
}

static gboolean
is (Fixture *f, PrDeletionState state)
{
  g_assert_cmpstr (pr_deletion_get_error (f->deletion), ==, NULL);
  return pr_deletion_get_state (f->deletion) == state;
}

/* Restored, all is as it was: what was held before stays held. */
static void
test_restore (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) ids = fill (f, 4);
  const char *const held[] = { ids[1], NULL };

  order_one (f, "hold", ids[1]);
  f->deletion = pr_deletion_new (f->service, (const char *const *) ids, held, on_changed, f);
  g_assert_cmpuint (pr_deletion_get_count (f->deletion), ==, 4);
  wait_for (NULL, is (f, PR_DELETION_READY), "all to be held");
  g_assert_cmpuint (count (f, "queued"), ==, 0);
  pr_deletion_restore (f->deletion);
  wait_for (NULL, is (f, PR_DELETION_DONE), "all to be back");
  g_assert_cmpuint (count (f, "queued"), ==, 3);
  g_assert_cmpuint (count (f, "held"), ==, 1);
}

static void
test_delete (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) ids = fill (f, 3);
  const char *const nothing[] = { NULL };
  const char *const two[] = { ids[0], ids[2], NULL };

  f->deletion = pr_deletion_new (f->service, two, nothing, on_changed, f);
  pr_deletion_delete (f->deletion); /* before it is answered that they are held */
  wait_for (NULL, is (f, PR_DELETION_DONE), "them to be gone");
  g_assert_cmpuint (count (f, NULL), ==, 1);
  g_assert_cmpuint (f->n_changes, ==, 1);
}

/* In steps; what comes meanwhile, and what is not under the filter, stays. */
static void
test_matching (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) ids = fill (f, 12); /* u1, u10, u11; no id has a "u" */
  g_autofree char *late = NULL;

  order_one (f, "hold", ids[10]);
  f->deletion =
    pr_deletion_new_matching (f->service, g_variant_new_parsed ("{'text': <'u1'>}"), on_changed, f);
  wait_for (NULL, is (f, PR_DELETION_READY), "them to be held");
  g_assert_cmpuint (pr_deletion_get_count (f->deletion), ==, 3);
  g_assert_cmpuint (count (f, "held"), ==, 3);
  late = daemon_add_mail (&f->daemon, "u1-late@example.org");
  pr_deletion_restore (f->deletion);
  wait_for (NULL, is (f, PR_DELETION_DONE), "them to be back");
  g_assert_cmpuint (count (f, "held"), ==, 1);
  pr_deletion_free (f->deletion);

  f->deletion = pr_deletion_new_matching (
    f->service, g_variant_new_parsed ("{'state': <'queued'>}"), on_changed, f);
  pr_deletion_delete (f->deletion); /* while it still gathers */
  wait_for (NULL, is (f, PR_DELETION_DONE), "all but the held one to be gone");
  g_assert_cmpuint (pr_deletion_get_count (f->deletion), ==, 12);
  g_assert_cmpuint (count (f, NULL), ==, 1);
}

/* More than one step of the service, and than one order. */
static void
test_steps (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) ids = fill (f, 1100);

  f->deletion =
    pr_deletion_new_matching (f->service, g_variant_new_parsed ("@a{sv} {}"), on_changed, f);
  wait_for (NULL, is (f, PR_DELETION_READY), "all to be held");
  g_assert_cmpuint (pr_deletion_get_count (f->deletion), ==, 1100);
  g_assert_cmpuint (count (f, "held"), >, 0); /* not what is just being tried */
  pr_deletion_delete (f->deletion);
  wait_for (NULL, is (f, PR_DELETION_DONE), "all to be gone");
  g_assert_cmpuint (count (f, NULL), ==, 0);
}

/* The word is kept until the service is back. */
static void
test_service_goes (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) ids = fill (f, 2);
  const char *const nothing[] = { NULL };

  f->deletion = pr_deletion_new (f->service, (const char *const *) ids, nothing, on_changed, f);
  wait_for (NULL, is (f, PR_DELETION_READY), "them to be held");
  daemon_stop (&f->daemon);
  wait_for (NULL, !pr_service_is_connected (f->service), "the loss");
  f->n_changes = 0;
  pr_deletion_delete (f->deletion);
  wait_for (NULL, pr_deletion_waits (f->deletion), "it to wait");
  g_assert_cmpuint (f->n_changes, ==, 1);
  daemon_start (&f->daemon);
  pr_service_connect (f->service);
  wait_for (NULL, is (f, PR_DELETION_DONE), "them to be gone");
  g_assert_false (pr_deletion_waits (f->deletion));
  g_assert_cmpuint (count (f, NULL), ==, 0);
}

/* What is refused is told, and the end of it. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  f->deletion = pr_deletion_new_matching (
    f->service, g_variant_new_parsed ("{'state': <'nonsense'>}"), on_changed, f);
  wait_for (NULL, pr_deletion_get_state (f->deletion) == PR_DELETION_FAILED, "a refusal");
  g_assert_nonnull (pr_deletion_get_error (f->deletion));
}

static void
test_order_matching (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) ids = fill (f, 12);

  g_assert_cmpuint (order_matching (f, "hold", "{'text': <'u1'>}", ""), ==, 3);
  g_assert_cmpuint (order_matching (f, "hold", "{'text': <'u1'>}", ""), ==, 0);
  g_assert_cmpuint (order_matching (f, "release", "{'state': <'held'>}", ""), ==, 3);
  g_assert_cmpuint (order_matching (f, "retry", "@a{sv} {}", ""), <=, 12); /* some may be in hand */
  g_assert_cmpuint (order_matching (f, "move", "{'text': <'u2@'>}", "other"), ==, 1);
  g_assert_cmpuint (count (f, "held"), ==, 1);
  g_assert_cmpuint (order_matching (f, "delete", "{'route': <'other'>}", ""), ==, 1);
  g_assert_cmpuint (order_matching (f, "fail", "{'text': <'u3@'>}", ""), ==, 1);
  g_assert_cmpuint (order_matching (f, "delete", "@a{sv} {}", ""), >=, 10);
  g_assert_cmpuint (count (f, NULL), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function)                                                                        \
  g_test_add ("/ui/deletion/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("restore", test_restore);
  ADD ("delete", test_delete);
  ADD ("matching", test_matching);
  ADD ("steps", test_steps);
  ADD ("service-goes", test_service_goes);
  ADD ("refused", test_refused);
  ADD ("order-matching", test_order_matching);
#undef ADD

  return g_test_run ();
}
