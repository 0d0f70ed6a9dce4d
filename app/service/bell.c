/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alerts become notifications, and buttons become deeds. */

#include "service/bell.h"

#include "service/alert-words.h"
#include "service/alerts.h"
#include "service/edits.h"
#include "service/notifier.h"
#include "service/window.h"

#define MAX_ACTIONS 6

struct _PrBell
{
  const PrDesktopWorld *world; /* borrowed */
  PrAlerts *alerts;            /* owned */
  PrNotifier *notifier;        /* owned */
  GDBusConnection *bus;        /* owned, nullable */
  gboolean configured;         /* the configuration may be another one */
};

/* In the order of their buttons. */
static const PrAlertAction all_actions[] = { PR_ALERT_SIGN_IN, PR_ALERT_TRY_AGAIN, PR_ALERT_ALLOW,
                                             PR_ALERT_BLOCK, PR_ALERT_SHOW };

/* ── What alerts ask for ──────────────────────────────────────────────────────────────────── */

static void
on_show (const PrAlert *alert, gpointer user_data)
{
  PrBell *self = user_data;
  const char *actions[2 * (MAX_ACTIONS + 1) + 1] = { NULL };
  guint n = 0;

  if (self->bus == NULL)
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (all_actions); i++)
    if ((alert->actions & all_actions[i]) != 0)
      {
        actions[n++] = pr_alert_action_to_string (all_actions[i]);
        actions[n++] = pr_alert_action_label (all_actions[i]);
      }
  actions[n++] = PR_NOTIFIER_DEFAULT;
  actions[n++] = pr_alert_action_label (PR_ALERT_SHOW);
  pr_notifier_show (self->notifier, &(PrNotification){
                                      .id = alert->id,
                                      .title = alert->title,
                                      .body = alert->body,
                                      .urgent = alert->urgent,
                                      .actions = actions,
                                    });
}

static void
on_withdraw (const char *id, gpointer user_data)
{
  PrBell *self = user_data;

  pr_notifier_withdraw (self->notifier, id);
}

static gboolean
needs_sign_in (const char *route, gpointer user_data)
{
  PrBell *self = user_data;

  return pr_runner_get_sign_in_need (pr_engine_get_runner (self->world->engine), route) != NULL;
}

static gboolean
has_network (gpointer user_data)
{
  PrBell *self = user_data;
  PrRunnerStats stats;

  pr_runner_get_stats (pr_engine_get_runner (self->world->engine), &stats);
  return stats.network_available;
}

static guint64
count_kept (gpointer user_data)
{
  PrBell *self = user_data;
  PrStoreCounts counts;

  pr_store_get_counts (pr_engine_get_store (self->world->engine), &counts);
  return counts.n_failed;
}

/* ── What is pressed ──────────────────────────────────────────────────────────────────────── */

typedef struct
{
  const char *key; /* static: of [access] */
  char *address;   /* owned */
} Entry;

/* In another thread. */
static char *
add_entry (const char *text, gpointer user_data, GError **error)
{
  const Entry *entry = user_data;
  g_autoptr (GVariant) edits = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssss)"));
  g_variant_builder_add (&builder, "(ssss)", "add", "access", entry->key, entry->address);
  edits = g_variant_ref_sink (g_variant_builder_end (&builder));
  return pr_edits_apply (text, edits, error);
}

static void
on_entry_added (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  Entry *entry = user_data;

  if (faults->len == 0)
    g_message ("%s was added to %s", entry->address, entry->key);
  g_free (entry->address);
  g_free (entry);
}

/* @address alone, never its network. */
static void
add_to_access (PrBell *self, const char *key, const char *address)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->key = key;
  entry->address = g_strdup (address);
  pr_reloader_edit (self->world->reloader, add_entry, on_entry_added, entry);
}

static void
try_again (PrBell *self, const PrAlert *alert)
{
  PrRunner *runner = pr_engine_get_runner (self->world->engine);

  if (alert->kind == PR_NOTICE_FAILURES)
    pr_runner_order (runner, PR_ORDER_RETRY, alert->messages, alert->n_messages, NULL, NULL);
  else
    pr_runner_order_all (runner, PR_ORDER_RETRY, NULL, NULL);
}

/* FALSE: it is for a window to do. */
static gboolean
act (PrBell *self, const PrAlert *alert, PrAlertAction action)
{
  switch (action)
    {
    case PR_ALERT_TRY_AGAIN: try_again (self, alert); return TRUE;
    case PR_ALERT_ALLOW: add_to_access (self, "relay-networks", alert->subject); return TRUE;
    case PR_ALERT_BLOCK: add_to_access (self, "deny-networks", alert->subject); return TRUE;
    case PR_ALERT_SIGN_IN:
    case PR_ALERT_SHOW:
    default: return FALSE;
    }
}

static void
on_pressed (const char *id, const char *name, const char *token, gpointer user_data)
{
  PrBell *self = user_data;
  PrAlertAction action = PR_ALERT_SHOW; /* of the notification itself */
  PrAlert alert;

  if (name == NULL)
    {
      pr_alerts_dismiss (self->alerts, id);
      return;
    }
  if (!pr_alerts_get (self->alerts, id, &alert))
    return; /* settled meanwhile */

  pr_alert_action_from_string (name, &action);
  if (!act (self, &alert, action))
    pr_window_open (self->bus, self->world->home, alert.page, alert.item, token);
  pr_notifier_withdraw (self->notifier, id); /* where a daemon leaves it on the screen */
  pr_alerts_dismiss (self->alerts, id);
}

/* ── The bell ─────────────────────────────────────────────────────────────────────────────── */

PrBell *
pr_bell_new (const PrDesktopWorld *world)
{
  static const PrAlertsHost host = {
    .show = on_show,
    .withdraw = on_withdraw,
    .needs_sign_in = needs_sign_in,
    .has_network = has_network,
    .count_kept = count_kept,
  };
  PrBell *self = g_new0 (PrBell, 1);

  self->world = world;
  self->alerts = pr_alerts_new (&host, pr_engine_get_config (world->engine), self);
  self->notifier = pr_notifier_new (on_pressed, self);

  return self;
}

void
pr_bell_free (PrBell *self)
{
  pr_notifier_free (self->notifier);
  pr_alerts_free (self->alerts);
  g_clear_object (&self->bus);
  g_free (self);
}

void
pr_bell_set_bus (PrBell *self, GDBusConnection *bus)
{
  if (bus == self->bus)
    return;

  g_set_object (&self->bus, bus);
  if (bus != NULL)
    pr_alerts_repeat (self->alerts, g_get_monotonic_time ());
}

void
pr_bell_take (PrBell *self, const PrEvent *event)
{
  pr_alerts_take (self->alerts, event, g_get_monotonic_time ());
  if (event->kind == PR_EVENT_RELOADED)
    self->configured = TRUE;
}

gint64
pr_bell_run (PrBell *self)
{
  gint64 now_us = g_get_monotonic_time ();

  if (self->configured)
    pr_alerts_set_config (self->alerts, pr_engine_get_config (self->world->engine), now_us);
  self->configured = FALSE;

  return pr_alerts_run (self->alerts, now_us);
}

gboolean
pr_bell_needs_person (const PrBell *self)
{
  return pr_alerts_need_person (self->alerts);
}

void
pr_bell_list (const PrBell *self, PrAlertFunc func, gpointer user_data)
{
  pr_alerts_list (self->alerts, func, user_data);
}

gboolean
pr_bell_answer (PrBell *self, const char *id, const char *name)
{
  PrAlertAction action;
  PrAlert alert;

  if (!pr_alerts_get (self->alerts, id, &alert))
    return FALSE;

  if (pr_alert_action_from_string (name, &action))
    {
      if ((alert.actions & action) == 0 || !act (self, &alert, action))
        return FALSE;
    }
  else if (!g_str_equal (name, "dismiss"))
    return FALSE;

  pr_notifier_withdraw (self->notifier, id);
  pr_alerts_dismiss (self->alerts, id);
  return TRUE;
}
