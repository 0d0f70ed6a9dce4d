/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl reload, config check, route password; and what changes the configuration. */

#include "config/config.h"

#include <stdio.h>
#include <string.h>

#include "control/conf.h"
#include "ctl/ctl.h"

#include <json-glib/json-glib.h>

static gboolean forget;

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

int
pr_ctl_report_config (GVariant *answer)
{
  g_auto (GStrv) faults = NULL;
  g_auto (GStrv) warnings = NULL;

  g_variant_get_child (answer, 0, "^as", &faults);
  g_variant_get_child (answer, 1, "^as", &warnings);
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
  status = pr_ctl_report_config (answer);
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

char *
pr_ctl_read_config (PrCtl *ctl, int *status)
{
  g_autoptr (GVariant) answer = pr_ctl_call (ctl, "Configuration1", "Read", NULL, "(ss)", status);
  char *text = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(ss)", &text, NULL);
  return text;
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
