/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrAllSettingsPage: every key of postroom.conf, as the service describes them, in every group
 * there is. Whatever has no page of its own is found here.
 */
#define PR_TYPE_ALL_SETTINGS_PAGE (pr_all_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrAllSettingsPage, pr_all_settings_page, PR, ALL_SETTINGS_PAGE,
                      AdwPreferencesPage)

GtkWidget *pr_all_settings_page_new (PrSettings *settings);

G_END_DECLS
