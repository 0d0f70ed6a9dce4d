/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "entry-row.h"

struct _PrEntryRow
{
  AdwPreferencesRow parent_instance;

  char *before; /* owned: the text that was set */

  GtkEntry *entry; /* template children */
  GtkButton *button;
};

G_DEFINE_FINAL_TYPE (PrEntryRow, pr_entry_row, ADW_TYPE_PREFERENCES_ROW)

typedef enum
{
  PROP_ACTION = 1,
  PROP_SECRET,
} PrEntryRowProperty;

static GParamSpec *props[PROP_SECRET + 1];
static guint apply_signal;

static void
on_typed (PrEntryRow *self)
{
  g_autofree char *text = pr_entry_row_get_text (self);

  gtk_widget_set_sensitive (GTK_WIDGET (self->button),
                            *text != '\0' && g_strcmp0 (text, self->before) != 0);
}

static void
on_apply (PrEntryRow *self)
{
  if (gtk_widget_get_sensitive (GTK_WIDGET (self->button)))
    g_signal_emit (self, apply_signal, 0);
}

static void
on_title (PrEntryRow *self)
{
  const char *title = adw_preferences_row_get_title (ADW_PREFERENCES_ROW (self));

  gtk_entry_set_placeholder_text (self->entry, title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  title, -1);
}

static void
pr_entry_row_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrEntryRow *self = PR_ENTRY_ROW (object);

  switch ((PrEntryRowProperty) id)
    {
    case PROP_ACTION: gtk_button_set_label (self->button, g_value_get_string (value)); break;
    case PROP_SECRET:
      gtk_entry_set_visibility (self->entry, !g_value_get_boolean (value));
      gtk_entry_set_input_purpose (self->entry, GTK_INPUT_PURPOSE_PASSWORD);
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_entry_row_finalize (GObject *object)
{
  g_free (PR_ENTRY_ROW (object)->before);
  G_OBJECT_CLASS (pr_entry_row_parent_class)->finalize (object);
}

static void
pr_entry_row_class_init (PrEntryRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->set_property = pr_entry_row_set_property;
  object_class->finalize = pr_entry_row_finalize;
  props[PROP_ACTION] =
    g_param_spec_string ("action", NULL, NULL, NULL, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_SECRET] =
    g_param_spec_boolean ("secret", NULL, NULL, FALSE, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
  apply_signal = g_signal_new ("apply", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "entry-row.ui");
  gtk_widget_class_bind_template_child (widget_class, PrEntryRow, entry);
  gtk_widget_class_bind_template_child (widget_class, PrEntryRow, button);
  gtk_widget_class_bind_template_callback (widget_class, on_typed);
  gtk_widget_class_bind_template_callback (widget_class, on_apply);
}

static void
pr_entry_row_init (PrEntryRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self, "notify::title", G_CALLBACK (on_title), self, 0);
}

GtkWidget *
pr_entry_row_new (const char *title, const char *action)
{
  return g_object_new (PR_TYPE_ENTRY_ROW, "title", title, "action", action, NULL);
}

char *
pr_entry_row_get_text (PrEntryRow *self)
{
  g_return_val_if_fail (PR_IS_ENTRY_ROW (self), NULL);

  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->entry))));
}

void
pr_entry_row_set_text (PrEntryRow *self, const char *text)
{
  g_return_if_fail (PR_IS_ENTRY_ROW (self));

  g_free (self->before);
  self->before = g_strdup (text);
  gtk_editable_set_text (GTK_EDITABLE (self->entry), text);
  on_typed (self);
}
