/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gnetworking.h>

#include "common/ip.h"

G_BEGIN_DECLS

/**
 * The system calls around stream sockets. Internal to core/net. Descriptors that are returned are
 * the caller's, non-blocking and closed on exec; -1 leaves the reason in errno.
 */

/* Begins to connect. @address: IPv4, IPv6 or UNIX. */
int pr_socket_connect (GSocketAddress *address);
/* IPv6 sockets take no IPv4. */
int pr_socket_listen (const PrIp *ip, guint16 port, int backlog);
int pr_socket_accept (int fd, struct sockaddr_storage *peer, socklen_t *len);

/* FALSE for UNIX sockets. */
gboolean pr_socket_read_address (const struct sockaddr_storage *native, socklen_t len, PrIp *ip,
                                 guint16 *port);
/* @peer: the other end's, else our own. */
gboolean pr_socket_get_address (int fd, gboolean peer, PrIp *ip, guint16 *port);

G_END_DECLS
