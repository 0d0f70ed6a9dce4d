/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/event-list, against a real service. No display. */

#include <string.h>

#include "daemon.h"
#include "ui/event-list.h"
#include "wait.h"

#define MANY (PR_EVENT_LIST_PAGE + 100)

typedef struct
{
  Daemon daemon;
  PrService *service;
  PrEventList *list;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  daemon_set_up (&f->daemon, NULL);
  daemon_start (&f->daemon);
  f->service = pr_service_new (f->daemon.home);
  f->list = pr_event_list_new (f->service);
  pr_service_connect (f->service);
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

static guint
count (Fixture *f)
{
  return g_list_model_get_n_items (G_LIST_MODEL (f->list));
}

/* (transfer full) */
static char *
get_line (Fixture *f, guint position)
{
  g_autoptr (PrLogEvent) event = g_list_model_get_item (G_LIST_MODEL (f->list), position);

  return event != NULL ? pr_log_event_to_text (event) : g_strdup ("");
}

static gboolean
has_line (Fixture *f, const char *part)
{
  for (guint i = 0; i < count (f); i++)
    {
      g_autofree char *line = get_line (f, i);

      if (strstr (line, part) != NULL)
        return TRUE;
    }
  return FALSE;
}

static void
assert_ordered (Fixture *f)
{
  gint64 before = G_MAXINT64;

  for (guint i = 0; i < count (f); i++)
    {
      g_autoptr (PrLogEvent) event = g_list_model_get_item (G_LIST_MODEL (f->list), i);

      g_assert_cmpint (pr_log_event_get_id (event), <, before);
      before = pr_log_event_get_id (event);
    }
}

/* Nothing is asked while nobody looks; then what was, and what happens from then on. */
static void
test_follows (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (PrLogEvent) newest = NULL;

  wait_for (NULL, pr_service_is_connected (f->service), "the service");
  g_assert_cmpuint (count (f), ==, 0);
  pr_event_list_watch (f->list, TRUE);
  wait_for (NULL, has_line (f, "Postroom started"), "what was");
  id = daemon_add_mail (&f->daemon, "you@example.test");
  wait_for (NULL, has_line (f, "you@example.test") && has_line (f, id), "what happens");
  assert_ordered (f);
  newest = g_list_model_get_item (G_LIST_MODEL (f->list), 0);
  g_assert_cmpstr (pr_log_event_get_message (newest), ==, id);
  g_assert_cmpuint (pr_log_event_get_session (newest), ==, 0);

  daemon_stop (&f->daemon);
  daemon_start (&f->daemon);
  wait_for (NULL, has_line (f, "Postroom stopped"), "what happened to a service that was away");
  assert_ordered (f);
}

static void
on_heard (PrService *service, GVariant *events, guint missed, guint *n_heard)
{
  ++*n_heard;
}

/* Whoever reads further down is not disturbed; at the top again, they see what happened. */
static void
test_hold (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  guint before, n_heard = 0;

  g_signal_connect (f->service, "events", G_CALLBACK (on_heard), &n_heard);
  pr_event_list_watch (f->list, TRUE);
  wait_for (NULL, has_line (f, "Postroom started") && !pr_event_list_is_busy (f->list), "what was");
  pr_event_list_hold (f->list, TRUE);
  before = count (f);
  id = daemon_add_mail (&f->daemon, "you@example.test");
  wait_for (NULL, n_heard > 0, "to hear that something happened");
  g_assert_false (pr_event_list_is_busy (f->list));
  g_assert_cmpuint (count (f), ==, before);
  pr_event_list_hold (f->list, FALSE);
  wait_for (NULL, has_line (f, id), "what happened");
  g_signal_handlers_disconnect_by_func (f->service, on_heard, &n_heard);
}

/* More at once than is asked for: the newest take the place of all, and the rest can be reached. */
static void
test_flood (Fixture *f, gconstpointer data)
{
  g_autofree char *last = NULL;

  pr_event_list_watch (f->list, TRUE);
  wait_for (NULL, has_line (f, "Postroom started") && !pr_event_list_is_busy (f->list), "what was");
  pr_event_list_hold (f->list, TRUE);
  for (guint i = 0; i < MANY; i++)
    g_free (daemon_add_mail (&f->daemon, "you@example.test"));
  last = daemon_add_mail (&f->daemon, "last@example.test");
  pr_event_list_hold (f->list, FALSE);
  wait_for (NULL, has_line (f, last) && !pr_event_list_is_busy (f->list), "the newest");
  assert_ordered (f);
  wait_for (NULL, (pr_event_list_reach (f->list, count (f) - 1), has_line (f, "Postroom started")),
            "the oldest");
  assert_ordered (f);
}

static void
test_filter (Fixture *f, gconstpointer data)
{
  g_autofree char *first = daemon_add_mail (&f->daemon, "first@example.test");
  g_autofree char *second = daemon_add_mail (&f->daemon, "second@example.test");
  GVariantDict filter;

  pr_event_list_watch (f->list, TRUE);
  wait_for (NULL, has_line (f, first) && has_line (f, second), "both");
  g_variant_dict_init (&filter, NULL);
  g_variant_dict_insert (&filter, "message", "s", first);
  pr_event_list_set_filter (f->list, g_variant_dict_end (&filter));
  g_assert_cmpuint (count (f), ==, 0);
  wait_for (NULL, has_line (f, first), "one of them");
  g_assert_false (has_line (f, second));

  g_variant_dict_init (&filter, NULL);
  g_variant_dict_insert (&filter, "text", "s", "nobody-is-called-so");
  pr_event_list_set_filter (f->list, g_variant_dict_end (&filter));
  wait_for (NULL, !pr_event_list_is_busy (f->list), "an answer");
  g_assert_cmpuint (count (f), ==, 0);
}

/* More than a page: the rest comes when the end is near, and nothing comes twice. */
static void
test_older (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *id = daemon_add_mail (&f->daemon, "you@example.test");
    }
  pr_event_list_watch (f->list, TRUE);
  wait_for (NULL, count (f) >= PR_EVENT_LIST_PAGE && !pr_event_list_is_busy (f->list),
            "the first page");
  g_assert_false (has_line (f, "Postroom started"));
  pr_event_list_reach (f->list, 0); /* far from the end */
  g_assert_false (pr_event_list_is_busy (f->list));
  pr_event_list_reach (f->list, count (f) - 1);
  g_assert_true (pr_event_list_is_busy (f->list));
  wait_for (NULL, (pr_event_list_reach (f->list, count (f) - 1), has_line (f, "Postroom started")),
            "the rest");
  g_assert_cmpuint (count (f), >=, MANY);
  assert_ordered (f);
  wait_for (NULL, !pr_event_list_is_busy (f->list), "rest");
  pr_event_list_reach (f->list, count (f) - 1);
  g_assert_false (pr_event_list_is_busy (f->list)); /* there are none older */
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/event-list/follows", test_follows);
  ADD ("/event-list/hold", test_hold);
  ADD ("/event-list/flood", test_flood);
  ADD ("/event-list/filter", test_filter);
  ADD ("/event-list/older", test_older);
#undef ADD
  return g_test_run ();
}
