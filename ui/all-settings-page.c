/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "all-settings-page.h"

#include <string.h>
#include <glib/gi18n.h>

#include "change.h"
#include "entry-row.h"
#include "setting-row.h"

struct _PrAllSettingsPage
{
  AdwPreferencesPage parent_instance;

  PrSettings *settings; /* owned */
  GPtrArray *groups;    /* owned, of AdwPreferencesGroup, borrowed from the page */
  GPtrArray *rows;      /* owned, of PrSettingRow, borrowed from the groups */
};

G_DEFINE_FINAL_TYPE (PrAllSettingsPage, pr_all_settings_page, ADW_TYPE_PREFERENCES_PAGE)

/* What makes a new group complete enough to be in force, and harmless until more is said. */
static const struct
{
  const char *kind, *key, *value;
} beginnings[] = { { "listener", "listen", "127.0.0.1:2526" }, { "route", "via", "hold" } };

/* ── Removing and adding groups ───────────────────────────────────────────────────────────── */

static void
on_remove (GtkButton *button, PrAllSettingsPage *self)
{
  const char *group = g_object_get_data (G_OBJECT (button), "group");
  const char *edit[4] = { "remove", group, "", "" };
  /* Translators: %s is a group of settings, such as "route office" */
  g_autofree char *words = g_strdup_printf (_ ("%s is removed"), group);

  pr_change_one (GTK_WIDGET (self), pr_settings_get_service (self->settings), edit, words, NULL);
}

static GtkWidget *
make_remove_button (PrAllSettingsPage *self, const char *group)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("user-trash-symbolic");
  g_autofree char *label = g_strdup_printf (_ ("Remove %s"), group);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_tooltip_text (button, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  g_object_set_data_full (G_OBJECT (button), "group", g_strdup (group), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_remove), self, 0);
  return button;
}

static void
on_add (PrEntryRow *row, PrAllSettingsPage *self)
{
  guint i = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (row), "beginning"));
  g_autofree char *name = pr_entry_row_get_text (row);
  g_autofree char *group = g_strdup_printf ("%s %s", beginnings[i].kind, name);
  const char *edit[4] = { "set", group, beginnings[i].key, beginnings[i].value };
  g_autofree char *words = g_strdup_printf (_ ("%s is added"), group);

  pr_change_one (GTK_WIDGET (self), pr_settings_get_service (self->settings), edit, words, NULL);
}

static GtkWidget *
make_adding (PrAllSettingsPage *self)
{
  /* Translators: what stands in quotes is not translated */
  const char *titles[] = { _ ("Name of a New “listener” Group"),
                           _ ("Name of a New “route” Group") };
  GtkWidget *group = adw_preferences_group_new ();

  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), _ ("Add"));
  for (guint i = 0; i < G_N_ELEMENTS (beginnings); i++)
    {
      GtkWidget *row = pr_entry_row_new (titles[i], _ ("_Add"));

      g_object_set_data (G_OBJECT (row), "beginning", GUINT_TO_POINTER (i));
      g_signal_connect_object (row, "apply", G_CALLBACK (on_add), self, 0);
      adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), row);
    }
  return group;
}

/* ── The groups there are ─────────────────────────────────────────────────────────────────── */

static GtkWidget *
make_group (PrAllSettingsPage *self, const char *name)
{
  g_autoptr (GPtrArray) keys = pr_settings_get_keys (self->settings, name);
  GtkWidget *group = adw_preferences_group_new ();
  g_autofree char *title = g_markup_escape_text (name, -1);

  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), title);
  if (pr_settings_get_name (name) != NULL)
    adw_preferences_group_set_header_suffix (ADW_PREFERENCES_GROUP (group),
                                             make_remove_button (self, name));
  for (guint i = 0; i < keys->len; i++)
    {
      GtkWidget *row = pr_setting_row_new (self->settings, name, keys->pdata[i]);

      adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), row);
      g_ptr_array_add (self->rows, row);
    }
  return group;
}

static void
add_group (PrAllSettingsPage *self, GtkWidget *group)
{
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (self), ADW_PREFERENCES_GROUP (group));
  g_ptr_array_add (self->groups, group);
}

static void
build (PrAllSettingsPage *self)
{
  g_auto (GStrv) names = pr_settings_get_groups (self->settings);

  g_ptr_array_set_size (self->rows, 0);
  for (guint i = 0; i < self->groups->len; i++)
    adw_preferences_page_remove (ADW_PREFERENCES_PAGE (self), self->groups->pdata[i]);
  g_ptr_array_set_size (self->groups, 0);
  for (char **name = names; *name != NULL; name++)
    add_group (self, make_group (self, *name));
  if (self->groups->len > 0)
    add_group (self, make_adding (self));
}

static void
on_changed (PrAllSettingsPage *self, gboolean other_groups)
{
  if (other_groups)
    build (self);
  else
    for (guint i = 0; i < self->rows->len; i++)
      pr_setting_row_update (self->rows->pdata[i]);
}

static void
pr_all_settings_page_finalize (GObject *object)
{
  PrAllSettingsPage *self = PR_ALL_SETTINGS_PAGE (object);

  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->groups);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (pr_all_settings_page_parent_class)->finalize (object);
}

static void
pr_all_settings_page_class_init (PrAllSettingsPageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = pr_all_settings_page_finalize;
}

static void
pr_all_settings_page_init (PrAllSettingsPage *self)
{
  self->groups = g_ptr_array_new ();
  self->rows = g_ptr_array_new ();
}

GtkWidget *
pr_all_settings_page_new (PrSettings *settings)
{
  PrAllSettingsPage *self = g_object_new (PR_TYPE_ALL_SETTINGS_PAGE, "title", _ ("All Settings"),
                                          "icon-name", "view-list-symbolic", NULL);

  self->settings = g_object_ref (settings);
  g_signal_connect_object (settings, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  build (self);
  return GTK_WIDGET (self);
}
