/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: who may come in, what they are offered, and when they hear of changes. */

#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "control/errors.h"
#include "service/control-private.h"
#include "service/peer.h"

#define MAX_UNREAD (64 * 1024) /* octets: above it a client counts as slow */

/* ── Answers ──────────────────────────────────────────────────────────────────────────────── */

void
pr_control_refuse (GDBusMethodInvocation *invocation, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_dbus_method_invocation_return_error_literal (invocation, PR_ERROR, PR_ERROR_PERMANENT, text);
}

void
pr_control_bad_args (GDBusMethodInvocation *invocation, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_dbus_method_invocation_return_error_literal (invocation, G_DBUS_ERROR,
                                                 G_DBUS_ERROR_INVALID_ARGS, text);
}

/* D-Bus carries UTF-8 only; peers say anything. */
void
pr_control_add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  if (value == NULL || *value == '\0')
    return;

  if (g_utf8_validate (value, -1, NULL))
    {
      g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
    }
  else
    {
      g_autofree char *valid = g_utf8_make_valid (value, -1);

      g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (valid));
    }
}

void
pr_control_add_u64 (GVariantBuilder *builder, const char *key, guint64 value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint64 (value));
}

void
pr_control_add_time (GVariantBuilder *builder, const char *key, gint64 us)
{
  if (us != 0)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_int64 (us));
}

void
pr_control_add_uint (GVariantBuilder *builder, const char *key, guint value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint32 (value));
}

void
pr_control_add_bool (GVariantBuilder *builder, const char *key, gboolean value)
{
  g_variant_builder_add (builder, "{sv}", key, g_variant_new_boolean (value));
}

/* ── Calls ────────────────────────────────────────────────────────────────────────────────── */

static void
drop_reference (PrControl *self)
{
  if (--self->n_refs == 0)
    g_free (self);
}

PrControlCall *
pr_control_call_new (PrControl *control, GDBusMethodInvocation *invocation)
{
  PrControlCall *self = g_new0 (PrControlCall, 1);

  self->control = control;
  control->n_refs++;
  self->invocation = invocation;
  return self;
}

void
pr_control_call_free (PrControlCall *self)
{
  g_clear_pointer (&self->message, pr_message_unref);
  drop_reference (self->control);
  g_free (self);
}

gboolean
pr_control_call_is_late (PrControlCall *self)
{
  if (self->control->engine != NULL)
    return FALSE;

  pr_control_refuse (self->invocation, "The service is stopping");
  return TRUE;
}

/* ── Changes ──────────────────────────────────────────────────────────────────────────────── */

/* A number that is another when GetStatus would answer otherwise. */
static guint64
status_revision (PrControl *self, const PrStoreCounts *queue)
{
  PrJournalCounts journal;
  PrRunnerStats runner;

  pr_journal_get_counts (pr_engine_get_journal (self->engine), &journal);
  pr_runner_get_stats (pr_engine_get_runner (self->engine), &runner);

  return queue->revision + journal.n_received + journal.n_delivered + journal.n_deferred +
         journal.n_failed + journal.n_refused + runner.n_hops_blocked * 7u +
         (runner.paused ? 1u << 20 : 0) + (runner.network_available ? 1u << 21 : 0) +
         (pr_server_is_paused (pr_engine_get_server (self->engine)) ? 1u << 22 : 0) +
         (pr_dbus_service1_get_start_at_login (self->service) ? 1u << 23 : 0);
}

/* It does not read what it was sent: it hears no more until it does, or our memory would hold what
 * it does not want. */
static gboolean
is_slow (const PrControlClient *client)
{
#ifdef SIOCOUTQ
  GIOStream *stream = g_dbus_connection_get_stream (client->connection);
  int n_unread = 0;

  if (G_IS_SOCKET_CONNECTION (stream))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));

      return ioctl (g_socket_get_fd (socket), SIOCOUTQ, &n_unread) == 0 && n_unread > MAX_UNREAD;
    }
#endif
  return FALSE;
}

typedef struct
{
  guint64 queue, n_messages, sessions, status;
} Revisions;

static void
read_revisions (PrControl *self, Revisions *out)
{
  PrStoreCounts queue;

  pr_store_get_counts (pr_engine_get_store (self->engine), &queue);
  out->queue = queue.revision;
  out->n_messages = queue.n_messages;
  out->sessions = pr_lives_get_revision (pr_engine_get_lives (self->engine));
  out->status = status_revision (self, &queue);
}

static void
emit (PrControlClient *client, const char *interface, const char *signal, GVariant *arguments)
{
  g_dbus_connection_emit_signal (client->connection, NULL, PR_CONTROL_PATH, interface, signal,
                                 arguments, NULL);
}

static void
tell (PrControlClient *client, const Revisions *now)
{
  if (now->queue != client->told_queue)
    emit (client, "io.github.postroom.Queue1", "Changed",
          g_variant_new ("(tt)", now->queue, now->n_messages));
  if (now->sessions != client->told_sessions)
    emit (client, "io.github.postroom.Sessions1", "Changed", g_variant_new ("(t)", now->sessions));
  if (now->status != client->told_status)
    emit (client, "io.github.postroom.Service1", "StatusChanged", NULL);
  client->told_queue = now->queue;
  client->told_sessions = now->sessions;
  client->told_status = now->status;
  pr_control_flush_events (client);
}

static gboolean
on_tick (gpointer user_data)
{
  PrControl *self = user_data;
  Revisions now;

  read_revisions (self, &now);
  for (guint i = 0; i < self->clients->len; i++)
    if (!is_slow (self->clients->pdata[i]))
      tell (self->clients->pdata[i], &now);

  return G_SOURCE_CONTINUE;
}

static void
set_ticking (PrControl *self, gboolean ticking)
{
  if (ticking && self->tick == NULL)
    {
      self->tick = g_timeout_source_new (PR_CONTROL_TICK_MS);
      g_source_set_static_name (self->tick, "control tick");
      g_source_set_callback (self->tick, on_tick, self, NULL);
      g_source_attach (self->tick, g_main_context_get_thread_default ());
    }
  else if (!ticking && self->tick != NULL)
    {
      g_source_destroy (self->tick);
      g_clear_pointer (&self->tick, g_source_unref);
    }
}

/* ── Clients ──────────────────────────────────────────────────────────────────────────────── */

PrControlClient *
pr_control_find_client (PrControl *self, GDBusMethodInvocation *invocation)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);

  for (guint i = 0; i < self->clients->len; i++)
    if (((PrControlClient *) self->clients->pdata[i])->connection == connection)
      return self->clients->pdata[i];

  return NULL;
}

static void
on_client_closed (GDBusConnection *connection, gboolean remote_vanished, GError *error,
                  gpointer user_data)
{
  PrControlClient *client = user_data;
  PrControl *self = client->control;

  g_ptr_array_remove_fast (self->clients, client);
  pr_control_check_followers (self);
  set_ticking (self, self->clients->len > 0);
}

static void
for_each_skeleton (PrControl *self, GDBusConnection *connection, gboolean export)
{
  GDBusInterfaceSkeleton *skeletons[] = {
    G_DBUS_INTERFACE_SKELETON (self->service),       G_DBUS_INTERFACE_SKELETON (self->queue),
    G_DBUS_INTERFACE_SKELETON (self->sessions),      G_DBUS_INTERFACE_SKELETON (self->journal),
    G_DBUS_INTERFACE_SKELETON (self->configuration), G_DBUS_INTERFACE_SKELETON (self->sign_in),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (skeletons); i++)
    if (export)
      g_dbus_interface_skeleton_export (skeletons[i], connection, PR_CONTROL_PATH, NULL);
    else if (g_dbus_interface_skeleton_has_connection (skeletons[i], connection))
      g_dbus_interface_skeleton_unexport_from_connection (skeletons[i], connection);
}

static void
client_free (gpointer data)
{
  PrControlClient *client = data;

  g_signal_handlers_disconnect_by_data (client->connection, client);
  for_each_skeleton (client->control, client->connection, FALSE);
  g_dbus_connection_close (client->connection, NULL, NULL, NULL);
  g_object_unref (client->connection);
  g_clear_pointer (&client->events, g_variant_builder_unref);
  g_free (client);
}

static gboolean
on_new_connection (GDBusServer *server, GDBusConnection *connection, gpointer user_data)
{
  PrControl *self = user_data;
  PrControlClient *client;
  Revisions now;

  if (self->clients->len >= PR_CONTROL_MAX_CLIENTS)
    {
      g_message ("A program was turned away from the control socket: %u are connected already",
                 self->clients->len);
      return FALSE;
    }

  client = g_new0 (PrControlClient, 1);
  client->control = self;
  client->connection = g_object_ref (connection);
  read_revisions (self, &now);
  client->told_queue = now.queue;
  client->told_sessions = now.sessions;
  client->told_status = now.status;
  g_signal_connect (connection, "closed", G_CALLBACK (on_client_closed), client);
  g_ptr_array_add (self->clients, client);
  for_each_skeleton (self, connection, TRUE);
  set_ticking (self, TRUE);

  return TRUE;
}

/* Only processes of our own user: the kernel says who they are. */
static gboolean
on_authorize (GDBusAuthObserver *observer, GIOStream *stream, GCredentials *credentials,
              gpointer user_data)
{
  g_autofree char *who = NULL;

  if (pr_peer_is_own_user (stream, credentials))
    return TRUE;

  who = credentials != NULL ? g_credentials_to_string (credentials) : g_strdup ("nobody known");
  g_message ("Another user's process was turned away from the control socket: %s", who);
  return FALSE;
}

/* Between two starts of a flatpak EXTERNAL fails in GLib: neither's processes have a number for the
 * other. There a client need not say who it is; on_authorize() asks the kernel, as of everybody. */
static gboolean
is_flatpak (void)
{
  return g_getenv ("FLATPAK_ID") != NULL;
}

static gboolean
on_allow_mechanism (GDBusAuthObserver *observer, const char *mechanism, gpointer user_data)
{
  return g_strcmp0 (mechanism, "EXTERNAL") == 0 ||
         (is_flatpak () && g_strcmp0 (mechanism, "ANONYMOUS") == 0);
}

/* ── The socket ───────────────────────────────────────────────────────────────────────────── */

static GDBusServer *
open_socket (const char *path, GError **error)
{
  g_autoptr (GDBusAuthObserver) observer = g_dbus_auth_observer_new ();
  g_autofree char *guid = g_dbus_generate_guid ();
  g_autofree char *escaped = g_dbus_address_escape_value (path);
  g_autofree char *address = g_strconcat ("unix:path=", escaped, NULL);
  g_autoptr (GError) cause = NULL;
  GDBusServer *server;

  if (strlen (path) >= sizeof ((struct sockaddr_un *) NULL)->sun_path)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT,
                   "The path of the control socket is too long for this system (%s): choose a home "
                   "with a shorter name",
                   path);
      return NULL;
    }

  g_unlink (path); /* what a crash left: the home's lock says that nobody listens there */
  g_signal_connect (observer, "authorize-authenticated-peer", G_CALLBACK (on_authorize), NULL);
  g_signal_connect (observer, "allow-mechanism", G_CALLBACK (on_allow_mechanism), NULL);

  server = g_dbus_server_new_sync (
    address,
    is_flatpak () ? G_DBUS_SERVER_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS : G_DBUS_SERVER_FLAGS_NONE,
    guid, observer, NULL, &cause);
  if (server == NULL)
    g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "The control socket %s cannot be made: %s",
                 path, cause->message);
  else /* it has not begun; and whoever came in between is asked who it is like everybody */
    g_chmod (path, 0600);

  return server;
}

PrControl *
pr_control_new (PrEngine *engine, const PrHome *home, PrReloader *reloader, GError **error)
{
  g_autoptr (GDBusServer) server = open_socket (home->control, error);
  PrControl *self;

  if (server == NULL)
    return NULL;

  pr_control_errors_init ();
  self = g_new0 (PrControl, 1);
  self->n_refs = 1;
  self->engine = engine;
  self->reloader = reloader;
  self->home = (PrHome *) home;
  self->server = g_steal_pointer (&server);
  self->clients = g_ptr_array_new_with_free_func (client_free);
  self->service = pr_control_make_service (self);
  self->queue = pr_control_make_queue (self);
  self->sessions = pr_control_make_sessions (self);
  self->journal = pr_control_make_journal (self);
  self->configuration = pr_control_make_configuration (self);
  self->sign_in = pr_control_make_sign_in (self);
  g_signal_connect (self->server, "new-connection", G_CALLBACK (on_new_connection), self);
  g_dbus_server_start (self->server);

  return self;
}

void
pr_control_free (PrControl *self)
{
  g_signal_handlers_disconnect_by_data (self->server, self);
  g_dbus_server_stop (self->server);
  set_ticking (self, FALSE);
  g_ptr_array_set_size (self->clients, 0);
  pr_control_check_followers (self);
  pr_control_stop_probing (self);
  pr_reloader_set_changed (self->reloader, NULL, NULL);
  pr_control_set_autostart (self, NULL);
  pr_control_set_desktop (self, NULL);

  g_clear_object (&self->service);
  g_clear_object (&self->queue);
  g_clear_object (&self->sessions);
  g_clear_object (&self->journal);
  g_clear_object (&self->configuration);
  g_clear_pointer (&self->attempts, pr_consents_free);
  g_clear_object (&self->sign_in);
  g_ptr_array_unref (self->clients);
  g_clear_object (&self->server);
  g_unlink (self->home->control);
  self->engine = NULL;
  drop_reference (self);
}
