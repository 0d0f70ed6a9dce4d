/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

/**
 * PrDelivery: one connection of a next hop: finds a host that answers, introduces itself, sends
 * the hop's messages one after another, waits a moment for more, says goodbye. It belongs to the
 * runner and ends by itself. After the final dot of a message it is never cut short: the answer
 * is waited for and recorded.
 */

/* Begins; the route's way (way.h) is open. It takes work from @hop once it can send. */
void pr_delivery_open (PrHop *hop);
gboolean pr_delivery_is_idle (const PrDelivery *self);
/* Idle: takes the hop's next work. */
void pr_delivery_use (PrDelivery *self);
/* Idle: says goodbye. */
void pr_delivery_quit (PrDelivery *self);
/* Ends at once, whatever it does, and returns its work untried; unless the final dot has left:
 * then FALSE, and it goes on. */
gboolean pr_delivery_cancel (PrDelivery *self);
/* Not yet able to send. */
gboolean pr_delivery_is_opening (const PrDelivery *self);
/* Makes room: the idle one that waits longest says goodbye. */
void pr_delivery_evict_idle (PrRunner *runner);
/* Frees those that ended. */
void pr_delivery_bury (PrRunner *runner);
/* The runner is freed: closes without a word. */
void pr_delivery_kill (PrDelivery *self);

G_END_DECLS
