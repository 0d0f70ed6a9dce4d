/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"

G_BEGIN_DECLS

/**
 * When a recipient is tried again, given up or its sender warned ([retry] of the contract), and
 * how long a next hop is left alone. Pure functions: no clock, no state, no chance but @random.
 * Times are microseconds since the epoch. Any thread.
 */

/* When the attempt after @attempts failed ones (at least 1) is due, for a message received at
 * @received_us: the schedule's interval, the last one repeating, ±10 % by @random so that what
 * failed together does not return together; but no later than the instant at which the sender is
 * to be warned or the message given up, where that is still ahead. */
gint64 pr_schedule_next (const PrConfig *config, guint attempts, gint64 received_us, gint64 now_us,
                         guint32 random);

/* The message is older than give-up. */
gboolean pr_schedule_is_over (const PrConfig *config, gint64 received_us, gint64 now_us);
/* The message is older than warn-after, and there is one. */
gboolean pr_schedule_is_late (const PrConfig *config, gint64 received_us, gint64 now_us);

/* How long a next hop that failed @failures times in a row (at least 1) is left alone: a minute,
 * doubling to an hour, never longer than the schedule's interval for as many attempts. */
gint64 pr_schedule_back_off_us (const PrConfig *config, guint failures, guint32 random);

G_END_DECLS
