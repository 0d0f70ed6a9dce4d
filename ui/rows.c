/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rows.h"

#include <glib/gi18n.h>

#include "toast.h"

GtkWidget *
pr_row_new (const char *title, const char *subtitle)
{
  GtkWidget *row = g_object_new (ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title-lines", 0,
                                 "subtitle-lines", 0, NULL);

  /* Later: the labels hear of use-markup only when the row is there. */
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle != NULL ? subtitle : "");
  return row;
}

GtkWidget *
pr_row_add_button (GtkWidget *row, const char *icon, const char *label)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  return button;
}

GtkWidget *
pr_row_add_switch (GtkWidget *row)
{
  GtkWidget *toggle = gtk_switch_new ();

  gtk_widget_set_valign (toggle, GTK_ALIGN_CENTER);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), toggle);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), toggle);
  return toggle;
}

static void
on_copy (GtkButton *button, GtkWidget *row)
{
  const char *text = g_object_get_data (G_OBJECT (button), "text");

  gdk_clipboard_set_text (gtk_widget_get_clipboard (row),
                          text != NULL ? text : adw_action_row_get_subtitle (ADW_ACTION_ROW (row)));
  pr_toast_show (row, _ ("Copied"));
}

void
pr_row_add_copy (GtkWidget *row, const char *label, const char *text)
{
  GtkWidget *button = pr_row_add_button (row, "edit-copy-symbolic", label);

  g_object_set_data_full (G_OBJECT (button), "text", g_strdup (text), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_copy), row, 0);
}

GtkWidget *
pr_row_add_arrow (GtkWidget *row, const char *verb)
{
  GtkWidget *button = pr_row_add_button (row, "go-next-symbolic", verb);

  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), button);
  return button;
}

void
pr_row_set_subtitle (GtkWidget *row, const char *text)
{
  if (g_strcmp0 (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), text) != 0)
    adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
}

void
pr_rows_clear (AdwPreferencesGroup *group, GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    adw_preferences_group_remove (group, rows->pdata[i]);
  g_ptr_array_set_size (rows, 0);
}

void
pr_rows_add (AdwPreferencesGroup *group, GPtrArray *rows, GtkWidget *row)
{
  adw_preferences_group_add (group, row);
  g_ptr_array_add (rows, row);
}
