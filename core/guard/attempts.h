/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "smtp/verdict.h"

G_BEGIN_DECLS

/**
 * PrAttempts: how often each client (IPv6: each /64) failed to sign in, wherever it connects from:
 * the answers wait longer and longer, and after PR_ATTEMPTS_MAX failures it is refused for a while.
 * Bounded memory. Times are those of the wall clock, because they outlive a restart. One thread.
 */
typedef struct _PrAttempts PrAttempts;

#define PR_ATTEMPTS_MAX 10 /* failures until it is refused */
#define PR_ATTEMPTS_REFUSE_US (G_GINT64_CONSTANT (900) * G_USEC_PER_SEC) /* for so long */
#define PR_ATTEMPTS_FORGET_US                                                                      \
  (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC) /* failures count for so long */
#define PR_ATTEMPTS_MAX_CLIENTS 4096          /* then the oldest is forgotten */

PrAttempts *pr_attempts_new (void);
void pr_attempts_free (PrAttempts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrAttempts, pr_attempts_free)

/* ACCEPT, or 421 4.7.0 while @client is refused. */
PrVerdict pr_attempts_check (PrAttempts *self, const PrIp *client, gint64 now_us);
/* One more failure. How long its answer is to wait, in ms. *@refused: from now on. */
guint pr_attempts_fail (PrAttempts *self, const PrIp *client, gint64 now_us, gboolean *refused);
/* It signed in: its failures are forgiven. FALSE: there were none. */
gboolean pr_attempts_succeed (PrAttempts *self, const PrIp *client);

/* What is known of @client, as text to keep through a restart; NULL: nothing. (transfer full) */
char *pr_attempts_save (PrAttempts *self, const PrIp *client);
/* The reverse. FALSE: malformed, or so old that it does not count any more. */
gboolean pr_attempts_load (PrAttempts *self, const PrIp *client, const char *text, gint64 now_us);
guint pr_attempts_count (const PrAttempts *self);

G_END_DECLS
