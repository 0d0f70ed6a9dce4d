/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "settings.h"

G_BEGIN_DECLS

/**
 * PrSettingsPage: what the pages of the settings window have in common. Property `settings`
 * (PrSettings, construct only), which templates bind their groups to.
 */
#define PR_TYPE_SETTINGS_PAGE (pr_settings_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (PrSettingsPage, pr_settings_page, PR, SETTINGS_PAGE, AdwPreferencesPage)

struct _PrSettingsPageClass
{
  AdwPreferencesPageClass parent_class;

  /* All (nullable). Both are called once the page is there, too. */
  void (*update) (PrSettingsPage *self);                          /* the file says something new */
  void (*update_status) (PrSettingsPage *self, GVariant *status); /* as of Service1.GetStatus */
};

/* (transfer none) */
PrSettings *pr_settings_page_get_settings (PrSettingsPage *self);
PrService *pr_settings_page_get_service (PrSettingsPage *self);

/* Shows @page within the settings window that @widget is in, with a header that leads back. */
void pr_settings_page_open (GtkWidget *widget, const char *title, GtkWidget *page);
/* Back to where that was opened. */
void pr_settings_page_close (GtkWidget *widget);

G_END_DECLS
