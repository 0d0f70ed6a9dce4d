/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings-page.h"

G_BEGIN_DECLS

/** PrDevicesSettingsPage: who may send: people and devices that sign in, and networks. */
#define PR_TYPE_DEVICES_SETTINGS_PAGE (pr_devices_settings_page_get_type ())
G_DECLARE_FINAL_TYPE (PrDevicesSettingsPage, pr_devices_settings_page, PR, DEVICES_SETTINGS_PAGE,
                      PrSettingsPage)

G_END_DECLS
