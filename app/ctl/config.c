/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl reload, config check, user, route password. */

#include "config/config.h"

#include <stdio.h>
#include <string.h>

#include "ctl/conf.h"
#include "ctl/ctl.h"
#include "ctl/scram.h"
#include "ctl/table.h"

#include <json-glib/json-glib.h>

static char *senders;
static gboolean forget;

const GOptionEntry pr_user_options[] = {
  { "senders", 0, 0, G_OPTION_ARG_STRING, &senders,
    "The addresses this user may send from (*@example.org; default: any)", "PATTERNS" },
  G_OPTION_ENTRY_NULL,
};

const GOptionEntry pr_password_options[] = {
  { "forget", 0, 0, G_OPTION_ARG_NONE, &forget, "Ask for none, and forget the one that is kept",
    NULL },
  G_OPTION_ENTRY_NULL,
};

/* ── In force ─────────────────────────────────────────────────────────────────────────────── */

static void
print_lines (char **lines)
{
  for (; *lines != NULL; lines++)
    fprintf (stderr, "%s\n", *lines);
}

/* @answer: (asas), what Apply and Reload say. */
static int
report (GVariant *answer)
{
  g_auto (GStrv) faults = NULL;
  g_auto (GStrv) warnings = NULL;

  g_variant_get (answer, "(^as^as)", &faults, &warnings);
  print_lines (faults);
  print_lines (warnings);
  if (faults[0] == NULL)
    return PR_EXIT_DONE;

  fputs ("The configuration was not taken; the one before stays in force.\n", stderr);
  return PR_EXIT_REFUSED;
}

int
pr_ctl_reload (PrCtl *ctl, char **args)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Configuration1", "Reload", NULL, "(asas)", &status);

  if (answer == NULL)
    return status;
  status = report (answer);
  if (status == PR_EXIT_DONE && !ctl->json)
    puts ("The configuration is in force.");
  return status;
}

static void
print_check (const char *path, GPtrArray *faults)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "file");
  json_builder_add_string_value (builder, path);
  json_builder_set_member_name (builder, "faults");
  json_builder_begin_array (builder);
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    json_builder_add_string_value (builder, faults->pdata[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  puts (text);
}

int
pr_ctl_config_check (PrCtl *ctl, char **args)
{
  const char *path = args[0] != NULL ? args[0] : ctl->home->config;
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = NULL;
  gboolean exists = g_file_test (path, G_FILE_TEST_EXISTS);

  if (!exists && args[0] != NULL)
    return pr_ctl_refuse ("There is no file %s.", path);

  config = pr_config_load (path, &faults);
  if (ctl->json)
    print_check (path, faults);
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    fprintf (stderr, "%s\n", (const char *) faults->pdata[i]);
  if (config == NULL)
    return PR_EXIT_REFUSED;

  if (!ctl->json && exists)
    printf ("%s has no fault.\n", path);
  else if (!ctl->json)
    printf ("There is no %s; Postroom takes the defaults.\n", path);
  return PR_EXIT_DONE;
}

/* ── Users ────────────────────────────────────────────────────────────────────────────────── */

/* The text of postroom.conf; NULL: it was printed why. */
static char *
read_text (PrCtl *ctl, int *status)
{
  g_autoptr (GVariant) answer = pr_ctl_call (ctl, "Configuration1", "Read", NULL, "(ss)", status);
  char *text = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(ss)", &text, NULL);
  return text;
}

static int
apply (PrCtl *ctl, const char *text)
{
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer =
    pr_ctl_call (ctl, "Configuration1", "Apply", g_variant_new ("(s)", text), "(asas)", &status);

  return answer != NULL ? report (answer) : status;
}

static char *
make_secret (void)
{
  char *password = pr_ctl_read_secret ("Password: ", TRUE);
  guint8 salt[PR_SCRAM_SALT_OCTETS];
  char *secret = NULL;

  if (password == NULL)
    return NULL;
  if (!g_utf8_validate (password, -1, NULL))
    pr_ctl_refuse ("The password is not text in UTF-8.");
  else if (!pr_scram_make_salt (salt))
    pr_ctl_refuse ("This system has no random numbers to make a secret with.");
  else
    secret = pr_scram_make_secret (password, salt, PR_SCRAM_ITERATIONS);
  pr_ctl_forget (password);

  return secret;
}

int
pr_ctl_user_add (PrCtl *ctl, char **args)
{
  g_autofree char *group = g_strconcat ("user ", args[0], NULL);
  g_autofree char *before = NULL;
  g_autofree char *text = NULL;
  g_autofree char *secret = NULL;
  int status = PR_EXIT_DONE;

  if (!pr_conf_is_name (args[0]))
    return pr_ctl_misused ("\"%s\" cannot be the name of a user.", args[0]);
  if ((before = read_text (ctl, &status)) == NULL)
    return status;
  if ((secret = make_secret ()) == NULL)
    return PR_EXIT_REFUSED;

  text = pr_conf_set (before, group, "secret", secret);
  if (senders != NULL)
    {
      char *without = text;

      text = pr_conf_set (without, group, "senders", senders);
      g_free (without);
    }
  status = apply (ctl, text);
  if (status == PR_EXIT_DONE && !ctl->json)
    printf ("%s may sign in with this password.\n", args[0]);
  return status;
}

int
pr_ctl_user_remove (PrCtl *ctl, char **args)
{
  g_autofree char *group = g_strconcat ("user ", args[0], NULL);
  g_autofree char *before = NULL;
  g_autofree char *text = NULL;
  int status = PR_EXIT_DONE;

  if ((before = read_text (ctl, &status)) == NULL)
    return status;
  text = pr_conf_remove (before, group);
  if (text == NULL)
    return pr_ctl_refuse ("There is no user %s.", args[0]);

  status = apply (ctl, text);
  if (status == PR_EXIT_DONE && !ctl->json)
    printf ("%s may not sign in any more.\n", args[0]);
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

  if ((text = read_text (ctl, &status)) == NULL)
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

/* ── Routes ───────────────────────────────────────────────────────────────────────────────── */

int
pr_ctl_route_password (PrCtl *ctl, char **args)
{
  char *password = forget ? g_strdup ("") : pr_ctl_read_secret ("Password: ", TRUE);
  int status = PR_EXIT_DONE;
  g_autoptr (GVariant) answer = NULL;

  if (password == NULL)
    return PR_EXIT_REFUSED;

  answer = pr_ctl_call (ctl, "Configuration1", "SetRoutePassword",
                        g_variant_new ("(ss)", args[0], password), "()", &status);
  pr_ctl_forget (password);
  if (answer != NULL && !ctl->json)
    puts (forget ? "The password is forgotten." : "The password is kept.");
  return status;
}
