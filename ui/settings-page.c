/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings-page.h"

#include <glib/gi18n.h>

typedef struct
{
  PrSettings *settings; /* owned */
} PrSettingsPagePrivate;

G_DEFINE_TYPE_WITH_PRIVATE (PrSettingsPage, pr_settings_page, ADW_TYPE_PREFERENCES_PAGE)

typedef enum
{
  PROP_SETTINGS = 1,
} PrSettingsPageProperty;

static GParamSpec *props[PROP_SETTINGS + 1];

static void
on_changed (PrSettingsPage *self)
{
  PrSettingsPageClass *klass = PR_SETTINGS_PAGE_GET_CLASS (self);

  if (klass->update != NULL)
    klass->update (self);
}

static void
on_status (PrSettingsPage *self)
{
  PrSettingsPageClass *klass = PR_SETTINGS_PAGE_GET_CLASS (self);
  GVariant *status = pr_service_get_status (pr_settings_page_get_service (self));

  if (klass->update_status != NULL && status != NULL)
    klass->update_status (self, status);
}

static void
pr_settings_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrSettingsPageProperty) id)
    {
    case PROP_SETTINGS:
      g_value_set_object (value, pr_settings_page_get_settings (PR_SETTINGS_PAGE (object)));
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_settings_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrSettingsPagePrivate *priv = pr_settings_page_get_instance_private (PR_SETTINGS_PAGE (object));

  switch ((PrSettingsPageProperty) id)
    {
    case PROP_SETTINGS: priv->settings = g_value_dup_object (value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_settings_page_constructed (GObject *object)
{
  PrSettingsPage *self = PR_SETTINGS_PAGE (object);

  G_OBJECT_CLASS (pr_settings_page_parent_class)->constructed (object);
  g_signal_connect_object (pr_settings_page_get_settings (self), "changed", G_CALLBACK (on_changed),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (pr_settings_page_get_service (self), "notify::status",
                           G_CALLBACK (on_status), self, G_CONNECT_SWAPPED);
  on_changed (self);
  on_status (self);
}

static void
pr_settings_page_finalize (GObject *object)
{
  PrSettingsPagePrivate *priv = pr_settings_page_get_instance_private (PR_SETTINGS_PAGE (object));

  g_clear_object (&priv->settings);
  G_OBJECT_CLASS (pr_settings_page_parent_class)->finalize (object);
}

static void
pr_settings_page_class_init (PrSettingsPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = pr_settings_page_get_property;
  object_class->set_property = pr_settings_page_set_property;
  object_class->constructed = pr_settings_page_constructed;
  object_class->finalize = pr_settings_page_finalize;
  props[PROP_SETTINGS] =
    g_param_spec_object ("settings", NULL, NULL, PR_TYPE_SETTINGS,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_settings_page_init (PrSettingsPage *self)
{
}

PrSettings *
pr_settings_page_get_settings (PrSettingsPage *self)
{
  PrSettingsPagePrivate *priv = pr_settings_page_get_instance_private (self);

  return priv->settings;
}

PrService *
pr_settings_page_get_service (PrSettingsPage *self)
{
  return pr_settings_get_service (pr_settings_page_get_settings (self));
}

/* ── Pages within pages ───────────────────────────────────────────────────────────────────── */

static AdwPreferencesWindow *
get_window (GtkWidget *widget)
{
  GtkWidget *window = gtk_widget_get_ancestor (widget, ADW_TYPE_PREFERENCES_WINDOW);

  return window != NULL ? ADW_PREFERENCES_WINDOW (window) : NULL;
}

void
pr_settings_page_close (GtkWidget *widget)
{
  AdwPreferencesWindow *window = get_window (widget);

  if (window != NULL)
    adw_preferences_window_close_subpage (window);
}

void
pr_settings_page_open (GtkWidget *widget, const char *title, GtkWidget *page)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *header = adw_header_bar_new ();
  GtkWidget *back = gtk_button_new_from_icon_name ("go-previous-symbolic");

  gtk_widget_set_tooltip_text (back, _ ("Back"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (back), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  /* Translators: to the page before */
                                  _ ("Back"), -1);
  g_signal_connect_object (back, "clicked", G_CALLBACK (pr_settings_page_close), box,
                           G_CONNECT_SWAPPED);
  adw_header_bar_pack_start (ADW_HEADER_BAR (header), back);
  adw_header_bar_set_title_widget (ADW_HEADER_BAR (header), adw_window_title_new (title, ""));
  gtk_box_append (GTK_BOX (box), header);
  gtk_widget_set_vexpand (page, TRUE);
  gtk_box_append (GTK_BOX (box), page);
  adw_preferences_window_present_subpage (get_window (widget), box);
}
