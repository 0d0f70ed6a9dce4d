/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events as they happen, in a main loop of the command's own. */

#include "ctl/follow.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <glib-unix.h>

struct _PrFollow
{
  PrCtl *ctl;      /* borrowed */
  GMainLoop *loop; /* owned */
  GQueue early;    /* of GVariant (aa{sv}), before the run */
  guint subscription;
  gulong closed_handler;
  PrFollowEvent func; /* NULL before the run, and when it has ended */
  gpointer user_data;
  int status;
};

static void
tell (PrFollow *self, GVariant *events)
{
  for (gsize i = 0; i < g_variant_n_children (events) && self->func != NULL; i++)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i);

      if (self->func (event, self->user_data))
        continue;
      self->func = NULL;
      g_main_loop_quit (self->loop);
    }
  fflush (stdout);
}

static void
on_events (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
           const char *signal, GVariant *parameters, gpointer user_data)
{
  PrFollow *self = user_data;
  g_autoptr (GVariant) events = NULL;
  guint missed;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(aa{sv}u)")))
    return;

  g_variant_get (parameters, "(@aa{sv}u)", &events, &missed);
  if (missed > 0)
    fprintf (stderr, "%u events came too fast to be shown here; postroomctl log has them.\n",
             missed);
  if (self->func != NULL)
    tell (self, events);
  else
    g_queue_push_tail (&self->early, g_steal_pointer (&events));
}

static void
on_closed (GDBusConnection *connection, gboolean remote, GError *error, gpointer user_data)
{
  PrFollow *self = user_data;

  self->status = PR_EXIT_NO_SERVICE;
  g_main_loop_quit (self->loop);
}

static gboolean
on_interrupted (gpointer user_data)
{
  PrFollow *self = user_data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

PrFollow *
pr_follow_begin (PrCtl *ctl, int *status)
{
  g_autoptr (PrFollow) self = g_new0 (PrFollow, 1);
  g_autoptr (GVariant) answer = NULL;

  self->ctl = ctl;
  self->loop = g_main_loop_new (NULL, FALSE);
  self->subscription = g_dbus_connection_signal_subscribe (
    ctl->connection, NULL, "io.github.postroom.Journal1", "Events", PR_CONTROL_PATH, NULL,
    G_DBUS_SIGNAL_FLAGS_NONE, on_events, self, NULL);
  self->closed_handler = g_signal_connect (ctl->connection, "closed", G_CALLBACK (on_closed), self);
  answer = pr_ctl_call (ctl, "Journal1", "Follow", g_variant_new ("(b)", TRUE), "()", status);

  return answer != NULL ? g_steal_pointer (&self) : NULL;
}

int
pr_follow_run (PrFollow *self, PrFollowEvent func, gpointer user_data)
{
  guint interrupted = g_unix_signal_add (SIGINT, on_interrupted, self);
  guint terminated = g_unix_signal_add (SIGTERM, on_interrupted, self);
  GVariant *events;

  self->func = func;
  self->user_data = user_data;
  while ((events = g_queue_pop_head (&self->early)) != NULL)
    {
      tell (self, events);
      g_variant_unref (events);
    }
  if (self->func != NULL && !g_dbus_connection_is_closed (self->ctl->connection))
    g_main_loop_run (self->loop);
  g_source_remove (interrupted);
  g_source_remove (terminated);

  if (self->status == PR_EXIT_NO_SERVICE)
    fputs ("The service has stopped.\n", stderr);
  return self->status;
}

void
pr_follow_free (PrFollow *self)
{
  g_signal_handler_disconnect (self->ctl->connection, self->closed_handler);
  g_dbus_connection_signal_unsubscribe (self->ctl->connection, self->subscription);
  g_queue_clear_full (&self->early, (GDestroyNotify) g_variant_unref);
  g_main_loop_unref (self->loop);
  g_free (self);
}
