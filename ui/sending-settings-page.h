/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings-page.h"

G_BEGIN_DECLS

/** PrSendingSettingsPage: the routes in their order, and what would become of a mail. */
#define PR_TYPE_SENDING_SETTINGS_PAGE (pr_sending_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrSendingSettingsPage, pr_sending_settings_page, PR, SENDING_SETTINGS_PAGE,
                      PrSettingsPage)

/* Before which of @routes one must be put to go from place @from to place @to; "" for the end, NULL
 * where nothing is to be done. (transfer none): in @routes */
const char *pr_sending_settings_page_find_before (const char *const *routes, guint from, guint to);

G_END_DECLS
