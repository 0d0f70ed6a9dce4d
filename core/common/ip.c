/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses of hosts, and lists of networks. */
#include "common/ip.h"

#include <gio/gnetworking.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

#define V4_OFFSET 12 /* octets of ::ffff:0:0/96 before the IPv4 address */
#define V4_PREFIX_BITS 96
#define MAX_PREFIX_BITS 128

static const guint8 v4_prefix[V4_OFFSET] = { [10] = 0xff, [11] = 0xff };

struct _PrNetworks
{
  /* By length of the prefix in bits: set of PrIp (owned), NULL where there is none. */
  GHashTable *sets[MAX_PREFIX_BITS + 1];
};

static void
set_v4 (PrIp *self, gconstpointer octets)
{
  memcpy (self->octets, v4_prefix, V4_OFFSET);
  memcpy (self->octets + V4_OFFSET, octets, 4);
}

gboolean
pr_ip_parse (const char *text, PrIp *out)
{
  guint8 v4[4];

  if (text == NULL)
    return FALSE;
  if (strchr (text, ':') != NULL)
    return inet_pton (AF_INET6, text, out->octets) == 1;
  if (inet_pton (AF_INET, text, v4) != 1)
    return FALSE;
  set_v4 (out, v4);
  return TRUE;
}

gboolean
pr_ip_parse_with_port (const char *text, PrIp *out, guint16 *port)
{
  const char *colon = text != NULL ? strrchr (text, ':') : NULL;
  g_autofree char *host = NULL;
  gsize len;
  guint64 value;

  if (colon == NULL || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &value, NULL))
    return FALSE;
  len = (gsize) (colon - text);
  if (text[0] == '[') /* brackets hold IPv6 and nothing else */
    {
      if (len < 2 || text[len - 1] != ']' || memchr (text, ':', len) == NULL)
        return FALSE;
      host = g_strndup (text + 1, len - 2);
    }
  else if (memchr (text, ':', len) == NULL)
    host = g_strndup (text, len);
  if (host == NULL || !pr_ip_parse (host, out))
    return FALSE;
  *port = (guint16) value;
  return TRUE;
}

gboolean
pr_ip_from_native (gconstpointer sockaddr, gsize len, PrIp *out)
{
  const struct sockaddr *any = sockaddr;

  if (sockaddr == NULL || len < sizeof (struct sockaddr))
    return FALSE;
  if (any->sa_family == AF_INET && len >= sizeof (struct sockaddr_in))
    {
      set_v4 (out, &((const struct sockaddr_in *) sockaddr)->sin_addr);
      return TRUE;
    }
  if (any->sa_family == AF_INET6 && len >= sizeof (struct sockaddr_in6))
    {
      memcpy (out->octets, &((const struct sockaddr_in6 *) sockaddr)->sin6_addr, 16);
      return TRUE;
    }
  return FALSE;
}

gboolean
pr_ip_is_v4 (const PrIp *self)
{
  return memcmp (self->octets, v4_prefix, V4_OFFSET) == 0;
}

gboolean
pr_ip_is_loopback (const PrIp *self)
{
  static const PrIp v6_loopback = { { [15] = 1 } };

  return pr_ip_is_v4 (self) ? self->octets[V4_OFFSET] == 127 : pr_ip_equal (self, &v6_loopback);
}

const char *
pr_ip_format (const PrIp *self, char buf[PR_IP_TEXT_SIZE])
{
  const char *text;

  if (pr_ip_is_v4 (self))
    text = inet_ntop (AF_INET, (void *) (self->octets + V4_OFFSET), buf, PR_IP_TEXT_SIZE);
  else
    text = inet_ntop (AF_INET6, (void *) self->octets, buf, PR_IP_TEXT_SIZE);
  g_assert (text != NULL);
  return text;
}

const char *
pr_ip_format_with_port (const PrIp *self, guint16 port, char buf[PR_IP_PORT_TEXT_SIZE])
{
  char text[PR_IP_TEXT_SIZE];

  g_snprintf (buf, PR_IP_PORT_TEXT_SIZE, pr_ip_is_v4 (self) ? "%s:%u" : "[%s]:%u",
              pr_ip_format (self, text), port);
  return buf;
}

PrIp
pr_ip_client_key (const PrIp *self)
{
  PrIp key = *self;

  if (!pr_ip_is_v4 (self))
    memset (key.octets + 8, 0, 8);
  return key;
}

/* Seeded, because peers choose their addresses and could aim at one bucket. */
guint
pr_ip_hash (gconstpointer ip)
{
  static gsize seed;
  guint64 high, low, mixed;

  if (g_once_init_enter (&seed))
    g_once_init_leave (&seed, ((gsize) g_random_int ()) | 1);
  memcpy (&high, ip, 8);
  memcpy (&low, (const guint8 *) ip + 8, 8);
  mixed = (high ^ seed) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 32) ^ low ^ seed) * G_GUINT64_CONSTANT (0xd6e8feb86659fd93);
  return (guint) (mixed >> 32);
}

gboolean
pr_ip_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (PrIp)) == 0;
}

static PrIp
mask (const PrIp *ip, guint bits)
{
  PrIp masked = { { 0 } };

  memcpy (masked.octets, ip->octets, bits / 8);
  if (bits % 8 != 0)
    masked.octets[bits / 8] = ip->octets[bits / 8] & (0xff << (8 - bits % 8));
  return masked;
}

/* "24" with nothing around it. */
static gboolean
parse_prefix (const char *text, guint max, guint *bits)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 0, max, &value, NULL))
    return FALSE;
  *bits = (guint) value;
  return TRUE;
}

static gboolean
add_network (PrNetworks *self, const char *entry, GError **error)
{
  g_autofree char *address = g_strdup (entry);
  char *slash = strchr (address, '/');
  guint bits, max;
  PrIp ip, masked;

  if (slash != NULL)
    *slash++ = '\0';
  if (!pr_ip_parse (address, &ip))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "\"%s\" is not an IP address or network such as 192.0.2.0/24 or 2001:db8::/32",
                   entry);
      return FALSE;
    }

  max = strchr (address, ':') != NULL ? MAX_PREFIX_BITS : MAX_PREFIX_BITS - V4_PREFIX_BITS;
  bits = max;
  if (slash != NULL && !parse_prefix (slash, max, &bits))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "\"%s\": the number behind the slash must be 0 to %u", entry, max);
      return FALSE;
    }

  bits += MAX_PREFIX_BITS - max;
  masked = mask (&ip, bits);
  if (!pr_ip_equal (&ip, &masked))
    {
      char buf[PR_IP_TEXT_SIZE];

      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "\"%s\": the network address has bits beyond its prefix; did you mean %s/%s?",
                   entry, pr_ip_format (&masked, buf), slash);
      return FALSE;
    }

  if (self->sets[bits] == NULL)
    self->sets[bits] = g_hash_table_new_full (pr_ip_hash, pr_ip_equal, g_free, NULL);
  g_hash_table_add (self->sets[bits], g_memdup2 (&ip, sizeof ip));
  return TRUE;
}

PrNetworks *
pr_networks_new (const char *const *list, GError **error)
{
  g_autoptr (PrNetworks) self = g_new0 (PrNetworks, 1);

  for (gsize i = 0; list != NULL && list[i] != NULL; i++)
    if (!add_network (self, list[i], error))
      return NULL;
  return g_steal_pointer (&self);
}

void
pr_networks_free (PrNetworks *self)
{
  if (self == NULL)
    return;
  for (guint bits = 0; bits <= MAX_PREFIX_BITS; bits++)
    g_clear_pointer (&self->sets[bits], g_hash_table_unref);
  g_free (self);
}

gboolean
pr_networks_contain (const PrNetworks *self, const PrIp *ip)
{
  /* A short IPv6 prefix such as ::/0 covers ::ffff:0:0/96 in bits, not in meaning. */
  guint first = pr_ip_is_v4 (ip) ? V4_PREFIX_BITS : 0;

  for (guint bits = first; bits <= MAX_PREFIX_BITS; bits++)
    {
      PrIp masked;

      if (self->sets[bits] == NULL)
        continue;
      masked = mask (ip, bits);
      if (g_hash_table_contains (self->sets[bits], &masked))
        return TRUE;
    }
  return FALSE;
}
