/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

/**
 * PrSettings: postroom.conf as the settings window shows it: every key that the service describes,
 * in every group there is. Reads anew whenever another configuration is in force. Changes nothing:
 * see change.h. Main thread only.
 *
 * Signals: `changed` (boolean: other groups than before): what the getters tell is another.
 */
#define PR_TYPE_SETTINGS (pr_settings_get_type ())
G_DECLARE_FINAL_TYPE (PrSettings, pr_settings, PR, SETTINGS, GObject)

/* @service: (nullable): without one it knows what pr_settings_take () says. */
PrSettings *pr_settings_new (PrService *service);
/* @keys: aa{sv} as of Configuration1.Describe (taken when floating); @text: as of Read. A text that
 * is no key file counts as empty: the service says what is wrong with it. */
void pr_settings_take (PrSettings *self, GVariant *keys, const char *text);

/* (nullable) (transfer none) */
PrService *pr_settings_get_service (PrSettings *self);
/* Every group: those of which there is one always, those with names as in the file, each kind
 * where the service describes it. (transfer full) */
char **pr_settings_get_groups (PrSettings *self);
/* The kinds of groups that have names, in order: "listener". (transfer full) */
char **pr_settings_get_kinds (PrSettings *self);
/* What Describe tells of the keys of @group, "route office". (transfer container): of GVariant */
GPtrArray *pr_settings_get_keys (PrSettings *self, const char *group);
/* What the file says, else the default. @is_set: (out) (optional): the file says it. (transfer
 * full) */
char *pr_settings_get_value (PrSettings *self, const char *group, const char *key,
                             gboolean *is_set);
/* The text of the whole file. (transfer none) */
const char *pr_settings_get_text (PrSettings *self);
/* The file with @value for @key, for Configuration1.Validate; NULL: the key's default. (transfer
 * full) */
char *pr_settings_preview (PrSettings *self, const char *group, const char *key, const char *value);
/* The word between the kind and the end of @group: its own name, NULL when it has none. */
const char *pr_settings_get_name (const char *group);

G_END_DECLS
