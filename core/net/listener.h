/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/ip.h"
#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrListener: one listening socket and its accept loop. One dispatch accepts a bounded number.
 * When descriptors run low, or accept fails for want of resources, it is starved: it leaves the
 * clients in the kernel's queue and goes on by itself when a channel of its loop was closed, or
 * after a second. That is apart from pr_listener_pause(), which is the owner's wish.
 */
typedef struct _PrListener PrListener;

/* @fd: (transfer full), non-blocking, close-on-exec. */
typedef void (*PrAcceptFunc) (PrListener *listener, int fd, const PrIp *peer, guint16 port,
                              gpointer user_data);

/* @address: "127.0.0.1:2525", "[::1]:2525". Port 0 picks one. Errors say in words what to do:
 * PR_ERROR_CONFIG (address in use, no permission for ports below 1024, not ours) and
 * PR_ERROR_UNSUPPORTED (no IPv6 on this machine: a mere note where nobody asked for it). */
PrListener *pr_listener_new (PrLoop *loop, const char *address, PrAcceptFunc func,
                             gpointer user_data, GError **error);
/* A socket that was handed to us (socket activation). @fd: (transfer full). */
PrListener *pr_listener_new_from_fd (PrLoop *loop, int fd, PrAcceptFunc func, gpointer user_data,
                                     GError **error);
void pr_listener_free (PrListener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrListener, pr_listener_free)

/* Idempotent; the socket stays open and clients wait in the kernel's queue. */
void pr_listener_pause (PrListener *self);
void pr_listener_resume (PrListener *self);
gboolean pr_listener_is_paused (const PrListener *self);
gboolean pr_listener_is_starved (const PrListener *self);
const char *pr_listener_get_address (const PrListener *self); /* "ip:port" with the true port */

/* Descriptors that clients never get: the highest numbers below RLIMIT_NOFILE, for the store, next
 * hops and control. Where the limit is below twice this, half of it. */
#define PR_DESCRIPTOR_RESERVE 24

G_END_DECLS
