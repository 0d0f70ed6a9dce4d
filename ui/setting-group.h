/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrSettingGroup: a few keys of one group of postroom.conf under a title, each as a PrSettingRow in
 * words of people. Properties, to be set once: `settings` (PrSettings), `group` ("server", "route
 * office"), `keys` (their names with blanks between them). Follows what the file says.
 */
#define PR_TYPE_SETTING_GROUP (pr_setting_group_get_type ())
G_DECLARE_FINAL_TYPE (PrSettingGroup, pr_setting_group, PR, SETTING_GROUP, AdwPreferencesGroup)

GtkWidget *pr_setting_group_new (PrSettings *settings, const char *title, const char *group,
                                 const char *keys);

G_END_DECLS
