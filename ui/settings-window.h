/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ui/service.h"

G_BEGIN_DECLS

/* The settings, with search. @parent: (nullable). (transfer none): the toolkit's, until it is
 * closed. */
GtkWindow *pr_settings_window_new (GtkWindow *parent, PrService *service);

G_END_DECLS
