/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

/**
 * Records what became of a work: progress, events and reports in one transaction. The work stays
 * in hand until that is committed, for as long as it takes: an outcome is never forgotten.
 */
typedef struct
{
  const char *peer;  /* (nullable) "host:port" */
  const char *tls;   /* (nullable): what protected it, or why nothing did */
  guint64 session;   /* 0: none */
  gint64 due_us;     /* deferred ones: 0: by the schedule */
  const char *words; /* (nullable) what a finding of our own means, for people */
  gboolean uncounted, hop_is_last, hop_does_dsn;
  gboolean quiet; /* no event */
} PrRecordFacts;

/* @replies: one for each recipient of @work, in its order; @same: the first one stands for all. */
void pr_record_results (PrRunner *runner, PrWork *work, const PrReply *replies, gboolean same,
                        const PrRecordFacts *facts);
/* As set in the progress by the caller: moved to another bucket, held, released, retried. */
void pr_record_progress (PrRunner *runner, PrWork *work);
/* Tries again what the store could not record. */
void pr_record_retry (PrRunner *runner);

G_END_DECLS
