/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrPoller: how a loop learns which descriptors are ready; one table of functions for each way.
 * Internal to core/net and its tests.
 */
typedef struct
{
  const char *name;
  gpointer (*create) (PrLoop *loop); /* NULL where the system refuses */
  void (*destroy) (gpointer poller);
  /* @watch has its fields set. FALSE where @watch->fd cannot be watched. */
  gboolean (*add) (gpointer poller, PrWatch *watch);
  void (*change) (gpointer poller, PrWatch *watch); /* @watch->wants changed */
  /* Events already fetched for @watch are dropped. */
  void (*remove) (gpointer poller, PrWatch *watch);
} PrPoller;

extern const PrPoller pr_poller_glib;
extern const PrPoller pr_poller_epoll; /* only where HAVE_EPOLL */

/* pr_loop_new() takes the best poller of the system. */
PrLoop *pr_loop_new_with_poller (GMainContext *context, const PrPoller *poller);

G_END_DECLS
