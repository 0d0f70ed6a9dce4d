/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "group-page.h"

G_BEGIN_DECLS

/* All about a route, for pr_settings_page_open (): how it fares, signing in, which mail takes it
 * and where it goes. @group: "route office". Floating. */
GtkWidget *pr_route_page_new (PrSettings *settings, const char *group);

G_END_DECLS
