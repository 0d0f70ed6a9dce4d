/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrSettingRow: one key of postroom.conf: what it means, its value in the control that suits its
 * type, and what is wrong with it while one types. A choice is in force at once, a text by Enter or
 * the button Apply: half a number is a number, too. Secrets are written, never shown.
 */
#define PR_TYPE_SETTING_ROW (pr_setting_row_get_type ())
G_DECLARE_FINAL_TYPE (PrSettingRow, pr_setting_row, PR, SETTING_ROW, AdwPreferencesRow)

/* @key: of pr_settings_get_keys (). */
GtkWidget *pr_setting_row_new (PrSettings *settings, const char *group, GVariant *key);
/* The same with the title and the values in words of people, for pages that stand for less than all
 * there is. NULL: the service does not know the key. (transfer none): floating */
GtkWidget *pr_setting_row_new_in_words (PrSettings *settings, const char *group, const char *key);
/* Shows what the file says now; a text that somebody is about to change stays. */
void pr_setting_row_update (PrSettingRow *self);

G_END_DECLS
