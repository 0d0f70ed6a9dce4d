/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/home.h"

G_BEGIN_DECLS

/* Brings the window of this home to the front, as a process of its own: by the session bus where
 * the application is installed, else by starting `postroom --page=PAGE --item=ITEM`. Returns at
 * once.
 * @bus: (nullable). @page: "" or the name of a page: "queue", "settings", "sign-in", "log".
 * @item: "" or what to show there: a message's id, a route's name.
 * @token: (nullable): of the click, so that the desktop lets the window come to the front. */
void pr_window_open (GDBusConnection *bus, const PrHome *home, const char *page, const char *item,
                     const char *token);

G_END_DECLS
