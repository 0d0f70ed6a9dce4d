/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

/* Listens on 127.0.0.1; @port 0 takes a free one, *@out_port tells which.
 * Returns: a non-blocking socket, or -1 with @error set */
int pr_bench_listen (guint16 port, int *out_port, GError **error);

/**
 * pr_bench_connect:
 * @host: an IPv4 address
 * @port: port
 * @source: 0, or the IPv4 address to come from, in host byte order
 * @error: what failed
 *
 * Begins a connection.
 *
 * Returns: a non-blocking socket, or -1 with @error set
 */
int pr_bench_connect (const char *host, guint16 port, guint32 source, GError **error);

void pr_bench_no_delay (int fd);

/* epoll_ctl with a pointer as data; failure is a programmer error. */
void pr_bench_watch (int epoll_fd, int operation, int fd, guint32 events, void *data);

/* Lets this process have at least @n descriptors, as far as the system permits. */
void pr_bench_raise_descriptors (guint n);
