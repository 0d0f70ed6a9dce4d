/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "service/alerts.h"
#include "service/autostart.h"
#include "service/reload.h"

G_BEGIN_DECLS

/**
 * PrDesktop: the service's face on the desktop that it runs on: the tray item and what its menu
 * does. Joins the session bus when there is one, again when it comes back, and does nothing at all
 * where there is none. Main thread only; wakes up only when something happens.
 */
typedef struct _PrDesktop PrDesktop;

/* All borrowed, outlive it. @quit: a person asked the service to stop. */
typedef struct
{
  PrEngine *engine;
  const PrHome *home;
  PrReloader *reloader;
  PrAutostart *autostart; /* nullable: where there is none */
  void (*quit) (gpointer user_data);
  gpointer user_data;
} PrDesktopWorld;

PrDesktop *pr_desktop_new (const PrDesktopWorld *world);
/* Takes everything away that it shows. Before the engine is freed. */
void pr_desktop_free (PrDesktop *self);

/* What waits for a person, as of pr_alerts_list (). */
void pr_desktop_list_alerts (const PrDesktop *self, PrAlertFunc func, gpointer user_data);
/* As of pr_bell_answer (). */
gboolean pr_desktop_answer_alert (PrDesktop *self, const char *id, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDesktop, pr_desktop_free)

G_END_DECLS
