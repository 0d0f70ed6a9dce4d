/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "smtp/verdict.h"

G_BEGIN_DECLS

/**
 * PrLimits: how many connections there are at once, in all and for each client (IPv6: for each
 * /64). Counts live connections only, so memory is bounded by them. One thread.
 */
typedef struct _PrLimits PrLimits;

PrLimits *pr_limits_new (guint max_connections, guint max_per_client);
void pr_limits_free (PrLimits *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrLimits, pr_limits_free)

/* New bounds, for the connections to come. */
void pr_limits_set (PrLimits *self, guint max_connections, guint max_per_client);
/* ACCEPT counts the connection until pr_limits_leave(); otherwise a 421 to close with. */
PrVerdict pr_limits_enter (PrLimits *self, const PrIp *client);
void pr_limits_leave (PrLimits *self, const PrIp *client);
guint pr_limits_count (const PrLimits *self);

G_END_DECLS
