/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings-page.h"

G_BEGIN_DECLS

/** PrGeneralSettingsPage: the server's name, starting at login, tray and notifications. */
#define PR_TYPE_GENERAL_SETTINGS_PAGE (pr_general_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrGeneralSettingsPage, pr_general_settings_page, PR, GENERAL_SETTINGS_PAGE,
                      PrSettingsPage)

G_END_DECLS
