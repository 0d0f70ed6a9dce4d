/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl user: who may sign in. */

#include <stdio.h>
#include <string.h>

#include "control/conf.h"
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

static GVariant *
make_options (gboolean must_exist)
{
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "cram-md5", "b", with_cram_md5);
  g_variant_dict_insert (&options, "must-exist", "b", must_exist);
  if (senders != NULL)
    g_variant_dict_insert (&options, "senders", "s", senders);
  return g_variant_dict_end (&options);
}

/* Else it was said, and *@status is the exit code. */
static gboolean
is_user (PrCtl *ctl, const char *name, int *status)
{
  g_autofree char *group = g_strconcat ("user ", name, NULL);
  g_autofree char *text = pr_ctl_read_config (ctl, status);
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (text == NULL)
    return FALSE;
  if (*text != '\0' &&
      g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, NULL) &&
      g_key_file_has_group (file, group))
    return TRUE;

  *status = pr_ctl_refuse ("There is no user %s.", name);
  return FALSE;
}

static int
change (PrCtl *ctl, const char *name, gboolean must_exist, const char *done)
{
  g_autoptr (GVariant) answer = NULL;
  char *password;
  int status = PR_EXIT_DONE;

  if (must_exist && !is_user (ctl, name, &status))
    return status;
  if ((password = pr_ctl_read_secret ("Password: ", TRUE)) == NULL)
    return PR_EXIT_REFUSED;
  if (!g_utf8_validate (password, -1, NULL))
    {
      pr_ctl_forget (password);
      return pr_ctl_refuse ("The password is not text in UTF-8.");
    }

  answer = pr_ctl_call (ctl, "Configuration1", "SetUser",
                        g_variant_new ("(ss@a{sv})", name, password, make_options (must_exist)),
                        "(asas)", &status);
  pr_ctl_forget (password);
  if (answer == NULL)
    return status;
  status = pr_ctl_report_config (answer);
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
  g_autoptr (GVariant) answer = NULL;
  int status = PR_EXIT_DONE;

  if (!is_user (ctl, args[0], &status))
    return status;

  answer =
    pr_ctl_call (ctl, "Configuration1", "Edit",
                 g_variant_new_parsed ("([('remove', %s, '', '')],)", group), "(asass)", &status);
  if (answer == NULL)
    return status;
  status = pr_ctl_report_config (answer);
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
