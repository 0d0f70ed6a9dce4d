/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

#define PR_ORDER_NO_SUCH_MESSAGE "There is no such message in the queue"
#define PR_ORDER_TOO_LATE "It is being sent at this moment"
#define PR_ORDER_CHANGING "It is being changed at this moment"

/* What can be had of a message comes out of hand: all but what is behind its final dot, or on its
 * way to the disk. @doomed: and what cannot be is deleted when it ends. */
void pr_order_recall (PrRunner *runner, gint64 id, gboolean doomed);
/* Deletes one message that is not in hand any more. */
void pr_order_delete_now (PrRunner *runner, gint64 id);
/* Releases what was held because no route carried it, where one does now. */
void pr_order_release_routed (PrRunner *runner);

G_END_DECLS
