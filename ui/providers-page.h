/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrProvidersPage: a mail provider is chosen and becomes a route, for pr_settings_page_open ().
 */
#define PR_TYPE_PROVIDERS_PAGE (pr_providers_page_get_type ())
G_DECLARE_FINAL_TYPE (PrProvidersPage, pr_providers_page, PR, PROVIDERS_PAGE, AdwPreferencesPage)

/* Floating. */
GtkWidget *pr_providers_page_new (PrSettings *settings);

G_END_DECLS
