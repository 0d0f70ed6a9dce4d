/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"
#include "relay/sts-policy.h"

G_BEGIN_DECLS

/**
 * PrStsFetcher: policies as their domains serve them (RFC 8461 §3.3): by HTTPS, verified, without
 * redirects. Servers may be slow, so 16 are asked at once, over connections that nothing else
 * needs; what waits for its turn as long as an answer may take is given up. One thread.
 */
typedef struct _PrStsFetcher PrStsFetcher;

/* @deadline_ms: for one answer. */
PrStsFetcher *pr_sts_fetcher_new (PrLoop *loop, guint deadline_ms);
void pr_sts_fetcher_free (PrStsFetcher *self); /* what is under way is forgotten silently */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrStsFetcher, pr_sts_fetcher_free)

/* Exactly one of @policy (transfer full) and @error is set. Never called before pr_sts_fetch()
 * returned; must not free the fetcher. @error: in words, as of PrWebFunc. */
typedef void (*PrStsFetchFunc) (PrStsPolicy *policy, const GError *error, gpointer user_data);

/* @domain: A-labels. @ca_file: (nullable): trusted in addition to the system's. Both copied.
 * Returns a token, never 0. */
guint pr_sts_fetch (PrStsFetcher *self, const char *domain, const char *ca_file,
                    PrStsFetchFunc func, gpointer user_data);
void pr_sts_fetch_cancel (PrStsFetcher *self, guint token); /* func will not be called */

G_END_DECLS
