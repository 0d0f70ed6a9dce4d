/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage-settings-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "control/client.h"
#include "files.h"
#include "rows.h"
#include "setting-group.h"

struct _PrStorageSettingsPage
{
  PrSettingsPage parent_instance;

  GtkWidget *waiting, *free, *folder; /* template children */
};

G_DEFINE_FINAL_TYPE (PrStorageSettingsPage, pr_storage_settings_page, PR_TYPE_SETTINGS_PAGE)

static void
on_export (PrStorageSettingsPage *self)
{
  const char *text = pr_settings_get_text (pr_settings_page_get_settings (PR_SETTINGS_PAGE (self)));
  g_autoptr (GBytes) contents = g_bytes_new (text, strlen (text));

  pr_files_save (GTK_WIDGET (self), _ ("Export the Settings"), "postroom.conf", contents, TRUE,
                 _ ("The settings are exported"));
}

static void
on_text (GtkWidget *widget, const char *text)
{
  PrSettingsPage *page = PR_SETTINGS_PAGE (widget);

  pr_change_call (widget, pr_settings_page_get_service (page), "Apply", g_variant_new ("(s)", text),
                  "(asas)", pr_settings_get_text (pr_settings_page_get_settings (page)),
                  _ ("The settings are imported"), NULL);
}

static void
on_import (PrStorageSettingsPage *self)
{
  pr_files_open_text (GTK_WIDGET (self), _ ("Import Settings"), on_text);
}

static void
update_status (PrSettingsPage *page, GVariant *status)
{
  PrStorageSettingsPage *self = PR_STORAGE_SETTINGS_PAGE (page);
  guint64 n_messages = (guint64) pr_dict_number (status, "messages");
  g_autofree char *size = g_format_size ((guint64) pr_dict_number (status, "size"));
  g_autofree char *free_space = g_format_size ((guint64) pr_dict_number (status, "free-space"));
  g_autofree char *waiting =
    /* Translators: %s is a size, such as 2 MB */
    g_strdup_printf (ngettext ("%lu message, %s", "%lu messages, %s", (gulong) n_messages),
                     (gulong) n_messages, size);

  pr_row_set_subtitle (self->waiting, waiting);
  pr_row_set_subtitle (self->free, free_space);
  pr_row_set_subtitle (self->folder, pr_dict_string (status, "home"));
}

static void
pr_storage_settings_page_class_init (PrStorageSettingsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  PR_SETTINGS_PAGE_CLASS (klass)->update_status = update_status;
  g_type_ensure (PR_TYPE_SETTING_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "storage-settings-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrStorageSettingsPage, waiting);
  gtk_widget_class_bind_template_child (widget_class, PrStorageSettingsPage, free);
  gtk_widget_class_bind_template_child (widget_class, PrStorageSettingsPage, folder);
  gtk_widget_class_bind_template_callback (widget_class, on_export);
  gtk_widget_class_bind_template_callback (widget_class, on_import);
}

static void
pr_storage_settings_page_init (PrStorageSettingsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  pr_row_add_copy (self->folder, _ ("Copy the Folder"), NULL);
}
