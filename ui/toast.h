/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Words that pass, at the bottom of the window that @widget is in; lost when it is in none. */
void pr_toast_show (GtkWidget *widget, const char *text);
/* @toast: (transfer full): one with a button. */
void pr_toast_add (GtkWidget *widget, AdwToast *toast);

G_END_DECLS
