/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings.h"

#include <string.h>

#include "control/client.h"
#include "control/conf.h"

#define NAMED " NAME" /* how Describe ends the group of a kind with names */

struct _PrSettings
{
  GObject parent_instance;

  PrService *service;        /* owned, nullable */
  GVariant *keys;            /* owned, nullable */
  char *text;                /* owned */
  GKeyFile *file;            /* owned */
  GCancellable *cancellable; /* owned: of what is under way */
};

G_DEFINE_FINAL_TYPE (PrSettings, pr_settings, G_TYPE_OBJECT)

static guint changed_signal;

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSettings) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  const char *text;

  if (answer == NULL) /* the service went: it is asked again when it is back */
    return;

  g_variant_get_child (answer, 0, "&s", &text);
  pr_settings_take (self, self->keys, text);
}

static void
on_described (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSettings) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);

  if (answer == NULL)
    return;

  g_clear_pointer (&self->keys, g_variant_unref);
  self->keys = g_variant_get_child_value (answer, 0);
  pr_service_call (self->service, "Configuration1", "Read", NULL, "(ss)", self->cancellable,
                   on_read, g_object_ref (self));
}

static void
read_again (PrSettings *self)
{
  if (!pr_service_is_connected (self->service))
    return;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  pr_service_call (self->service, "Configuration1", "Describe", NULL, "(aa{sv})", self->cancellable,
                   on_described, g_object_ref (self));
}

void
pr_settings_take (PrSettings *self, GVariant *keys, const char *text)
{
  g_auto (GStrv) before = NULL;
  g_auto (GStrv) after = NULL;
  GVariant *taken = NULL;

  g_return_if_fail (PR_IS_SETTINGS (self));

  before = pr_settings_get_groups (self);
  taken = g_variant_ref_sink (keys);
  g_clear_pointer (&self->keys, g_variant_unref);
  self->keys = taken;
  g_free (self->text);
  self->text = g_strdup (text);
  g_key_file_free (self->file);
  self->file = g_key_file_new ();
  if (*text != '\0' &&
      !g_key_file_load_from_data (self->file, text, strlen (text), G_KEY_FILE_NONE, NULL))
    {
      g_key_file_free (self->file);
      self->file = g_key_file_new ();
    }

  after = pr_settings_get_groups (self);
  g_signal_emit (self, changed_signal, 0,
                 !g_strv_equal ((const char *const *) before, (const char *const *) after));
}

/* ── What it knows ────────────────────────────────────────────────────────────────────────── */

PrService *
pr_settings_get_service (PrSettings *self)
{
  g_return_val_if_fail (PR_IS_SETTINGS (self), NULL);

  return self->service;
}

const char *
pr_settings_get_text (PrSettings *self)
{
  g_return_val_if_fail (PR_IS_SETTINGS (self), NULL);

  return self->text;
}

const char *
pr_settings_get_name (const char *group)
{
  const char *space = strchr (group, ' ');

  return space != NULL ? space + 1 : NULL;
}

/* @described: "route NAME" stands for @group, "route office". */
static gboolean
stands_for (const char *described, const char *group)
{
  gsize len = strlen (described) - strlen (NAMED);

  if (!g_str_has_suffix (described, NAMED))
    return g_str_equal (described, group);

  return strncmp (described, group, len) == 0 && group[len] == ' ';
}

static void
add_groups (PrSettings *self, GStrvBuilder *groups, const char *described)
{
  g_auto (GStrv) in_file = NULL;

  if (!g_str_has_suffix (described, NAMED))
    {
      g_strv_builder_add (groups, described);
      return;
    }
  in_file = g_key_file_get_groups (self->file, NULL);
  for (char **group = in_file; *group != NULL; group++)
    if (stands_for (described, *group))
      g_strv_builder_add (groups, *group);
}

/* In the order of Describe: the groups there are, or the @kinds of those that have names. */
static char **
list (PrSettings *self, gboolean kinds)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *last = NULL;

  for (gsize i = 0; self->keys != NULL && i < g_variant_n_children (self->keys); i++)
    {
      g_autoptr (GVariant) key = g_variant_get_child_value (self->keys, i);
      const char *group = pr_dict_string (key, "group");

      if (group == NULL || g_strcmp0 (group, last) == 0)
        continue;
      last = group; /* lies in self->keys */
      if (!kinds)
        add_groups (self, builder, group);
      else if (g_str_has_suffix (group, NAMED))
        {
          g_autofree char *kind = g_strndup (group, strlen (group) - strlen (NAMED));

          g_strv_builder_add (builder, kind);
        }
    }
  return g_strv_builder_end (builder);
}

char **
pr_settings_get_groups (PrSettings *self)
{
  g_return_val_if_fail (PR_IS_SETTINGS (self), NULL);

  return list (self, FALSE);
}

char **
pr_settings_get_kinds (PrSettings *self)
{
  g_return_val_if_fail (PR_IS_SETTINGS (self), NULL);

  return list (self, TRUE);
}

GPtrArray *
pr_settings_get_keys (PrSettings *self, const char *group)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);

  g_return_val_if_fail (PR_IS_SETTINGS (self), keys);

  for (gsize i = 0; self->keys != NULL && i < g_variant_n_children (self->keys); i++)
    {
      GVariant *key = g_variant_get_child_value (self->keys, i);
      const char *described = pr_dict_string (key, "group");

      if (described != NULL && stands_for (described, group))
        g_ptr_array_add (keys, key);
      else
        g_variant_unref (key);
    }
  return keys;
}

char *
pr_settings_get_value (PrSettings *self, const char *group, const char *key, gboolean *is_set)
{
  g_autoptr (GPtrArray) keys = NULL;
  char *value;

  g_return_val_if_fail (PR_IS_SETTINGS (self), NULL);

  value = g_key_file_get_string (self->file, group, key, NULL);
  if (is_set != NULL)
    *is_set = value != NULL;
  if (value != NULL)
    return value;

  keys = pr_settings_get_keys (self, group);
  for (guint i = 0; i < keys->len; i++)
    if (g_strcmp0 (pr_dict_string (keys->pdata[i], "key"), key) == 0)
      return g_strdup (pr_dict_string (keys->pdata[i], "default"));
  return g_strdup ("");
}

char *
pr_settings_preview (PrSettings *self, const char *group, const char *key, const char *value)
{
  g_autofree char *escaped = NULL;

  g_return_val_if_fail (PR_IS_SETTINGS (self), NULL);

  if (value == NULL)
    return pr_conf_unset (self->text, group, key);

  escaped = pr_conf_escape (value);
  return pr_conf_set (self->text, group, key, escaped);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_settings_finalize (GObject *object)
{
  PrSettings *self = PR_SETTINGS (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->service);
  g_clear_pointer (&self->keys, g_variant_unref);
  g_key_file_free (self->file);
  g_free (self->text);
  G_OBJECT_CLASS (pr_settings_parent_class)->finalize (object);
}

static void
pr_settings_class_init (PrSettingsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = pr_settings_finalize;
  changed_signal = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

static void
pr_settings_init (PrSettings *self)
{
  self->text = g_strdup ("");
  self->file = g_key_file_new ();
}

PrSettings *
pr_settings_new (PrService *service)
{
  PrSettings *self = g_object_new (PR_TYPE_SETTINGS, NULL);

  if (service != NULL)
    {
      self->service = g_object_ref (service);
      g_signal_connect_object (service, "configuration-changed", G_CALLBACK (read_again), self,
                               G_CONNECT_SWAPPED);
      read_again (self);
    }
  return self;
}
