/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device-addresses.h"

#include <stdlib.h>
#include <string.h>

#include "control/client.h"

#define DEFAULT_GROUP "listener default" /* for what Describe says of any listener */

static void
device_address_free (gpointer data)
{
  PrDeviceAddress *self = data;

  g_free (self->group);
  g_free (self->address);
  g_free (self);
}

/* "[::1]:2525". NULL: no address and port, as in a file with a fault. (transfer full) */
static GInetAddress *
parse (const char *item, guint *port)
{
  const char *colon = strrchr (item, ':');
  g_autofree char *host = NULL;
  gsize len;

  if (colon == NULL)
    return NULL;

  host = g_strndup (item, (gsize) (colon - item));
  len = strlen (host);
  if (host[0] == '[' && host[len - 1] == ']')
    {
      host[len - 1] = '\0';
      memmove (host, host + 1, len - 1);
    }
  *port = (guint) strtoul (colon + 1, NULL, 10);
  return *port >= 1 && *port <= 65535 ? g_inet_address_new_from_string (host) : NULL;
}

static gboolean
is_among (GInetAddress *address, guint port, const char *const *open)
{
  for (; open != NULL && *open != NULL; open++)
    {
      guint other_port = 0;
      g_autoptr (GInetAddress) other = parse (*open, &other_port);

      if (other != NULL && other_port == port && g_inet_address_equal (other, address))
        return TRUE;
    }
  return FALSE;
}

static void
add (GPtrArray *list, const PrDeviceAddress *like, GInetAddress *address)
{
  g_autofree char *text = g_inet_address_to_string (address);
  PrDeviceAddress *entry;

  for (guint i = 0; i < list->len; i++)
    {
      entry = list->pdata[i];
      if (entry->port == like->port && g_str_equal (entry->address, text))
        return;
    }
  entry = g_memdup2 (like, sizeof *like);
  entry->group = g_strdup (like->group);
  entry->address = g_steal_pointer (&text);
  entry->is_local = g_inet_address_get_is_loopback (address);
  g_ptr_array_add (list, entry);
}

/* "All addresses" are those of this computer that others can reach. */
static void
add_networks (GPtrArray *list, const PrDeviceAddress *like, GSocketFamily family,
              GVariant *networks)
{
  for (gsize i = 0; networks != NULL && i < g_variant_n_children (networks); i++)
    {
      g_autoptr (GVariant) network = g_variant_get_child_value (networks, i);
      const char *text = pr_dict_string (network, "address");
      g_autoptr (GInetAddress) address =
        text != NULL ? g_inet_address_new_from_string (text) : NULL;

      if (address != NULL && g_inet_address_get_family (address) == family)
        add (list, like, address);
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const PrDeviceAddress *first = *(const PrDeviceAddress *const *) a;
  const PrDeviceAddress *second = *(const PrDeviceAddress *const *) b;

  if (first->is_local != second->is_local)
    return first->is_local ? 1 : -1;
  /* Short ones first: devices seldom take an address of version 6. */
  if ((strchr (first->address, ':') != NULL) != (strchr (second->address, ':') != NULL))
    return strchr (first->address, ':') != NULL ? 1 : -1;
  if (first->port != second->port)
    return first->port < second->port ? -1 : 1;
  return strcmp (first->address, second->address);
}

char **
pr_device_addresses_list_listeners (PrSettings *settings)
{
  g_auto (GStrv) groups = pr_settings_get_groups (settings);
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  gboolean any = FALSE;

  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, "listener "))
      {
        g_strv_builder_add (found, *group);
        any = TRUE;
      }
  if (!any)
    g_strv_builder_add (found, DEFAULT_GROUP);
  return g_strv_builder_end (found);
}

GPtrArray *
pr_device_addresses_list (PrSettings *settings, GVariant *networks, const char *const *open)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (device_address_free);
  g_auto (GStrv) listeners = pr_device_addresses_list_listeners (settings);

  for (char **group = listeners; *group != NULL; group++)
    {
      g_autofree char *value = pr_settings_get_value (settings, *group, "listen", NULL);
      g_auto (GStrv) items = g_strsplit (value, ";", -1);

      for (char **item = items; *item != NULL; item++)
        {
          PrDeviceAddress like = { .group = *group };
          g_autoptr (GInetAddress) address = parse (g_strstrip (*item), &like.port);

          if (address == NULL)
            continue;
          like.is_open = is_among (address, like.port, open);
          if (g_inet_address_get_is_any (address))
            add_networks (list, &like, g_inet_address_get_family (address), networks);
          else
            add (list, &like, address);
        }
    }
  g_ptr_array_sort (list, compare);
  return list;
}
