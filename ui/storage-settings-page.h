/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings-page.h"

G_BEGIN_DECLS

/** PrStorageSettingsPage: what the disk holds, and for how long; the configuration as a file. */
#define PR_TYPE_STORAGE_SETTINGS_PAGE (pr_storage_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrStorageSettingsPage, pr_storage_settings_page, PR, STORAGE_SETTINGS_PAGE,
                      PrSettingsPage)

G_END_DECLS
