/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * PrTray: the item in the desktop's tray. On Linux a StatusNotifierItem with a menu, spoken over
 * the session bus without any library; elsewhere nothing yet (tray-none.c). Whether a tray shows it
 * makes no difference to anything else. Main thread only.
 */
typedef struct _PrTray PrTray;

typedef enum
{
  PR_TRAY_IDLE,
  PR_TRAY_ACTIVE, /* mail comes or goes */
  PR_TRAY_PAUSED,
  PR_TRAY_ATTENTION, /* something needs a person */
} PrTrayState;

typedef enum
{
  PR_TRAY_OPEN,
  PR_TRAY_PAUSE_RECEIVING, /* or resume: the other of what is now */
  PR_TRAY_PAUSE_SENDING,
  PR_TRAY_TRY_ALL,
  PR_TRAY_SETTINGS,
  PR_TRAY_QUIT,
} PrTrayAction;

typedef struct
{
  PrTrayState state;
  const char *summary; /* one sentence, for the tooltip; UTF-8 */
  gboolean receiving_paused, sending_paused;
} PrTrayStatus;

/* @token: (nullable): of the click, so that a window may come to the front. */
typedef void (*PrTrayFunc) (PrTrayAction action, const char *token, gpointer user_data);

/* @bus: the session bus, referenced. Shown wherever there is a tray now or later. NULL: not on this
 * system, or the bus has one already. */
PrTray *pr_tray_new (GDBusConnection *bus, PrTrayFunc func, gpointer user_data);
/* Takes the item away. */
void pr_tray_free (PrTray *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTray, pr_tray_free)

/* Tells the tray what is another now, and only that. Copied. */
void pr_tray_update (PrTray *self, const PrTrayStatus *status);

G_END_DECLS
