/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl user: who may sign in. */

#include "smtp/sasl.h"

#include <stdio.h>
#include <string.h>

#include "ctl/conf.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

#include <json-glib/json-glib.h>

static char *senders;
static gboolean with_cram_md5;

const GOptionEntry pr_user_options[] = {
  { "senders", 0, 0, G_OPTION_ARG_STRING, &senders,
    "The addresses this user may send from (*@example.org; default: any)", "PATTERNS" },
  { "cram-md5", 0, 0, G_OPTION_ARG_NONE, &with_cram_md5,
    "Allow CRAM-MD5 too; the password itself is then in the file, so give it no other use", NULL },
  G_OPTION_ENTRY_NULL,
};

/* Takes @text, gives it with the key set. */
static char *
set_key (char *text, const char *group, const char *key, const char *value)
{
  char *changed = pr_conf_set (text, group, key, value);

  pr_sasl_forget (text);
  return changed;
}

static gboolean
has_key (const char *text, const char *group, const char *key)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  return *text != '\0' && g_key_file_load_from_data (file, text, strlen (text), 0, NULL) &&
         g_key_file_has_key (file, group, key, NULL);
}

static gboolean
has_user (const char *text, const char *group)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  return *text != '\0' && g_key_file_load_from_data (file, text, strlen (text), 0, NULL) &&
         g_key_file_has_group (file, group);
}

/* All forms of the password that the user has or is to have: an old one must not stay good. NULL:
 * it was said why. */
static char *
set_password (const char *before, const char *group, const char *password)
{
  char *secret = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_256, password);
  char *other = pr_sasl_make_secret (PR_SASL_SCRAM_SHA_1, password);
  char *text = NULL;

  if (secret == NULL || other == NULL)
    {
      pr_ctl_refuse ("The password has characters in it that no password may have.");
    }
  else
    {
      text = pr_conf_set (before, group, "scram-sha-1", other);
      text = set_key (text, group, "secret", secret);
      if (with_cram_md5 || has_key (before, group, "cram-md5"))
        {
          char *escaped = pr_conf_escape (password);

          text = set_key (text, group, "cram-md5", escaped);
          pr_sasl_forget (escaped);
        }
    }
  g_free (secret);
  g_free (other);
  return text;
}

static int
change (PrCtl *ctl, const char *name, gboolean must_exist, const char *done)
{
  g_autofree char *group = g_strconcat ("user ", name, NULL);
  g_autofree char *before = NULL;
  char *password, *text;
  int status = PR_EXIT_DONE;

  if ((before = pr_ctl_read_config (ctl, &status)) == NULL)
    return status;
  if (must_exist && !has_user (before, group))
    return pr_ctl_refuse ("There is no user %s.", name);
  if ((password = pr_ctl_read_secret ("Password: ", TRUE)) == NULL)
    return PR_EXIT_REFUSED;

  text = g_utf8_validate (password, -1, NULL) ? set_password (before, group, password) : NULL;
  if (!g_utf8_validate (password, -1, NULL))
    pr_ctl_refuse ("The password is not text in UTF-8.");
  pr_ctl_forget (password);
  if (text == NULL)
    return PR_EXIT_REFUSED;

  if (senders != NULL)
    text = set_key (text, group, "senders", senders);
  status = pr_ctl_apply_config (ctl, text);
  pr_sasl_forget (text);
  if (status == PR_EXIT_DONE && !ctl->json)
    printf ("%s %s\n", name, done);
  return status;
}

int
pr_ctl_user_add (PrCtl *ctl, char **args)
{
  if (!pr_conf_is_name (args[0]))
    return pr_ctl_misused ("\"%s\" cannot be the name of a user.", args[0]);

  return change (ctl, args[0], FALSE,
                 "may sign in with this password. Give every device a user of its own: then one "
                 "can be removed without the others.");
}

int
pr_ctl_user_password (PrCtl *ctl, char **args)
{
  return change (ctl, args[0], TRUE,
                 "has a new password. Whoever was signed in with the old one is not any more.");
}

int
pr_ctl_user_remove (PrCtl *ctl, char **args)
{
  g_autofree char *group = g_strconcat ("user ", args[0], NULL);
  g_autofree char *before = NULL;
  g_autofree char *text = NULL;
  int status = PR_EXIT_DONE;

  if ((before = pr_ctl_read_config (ctl, &status)) == NULL)
    return status;
  text = pr_conf_remove (before, group);
  if (text == NULL)
    return pr_ctl_refuse ("There is no user %s.", args[0]);

  status = pr_ctl_apply_config (ctl, text);
  if (status == PR_EXIT_DONE && !ctl->json)
    printf ("%s may not sign in any more, and was signed out.\n", args[0]);
  return status;
}

static void
print_users (GKeyFile *file, char **groups)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_array (builder);
  for (; *groups != NULL; groups++)
    {
      g_autofree char *allowed = g_key_file_get_string (file, *groups, "senders", NULL);

      if (!g_str_has_prefix (*groups, "user "))
        continue;
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "name");
      json_builder_add_string_value (builder, *groups + 5);
      json_builder_set_member_name (builder, "senders");
      json_builder_add_string_value (builder, allowed != NULL ? allowed : "*");
      json_builder_set_member_name (builder, "cram-md5");
      json_builder_add_boolean_value (builder,
                                      g_key_file_has_key (file, *groups, "cram-md5", NULL));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  puts (text);
}

int
pr_ctl_user_list (PrCtl *ctl, char **args)
{
  static const PrColumn columns[] = { { "USER", FALSE, 0 },
                                      { "SENDERS", FALSE, 16 },
                                      { NULL, FALSE, 0 } };
  g_autoptr (PrTable) table = pr_table_new (&ctl->terminal, columns);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *lines = NULL;
  g_auto (GStrv) groups = NULL;
  int status = PR_EXIT_DONE;

  if ((text = pr_ctl_read_config (ctl, &status)) == NULL)
    return status;
  if (*text != '\0' && !g_key_file_load_from_data (file, text, strlen (text), 0, &error))
    return pr_ctl_refuse ("The configuration cannot be read: %s", error->message);

  groups = g_key_file_get_groups (file, NULL);
  if (ctl->json)
    {
      print_users (file, groups);
      return PR_EXIT_DONE;
    }
  for (guint i = 0; groups[i] != NULL; i++)
    {
      char *allowed = g_key_file_get_string (file, groups[i], "senders", NULL);

      if (g_str_has_prefix (groups[i], "user "))
        {
          pr_table_add (table, groups[i] + 5);
          pr_table_add (table, allowed != NULL ? allowed : "*");
        }
      g_free (allowed);
    }
  lines = pr_table_flush (table);
  fputs (*lines != '\0' ? lines : "There are no users.\n", stdout);
  return PR_EXIT_DONE;
}
