/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "protection-settings-page.h"

#include "setting-group.h"

struct _PrProtectionSettingsPage
{
  PrSettingsPage parent_instance;
};

G_DEFINE_FINAL_TYPE (PrProtectionSettingsPage, pr_protection_settings_page, PR_TYPE_SETTINGS_PAGE)

static void
pr_protection_settings_page_class_init (PrProtectionSettingsPageClass *klass)
{
  g_type_ensure (PR_TYPE_SETTING_GROUP);
  gtk_widget_class_set_template_from_resource (GTK_WIDGET_CLASS (klass),
                                               PR_UI_PATH "protection-settings-page.ui");
}

static void
pr_protection_settings_page_init (PrProtectionSettingsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
