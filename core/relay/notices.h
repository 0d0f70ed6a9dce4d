/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/report.h"
#include "relay/runner-private.h"

G_BEGIN_DECLS

/**
 * PrNotices: the reports that the outcome of one work owes: reads as much of the original as they
 * quote, makes them, and puts them into the work, so that they are recorded in one transaction
 * with the outcome: a bounce exists exactly once.
 */
typedef struct _PrNotices PrNotices;

/* @peer: (nullable) copied. @done: called once @work->reports is complete, from within
 * pr_notices_run() or later. */
PrNotices *pr_notices_new (PrRunner *runner, PrWork *work, const char *peer,
                           void (*done) (PrWork *work));
/* @reply: copied. The peer is named as its source unless it is our own finding. @words: (nullable)
 * copied: what to do about it. */
void pr_notices_add (PrNotices *self, PrReportKind kind, guint index, const PrReply *reply,
                     const char *words);
/* Frees @self in the end. */
void pr_notices_run (PrNotices *self);

G_END_DECLS
