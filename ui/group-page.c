/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "group-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "entry-row.h"
#include "setting-group.h"
#include "settings-page.h"

struct _PrGroupPage
{
  AdwPreferencesPage parent_instance;

  PrSettings *settings; /* owned */
  char *group;          /* owned */
  gboolean was_there;   /* in the file: when it is not any more, neither is the page */
  GtkWidget *remove;    /* borrowed, nullable */
};

G_DEFINE_FINAL_TYPE (PrGroupPage, pr_group_page, ADW_TYPE_PREFERENCES_PAGE)

static gboolean
is_there (PrGroupPage *self)
{
  g_auto (GStrv) groups = pr_settings_get_groups (self->settings);

  return g_strv_contains ((const char *const *) groups, self->group);
}

static void
on_changed (PrGroupPage *self)
{
  gboolean there = is_there (self);

  if (self->was_there && !there)
    pr_settings_page_close (GTK_WIDGET (self));
  self->was_there = there;
  if (self->remove != NULL)
    gtk_widget_set_visible (self->remove, there);
}

static void
on_remove (PrGroupPage *self)
{
  const char *edit[4] = { "remove", self->group, "", "" };
  g_autofree char *words =
    g_strdup_printf (_ ("%s is removed"), pr_settings_get_name (self->group));

  pr_change_one (GTK_WIDGET (self), pr_settings_get_service (self->settings), edit, words, NULL);
}

static void
on_rename (PrEntryRow *row, PrGroupPage *self)
{
  const char *old = pr_settings_get_name (self->group);
  g_autofree char *kind = g_strndup (self->group, strlen (self->group) - strlen (old));
  g_autofree char *name = pr_entry_row_get_text (row);
  g_autofree char *group = g_strconcat (kind, name, NULL);
  const char *edit[4] = { "rename", self->group, "", group };
  /* Translators: the old name, the new name */
  g_autofree char *words = g_strdup_printf (_ ("%s is called %s now"), old, name);

  pr_change_one (GTK_WIDGET (self), pr_settings_get_service (self->settings), edit, words, NULL);
}

static void
pr_group_page_finalize (GObject *object)
{
  PrGroupPage *self = PR_GROUP_PAGE (object);

  g_clear_object (&self->settings);
  g_free (self->group);
  G_OBJECT_CLASS (pr_group_page_parent_class)->finalize (object);
}

static void
pr_group_page_class_init (PrGroupPageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = pr_group_page_finalize;
}

static void
pr_group_page_init (PrGroupPage *self)
{
}

GtkWidget *
pr_group_page_new (PrSettings *settings, const char *group)
{
  PrGroupPage *self = g_object_new (PR_TYPE_GROUP_PAGE, NULL);

  self->settings = g_object_ref (settings);
  self->group = g_strdup (group);
  self->was_there = is_there (self);
  g_signal_connect_object (settings, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}

void
pr_group_page_add (PrGroupPage *self, const char *title, const char *keys)
{
  GtkWidget *group = pr_setting_group_new (self->settings, title, self->group, keys);

  adw_preferences_page_add (ADW_PREFERENCES_PAGE (self), ADW_PREFERENCES_GROUP (group));
}

void
pr_group_page_add_end (PrGroupPage *self, const char *rename, const char *remove)
{
  GtkWidget *group = adw_preferences_group_new ();

  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), rename != NULL ? rename : "");
  if (rename != NULL && self->was_there)
    {
      GtkWidget *row = pr_entry_row_new (rename, _ ("Re_name"));

      pr_entry_row_set_text (PR_ENTRY_ROW (row), pr_settings_get_name (self->group));
      g_signal_connect_object (row, "apply", G_CALLBACK (on_rename), self, 0);
      adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), row);
    }
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (self), ADW_PREFERENCES_GROUP (group));

  group = adw_preferences_group_new ();
  self->remove = gtk_button_new_with_label (remove);
  gtk_widget_add_css_class (self->remove, "destructive-action");
  gtk_widget_add_css_class (self->remove, "pill");
  gtk_widget_set_halign (self->remove, GTK_ALIGN_CENTER);
  gtk_widget_set_visible (self->remove, self->was_there);
  g_signal_connect_object (self->remove, "clicked", G_CALLBACK (on_remove), self,
                           G_CONNECT_SWAPPED);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), self->remove);
  adw_preferences_page_add (ADW_PREFERENCES_PAGE (self), ADW_PREFERENCES_GROUP (group));
}

const char *
pr_group_page_get_group (PrGroupPage *self)
{
  g_return_val_if_fail (PR_IS_GROUP_PAGE (self), NULL);

  return self->group;
}

PrSettings *
pr_group_page_get_settings (PrGroupPage *self)
{
  g_return_val_if_fail (PR_IS_GROUP_PAGE (self), NULL);

  return self->settings;
}
