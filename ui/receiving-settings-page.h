/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings-page.h"

G_BEGIN_DECLS

/** PrReceivingSettingsPage: where devices connect, and what they must be told and trust. */
#define PR_TYPE_RECEIVING_SETTINGS_PAGE (pr_receiving_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrReceivingSettingsPage, pr_receiving_settings_page, PR,
                      RECEIVING_SETTINGS_PAGE, PrSettingsPage)

G_END_DECLS
