/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setting-row.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "control/client.h"

#define PAUSE_MS 300 /* in typing, before it is looked at */

struct _PrSettingRow
{
  AdwPreferencesRow parent_instance;

  PrSettings *settings;      /* owned */
  char *group, *key;         /* owned */
  char *fallback;            /* owned: the key's default */
  char **words;              /* owned, nullable: the values there are */
  gboolean is_secret;        /* of a user */
  gboolean is_updating;      /* what changes is not a person's doing */
  guint pause_source;        /* until what was typed is looked at */
  GCancellable *cancellable; /* owned, nullable: of the look at it */

  GtkLabel *help, *fault; /* template children */
  GtkSwitch *toggle;
  GtkDropDown *choice;
  GtkButton *reset, *apply;
  GtkBox *text;
  GtkEntry *entry;
};

G_DEFINE_FINAL_TYPE (PrSettingRow, pr_setting_row, ADW_TYPE_PREFERENCES_ROW)

/* ── What it shows ────────────────────────────────────────────────────────────────────────── */

static void
show_fault (PrSettingRow *self, const char *fault)
{
  GtkAccessible *entry = GTK_ACCESSIBLE (self->entry);
  const char *words = fault != NULL ? pr_change_trim_fault (fault, self->group, self->key) : "";

  gtk_label_set_label (self->fault, words);
  gtk_widget_set_visible (GTK_WIDGET (self->fault), fault != NULL);
  gtk_accessible_update_state (
    entry, GTK_ACCESSIBLE_STATE_INVALID,
    fault != NULL ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  if (fault != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (self->entry), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->entry), "error");
}

/* A value that is not among the words, as in a file with a fault, is one more of them. */
static guint
find_word (PrSettingRow *self, const char *value)
{
  GtkStringList *words = GTK_STRING_LIST (gtk_drop_down_get_model (self->choice));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (words));

  for (guint i = 0; i < n; i++)
    if (g_str_equal (gtk_string_list_get_string (words, i), value))
      return i;

  gtk_string_list_append (words, value);
  return n;
}

static gboolean
is_toggle (char **words)
{
  static const char *const booleans[] = { "false", "true", NULL };
  static const char *const answers[] = { "no", "yes", NULL };

  return g_strv_equal ((const char *const *) words, booleans) ||
         g_strv_equal ((const char *const *) words, answers);
}

static gboolean
is_being_typed (PrSettingRow *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self->apply));
}

void
pr_setting_row_update (PrSettingRow *self)
{
  g_autofree char *value = NULL;
  gboolean is_set;

  g_return_if_fail (PR_IS_SETTING_ROW (self));

  value = pr_settings_get_value (self->settings, self->group, self->key, &is_set);
  self->is_updating = TRUE;
  gtk_widget_set_visible (GTK_WIDGET (self->reset), is_set && !self->is_secret);
  if (self->is_secret)
    gtk_entry_set_placeholder_text (self->entry, is_set ? _ ("Set; type a new password to change")
                                                        : _ ("Not set; type a new password"));
  else if (self->words == NULL && !is_being_typed (self))
    gtk_editable_set_text (GTK_EDITABLE (self->entry), value);
  else if (self->words != NULL && is_toggle (self->words))
    gtk_switch_set_active (self->toggle, g_str_equal (value, self->words[1]));
  else if (self->words != NULL)
    gtk_drop_down_set_selected (self->choice, find_word (self, value));
  self->is_updating = FALSE;
}

/* ── Putting it in force ──────────────────────────────────────────────────────────────────── */

static void
on_done (GtkWidget *widget, const char *fault)
{
  PrSettingRow *self = PR_SETTING_ROW (widget);

  if (fault == NULL)
    gtk_widget_set_visible (GTK_WIDGET (self->apply), FALSE);
  if (fault == NULL && self->is_secret)
    {
      self->is_updating = TRUE;
      gtk_editable_set_text (GTK_EDITABLE (self->entry), "");
      self->is_updating = FALSE;
    }
  show_fault (self, fault);
  pr_setting_row_update (self);
}

/* @value: NULL: the default. */
static void
put (PrSettingRow *self, const char *value)
{
  const char *edit[4] = { value != NULL ? "set" : "unset", self->group, self->key,
                          value != NULL ? value : "" };
  /* Translators: %s is the name of a setting, such as max-message-size */
  g_autofree char *words = g_strdup_printf (_ ("%s is changed"), self->key);

  pr_change_one (GTK_WIDGET (self), pr_settings_get_service (self->settings), edit, words, on_done);
}

typedef struct
{
  GWeakRef row;
  char *before; /* owned */
} Password;

static void
on_password_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Password *password = user_data;
  g_autoptr (PrSettingRow) self = g_weak_ref_get (&password->row);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autofree const char **faults = NULL;

  if (answer != NULL)
    g_variant_get_child (answer, 0, "^a&s", &faults);
  if (self != NULL && answer == NULL)
    on_done (GTK_WIDGET (self), error->message);
  else if (self != NULL && faults[0] != NULL)
    on_done (GTK_WIDGET (self), faults[0]);
  else if (self != NULL)
    {
      on_done (GTK_WIDGET (self), NULL);
      pr_change_offer_undo (GTK_WIDGET (self), PR_SERVICE (source), _ ("The password is changed"),
                            password->before);
    }
  g_weak_ref_clear (&password->row);
  g_free (password->before);
  g_free (password);
}

static void
put_password (PrSettingRow *self, const char *value)
{
  Password *password = g_new0 (Password, 1);
  GVariantBuilder options;

  g_weak_ref_init (&password->row, self);
  password->before = g_strdup (pr_settings_get_text (self->settings));
  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "must-exist", g_variant_new_boolean (TRUE));
  g_variant_builder_add (&options, "{sv}", "cram-md5",
                         g_variant_new_boolean (g_str_equal (self->key, "cram-md5")));
  pr_service_call (pr_settings_get_service (self->settings), "Configuration1", "SetUser",
                   g_variant_new ("(ssa{sv})", pr_settings_get_name (self->group), value, &options),
                   "(asas)", NULL, on_password_set, password);
}

static void
on_apply (PrSettingRow *self)
{
  const char *value = gtk_editable_get_text (GTK_EDITABLE (self->entry));

  if (!is_being_typed (self))
    return;

  g_clear_handle_id (&self->pause_source, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  if (self->is_secret)
    put_password (self, value);
  else /* no text is the default where that is none, and nothing where it is something */
    put (self, *value == '\0' && *self->fallback == '\0' ? NULL : value);
}

static void
on_reset (PrSettingRow *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->apply), FALSE);
  put (self, NULL);
}

static void
on_chosen (PrSettingRow *self)
{
  GtkStringObject *chosen;

  if (self->is_updating || self->words == NULL)
    return;

  if (is_toggle (self->words))
    {
      put (self, self->words[gtk_switch_get_active (self->toggle) ? 1 : 0]);
      return;
    }
  chosen = gtk_drop_down_get_selected_item (self->choice);
  if (chosen != NULL)
    put (self, gtk_string_object_get_string (chosen));
}

/* ── While one types ──────────────────────────────────────────────────────────────────────── */

static void
on_validated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSettingRow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autofree const char **faults = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  if (answer == NULL)
    {
      show_fault (self, error->message);
      return;
    }
  g_variant_get_child (answer, 0, "^a&s", &faults);
  show_fault (self, faults[0]);
  gtk_widget_set_sensitive (GTK_WIDGET (self->apply), faults[0] == NULL);
}

static gboolean
on_pause (gpointer user_data)
{
  PrSettingRow *self = user_data;
  const char *value = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  g_autofree char *text = pr_settings_preview (self->settings, self->group, self->key, value);

  self->pause_source = 0;
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  pr_service_call (pr_settings_get_service (self->settings), "Configuration1", "Validate",
                   g_variant_new ("(s)", text), "(as)", self->cancellable, on_validated,
                   g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
on_typed (PrSettingRow *self)
{
  const char *typed = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  g_autofree char *value = NULL;

  if (self->is_updating)
    return;

  value = self->is_secret ? g_strdup ("")
                          : pr_settings_get_value (self->settings, self->group, self->key, NULL);
  g_clear_handle_id (&self->pause_source, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  show_fault (self, NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->apply), TRUE);
  gtk_widget_set_visible (GTK_WIDGET (self->apply), !g_str_equal (typed, value));
  if (!self->is_secret)
    self->pause_source = g_timeout_add (PAUSE_MS, on_pause, self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_setting_row_dispose (GObject *object)
{
  PrSettingRow *self = PR_SETTING_ROW (object);

  g_clear_handle_id (&self->pause_source, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (pr_setting_row_parent_class)->dispose (object);
}

static void
pr_setting_row_finalize (GObject *object)
{
  PrSettingRow *self = PR_SETTING_ROW (object);

  g_free (self->group);
  g_free (self->key);
  g_free (self->fallback);
  g_strfreev (self->words);
  G_OBJECT_CLASS (pr_setting_row_parent_class)->finalize (object);
}

static void
pr_setting_row_class_init (PrSettingRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = pr_setting_row_dispose;
  G_OBJECT_CLASS (klass)->finalize = pr_setting_row_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "setting-row.ui");
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, help);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, fault);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, toggle);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, choice);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, reset);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, apply);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, text);
  gtk_widget_class_bind_template_child (widget_class, PrSettingRow, entry);
  gtk_widget_class_bind_template_callback (widget_class, on_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_reset);
  gtk_widget_class_bind_template_callback (widget_class, on_typed);
  gtk_widget_class_bind_template_callback (widget_class, on_apply);
}

static void
pr_setting_row_init (PrSettingRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* The control that suits the type is there, and named. */
static void
choose_control (PrSettingRow *self, const char *type)
{
  GtkWidget *control = GTK_WIDGET (self->entry), *shown = GTK_WIDGET (self->text);

  if (strstr (type, " | ") != NULL)
    {
      self->words = g_strsplit (type, " | ", -1);
      control = shown =
        is_toggle (self->words) ? GTK_WIDGET (self->toggle) : GTK_WIDGET (self->choice);
    }
  if (control == GTK_WIDGET (self->choice))
    {
      g_autoptr (GtkStringList) words = gtk_string_list_new ((const char *const *) self->words);

      self->is_updating = TRUE;
      gtk_drop_down_set_model (self->choice, G_LIST_MODEL (words));
      self->is_updating = FALSE;
    }
  gtk_entry_set_visibility (self->entry, !self->is_secret);
  gtk_widget_set_visible (shown, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (control), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  self->key, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  gtk_label_get_label (self->help), -1);
}

GtkWidget *
pr_setting_row_new (PrSettings *settings, const char *group, GVariant *key)
{
  PrSettingRow *self =
    g_object_new (PR_TYPE_SETTING_ROW, "title", pr_dict_string (key, "key"), NULL);
  const char *type = pr_dict_string (key, "type");

  self->settings = g_object_ref (settings);
  self->group = g_strdup (group);
  self->key = g_strdup (pr_dict_string (key, "key"));
  self->fallback = g_strdup (pr_dict_string (key, "default"));
  self->is_secret = g_str_equal (type, "secret");
  gtk_label_set_label (self->help, pr_dict_string (key, "help"));
  choose_control (self, type);
  pr_setting_row_update (self);
  return GTK_WIDGET (self);
}
