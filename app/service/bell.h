/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "service/alerts.h"
#include "service/desktop.h"

G_BEGIN_DECLS

/**
 * PrBell: rings for a person: what alerts.c decides is shown as a notification, and what is pressed
 * on it is done. A part of PrDesktop; main thread only.
 */
typedef struct _PrBell PrBell;

/* @world: borrowed, outlives it. */
PrBell *pr_bell_new (const PrDesktopWorld *world);
/* Withdraws what is shown. */
void pr_bell_free (PrBell *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrBell, pr_bell_free)

/* @bus: (nullable): referenced. Without one nothing is shown; what was raised meanwhile is shown
 * when there is one again. */
void pr_bell_set_bus (PrBell *self, GDBusConnection *bus);
void pr_bell_take (PrBell *self, const PrEvent *event);
/* Returns the monotonic time of the next call, 0: after the next event. */
gint64 pr_bell_run (PrBell *self);
gboolean pr_bell_needs_person (const PrBell *self);
/* As of pr_alerts_list (). */
void pr_bell_list (const PrBell *self, PrAlertFunc func, gpointer user_data);
/* @name: of one of its actions that needs no window, or "dismiss". FALSE: nothing was done. */
gboolean pr_bell_answer (PrBell *self, const char *id, const char *name);

G_END_DECLS
