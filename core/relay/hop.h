/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/providers.h"
#include "relay/runner-private.h"

G_BEGIN_DECLS

#define PR_HOP_SWEEP_US                                                                            \
  G_USEC_PER_SEC /* between two bites of what comes due while it is blocked                        \
                  */

/**
 * PrHop: one next hop: what waits for it, its connections, and how it fares.
 *
 *   store ──refill──► works ──pump──► deliveries
 *     ▲                 │
 *     └──── blocked: deferred with the hop's own failure, without a try for each
 */
PrHop *pr_hop_get (PrRunner *runner, const char *name); /* finds or makes it */
void pr_hop_free (PrHop *self);
/* Looks its route up again. */
void pr_hop_set_config (PrHop *self);

/* Takes queued recipient @index of @message in hand if there is room and nothing stands against
 * sending; else it is left to the store. The caller pumps. */
void pr_hop_take (PrHop *self, PrMessage *message, guint index);
/* Some recipient in the store is due at @due_us. */
void pr_hop_note_due (PrHop *self, gint64 due_us);
/* The runner's timer: its time has come. */
void pr_hop_wake (PrHop *self);
/* When it wants to be woken may have changed. */
void pr_hop_update_wake (PrHop *self);
/* Gives waiting work to connections, and opens more where that is justified. */
void pr_hop_pump (PrHop *self);
/* Lets go of all that waits: it is still due in the store. */
void pr_hop_give_back (PrHop *self);
/* Lets go of one waiting work: its recipients are about to change. */
void pr_hop_forget_waiting (PrHop *self, PrWork *work);
/* Takes recipients in hand that are about to be recorded, not to be sent. */
PrWork *pr_hop_hold_in_hand (PrHop *self, PrMessage *message, const guint *indexes, guint n);
gboolean pr_hop_is_blocked (const PrHop *self);
/* Its mail has a route, and the runner sends. */
gboolean pr_hop_may_send (const PrHop *self);
/* It may take more in hand. */
gboolean pr_hop_has_room (const PrHop *self);
/* How many recipients it may have in hand. */
guint pr_hop_get_window (const PrHop *self);
/* Has nothing to do, to remember or to wait for. */
gboolean pr_hop_is_unused (const PrHop *self);

/* ── For deliveries ───────────────────────────────────────────────────────────────────────── */

/* The next work, of at most @max_recipients; now sending. NULL: none. */
PrWork *pr_hop_next_work (PrHop *self, guint max_recipients);
/* The same of those works whose message waives what its recipient's domain demands. */
PrWork *pr_hop_next_waiver (PrHop *self, guint max_recipients);
gboolean pr_hop_has_waiver (const PrHop *self);
/* A work that was not tried returns to the front. */
void pr_hop_return_work (PrHop *self, PrWork *work);
/* @delivery left (ended, or will take no more work). */
void pr_hop_remove_delivery (PrHop *self, PrDelivery *delivery);
/* A transaction was finished: the hop is well. */
void pr_hop_note_success (PrHop *self, const char *peer);

/* The hop as a whole cannot be used. @reply: 5yz: all that waits fails with it; else what waits
 * is deferred with it and the hop left alone. @network: it is our own network that is missing:
 * nothing counts. */
void pr_hop_fail (PrHop *self, const PrReply *reply, const char *peer, gboolean network);
/* It was told that it sends too much: nothing for a while, and what waits stays in the store.
 * @reply: what was said; @advice: what is known of that. */
void pr_hop_slow_down (PrHop *self, const PrReply *reply, const PrAdvice *advice, const char *peer);
/* What waits stays in the store, and nobody is told, until pr_hop_unblock(). @why: in words. */
void pr_hop_await_sign_in (PrHop *self, const char *why);
/* What blocked it without its fault may be gone: it is tried at once. */
void pr_hop_forgive (PrHop *self);
/* Forgets that it is blocked: it is tried at once. */
void pr_hop_unblock (PrHop *self);

/* A recipient of a work is done with (recorded): makes room. */
void pr_hop_release_work (PrHop *self, PrWork *work);

G_END_DECLS
