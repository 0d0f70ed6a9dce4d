/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/ip.h"
#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrListener: one listening socket and its accept loop. It pauses when descriptors run low or
 * accept fails for want of resources, and resumes when pr_listener_resume() says one was freed,
 * or after a second. One dispatch accepts a bounded number.
 */
typedef struct _PrListener PrListener;

/* @fd: (transfer full), non-blocking, close-on-exec. */
typedef void (*PrAcceptFunc) (PrListener *listener, int fd, const PrIp *peer, guint16 port,
                              gpointer user_data);

/* @address: "127.0.0.1:2525", "[::1]:2525". Port 0 picks one. Errors are PR_ERROR_CONFIG and
 * say in words what to do (address in use, no permission for ports below 1024, not ours). */
PrListener *pr_listener_new (PrLoop *loop, const char *address, PrAcceptFunc func,
                             gpointer user_data, GError **error);
/* A socket that was handed to us (socket activation). @fd: (transfer full). */
PrListener *pr_listener_new_from_fd (PrLoop *loop, int fd, PrAcceptFunc func, gpointer user_data,
                                     GError **error);
void pr_listener_free (PrListener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrListener, pr_listener_free)

void pr_listener_pause (PrListener *self);  /* counted? no: idempotent */
void pr_listener_resume (PrListener *self); /* cheap when not paused */
gboolean pr_listener_is_paused (const PrListener *self);
const char *pr_listener_get_address (const PrListener *self); /* "ip:port" with the true port */

/* Descriptors kept free for the store, next hops and control. A listener pauses when fewer are
 * left; process-wide, computed from RLIMIT_NOFILE and the number of channels in use. */
#define PR_DESCRIPTOR_RESERVE 24

G_END_DECLS
