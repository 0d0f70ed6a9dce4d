/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "queue/event.h"

G_BEGIN_DECLS

/**
 * PrAlerts: what a person should be told, decided from events: raised, brought up to date,
 * withdrawn when it is settled. Whatever happens, there are never many: five hundred failures are
 * one alert, ten refused devices too. Shows nothing itself, reads no clock and asks no one but its
 * host. Main thread only.
 *
 *   event ──► raised, due later ── settled ──► forgotten
 *                 └─ due ──► shown ⇄ brought up to date ── settled or put away by a person ──► gone
 */
typedef struct _PrAlerts PrAlerts;

/* Bits. */
typedef enum
{
  PR_ALERT_SIGN_IN = 1 << 0,   /* opens the window at the route */
  PR_ALERT_SHOW = 1 << 1,      /* opens the window where it can be seen */
  PR_ALERT_TRY_AGAIN = 1 << 2, /* now */
  PR_ALERT_ALLOW = 1 << 3,     /* this address may relay from now on */
  PR_ALERT_BLOCK = 1 << 4,     /* this address is turned away from now on */
} PrAlertAction;

typedef struct
{
  const char *id; /* of what it is about: another one with the same id replaces it */
  PrDesktopNotice kind;
  const char *title, *body; /* plain text; @body may hold what strangers said */
  guint actions;            /* bits of PrAlertAction */
  gboolean urgent;          /* stays until a person sees it */
  const char *page, *item;  /* where SHOW and SIGN_IN lead */
  const char *subject;      /* route or address; "" without one */
  const gint64 *messages;   /* n_messages: what TRY_AGAIN tries; at most 1,000 are known */
  guint n_messages;
} PrAlert;

typedef struct
{
  /* @alert: valid during the call. */
  void (*show) (const PrAlert *alert, gpointer user_data);
  void (*withdraw) (const char *id, gpointer user_data); /* it was shown */
  gboolean (*needs_sign_in) (const char *route, gpointer user_data);
  gboolean (*has_network) (gpointer user_data);
  /* Recipients that failed, of whom nobody could be told: they are kept and can be tried again. */
  guint64 (*count_kept) (gpointer user_data);
} PrAlertsHost;

/* @host: static. @config: referenced. */
PrAlerts *pr_alerts_new (const PrAlertsHost *host, PrConfig *config, gpointer user_data);
void pr_alerts_free (PrAlerts *self); /* withdraws nothing */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrAlerts, pr_alerts_free)

/* Times are microseconds of one clock that never goes back. */
void pr_alerts_take (PrAlerts *self, const PrEvent *event, gint64 now_us);
/* Another configuration: what it settles goes; what it no longer wants to be told is withdrawn. */
void pr_alerts_set_config (PrAlerts *self, PrConfig *config, gint64 now_us);
/* Shows and withdraws what is due. Returns when to call again, 0: only after something happened. */
gint64 pr_alerts_run (PrAlerts *self, gint64 now_us);

/* A screen is there that was not: what still stands is shown again. */
void pr_alerts_repeat (PrAlerts *self, gint64 now_us);

/* Those whose time has come, the oldest first; without what a person put away, but for what lasts
 * until it is mended. */
typedef void (*PrAlertFunc) (const PrAlert *alert, gpointer user_data);
void pr_alerts_list (const PrAlerts *self, PrAlertFunc func, gpointer user_data);
/* The alert with this id; FALSE: it is gone. @alert: valid until the next call. */
gboolean pr_alerts_get (PrAlerts *self, const char *id, PrAlert *alert);
/* A person put it away or did what it asks for. What lasts is not shown again until it is new. */
void pr_alerts_dismiss (PrAlerts *self, const char *id);
/* Whether something waits for a person, shown as a notification or not. */
gboolean pr_alerts_need_person (const PrAlerts *self);

G_END_DECLS
