/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings-page.h"

G_BEGIN_DECLS

/** PrProtectionSettingsPage: limits, and who is refused. */
#define PR_TYPE_PROTECTION_SETTINGS_PAGE (pr_protection_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrProtectionSettingsPage, pr_protection_settings_page, PR,
                      PROTECTION_SETTINGS_PAGE, PrSettingsPage)

G_END_DECLS
