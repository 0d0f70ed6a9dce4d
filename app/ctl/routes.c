/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl route list: the ways mail can go, in the order they are tried. */

#include <stdio.h>
#include <string.h>
#include <json-glib/json-glib.h>

#include "ctl/ctl.h"
#include "ctl/table.h"

#define PREFIX "route "

static const char *const keys[] = { "via", "provider", "recipients", "senders", "hosts" };
static const char *const defaults[] = { "smarthost", "", "*", "*", "" };

static const PrColumn columns[] = {
  { "ROUTE", FALSE, 0 },       { "VIA", FALSE, 0 },     { "PROVIDER", FALSE, 0 },
  { "RECIPIENTS", FALSE, 12 }, { "SENDERS", FALSE, 8 }, { "HOSTS", FALSE, 16 },
  { NULL, FALSE, 0 },
};

/* (transfer full) */
static char *
read_value (GKeyFile *file, const char *group, guint i)
{
  char *value = g_key_file_get_string (file, group, keys[i], NULL);

  return value != NULL ? value : g_strdup (defaults[i]);
}

static void
print_json (GKeyFile *file, char **groups)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_array (builder);
  for (; *groups != NULL; groups++)
    {
      if (!g_str_has_prefix (*groups, PREFIX))
        continue;
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "name");
      json_builder_add_string_value (builder, *groups + strlen (PREFIX));
      for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
        {
          g_autofree char *value = read_value (file, *groups, i);

          json_builder_set_member_name (builder, keys[i]);
          json_builder_add_string_value (builder, value);
        }
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  puts (text);
}

static void
print_table (PrCtl *ctl, GKeyFile *file, char **groups)
{
  g_autoptr (PrTable) table = pr_table_new (&ctl->terminal, columns);
  g_autofree char *lines = NULL;

  for (; *groups != NULL; groups++)
    {
      if (!g_str_has_prefix (*groups, PREFIX))
        continue;
      pr_table_add (table, *groups + strlen (PREFIX));
      for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
        pr_table_take (table, read_value (file, *groups, i));
    }
  lines = pr_table_flush (table);
  if (*lines != '\0')
    fputs (lines, stdout);
  else
    puts ("There are no routes: mail is kept.");
}

int
pr_ctl_route_list (PrCtl *ctl, char **args)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) groups = NULL;
  int status = PR_EXIT_DONE;

  if ((text = pr_ctl_read_config (ctl, &status)) == NULL)
    return status;
  if (*text != '\0' && !g_key_file_load_from_data (file, text, strlen (text), 0, &error))
    return pr_ctl_refuse ("The configuration cannot be read: %s", error->message);

  groups = g_key_file_get_groups (file, NULL);
  if (ctl->json)
    print_json (file, groups);
  else
    print_table (ctl, file, groups);
  return PR_EXIT_DONE;
}
