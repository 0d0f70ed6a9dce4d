/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module `postroom-notify`: libnotify, on a thread of its own, because each of its calls waits
 * for the notification daemon, and mail must not.
 *
 *   owner ── job ──► thread: libnotify ──► daemon
 *   owner ◄── word ── thread ◄── closed, action
 */

#include "config.h"

#include "service/notifier.h"

#include <libnotify/notify.h>
#include <string.h>

#define APPLICATION PR_APPLICATION_ID
#define FREE_WAIT_US G_USEC_PER_SEC /* for the daemon, when we leave */
#define REASON_DISMISSED 2          /* by a person */

struct _PrNotifierSession
{
  gatomicrefcount refs;  /* the owner's, the thread's, and one for each job and word */
  GMainContext *context; /* owned: the owner's, NULL its default */
  GMainContext *own;     /* owned: the thread's */
  PrNotifierFunc func;   /* the owner's: NULL: it has left */
  gpointer user_data;

  GMutex lock;
  GCond ended;
  gboolean has_ended; /* under @lock */

  /* The thread's alone. */
  GMainLoop *loop;
  GHashTable *shown; /* owned: id → NotifyNotification */
  gboolean has_actions, has_markup, keeps;
  gboolean has_no_default; /* shows it as one more button */
};

static void
session_unref (PrNotifierSession *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_clear_pointer (&self->context, g_main_context_unref);
  g_main_context_unref (self->own);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->ended);
  g_free (self);
}

/* ── Back and forth ─────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrNotifierSession *session; /* owned reference */
  char *id;
  char *title, *body; /* of a job to show */
  char **actions;
  gboolean urgent;
  char *action, *token; /* of a word, nullable */
} Letter;

static Letter *
letter_new (PrNotifierSession *session, const char *id)
{
  Letter *letter = g_new0 (Letter, 1);

  letter->session = session;
  g_atomic_ref_count_inc (&session->refs);
  letter->id = g_strdup (id);
  return letter;
}

static void
letter_free (gpointer data)
{
  Letter *letter = data;

  session_unref (letter->session);
  g_free (letter->id);
  g_free (letter->title);
  g_free (letter->body);
  g_strfreev (letter->actions);
  g_free (letter->action);
  g_free (letter->token);
  g_free (letter);
}

/* Never runs at once, as g_main_context_invoke() would: not in this thread. */
static void
post (GMainContext *context, GSourceFunc func, Letter *letter)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "notification");
  g_source_set_callback (source, func, letter, letter_free);
  g_source_attach (source, context);
}

/* ── In the thread ────────────────────────────────────────────────────────────────────────── */

static gboolean
hear (gpointer user_data)
{
  const Letter *letter = user_data;
  PrNotifierSession *self = letter->session;

  if (self->func != NULL)
    self->func (letter->id, letter->action, letter->token, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
tell (PrNotifierSession *self, const char *id, const char *action, const char *token)
{
  Letter *letter = letter_new (self, id);

  letter->action = g_strdup (action);
  letter->token = g_strdup (token);
  post (self->context, hear, letter);
}

static const char *
id_of (NotifyNotification *notification)
{
  return g_object_get_data (G_OBJECT (notification), "id");
}

static void
on_action (NotifyNotification *notification, char *action, gpointer user_data)
{
  tell (user_data, id_of (notification), action,
        notify_notification_get_activation_token (notification));
}

static void
on_closed (NotifyNotification *notification, gpointer user_data)
{
  PrNotifierSession *self = user_data;
  g_autofree char *id = g_strdup (id_of (notification));

  if (notify_notification_get_closed_reason (notification) == REASON_DISMISSED)
    tell (self, id, NULL, NULL);
  if (g_hash_table_lookup (self->shown, id) == notification)
    g_hash_table_remove (self->shown, id);
}

static gboolean
has_capability (GList *capabilities, const char *name)
{
  return g_list_find_custom (capabilities, name, (GCompareFunc) strcmp) != NULL;
}

/* Again after each failure: another daemon may be there now, with other capabilities. */
static gboolean
meet_daemon (PrNotifierSession *self)
{
  g_autoptr (GDBusConnection) bus = NULL;
  g_autofree char *name = NULL;
  GList *capabilities;

  if (notify_is_initted ())
    return TRUE;

  bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  if (bus == NULL)
    return FALSE;
  g_dbus_connection_set_exit_on_close (bus, FALSE); /* we outlive the session */
  if (!notify_init ("Postroom"))
    return FALSE;

  capabilities = notify_get_server_caps ();
  self->has_actions = has_capability (capabilities, "actions");
  self->has_markup = has_capability (capabilities, "body-markup");
  self->keeps = has_capability (capabilities, "persistence");
  g_list_free_full (capabilities, g_free);
  notify_get_server_info (&name, NULL, NULL, NULL);
  self->has_no_default = name != NULL && strstr (name, "Xfce") != NULL;
  return TRUE;
}

static void
forget_daemon (PrNotifierSession *self)
{
  g_hash_table_remove_all (self->shown);
  if (notify_is_initted ())
    notify_uninit ();
}

/* What strangers said must not become links or pictures. */
static char *
make_body (const PrNotifierSession *self, const char *body)
{
  return self->has_markup ? g_markup_escape_text (body, -1) : g_strdup (body);
}

static NotifyNotification *
make_notification (PrNotifierSession *self, const Letter *letter)
{
  NotifyNotification *notification = g_hash_table_lookup (self->shown, letter->id);
  g_autofree char *body = make_body (self, letter->body);

  if (notification != NULL)
    {
      notify_notification_update (notification, letter->title, body, APPLICATION);
      notify_notification_clear_actions (notification);
      return notification;
    }

  notification = notify_notification_new (letter->title, body, APPLICATION);
  g_object_set_data_full (G_OBJECT (notification), "id", g_strdup (letter->id), g_free);
  g_signal_connect (notification, "closed", G_CALLBACK (on_closed), self);
  g_hash_table_insert (self->shown, g_strdup (letter->id), notification);
  return notification;
}

static void
add_actions (PrNotifierSession *self, NotifyNotification *notification, const Letter *letter)
{
  for (guint i = 0; self->has_actions && letter->actions[i] != NULL; i += 2)
    if (!self->has_no_default || !g_str_equal (letter->actions[i], PR_NOTIFIER_DEFAULT))
      notify_notification_add_action (notification, letter->actions[i], letter->actions[i + 1],
                                      on_action, self, NULL);
}

static gboolean
show_here (gpointer user_data)
{
  const Letter *letter = user_data;
  PrNotifierSession *self = letter->session;
  NotifyNotification *notification;
  g_autoptr (GError) error = NULL;

  if (!meet_daemon (self))
    return G_SOURCE_REMOVE;

  notification = make_notification (self, letter);
  notify_notification_set_urgency (notification, letter->urgent ? NOTIFY_URGENCY_CRITICAL
                                                                : NOTIFY_URGENCY_NORMAL);
  /* Where nothing is kept for later, what asks something of a person stays until it is seen. */
  notify_notification_set_timeout (notification,
                                   self->keeps ? NOTIFY_EXPIRES_DEFAULT : NOTIFY_EXPIRES_NEVER);
  notify_notification_set_category (notification, "email");
  notify_notification_set_hint (notification, "desktop-entry", g_variant_new_string (APPLICATION));
  add_actions (self, notification, letter);
  if (!notify_notification_show (notification, &error))
    {
      g_debug ("A notification was not shown: %s", error->message);
      forget_daemon (self);
    }

  return G_SOURCE_REMOVE;
}

static gboolean
withdraw_here (gpointer user_data)
{
  const Letter *letter = user_data;
  PrNotifierSession *self = letter->session;
  NotifyNotification *notification = g_hash_table_lookup (self->shown, letter->id);

  if (notification != NULL)
    {
      g_object_ref (notification);
      notify_notification_close (notification, NULL);
      g_hash_table_remove (self->shown, letter->id);
      g_object_unref (notification);
    }

  return G_SOURCE_REMOVE;
}

static gboolean
quit_here (gpointer user_data)
{
  PrNotifierSession *self = user_data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
end_here (gpointer user_data)
{
  const Letter *letter = user_data;
  PrNotifierSession *self = letter->session;
  g_autoptr (GSource) last = g_idle_source_new ();
  GHashTableIter iter;
  gpointer notification;

  g_hash_table_iter_init (&iter, self->shown);
  while (g_hash_table_iter_next (&iter, NULL, &notification))
    {
      g_signal_handlers_disconnect_by_data (notification, self);
      notify_notification_close (notification, NULL);
    }
  forget_daemon (self);

  /* Behind what libnotify's connection still has to tidy up on this context. */
  g_source_set_priority (last, G_PRIORITY_LOW);
  g_source_set_callback (last, quit_here, self, NULL);
  g_source_attach (last, self->own);

  return G_SOURCE_REMOVE;
}

static void
drop_notification (gpointer notification)
{
  g_signal_handlers_disconnect_matched (notification, G_SIGNAL_MATCH_FUNC, 0, 0, NULL, on_closed,
                                        NULL);
  g_object_unref (notification);
}

static gpointer
run (gpointer user_data)
{
  PrNotifierSession *self = user_data;

  g_main_context_push_thread_default (self->own); /* what libnotify hears, it hears here */
  self->loop = g_main_loop_new (self->own, FALSE);
  self->shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, drop_notification);
  g_main_loop_run (self->loop);

  g_hash_table_unref (self->shown);
  g_main_loop_unref (self->loop);
  g_main_context_pop_thread_default (self->own);

  g_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  g_cond_signal (&self->ended);
  g_mutex_unlock (&self->lock);
  session_unref (self);

  return NULL;
}

/* ── The owner's side ─────────────────────────────────────────────────────────────────────── */

static PrNotifierSession *
session_new (GMainContext *context, PrNotifierFunc func, gpointer user_data)
{
  PrNotifierSession *self = g_new0 (PrNotifierSession, 1);

  g_atomic_ref_count_init (&self->refs);
  g_atomic_ref_count_inc (&self->refs); /* the thread's */
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
  self->own = g_main_context_new ();
  self->func = func;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  g_thread_unref (g_thread_new ("notify", run, self));

  return self;
}

static void
session_free (PrNotifierSession *self)
{
  gint64 until_us = g_get_monotonic_time () + FREE_WAIT_US;

  self->func = NULL;
  post (self->own, end_here, letter_new (self, ""));
  g_mutex_lock (&self->lock);
  while (!self->has_ended && g_cond_wait_until (&self->ended, &self->lock, until_us))
    ;
  g_mutex_unlock (&self->lock);
  session_unref (self);
}

static void
show (PrNotifierSession *self, const PrNotification *notification)
{
  static const char *const none[] = { NULL };
  Letter *letter = letter_new (self, notification->id);

  letter->title = g_strdup (notification->title);
  letter->body = g_strdup (notification->body);
  letter->urgent = notification->urgent;
  letter->actions =
    g_strdupv ((char **) (notification->actions != NULL ? notification->actions : none));
  post (self->own, show_here, letter);
}

static void
withdraw (PrNotifierSession *self, const char *id)
{
  post (self->own, withdraw_here, letter_new (self, id));
}

G_MODULE_EXPORT extern const PrNotifierBackend pr_notifier_backend;
const PrNotifierBackend pr_notifier_backend = {
  .version = PR_NOTIFIER_BACKEND_VERSION,
  .session_new = session_new,
  .session_free = session_free,
  .show = show,
  .withdraw = withdraw,
};
