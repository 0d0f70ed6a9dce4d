/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/**
 * PrEntryRow: an entry with the button that does something with its text: "Add". Properties:
 * `title` names the entry, `action` is the button's label, `secret` hides what is typed; once. The
 * button can be pressed while there is a text and another one than what was set. Signal `apply`: it
 * was, or Enter.
 */
#define PR_TYPE_ENTRY_ROW (pr_entry_row_get_type ())
G_DECLARE_FINAL_TYPE (PrEntryRow, pr_entry_row, PR, ENTRY_ROW, AdwPreferencesRow)

/* @title, @action: translated. Floating. */
GtkWidget *pr_entry_row_new (const char *title, const char *action);
/* Without blanks around it. (transfer full) */
char *pr_entry_row_get_text (PrEntryRow *self);
void pr_entry_row_set_text (PrEntryRow *self, const char *text);

G_END_DECLS
