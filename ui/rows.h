/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Rows of settings that are made by code, with what stands at their ends. All (transfer none). */

/* @title, @subtitle (nullable): text, never markup. Floating. */
GtkWidget *pr_row_new (const char *title, const char *subtitle);
/* A flat button at the end; @label names it for screen readers and as a hint. */
GtkWidget *pr_row_add_button (GtkWidget *row, const char *icon, const char *label);
/* A switch that a click on the row turns; it has the row's title as its name. */
GtkWidget *pr_row_add_switch (GtkWidget *row);
/* A button that takes @text to the clipboard; NULL: the row's subtitle as it is then. */
void pr_row_add_copy (GtkWidget *row, const char *label, const char *text);
/* It opens something: a button with an arrow at the end, "clicked" by a press anywhere on the row.
 * @verb: "Change"; screen readers speak the row's title behind it. */
GtkWidget *pr_row_add_arrow (GtkWidget *row, const char *verb);
void pr_row_set_subtitle (GtkWidget *row, const char *text);

/* What is in an AdwPreferencesGroup and made anew as a whole. @rows: of GtkWidget, borrowed from
 * @group, emptied. */
void pr_rows_clear (AdwPreferencesGroup *group, GPtrArray *rows);
void pr_rows_add (AdwPreferencesGroup *group, GPtrArray *rows, GtkWidget *row);

G_END_DECLS
