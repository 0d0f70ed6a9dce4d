/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrHosts: what is known of the machines behind the routes, by "ROUTE|host:port": how many
 * connections there are, who waits for one, and whether it failed a short while ago. Many
 * domains share one machine, so this is not the next hop's own knowledge. One thread.
 */
typedef struct _PrHosts PrHosts;

typedef struct
{
  char *key; /* owned */
  guint n_connections;
  gint64 failed_until_us; /* monotonic; others are preferred until then; 0: it did not fail */
  GQueue waiting;         /* of owners that want a connection, in order */
} PrHost;

/* A failed host is passed over for so long while there are others. */
#define PR_HOST_FAILED_US (60 * G_GINT64_CONSTANT (1000000))

PrHosts *pr_hosts_new (void);
void pr_hosts_free (PrHosts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrHosts, pr_hosts_free)

/* Finds it, or makes it. Valid while it has connections or owners waiting. */
PrHost *pr_hosts_get (PrHosts *self, const char *route, const char *label);
gboolean pr_hosts_has_failed (PrHosts *self, const char *route, const char *label);
void pr_host_note_failure (PrHost *self);
/* The network came back: nothing is known. */
void pr_hosts_forget_failures (PrHosts *self);

G_END_DECLS
