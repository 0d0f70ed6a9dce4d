/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "providers-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "control/client.h"
#include "rows.h"
#include "settings-page.h"

#define MAX_SHOWN 12 /* who looks for another one types more of its name */

struct _PrProvidersPage
{
  AdwPreferencesPage parent_instance;

  PrSettings *settings;      /* owned */
  GPtrArray *rows;           /* owned, of GtkWidget, borrowed from @found */
  GCancellable *cancellable; /* owned, nullable: of the last search */
  char *id;                  /* owned, nullable: the provider that was chosen */

  AdwPreferencesGroup *search_group, *found, *fields; /* template children */
  GtkEditable *search, *username, *parameter;
  GtkLabel *fault;
};

G_DEFINE_FINAL_TYPE (PrProvidersPage, pr_providers_page, ADW_TYPE_PREFERENCES_PAGE)

/* ── Finding one ──────────────────────────────────────────────────────────────────────────── */

static void
show_fields (PrProvidersPage *self, gboolean show)
{
  gtk_widget_set_visible (GTK_WIDGET (self->search_group), !show);
  gtk_widget_set_visible (GTK_WIDGET (self->found), !show);
  gtk_widget_set_visible (GTK_WIDGET (self->fields), show);
  gtk_widget_set_visible (GTK_WIDGET (self->fault), FALSE);
}

static void
on_chosen (GtkWidget *button, PrProvidersPage *self)
{
  GtkWidget *row = gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW);
  const char *typed = gtk_editable_get_text (self->search);

  g_free (self->id);
  self->id = g_strdup (g_object_get_data (G_OBJECT (row), "id"));
  adw_preferences_group_set_title (self->fields,
                                   adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)));
  if (strchr (typed, '@') != NULL) /* who looked for it by an address has typed it once */
    gtk_editable_set_text (self->username, typed);
  show_fields (self, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->username));
}

static void
on_back (PrProvidersPage *self)
{
  show_fields (self, FALSE);
}

static GtkWidget *
make_row (PrProvidersPage *self, GVariant *provider)
{
  g_autoptr (GVariant) list = g_variant_lookup_value (provider, "domains", G_VARIANT_TYPE ("as"));
  g_autofree const char **domains = list != NULL ? g_variant_get_strv (list, NULL) : NULL;
  g_autofree char *joined = domains != NULL ? g_strjoinv (", ", (char **) domains) : NULL;
  GtkWidget *row = pr_row_new (pr_dict_string (provider, "name"), NULL);

  pr_row_set_subtitle (row, joined != NULL ? joined : "");
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 1);
  g_object_set_data_full (G_OBJECT (row), "id", g_strdup (pr_dict_string (provider, "id")), g_free);
  g_signal_connect_object (pr_row_add_arrow (row, _ ("Choose")), "clicked", G_CALLBACK (on_chosen),
                           self, 0);
  return row;
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrProvidersPage) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) providers = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  gsize n = providers != NULL ? g_variant_n_children (providers) : 0;
  gsize n_more = n > MAX_SHOWN ? n - MAX_SHOWN : 0;
  g_autofree char *more =
    g_strdup_printf (ngettext ("And %lu more: type a part of its name",
                               "And %lu more: type a part of the name", (gulong) n_more),
                     (gulong) n_more);

  if (answer == NULL)
    return;

  pr_rows_clear (self->found, self->rows);
  for (gsize i = 0; i < n - n_more; i++)
    {
      g_autoptr (GVariant) provider = g_variant_get_child_value (providers, i);

      pr_rows_add (self->found, self->rows, make_row (self, provider));
    }
  adw_preferences_group_set_description (
    self->found, n_more > 0 ? more
                 : n == 0   ? _ ("None of this name is known. Go back and add another route.")
                            : "");
}

static void
on_search (PrProvidersPage *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  pr_service_call (pr_settings_get_service (self->settings), "Configuration1", "ListProviders",
                   g_variant_new ("(s)", gtk_editable_get_text (self->search)), "(aa{sv})",
                   self->cancellable, on_found, g_object_ref (self));
}

/* ── Adding it ────────────────────────────────────────────────────────────────────────────── */

static void
on_added (GtkWidget *widget, const char *fault)
{
  PrProvidersPage *self = PR_PROVIDERS_PAGE (widget);

  gtk_label_set_label (self->fault, fault != NULL ? pr_change_trim_fault (fault, NULL, NULL) : "");
  gtk_widget_set_visible (GTK_WIDGET (self->fault), fault != NULL);
  if (fault == NULL)
    pr_settings_page_close (widget);
}

static void
add_option (GVariantBuilder *options, const char *key, GtkEditable *entry)
{
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (entry)));

  if (*text != '\0')
    g_variant_builder_add (options, "{sv}", key, g_variant_new_string (text));
}

static void
on_add (PrProvidersPage *self)
{
  GVariantBuilder options;

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "provider", g_variant_new_string (self->id));
  add_option (&options, "username", self->username);
  add_option (&options, "parameter", self->parameter);
  pr_change_call (
    GTK_WIDGET (self), pr_settings_get_service (self->settings), "AddRoute",
    g_variant_new ("(a{sv})", &options), "(asass)", pr_settings_get_text (self->settings),
    _ ("The provider is added; open it to sign in or to keep its password"), on_added);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_providers_page_dispose (GObject *object)
{
  g_cancellable_cancel (PR_PROVIDERS_PAGE (object)->cancellable);
  G_OBJECT_CLASS (pr_providers_page_parent_class)->dispose (object);
}

static void
pr_providers_page_finalize (GObject *object)
{
  PrProvidersPage *self = PR_PROVIDERS_PAGE (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->settings);
  g_ptr_array_unref (self->rows);
  g_free (self->id);
  G_OBJECT_CLASS (pr_providers_page_parent_class)->finalize (object);
}

static void
pr_providers_page_class_init (PrProvidersPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = pr_providers_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = pr_providers_page_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "providers-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, search_group);
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, found);
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, fields);
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, search);
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, username);
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, parameter);
  gtk_widget_class_bind_template_child (widget_class, PrProvidersPage, fault);
  gtk_widget_class_bind_template_callback (widget_class, on_search);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
  gtk_widget_class_bind_template_callback (widget_class, on_add);
}

static void
pr_providers_page_init (PrProvidersPage *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
pr_providers_page_new (PrSettings *settings)
{
  PrProvidersPage *self = g_object_new (PR_TYPE_PROVIDERS_PAGE, NULL);

  self->settings = g_object_ref (settings);
  on_search (self);
  return GTK_WIDGET (self);
}
