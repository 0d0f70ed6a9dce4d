/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setting-row.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "control/client.h"
#include "drop-down.h"
#include "setting-words.h"

#define PAUSE_MS 300 /* in typing, before it is looked at */

struct _PrSettingRow
{
  AdwPreferencesRow parent_instance;

  PrSettings *settings;      /* owned */
  char *group, *key;         /* owned */
  char *fallback;            /* owned: the key's default */
  GPtrArray *words;          /* owned, nullable: the values there are, of char */
  gboolean in_words;         /* values are shown in words of people */
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

static void
add_word (PrSettingRow *self, const char *value)
{
  GtkStringList *shown = GTK_STRING_LIST (gtk_drop_down_get_model (self->choice));
  const char *words =
    self->in_words ? pr_setting_words_get_value (self->group, self->key, value) : value;

  g_ptr_array_add (self->words, g_strdup (value));
  gtk_string_list_append (shown, words);
}

/* A value that is not among the words, as in a file with a fault, is one more of them. */
static guint
find_word (PrSettingRow *self, const char *value)
{
  guint i;

  if (g_ptr_array_find_with_equal_func (self->words, value, g_str_equal, &i))
    return i;

  add_word (self, value);
  return self->words->len - 1;
}

static gboolean
is_toggle (PrSettingRow *self)
{
  return self->words != NULL && self->words->len == 2 &&
         (g_str_equal (self->words->pdata[1], "true") ||
          g_str_equal (self->words->pdata[1], "yes"));
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
  else if (is_toggle (self))
    gtk_switch_set_active (self->toggle, g_str_equal (value, self->words->pdata[1]));
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
  /* Translators: %s is the name of a setting, such as "Largest Message" */
  g_autofree char *words = g_strdup_printf (
    _ ("%s is changed"), adw_preferences_row_get_title (ADW_PREFERENCES_ROW (self)));

  pr_change_one (GTK_WIDGET (self), pr_settings_get_service (self->settings), edit, words, on_done);
}

static void
put_password (PrSettingRow *self, const char *value)
{
  GVariantBuilder options;

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "must-exist", g_variant_new_boolean (TRUE));
  g_variant_builder_add (&options, "{sv}", "cram-md5",
                         g_variant_new_boolean (g_str_equal (self->key, "cram-md5")));
  pr_change_call (GTK_WIDGET (self), pr_settings_get_service (self->settings), "SetUser",
                  g_variant_new ("(ssa{sv})", pr_settings_get_name (self->group), value, &options),
                  "(asas)", pr_settings_get_text (self->settings), _ ("The password is changed"),
                  on_done);
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
  guint chosen;

  if (self->is_updating || self->words == NULL)
    return;

  chosen = is_toggle (self) ? (gtk_switch_get_active (self->toggle) ? 1 : 0)
                            : gtk_drop_down_get_selected (self->choice);
  if (chosen < self->words->len)
    put (self, self->words->pdata[chosen]);
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
  g_clear_pointer (&self->words, g_ptr_array_unref);
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

static void
take_words (PrSettingRow *self, const char *type)
{
  g_auto (GStrv) words = g_strsplit (type, " | ", -1);
  g_autoptr (GtkStringList) shown = gtk_string_list_new (NULL);

  self->words = g_ptr_array_new_with_free_func (g_free);
  self->is_updating = TRUE;
  gtk_drop_down_set_model (self->choice, G_LIST_MODEL (shown));
  pr_drop_down_let_shrink (self->choice);
  for (char **word = words; *word != NULL; word++)
    add_word (self, *word);
  self->is_updating = FALSE;
}

/* The control that suits the type is there, and named. */
static void
choose_control (PrSettingRow *self, const char *type, const char *title)
{
  GtkWidget *control = GTK_WIDGET (self->entry), *shown = GTK_WIDGET (self->text);

  if (strstr (type, " | ") != NULL)
    {
      take_words (self, type);
      control = shown = is_toggle (self) ? GTK_WIDGET (self->toggle) : GTK_WIDGET (self->choice);
    }
  gtk_entry_set_visibility (self->entry, !self->is_secret);
  gtk_widget_set_visible (shown, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (control), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  gtk_label_get_label (self->help), -1);
}

static GtkWidget *
make (PrSettings *settings, const char *group, GVariant *key, const char *title, gboolean in_words)
{
  PrSettingRow *self = g_object_new (PR_TYPE_SETTING_ROW, "title", title, NULL);
  const char *type = pr_dict_string (key, "type");

  self->settings = g_object_ref (settings);
  self->group = g_strdup (group);
  self->key = g_strdup (pr_dict_string (key, "key"));
  self->fallback = g_strdup (pr_dict_string (key, "default"));
  self->is_secret = g_str_equal (type, "secret");
  self->in_words = in_words;
  gtk_label_set_label (self->help, pr_setting_words_translate (pr_dict_string (key, "help")));
  choose_control (self, type, title);
  pr_setting_row_update (self);
  return GTK_WIDGET (self);
}

GtkWidget *
pr_setting_row_new (PrSettings *settings, const char *group, GVariant *key)
{
  return make (settings, group, key, pr_dict_string (key, "key"), FALSE);
}

GtkWidget *
pr_setting_row_new_in_words (PrSettings *settings, const char *group, const char *key)
{
  g_autoptr (GPtrArray) keys = pr_settings_get_keys (settings, group);

  for (guint i = 0; i < keys->len; i++)
    if (g_strcmp0 (pr_dict_string (keys->pdata[i], "key"), key) == 0)
      return make (settings, group, keys->pdata[i], pr_setting_words_get_title (group, key), TRUE);
  return NULL;
}
