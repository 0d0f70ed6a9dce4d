/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/networks.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <gio/gio.h>

#define MAX_NETWORKS 64

void
pr_network_free (PrNetwork *self)
{
  g_free (self->interface);
  g_free (self->address);
  g_free (self->network);
  g_free (self);
}

/* The octets of an address or mask; 0: it is of no family we know. */
static gsize
get_octets (const struct sockaddr *native, const guint8 **octets)
{
  if (native == NULL)
    return 0;
  if (native->sa_family == AF_INET)
    {
      *octets = (const guint8 *) &((const struct sockaddr_in *) (gconstpointer) native)->sin_addr;
      return 4;
    }
  if (native->sa_family == AF_INET6)
    {
      *octets = (const guint8 *) &((const struct sockaddr_in6 *) (gconstpointer) native)->sin6_addr;
      return 16;
    }
  return 0;
}

static char *
make_network (const guint8 *octets, const guint8 *mask, gsize len)
{
  guint8 masked[16];
  guint bits = 0;
  g_autoptr (GInetAddress) base = NULL;
  g_autofree char *text = NULL;

  for (gsize i = 0; i < len; i++)
    {
      masked[i] = octets[i] & mask[i];
      for (guint8 rest = mask[i]; rest != 0; rest = (guint8) (rest << 1))
        bits++;
    }
  base =
    g_inet_address_new_from_bytes (masked, len == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  text = g_inet_address_to_string (base);
  return g_strdup_printf ("%s/%u", text, bits);
}

static PrNetwork *
read_entry (const struct ifaddrs *entry)
{
  const guint8 *octets = NULL, *mask = NULL;
  gsize len = get_octets (entry->ifa_addr, &octets);
  g_autoptr (GInetAddress) address = NULL;
  PrNetwork *network;

  if (len == 0 || get_octets (entry->ifa_netmask, &mask) != len || (entry->ifa_flags & IFF_UP) == 0)
    return NULL;
  address =
    g_inet_address_new_from_bytes (octets, len == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  if (g_inet_address_get_is_loopback (address) || g_inet_address_get_is_link_local (address))
    return NULL;

  network = g_new0 (PrNetwork, 1);
  network->interface = g_strdup (entry->ifa_name);
  network->address = g_inet_address_to_string (address);
  network->network = make_network (octets, mask, len);
  network->is_private =
    g_inet_address_get_is_site_local (address) || (len == 16 && (octets[0] & 0xfe) == 0xfc);
  return network;
}

GPtrArray *
pr_networks_list (void)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) pr_network_free);
  struct ifaddrs *list = NULL;

  if (getifaddrs (&list) != 0)
    return found;

  for (struct ifaddrs *each = list; each != NULL && found->len < MAX_NETWORKS;
       each = each->ifa_next)
    {
      PrNetwork *network = read_entry (each);

      if (network != NULL)
        g_ptr_array_add (found, network);
    }
  freeifaddrs (list);
  return found;
}
