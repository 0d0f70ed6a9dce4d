/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

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

G_END_DECLS
