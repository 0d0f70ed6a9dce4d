/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reach.h"

#include <string.h>

#include "control/client.h"

/* As an absent file has it, docs/hacking.md. */
#define DEFAULT_LISTEN "127.0.0.1:2525;[::1]:2525"
#define LISTENER "listener "

static GKeyFile *
parse (const char *conf)
{
  GKeyFile *file = g_key_file_new ();

  if (*conf != '\0')
    g_key_file_load_from_data (file, conf, strlen (conf), G_KEY_FILE_NONE, NULL);
  return file;
}

static gboolean
is_loopback (const char *listen)
{
  return g_str_has_prefix (listen, "127.") || g_str_has_prefix (listen, "[::1]:");
}

/* An address that only this computer can reach, as one that all can; others as they are. */
static char *
open_up (const char *listen)
{
  const char *port = strrchr (listen, ':');

  if (!is_loopback (listen) || port == NULL)
    return g_strdup (listen);
  return g_strconcat (*listen == '[' ? "[::]" : "0.0.0.0", port, NULL);
}

static GStrv
get_listen (GKeyFile *file, const char *group)
{
  GStrv items = g_key_file_get_string_list (file, group, "listen", NULL, NULL);

  return items != NULL ? items : g_strsplit (DEFAULT_LISTEN, ";", -1);
}

/* The first item of it that other computers reach; NULL: none. (transfer full) */
static char *
find_open (GKeyFile *file, const char *group)
{
  g_auto (GStrv) items = get_listen (file, group);

  for (guint i = 0; items[i] != NULL; i++)
    if (*items[i] != '\0' && !is_loopback (items[i]))
      return g_strdup (items[i]);
  return NULL;
}

/* The listener's group that is open to the network or, if none is, the first; NULL: there is none.
 * (transfer full) */
static char *
find_listener (GKeyFile *file, char **listen)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  char *first = NULL;

  *listen = NULL;
  for (guint i = 0; groups[i] != NULL; i++)
    if (g_str_has_prefix (groups[i], LISTENER))
      {
        *listen = find_open (file, groups[i]);
        if (*listen != NULL)
          {
            g_free (first);
            return g_strdup (groups[i]);
          }
        if (first == NULL)
          first = g_strdup (groups[i]);
      }
  return first;
}

static void
add (GVariantBuilder *edits, const char *verb, const char *group, const char *key,
     const char *value)
{
  g_variant_builder_add (edits, "(ssss)", verb, group, key, value);
}

static void
open_listener (GKeyFile *file, GVariantBuilder *edits, GVariantBuilder *undo)
{
  g_autofree char *open = NULL;
  g_autofree char *group = find_listener (file, &open);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_auto (GStrv) items = NULL;

  if (open != NULL)
    return;

  items = get_listen (file, group != NULL ? group : "");
  before = g_strjoinv (";", items);
  for (guint i = 0; items[i] != NULL; i++)
    {
      char *opened = open_up (items[i]);

      g_free (items[i]);
      items[i] = opened;
    }
  after = g_strjoinv (";", items);
  add (edits, "set", group != NULL ? group : LISTENER "main", "listen", after);
  if (group != NULL)
    add (undo, "set", group, "listen", before);
  else
    add (undo, "remove", LISTENER "main", "", "");
}

static void
allow_networks (GKeyFile *file, GVariant *networks, GVariantBuilder *edits, GVariantBuilder *undo)
{
  g_auto (GStrv) allowed =
    g_key_file_get_string_list (file, "access", "relay-networks", NULL, NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GVariantIter iter;
  GVariant *each;

  g_variant_iter_init (&iter, networks);
  while ((each = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_autoptr (GVariant) dict = each;
      const char *network = pr_dict_string (dict, "network");

      if (network == NULL || !pr_dict_boolean (dict, "private") ||
          (allowed != NULL && g_strv_contains ((const char *const *) allowed, network)) ||
          !g_hash_table_add (seen, (gpointer) network))
        continue;
      add (edits, "add", "access", "relay-networks", network);
      if (allowed != NULL)
        add (undo, "take", "access", "relay-networks", network);
    }
  /* What is added goes to what the service allows by itself, which then stands there too. */
  if (allowed == NULL && g_hash_table_size (seen) > 0)
    add (undo, g_key_file_has_group (file, "access") ? "unset" : "remove", "access",
         g_key_file_has_group (file, "access") ? "relay-networks" : "", "");
}

GVariant *
pr_reach_make_edits (const char *conf, GVariant *networks, gboolean without_password,
                     GVariant **undo)
{
  g_autoptr (GKeyFile) file = parse (conf);
  GVariantBuilder edits, back;

  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  g_variant_builder_init (&back, G_VARIANT_TYPE ("a(ssss)"));
  open_listener (file, &edits, &back);
  if (without_password)
    allow_networks (file, networks, &edits, &back);
  *undo = g_variant_ref_sink (g_variant_builder_end (&back));
  return g_variant_ref_sink (g_variant_builder_end (&edits));
}

const char *
pr_reach_find_address (GVariant *networks, const char **network)
{
  const char *found = NULL;
  GVariantIter iter;
  GVariant *each;

  g_variant_iter_init (&iter, networks);
  while ((each = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_autoptr (GVariant) dict = each; /* what it holds stays with @networks */
      const char *address = pr_dict_string (dict, "address");

      if (address == NULL || !pr_dict_boolean (dict, "private") ||
          (found != NULL && (strchr (found, ':') == NULL || strchr (address, ':') != NULL)))
        continue;
      found = address;
      if (network != NULL)
        *network = pr_dict_string (dict, "network");
    }
  return found;
}
