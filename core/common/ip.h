/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * PrIp: an IPv4 or IPv6 address as 16 octets in network order; IPv4 is held as ::ffff:a.b.c.d,
 * so that both families compare, hash and match in one way. A plain value, no ownership.
 */
typedef struct
{
  guint8 octets[16];
} PrIp;

#define PR_IP_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */

/* Parses "192.0.2.1" or "2001:db8::1" (no brackets, no zone, no port). */
gboolean pr_ip_parse (const char *text, PrIp *out);
/* Parses "192.0.2.1:25" or "[2001:db8::1]:25"; the port is 0 to 65535. */
gboolean pr_ip_parse_with_port (const char *text, PrIp *out, guint16 *port);
/* sockaddr of family AF_INET or AF_INET6; FALSE for any other (UNIX sockets). */
gboolean pr_ip_from_native (gconstpointer sockaddr, gsize len, PrIp *out);
gboolean pr_ip_is_v4 (const PrIp *self);
gboolean pr_ip_is_loopback (const PrIp *self);
/* Writes the text form into @buf and returns it. */
const char *pr_ip_format (const PrIp *self, char buf[PR_IP_TEXT_SIZE]);
/* The reverse of pr_ip_parse_with_port(). */
#define PR_IP_PORT_TEXT_SIZE (PR_IP_TEXT_SIZE + 8)
const char *pr_ip_format_with_port (const PrIp *self, guint16 port, char buf[PR_IP_PORT_TEXT_SIZE]);
/* What limits count by: the address itself for IPv4, its /64 for IPv6. */
PrIp pr_ip_client_key (const PrIp *self);
guint pr_ip_hash (gconstpointer ip);
gboolean pr_ip_equal (gconstpointer a, gconstpointer b);

/**
 * PrNetworks: a list of networks "192.0.2.0/24", "2001:db8::/32", "192.0.2.7". The families are
 * apart: "::/0" holds no IPv4 address. Looking up costs the same however long the list is.
 * Immutable after parsing; safe to read from any thread.
 */
typedef struct _PrNetworks PrNetworks;

/* @list: (nullable): NULL-terminated; none contain nothing. PR_ERROR_CONFIG names the entry that is
 * wrong (bad address, prefix too long, host bits set beyond the prefix). */
PrNetworks *pr_networks_new (const char *const *list, GError **error);
void pr_networks_free (PrNetworks *self);
gboolean pr_networks_contain (const PrNetworks *self, const PrIp *ip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrNetworks, pr_networks_free)

G_END_DECLS
