/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/**
 * PrApplication: `postroom`. One process for each home; a second start shows the first one's
 * window. It starts the service once if there is none; closing it leaves the service running.
 *
 * Actions besides those of menus: `app.show` ((ss): a page and "" or an item of it), for
 * notifications, the tray and other starts; `app.start-service`.
 */
#define PR_TYPE_APPLICATION (pr_application_get_type ())
G_DECLARE_FINAL_TYPE (PrApplication, pr_application, PR, APPLICATION, AdwApplication)

PrApplication *pr_application_new (void);

G_END_DECLS
