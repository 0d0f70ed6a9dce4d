/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "setting-group.h"

#include "setting-row.h"

struct _PrSettingGroup
{
  AdwPreferencesGroup parent_instance;

  PrSettings *settings; /* owned, nullable */
  char *group, *keys;   /* owned, nullable */
  GPtrArray *rows;      /* owned, of PrSettingRow, borrowed from the group */
};

G_DEFINE_FINAL_TYPE (PrSettingGroup, pr_setting_group, ADW_TYPE_PREFERENCES_GROUP)

typedef enum
{
  PROP_SETTINGS = 1,
  PROP_GROUP,
  PROP_KEYS,
} PrSettingGroupProperty;

static GParamSpec *props[PROP_KEYS + 1];

static void
build (PrSettingGroup *self)
{
  g_auto (GStrv) keys = g_strsplit (self->keys, " ", -1);

  for (char **key = keys; *key != NULL; key++)
    {
      GtkWidget *row = pr_setting_row_new_in_words (self->settings, self->group, *key);

      if (row == NULL) /* not known yet, or not at all: of an older service */
        continue;
      adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), row);
      g_ptr_array_add (self->rows, row);
    }
}

static void
update (PrSettingGroup *self)
{
  if (self->settings == NULL || self->group == NULL || self->keys == NULL)
    return;

  if (self->rows->len == 0)
    build (self);
  else
    for (guint i = 0; i < self->rows->len; i++)
      pr_setting_row_update (self->rows->pdata[i]);
}

static void
pr_setting_group_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrSettingGroup *self = PR_SETTING_GROUP (object);

  switch ((PrSettingGroupProperty) id)
    {
    case PROP_SETTINGS:
      if (self->settings != NULL || g_value_get_object (value) == NULL)
        return;
      self->settings = g_value_dup_object (value);
      g_signal_connect_object (self->settings, "changed", G_CALLBACK (update), self,
                               G_CONNECT_SWAPPED);
      break;
    case PROP_GROUP:
      g_free (self->group);
      self->group = g_value_dup_string (value);
      break;
    case PROP_KEYS:
      g_free (self->keys);
      self->keys = g_value_dup_string (value);
      break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
  update (self);
}

static void
pr_setting_group_finalize (GObject *object)
{
  PrSettingGroup *self = PR_SETTING_GROUP (object);

  g_ptr_array_unref (self->rows);
  g_clear_object (&self->settings);
  g_free (self->group);
  g_free (self->keys);
  G_OBJECT_CLASS (pr_setting_group_parent_class)->finalize (object);
}

static void
pr_setting_group_class_init (PrSettingGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = pr_setting_group_set_property;
  object_class->finalize = pr_setting_group_finalize;
  props[PROP_SETTINGS] = g_param_spec_object ("settings", NULL, NULL, PR_TYPE_SETTINGS, flags);
  props[PROP_GROUP] = g_param_spec_string ("group", NULL, NULL, NULL, flags);
  props[PROP_KEYS] = g_param_spec_string ("keys", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_setting_group_init (PrSettingGroup *self)
{
  self->rows = g_ptr_array_new ();
}

GtkWidget *
pr_setting_group_new (PrSettings *settings, const char *title, const char *group, const char *keys)
{
  return g_object_new (PR_TYPE_SETTING_GROUP, "title", title, "group", group, "keys", keys,
                       "settings", settings, NULL);
}
