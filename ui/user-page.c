/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "user-page.h"

#include <glib/gi18n.h>

#include "change.h"
#include "entry-row.h"
#include "password.h"
#include "rows.h"
#include "toast.h"

/* What the group of the password knows: kept with it. */
typedef struct
{
  PrGroupPage *page;             /* borrowed: it is in there */
  GtkWidget *name, *shown, *own; /* borrowed rows */
  char *password;                /* owned, nullable: on its way to the service */
} Part;

static void
part_free (gpointer data)
{
  Part *part = data;

  g_free (part->password);
  g_free (part);
}

static void
show_password (Part *part, const char *password)
{
  /* Text of titles is no markup here, and what a password has in it is shown as it is. */
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (part->shown), password);
  gtk_widget_set_visible (part->name, TRUE);
  gtk_widget_set_visible (part->shown, TRUE);
}

static void
on_set (GtkWidget *widget, const char *fault)
{
  Part *part = g_object_get_data (G_OBJECT (widget), "part");
  g_autofree char *password = g_steal_pointer (&part->password);

  if (fault != NULL)
    pr_toast_show (widget, pr_change_trim_fault (fault, NULL, NULL));
  else if (password != NULL)
    show_password (part, password);
  pr_entry_row_set_text (PR_ENTRY_ROW (part->own), "");
}

/* @password: taken. */
static void
set_password (GtkWidget *group, char *password)
{
  Part *part = g_object_get_data (G_OBJECT (group), "part");
  PrSettings *settings = pr_group_page_get_settings (part->page);
  const char *name = pr_settings_get_name (pr_group_page_get_group (part->page));
  GVariantBuilder options;

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "must-exist", g_variant_new_boolean (TRUE));
  g_free (part->password);
  part->password = password;
  pr_change_call (group, pr_settings_get_service (settings), "SetUser",
                  g_variant_new ("(ssa{sv})", name, password, &options), "(asas)",
                  pr_settings_get_text (settings), _ ("The password is changed"), on_set);
}

static void
on_make (GtkWidget *group)
{
  char *password = pr_password_make ();

  if (password != NULL)
    set_password (group, password);
  else
    pr_toast_show (group, _ ("This system has no random numbers; type a password yourself"));
}

static void
on_own (GtkWidget *group)
{
  Part *part = g_object_get_data (G_OBJECT (group), "part");

  set_password (group, pr_entry_row_get_text (PR_ENTRY_ROW (part->own)));
}

static void
on_copy (GtkButton *button, GtkWidget *row)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (row),
                          adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)));
  pr_toast_show (row, _ ("Copied"));
}

static GtkWidget *
make_shown (void)
{
  GtkWidget *row =
    pr_row_new ("", _ ("The password. Type it into the device now: it is not shown again"));
  GtkWidget *copy = pr_row_add_button (row, "edit-copy-symbolic", _ ("Copy the Password"));

  gtk_widget_set_visible (row, FALSE);
  g_signal_connect_object (copy, "clicked", G_CALLBACK (on_copy), row, 0);
  return row;
}

static GtkWidget *
make_name (const char *name)
{
  GtkWidget *row = pr_row_new (name, _ ("The user name"));

  pr_row_add_copy (row, _ ("Copy the User Name"), name);
  gtk_widget_set_visible (row, FALSE);
  return row;
}

static GtkWidget *
make_generator (GtkWidget *group)
{
  GtkWidget *row = pr_row_new (_ ("Make a New Password"), _ ("The old one counts no more"));
  GtkWidget *button = gtk_button_new_with_mnemonic (_ ("_Make"));

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), button);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_make), group, G_CONNECT_SWAPPED);
  return row;
}

static GtkWidget *
make_group (PrGroupPage *page, const char *password)
{
  GtkWidget *group = adw_preferences_group_new ();
  Part *part = g_new0 (Part, 1);

  part->page = page;
  part->name = make_name (pr_settings_get_name (pr_group_page_get_group (page)));
  part->shown = make_shown ();
  part->own = pr_entry_row_new (_ ("A Password of Your Own"), _ ("_Set"));
  g_object_set_data_full (G_OBJECT (group), "part", part, part_free);
  g_signal_connect_object (part->own, "apply", G_CALLBACK (on_own), group, G_CONNECT_SWAPPED);
  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), _ ("Password"));
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), part->name);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), part->shown);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), make_generator (group));
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), part->own);
  if (password != NULL)
    show_password (part, password);
  return group;
}

GtkWidget *
pr_user_page_new (PrSettings *settings, const char *group, const char *password)
{
  GtkWidget *widget = pr_group_page_new (settings, group);
  PrGroupPage *page = PR_GROUP_PAGE (widget);

  adw_preferences_page_add (ADW_PREFERENCES_PAGE (page),
                            ADW_PREFERENCES_GROUP (make_group (page, password)));
  pr_group_page_add (page, _ ("What It May Send"), "senders");
  pr_group_page_add (page, _ ("Old Devices"), "cram-md5");
  pr_group_page_add_end (page, _ ("User Name"), _ ("Remove This User"));
  return widget;
}
