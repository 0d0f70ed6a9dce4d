/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "service/tray.h"

G_BEGIN_DECLS

/* The tray item's menu: com.canonical.dbusmenu at PR_TRAY_MENU_PATH. Only tray.c uses it. */
#define PR_TRAY_MENU_PATH "/StatusNotifierItem/Menu"

typedef struct _PrTrayMenu PrTrayMenu;

/* @bus: referenced. NULL: the path is taken. */
PrTrayMenu *pr_tray_menu_new (GDBusConnection *bus, PrTrayFunc func, gpointer user_data);
void pr_tray_menu_free (PrTrayMenu *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTrayMenu, pr_tray_menu_free)

/* Sets the check marks. */
void pr_tray_menu_update (PrTrayMenu *self, const PrTrayStatus *status);

G_END_DECLS
