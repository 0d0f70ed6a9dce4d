/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrWindow: the main window: pages in a stack, a banner for what stands in the way of all of them
 * (service gone, paused), toasts.
 *
 * Actions: `win.page` (string, the page that is shown), `win.pause-receiving` and
 * `win.pause-sending` (boolean). It activates `app.start-service` where a person asks for it.
 */
#define PR_TYPE_WINDOW (pr_window_get_type ())
G_DECLARE_FINAL_TYPE (PrWindow, pr_window, PR, WINDOW, AdwApplicationWindow)

PrWindow *pr_window_new (GtkApplication *application, PrService *service);

/* @page: a name in the table of pages. @item: (nullable): what to show there. FALSE: no such page.
 */
gboolean pr_window_show (PrWindow *self, const char *page, const char *item);

/* Words that pass, at its bottom. */
void pr_window_tell (PrWindow *self, const char *text);

/* What is being done about a missing service ("Starting …"), in place of the words of the banner;
 * NULL: nothing. */
void pr_window_set_progress (PrWindow *self, const char *text);

G_END_DECLS
