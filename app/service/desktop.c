/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desktop.
 *
 *   no bus ◄──── closed ──── joined ──► tray item
 *     └── later, if there was one ──►──┘
 *
 * The connection is our own, so that closing it takes all that we show away, and a bus that ends
 * does not end the service. */

#include "service/desktop.h"

#include "service/bell.h"
#include "service/state.h"
#include "service/tray.h"
#include "service/window.h"

#define REFRESH_US (300 * 1000)         /* after an event: what follows at once is shown with it */
#define LINGER_US (2 * G_USEC_PER_SEC)  /* how long mail that went by shows */
#define REJOIN_US (30 * G_USEC_PER_SEC) /* after the bus ended */

struct _PrDesktop
{
  PrDesktopWorld world;
  GCancellable *cancellable; /* owned: of joining the bus */
  GDBusConnection *bus;      /* owned, nullable */
  PrTray *tray;              /* owned, nullable */
  PrBell *bell;              /* owned */
  guint follow_token;
  GSource *timer;                        /* owned: one for all below */
  gint64 refresh_us, rejoin_us, bell_us; /* monotonic; 0: not due */
  gint64 moving_until_us;
};

/* ── Time ─────────────────────────────────────────────────────────────────────────────────── */

static void
set_timer (PrDesktop *self)
{
  gint64 due_us = self->refresh_us;

  if (self->rejoin_us != 0 && (due_us == 0 || self->rejoin_us < due_us))
    due_us = self->rejoin_us;
  if (self->bell_us != 0 && (due_us == 0 || self->bell_us < due_us))
    due_us = self->bell_us;
  g_source_set_ready_time (self->timer, due_us != 0 ? due_us : -1);
}

static void
refresh_in (PrDesktop *self, gint64 in_us)
{
  if (self->refresh_us != 0)
    return;

  self->refresh_us = g_get_monotonic_time () + in_us;
  set_timer (self);
}

static gboolean
take_due (gint64 *due_us)
{
  if (*due_us == 0 || *due_us > g_get_monotonic_time ())
    return FALSE;

  *due_us = 0;
  return TRUE;
}

/* ── The tray ─────────────────────────────────────────────────────────────────────────────── */

static PrTrayState
tray_state (PrDesktop *self, const PrRunnerStats *runner, gboolean receiving_paused)
{
  if (receiving_paused || runner->paused)
    return PR_TRAY_PAUSED;
  if (pr_bell_needs_person (self->bell))
    return PR_TRAY_ATTENTION;
  if (runner->n_connections > runner->n_idle || self->moving_until_us > g_get_monotonic_time ())
    return PR_TRAY_ACTIVE;

  return PR_TRAY_IDLE;
}

static void
refresh (PrDesktop *self)
{
  g_autofree char *summary = pr_state_describe (self->world.engine);
  PrTrayStatus status = { .summary = summary };
  PrRunnerStats runner;

  if (self->world.autostart != NULL)
    pr_autostart_set_status (self->world.autostart, summary);
  if (self->tray == NULL)
    return;

  pr_runner_get_stats (pr_engine_get_runner (self->world.engine), &runner);
  status.receiving_paused = pr_server_is_paused (pr_engine_get_server (self->world.engine));
  status.sending_paused = runner.paused;
  status.state = tray_state (self, &runner, status.receiving_paused);
  pr_tray_update (self->tray, &status);
  if (status.state == PR_TRAY_ACTIVE) /* its end is no event */
    refresh_in (self, LINGER_US);
}

static void
on_tray (PrTrayAction action, const char *token, gpointer user_data)
{
  PrDesktop *self = user_data;
  PrEngine *engine = self->world.engine;

  switch (action)
    {
    case PR_TRAY_OPEN: pr_window_open (self->bus, self->world.home, "", "", token); break;
    case PR_TRAY_SETTINGS:
      pr_window_open (self->bus, self->world.home, "settings", "", token);
      break;
    case PR_TRAY_PAUSE_RECEIVING:
      pr_state_set_paused (engine, "receiving",
                           !pr_server_is_paused (pr_engine_get_server (engine)));
      break;
    case PR_TRAY_PAUSE_SENDING:
      pr_state_set_paused (engine, "sending", !pr_runner_is_paused (pr_engine_get_runner (engine)));
      break;
    case PR_TRAY_TRY_ALL:
      pr_runner_order_all (pr_engine_get_runner (engine), PR_ORDER_RETRY, NULL, NULL);
      break;
    case PR_TRAY_QUIT:
    default: self->world.quit (self->world.user_data);
    }
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

static gboolean
is_moving (PrEventKind kind)
{
  return kind == PR_EVENT_ACCEPTED || kind == PR_EVENT_DELIVERED || kind == PR_EVENT_DEFERRED ||
         kind == PR_EVENT_FAILED;
}

static void
on_event (const PrEvent *event, gpointer user_data)
{
  PrDesktop *self = user_data;

  pr_bell_take (self->bell, event);
  if (is_moving (event->kind))
    self->moving_until_us = g_get_monotonic_time () + LINGER_US;
  refresh_in (self,
              event->kind == PR_EVENT_PAUSED || event->kind == PR_EVENT_RESUMED ? 0 : REFRESH_US);
}

/* ── The bus ──────────────────────────────────────────────────────────────────────────────── */

/* Where the session bus is, without starting one. (transfer full) (nullable) */
static char *
bus_address (void)
{
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  const char *runtime = g_getenv ("XDG_RUNTIME_DIR");
  g_autofree char *path = runtime != NULL ? g_build_filename (runtime, "bus", NULL) : NULL;
  g_autofree char *escaped = NULL;

  if (address != NULL)
    return g_strdup (address);
  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;

  escaped = g_dbus_address_escape_value (path);
  return g_strconcat ("unix:path=", escaped, NULL);
}

static void
leave (PrDesktop *self)
{
  if (self->bus == NULL)
    return;

  g_signal_handlers_disconnect_by_data (self->bus, self);
  pr_bell_set_bus (self->bell, NULL);
  if (self->world.autostart != NULL)
    pr_autostart_set_bus (self->world.autostart, NULL);
  g_clear_pointer (&self->tray, pr_tray_free);
  g_dbus_connection_close (self->bus, NULL, NULL, NULL);
  g_clear_object (&self->bus);
}

static void
rejoin_later (PrDesktop *self)
{
  self->rejoin_us = g_get_monotonic_time () + REJOIN_US;
  set_timer (self);
}

static void
on_closed (GDBusConnection *bus, gboolean remote_vanished, GError *error, gpointer user_data)
{
  PrDesktop *self = user_data;

  leave (self);
  rejoin_later (self);
}

static void
on_joined (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrDesktop *self = user_data;
  g_autoptr (GError) error = NULL;
  GDBusConnection *bus = g_dbus_connection_new_for_address_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* self is gone */
  if (bus == NULL)
    {
      g_debug ("There is no session bus: %s", error->message);
      rejoin_later (self);
      return;
    }

  self->bus = bus;
  pr_bell_set_bus (self->bell, bus);
  if (self->world.autostart != NULL)
    pr_autostart_set_bus (self->world.autostart, bus);
  g_signal_connect (bus, "closed", G_CALLBACK (on_closed), self);
  refresh_in (self, 0);
}

static void
join (PrDesktop *self)
{
  g_autofree char *address = bus_address ();

  if (address != NULL)
    g_dbus_connection_new_for_address (address,
                                       G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                         G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                       NULL, self->cancellable, on_joined, self);
}

/* What the configuration wants, now. A tray forgets an item only when its connection ends. */
static void
arrange (PrDesktop *self)
{
  gboolean wanted = pr_engine_get_config (self->world.engine)->tray;

  if (wanted && self->bus != NULL && self->tray == NULL)
    {
      self->tray = pr_tray_new (self->bus, on_tray, self);
    }
  else if (!wanted && self->tray != NULL)
    {
      leave (self);
      join (self);
    }
}

/* ── The desktop ──────────────────────────────────────────────────────────────────────────── */

static gboolean
on_timer (gpointer user_data)
{
  PrDesktop *self = user_data;

  if (take_due (&self->rejoin_us))
    join (self);
  if (take_due (&self->bell_us) | take_due (&self->refresh_us))
    {
      arrange (self);
      self->bell_us = pr_bell_run (self->bell);
      refresh (self);
    }
  set_timer (self);

  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

PrDesktop *
pr_desktop_new (const PrDesktopWorld *world)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  PrDesktop *self = g_new0 (PrDesktop, 1);

  self->world = *world;
  self->cancellable = g_cancellable_new ();
  self->timer = g_source_new (&funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "desktop");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  self->bell = pr_bell_new (&self->world);
  self->follow_token = pr_journal_follow (pr_engine_get_journal (world->engine), on_event, self);
  join (self);

  return self;
}

void
pr_desktop_free (PrDesktop *self)
{
  pr_journal_unfollow (pr_engine_get_journal (self->world.engine), self->follow_token);
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  leave (self);
  pr_bell_free (self->bell);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_free (self);
}

void
pr_desktop_list_alerts (const PrDesktop *self, PrAlertFunc func, gpointer user_data)
{
  pr_bell_list (self->bell, func, user_data);
}

gboolean
pr_desktop_answer_alert (PrDesktop *self, const char *id, const char *name)
{
  gboolean done = pr_bell_answer (self->bell, id, name);

  if (done)
    refresh_in (self, 0);
  return done;
}
