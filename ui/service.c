/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window's one connection to postroomd.
 *
 *                      connect ()                answer to GetStatus
 *   (new) ───────────────► CONNECTING ───────────────────────────► CONNECTED
 *                            ▲     │ nobody there, not let in             │ connection closed
 *                            │     ▼                                      │
 *              after a delay │   ABSENT, REFUSED          CONNECTING ◄────┘
 *              that grows    └─────┘                      (at once)
 */

#include "service.h"

#include <string.h>
#include <glib/gi18n.h>

#include "control/client.h"

#define MAX_ENDINGS 100u /* told at once: as many as a list of sessions keeps */
#define FIRST_DELAY_MS 250
#define MAX_DELAY_MS 5000

struct _PrService
{
  GObject parent_instance;

  PrHome *home;                /* owned */
  GDBusConnection *connection; /* owned, nullable */
  GCancellable *cancellable;   /* owned: of what is being asked about this connection */
  GVariant *status;            /* owned, nullable */
  char *reason;                /* owned, nullable */
  PrServiceState state;
  guint subscription; /* of the connection's signals */
  guint retry_source;
  guint delay_ms;
  guint n_followers[PR_N_FOLLOWS];
  gboolean asking_status; /* an answer is on its way */
  gboolean status_is_old; /* and something changed since it was asked for */
};

G_DEFINE_FINAL_TYPE (PrService, pr_service, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (PrServiceState, pr_service_state,
                    G_DEFINE_ENUM_VALUE (PR_SERVICE_CONNECTING, "connecting"),
                    G_DEFINE_ENUM_VALUE (PR_SERVICE_CONNECTED, "connected"),
                    G_DEFINE_ENUM_VALUE (PR_SERVICE_ABSENT, "absent"),
                    G_DEFINE_ENUM_VALUE (PR_SERVICE_REFUSED, "refused"))

typedef enum
{
  PROP_STATE = 1,
  PROP_CONNECTED,
  PROP_REASON,
  PROP_STATUS
} PrServiceProperty;

enum
{
  QUEUE_CHANGED,
  SESSIONS_CHANGED,
  EVENTS,
  CONFIGURATION_CHANGED,
  SIGN_IN_CHANGED,
  N_SIGNALS
};

static GParamSpec *props[PROP_STATUS + 1];
static guint signals[N_SIGNALS];

/* ── State ────────────────────────────────────────────────────────────────────────────────── */

static void
set_state (PrService *self, PrServiceState state, const char *reason)
{
  gboolean was_connected = self->state == PR_SERVICE_CONNECTED;

  g_object_freeze_notify (G_OBJECT (self));
  if (g_strcmp0 (self->reason, reason) != 0)
    {
      g_free (self->reason);
      self->reason = g_strdup (reason);
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_REASON]);
    }
  if (self->state != state)
    {
      self->state = state;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
      if (was_connected || state == PR_SERVICE_CONNECTED)
        g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONNECTED]);
    }
  g_object_thaw_notify (G_OBJECT (self));
}

static gboolean
on_retry (gpointer user_data)
{
  PrService *self = user_data;

  self->retry_source = 0;
  pr_service_connect (self);
  return G_SOURCE_REMOVE;
}

static void
retry_later (PrService *self)
{
  g_clear_handle_id (&self->retry_source, g_source_remove);
  self->retry_source = g_timeout_add (self->delay_ms, on_retry, self);
  g_source_set_name_by_id (self->retry_source, "look for the service");
  self->delay_ms = MIN (self->delay_ms * 2, MAX_DELAY_MS);
}

static void on_closed (GDBusConnection *connection, gboolean vanished, GError *error,
                       gpointer user_data);

/* Forgets the connection and all that was asked over it. */
static void
drop_connection (PrService *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->asking_status = self->status_is_old = FALSE;
  if (self->connection == NULL)
    return;

  g_signal_handlers_disconnect_by_func (self->connection, on_closed, self);
  g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  self->subscription = 0;
  g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
}

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
  PrService *self = user_data;

  drop_connection (self);
  self->delay_ms = FIRST_DELAY_MS;
  set_state (self, PR_SERVICE_CONNECTING, _ ("The connection to the service was lost"));
  retry_later (self);
}

/* ── What the service says ────────────────────────────────────────────────────────────────── */

static void ask_status (PrService *self);

static gboolean
is_followed (PrService *self)
{
  for (guint i = 0; i < PR_N_FOLLOWS; i++)
    if (self->n_followers[i] > 0)
      return TRUE;

  return FALSE;
}

/* The service knows one wish of a connection. */
static void
tell_following (PrService *self)
{
  static const char *const any[] = { NULL }, *const endings[] = { "disconnected", NULL };
  gboolean ends = self->n_followers[PR_FOLLOW_ENDINGS] > 0;
  gboolean news = self->n_followers[PR_FOLLOW_NEWS] > 0;

  if (self->state != PR_SERVICE_CONNECTED)
    return;

  if (self->n_followers[PR_FOLLOW_EVENTS] > 0 || ends == news)
    pr_service_call (self, "Journal1", "Follow", g_variant_new ("(b)", is_followed (self)), "()",
                     NULL, NULL, NULL);
  else
    pr_service_call (self, "Journal1", "FollowSome",
                     g_variant_new ("(^asu)", ends ? endings : any, ends ? MAX_ENDINGS : 1u), "()",
                     NULL, NULL, NULL);
}

static void
greet (PrService *self, GVariant *status)
{
  guint64 messages = (guint64) pr_dict_number (status, "messages");

  self->delay_ms = FIRST_DELAY_MS;
  set_state (self, PR_SERVICE_CONNECTED, NULL);
  if (is_followed (self))
    tell_following (self);
  g_signal_emit (self, signals[QUEUE_CHANGED], 0, (guint64) 0, messages);
  g_signal_emit (self, signals[SESSIONS_CHANGED], 0, (guint64) 0);
  g_signal_emit (self, signals[CONFIGURATION_CHANGED], 0);
}

static void
on_status (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_client_call_finish (G_DBUS_CONNECTION (source), result, &error);
  PrService *self;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the object may be gone with the connection */

  self = user_data;
  self->asking_status = FALSE;
  if (answer == NULL)
    {
      g_message ("The service does not tell its status: %s", error->message);
      if (self->state != PR_SERVICE_CONNECTED)
        {
          drop_connection (self);
          set_state (self, PR_SERVICE_REFUSED, error->message);
          retry_later (self);
        }
      return;
    }

  g_clear_pointer (&self->status, g_variant_unref);
  self->status = g_variant_get_child_value (answer, 0);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATUS]);
  if (self->state != PR_SERVICE_CONNECTED)
    greet (self, self->status);
  if (self->status_is_old)
    ask_status (self);
}

/* One question at a time, however often it changes. */
static void
ask_status (PrService *self)
{
  self->status_is_old = self->asking_status;
  if (self->asking_status)
    return;

  self->asking_status = TRUE;
  pr_client_call_async (self->connection, "Service1", "GetStatus", NULL, "(a{sv})",
                        self->cancellable, on_status, self);
}

static void
on_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
           const char *name, GVariant *arguments, gpointer user_data)
{
  PrService *self = user_data;
  g_autofree char *signal = g_strconcat (
    strrchr (interface, '.') != NULL ? strrchr (interface, '.') + 1 : "", ".", name, NULL);
  const char *type = g_variant_get_type_string (arguments);
  guint64 revision, messages;

  if (g_str_equal (signal, "Service1.StatusChanged"))
    {
      ask_status (self);
    }
  else if (g_str_equal (signal, "Queue1.Changed") && g_str_equal (type, "(tt)"))
    {
      g_variant_get (arguments, "(tt)", &revision, &messages);
      g_signal_emit (self, signals[QUEUE_CHANGED], 0, revision, messages);
    }
  else if (g_str_equal (signal, "Sessions1.Changed") && g_str_equal (type, "(t)"))
    {
      g_variant_get (arguments, "(t)", &revision);
      g_signal_emit (self, signals[SESSIONS_CHANGED], 0, revision);
    }
  else if (g_str_equal (signal, "Journal1.Events") && g_str_equal (type, "(aa{sv}u)"))
    {
      g_autoptr (GVariant) events = g_variant_get_child_value (arguments, 0);
      guint missed;

      g_variant_get_child (arguments, 1, "u", &missed);
      g_signal_emit (self, signals[EVENTS], 0, events, missed);
    }
  else if (g_str_equal (signal, "Configuration1.Changed"))
    {
      g_signal_emit (self, signals[CONFIGURATION_CHANGED], 0);
    }
  else if (g_str_equal (signal, "SignIn1.Changed") && g_str_equal (type, "(u)"))
    {
      guint id;

      g_variant_get (arguments, "(u)", &id);
      g_signal_emit (self, signals[SIGN_IN_CHANGED], 0, id);
    }
}

/* ── Connecting ───────────────────────────────────────────────────────────────────────────── */

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = pr_client_connect_finish (result, &error);
  PrService *self;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the object may be gone */

  self = user_data;
  if (connection == NULL)
    {
      gboolean absent = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED);

      g_clear_object (&self->cancellable);
      set_state (self, absent ? PR_SERVICE_ABSENT : PR_SERVICE_REFUSED, error->message);
      retry_later (self);
      return;
    }

  self->connection = g_steal_pointer (&connection);
  g_signal_connect_object (self->connection, "closed", G_CALLBACK (on_closed), self, 0);
  self->subscription =
    g_dbus_connection_signal_subscribe (self->connection, NULL, NULL, NULL, PR_CONTROL_PATH, NULL,
                                        G_DBUS_SIGNAL_FLAGS_NONE, on_signal, self, NULL);
  if (g_dbus_connection_is_closed (self->connection)) /* and told so before we listened */
    on_closed (self->connection, TRUE, NULL, self);
  else
    ask_status (self);
}

void
pr_service_connect (PrService *self)
{
  g_return_if_fail (PR_IS_SERVICE (self));

  if (self->cancellable != NULL)
    return; /* connected, or about to be */

  g_clear_handle_id (&self->retry_source, g_source_remove);
  self->cancellable = g_cancellable_new ();
  pr_client_connect_async (self->home, self->cancellable, on_connected, self);
}

/* ── Calls ────────────────────────────────────────────────────────────────────────────────── */

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *answer = pr_client_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (answer != NULL)
    g_task_return_pointer (task, answer, (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

void
pr_service_call (PrService *self, const char *interface, const char *method, GVariant *arguments,
                 const char *reply, GCancellable *cancellable, GAsyncReadyCallback callback,
                 gpointer user_data)
{
  g_autoptr (GVariant) sunk = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (PR_IS_SERVICE (self));

  g_task_set_source_tag (task, pr_service_call);
  if (self->connection == NULL)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "%s",
                               _ ("There is no connection to the service now"));
      return;
    }

  pr_client_call_async (self->connection, interface, method, sunk, reply, cancellable, on_called,
                        g_steal_pointer (&task));
}

GVariant *
pr_service_call_finish (PrService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

GDBusConnection *
pr_service_get_connection (PrService *self)
{
  return pr_service_is_connected (self) ? self->connection : NULL;
}

void
pr_service_flush (PrService *self)
{
  g_return_if_fail (PR_IS_SERVICE (self));

  if (self->connection != NULL)
    g_dbus_connection_flush_sync (self->connection, NULL, NULL);
}

void
pr_service_follow (PrService *self, PrFollowing what)
{
  g_return_if_fail (PR_IS_SERVICE (self) && what < PR_N_FOLLOWS);

  if (self->n_followers[what]++ == 0)
    tell_following (self);
}

void
pr_service_unfollow (PrService *self, PrFollowing what)
{
  g_return_if_fail (PR_IS_SERVICE (self) && what < PR_N_FOLLOWS && self->n_followers[what] > 0);

  if (--self->n_followers[what] == 0)
    tell_following (self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_service_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrService *self = PR_SERVICE (object);

  switch ((PrServiceProperty) id)
    {
    case PROP_STATE: g_value_set_enum (value, self->state); break;
    case PROP_CONNECTED: g_value_set_boolean (value, pr_service_is_connected (self)); break;
    case PROP_REASON: g_value_set_string (value, self->reason); break;
    case PROP_STATUS: g_value_set_variant (value, self->status); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_service_dispose (GObject *object)
{
  PrService *self = PR_SERVICE (object);

  g_clear_handle_id (&self->retry_source, g_source_remove);
  drop_connection (self);
  G_OBJECT_CLASS (pr_service_parent_class)->dispose (object);
}

static void
pr_service_finalize (GObject *object)
{
  PrService *self = PR_SERVICE (object);

  g_clear_pointer (&self->status, g_variant_unref);
  g_clear_pointer (&self->home, pr_home_free);
  g_free (self->reason);
  G_OBJECT_CLASS (pr_service_parent_class)->finalize (object);
}

static void
pr_service_class_init (PrServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  GType type = G_TYPE_FROM_CLASS (klass);

  object_class->get_property = pr_service_get_property;
  object_class->dispose = pr_service_dispose;
  object_class->finalize = pr_service_finalize;

  props[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, PR_TYPE_SERVICE_STATE, PR_SERVICE_CONNECTING, flags);
  props[PROP_CONNECTED] = g_param_spec_boolean ("connected", NULL, NULL, FALSE, flags);
  props[PROP_REASON] = g_param_spec_string ("reason", NULL, NULL, NULL, flags);
  props[PROP_STATUS] =
    g_param_spec_variant ("status", NULL, NULL, G_VARIANT_TYPE_VARDICT, NULL, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);

  signals[QUEUE_CHANGED] = g_signal_new ("queue-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
  signals[SESSIONS_CHANGED] = g_signal_new ("sessions-changed", type, G_SIGNAL_RUN_LAST, 0, NULL,
                                            NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
  signals[EVENTS] = g_signal_new ("events", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 2, G_TYPE_VARIANT, G_TYPE_UINT);
  signals[CONFIGURATION_CHANGED] = g_signal_new ("configuration-changed", type, G_SIGNAL_RUN_LAST,
                                                 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGN_IN_CHANGED] = g_signal_new ("sign-in-changed", PR_TYPE_SERVICE, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
pr_service_init (PrService *self)
{
  self->delay_ms = FIRST_DELAY_MS;
}

PrService *
pr_service_new (const PrHome *home)
{
  PrService *self = g_object_new (PR_TYPE_SERVICE, NULL);

  self->home = pr_home_copy (home);
  return self;
}

const PrHome *
pr_service_get_home (PrService *self)
{
  g_return_val_if_fail (PR_IS_SERVICE (self), NULL);

  return self->home;
}

PrServiceState
pr_service_get_state (PrService *self)
{
  g_return_val_if_fail (PR_IS_SERVICE (self), PR_SERVICE_CONNECTING);

  return self->state;
}

gboolean
pr_service_is_connected (PrService *self)
{
  g_return_val_if_fail (PR_IS_SERVICE (self), FALSE);

  return self->state == PR_SERVICE_CONNECTED;
}

const char *
pr_service_get_reason (PrService *self)
{
  g_return_val_if_fail (PR_IS_SERVICE (self), NULL);

  return self->reason;
}

GVariant *
pr_service_get_status (PrService *self)
{
  g_return_val_if_fail (PR_IS_SERVICE (self), NULL);

  return self->status;
}
