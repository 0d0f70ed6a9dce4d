/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"
#include "net/resolver.h"
#include "queue/store.h"
#include "relay/sts-policy.h"

G_BEGIN_DECLS

/**
 * PrSts: which policy a recipient's domain has by MTA-STS (RFC 8461): looked for in the DNS,
 * fetched when it is new, and kept in the queue's database for as long as it says it holds: once
 * known, it cannot be hidden by whoever stands in between. At most 1,000 domains are kept. One
 * thread.
 */
typedef struct _PrSts PrSts;

/* All borrowed, they outlive it; free it after pr_store_close(). */
PrSts *pr_sts_new (PrLoop *loop, PrStore *store, PrResolver *resolver);
void pr_sts_free (PrSts *self); /* questions are forgotten silently */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSts, pr_sts_free)

/* Policies will be asked for: reads those that are kept, and from now on fetches those that are in
 * use anew before they end. Again: nothing. */
void pr_sts_start (PrSts *self);

/* @policy: (nullable) (transfer none): the domain's; NULL: it has none, or none can be had. @why:
 * (nullable): in words, why the one that the domain has by its record cannot be had. */
typedef void (*PrStsFunc) (PrStsPolicy *policy, const char *why, gpointer user_data);

/* @domain: A-labels. @ca_file: (nullable): trusted in addition to the system's. Both copied.
 * Returns a token, never 0; told within a minute, never before this returned. @func must not free
 * the PrSts. */
guint pr_sts_ask (PrSts *self, const char *domain, const char *ca_file, PrStsFunc func,
                  gpointer user_data);
void pr_sts_cancel (PrSts *self, guint token); /* func will not be called */
/* The network or the configuration changed: what could not be fetched is tried again when it is
 * asked for. */
void pr_sts_forget_failures (PrSts *self);
/* How long who asks is kept waiting, 60 s at first; and how often is looked for what must be
 * fetched anew, 1 h at first: before pr_sts_start(). */
void pr_sts_set_times (PrSts *self, guint patience_ms, guint round_ms);

G_END_DECLS
