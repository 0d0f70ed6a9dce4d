/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @self, whose model is a GtkStringList, may become narrower than its longest words: its button
 * cuts them, what it opens does not. */
void pr_drop_down_let_shrink (GtkDropDown *self);

G_END_DECLS
