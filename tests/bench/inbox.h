/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "tally.h"

/**
 * PrBenchInbox:
 *
 * The sink's side of one SMTP connection, without I/O: octets in, replies out,
 * each message checked and counted.
 */
typedef struct PrBenchInbox PrBenchInbox;

/* @tally is borrowed. */
PrBenchInbox *pr_bench_inbox_new (PrBenchTally *tally);
void pr_bench_inbox_free (PrBenchInbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrBenchInbox, pr_bench_inbox_free)

/**
 * pr_bench_inbox_feed:
 * @self: an inbox
 * @data: octets as they came off the wire
 * @len: their number
 * @replies: replies are appended to it
 *
 * Returns: whether the connection goes on; if not, send @replies and close
 */
gboolean pr_bench_inbox_feed (PrBenchInbox *self, const char *data, gsize len, GString *replies);
