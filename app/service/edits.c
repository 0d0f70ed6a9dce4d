/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/edits.h"

#include "common/error.h"
#include "config/config.h"
#include "control/conf.h"
#include "smtp/sasl.h"

#include <string.h>

/* ── One edit after the other ─────────────────────────────────────────────────────────────── */

typedef struct
{
  const char *verb, *group, *key, *value; /* borrowed */
} Edit;

/* A key or a value that ends its line would begin another one. */
static gboolean
is_line (const char *text)
{
  return strpbrk (text, "\r\n") == NULL;
}

static char *
move_group (const char *text, const Edit *edit, GError **error)
{
  char *moved = pr_conf_move (text, edit->group, *edit->value != '\0' ? edit->value : NULL);

  if (moved == NULL)
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "There is no group [%s] or no group [%s]",
                 edit->group, edit->value);
  return moved;
}

static char *
rename_group (const char *text, const Edit *edit, GError **error)
{
  char *renamed =
    pr_conf_is_name (edit->value) ? pr_conf_rename (text, edit->group, edit->value) : NULL;

  if (renamed == NULL)
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "[%s] cannot be called [%s]", edit->group,
                 edit->value);
  return renamed;
}

static char *
remove_group (const char *text, const Edit *edit, GError **error)
{
  char *removed = pr_conf_remove (text, edit->group);

  if (removed == NULL)
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "There is no group [%s]", edit->group);
  return removed;
}

static char *
set_key (const char *text, const Edit *edit, GError **error)
{
  g_autofree char *escaped = pr_conf_escape (edit->value);

  if (*edit->key == '\0' || strpbrk (edit->key, "=[]#") != NULL)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "\"%s\" is no key", edit->key);
      return NULL;
    }
  return pr_conf_set (text, edit->group, edit->key, escaped);
}

static char *
unset_key (const char *text, const Edit *edit, GError **error)
{
  return pr_conf_unset (text, edit->group, edit->key);
}

/* What @key of @group says, or its default where the file is silent. (transfer full) */
static char *
get_value (const char *text, const char *group, const char *key)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  char *value = NULL;

  if (*text != '\0' && g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, NULL))
    value = g_key_file_get_string (file, group, key, NULL);
  for (const PrConfigKey *k = pr_config_get_keys (); value == NULL && k->group != NULL; k++)
    if (g_str_equal (k->group, group) && g_str_equal (k->key, key))
      value = g_strdup (k->default_text);

  return value != NULL ? value : g_strdup ("");
}

/* The list without @item, and with it at its end when @with. */
static char *
change_list (const char *text, const Edit *edit, gboolean with, GError **error)
{
  g_autofree char *value = get_value (text, edit->group, edit->key);
  g_auto (GStrv) items = g_strsplit (value, ";", -1);
  g_autoptr (GString) list = g_string_new (NULL);

  for (char **item = items; *item != NULL; item++)
    if (*g_strstrip (*item) != '\0' && !g_str_equal (*item, edit->value))
      g_string_append_printf (list, "%s%s", list->len > 0 ? ";" : "", *item);
  if (with)
    g_string_append_printf (list, "%s%s", list->len > 0 ? ";" : "", edit->value);

  return set_key (text, &(Edit){ .group = edit->group, .key = edit->key, .value = list->str },
                  error);
}

static char *
add_item (const char *text, const Edit *edit, GError **error)
{
  return change_list (text, edit, TRUE, error);
}

static char *
take_item (const char *text, const Edit *edit, GError **error)
{
  return change_list (text, edit, FALSE, error);
}

static char *
apply (const char *text, const Edit *edit, GError **error)
{
  static const struct
  {
    const char *verb;
    char *(*func) (const char *text, const Edit *edit, GError **error);
  } verbs[] = { { "set", set_key },    { "unset", unset_key },     { "add", add_item },
                { "take", take_item }, { "remove", remove_group }, { "rename", rename_group },
                { "move", move_group } };

  if (!pr_conf_is_name (edit->group) || !is_line (edit->key) || !is_line (edit->value))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "[%s] %s cannot be written in one line",
                   edit->group, edit->key);
      return NULL;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].verb, edit->verb))
      return verbs[i].func (text, edit, error);

  g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "There is no edit \"%s\"", edit->verb);
  return NULL;
}

char *
pr_edits_apply (const char *text, GVariant *edits, GError **error)
{
  char *edited = g_strdup (text);
  GVariantIter iter;
  Edit edit;

  g_variant_iter_init (&iter, edits);
  while (edited != NULL &&
         g_variant_iter_next (&iter, "(&s&s&s&s)", &edit.verb, &edit.group, &edit.key, &edit.value))
    {
      char *next = apply (edited, &edit, error);

      pr_sasl_forget (edited); /* the file holds secrets of users */
      edited = next;
    }
  return edited;
}

/* ── Users ────────────────────────────────────────────────────────────────────────────────── */

/* Takes @text, gives it with the key set. */
static char *
put (char *text, const char *group, const char *key, const char *value)
{
  char *changed = pr_conf_set (text, group, key, value);

  pr_sasl_forget (text);
  return changed;
}

static gboolean
has (const char *text, const char *group, const char *key)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  return *text != '\0' &&
         g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, NULL) &&
         (key != NULL ? g_key_file_has_key (file, group, key, NULL)
                      : g_key_file_has_group (file, group));
}

/* All forms of the password that the user has or is to have: an old one must not stay good. Takes
 * @text. */
static char *
put_password (char *text, const char *group, const char *password, gboolean with_cram_md5,
              GError **error)
{
  char *secret = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_256, password);
  char *other = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_1, password);

  if (secret == NULL || other == NULL)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_CONFIG,
                           "The password has characters in it that no password may have");
      pr_sasl_clear_secret (&text);
    }
  else
    {
      text = put (text, group, "scram-sha-1", other);
      text = put (text, group, "secret", secret);
      if (with_cram_md5 || has (text, group, "cram-md5"))
        {
          char *escaped = pr_conf_escape (password);

          text = put (text, group, "cram-md5", escaped);
          pr_sasl_forget (escaped);
        }
    }
  g_free (secret);
  g_free (other);
  return text;
}

char *
pr_edits_set_user (const char *text, const char *name, const char *password, GVariant *options,
                   GError **error)
{
  g_autofree char *group = g_strconcat ("user ", name, NULL);
  gboolean with_cram_md5 = FALSE, must_exist = FALSE, exists = has (text, group, NULL);
  const char *senders = NULL;
  char *edited;

  g_variant_lookup (options, "cram-md5", "b", &with_cram_md5);
  g_variant_lookup (options, "must-exist", "b", &must_exist);
  g_variant_lookup (options, "senders", "&s", &senders);
  if (!pr_conf_is_name (name) || (senders != NULL && !is_line (senders)))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "\"%s\" cannot be a user", name);
      return NULL;
    }
  if (!exists && (must_exist || *password == '\0'))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "There is no user %s", name);
      return NULL;
    }

  edited = g_strdup (text);
  if (*password != '\0')
    edited = put_password (edited, group, password, with_cram_md5, error);
  if (edited != NULL && senders != NULL)
    edited = put (edited, group, "senders", senders);
  return edited;
}
