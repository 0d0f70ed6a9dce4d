/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "config/providers.h"
#include "queue/event.h"
#include "queue/message.h"
#include "relay/report.h"

G_BEGIN_DECLS

/**
 * What a next hop's answer means for one recipient: its progress, the event, and whether its
 * sender must be told. Pure but for the progress it writes: no I/O, no clock.
 */

/* What surrounded the attempt. */
typedef struct
{
  const PrConfig *config;
  const PrProvider *provider; /* (nullable) who answered: what it means by its words counts */
  gint64 now_us;
  guint32 random;       /* for the jitter; one for all recipients of an attempt, so that they stay
                           together */
  gint64 due_us;        /* when it is deferred: this, 0: by the schedule */
  const char *words;    /* (nullable) what it means, where the provider says nothing of it */
  gboolean uncounted;   /* nothing was really tried: the attempt does not count */
  gboolean hop_is_last; /* maildir, LMTP, discard: delivered, not relayed */
  gboolean hop_does_dsn;
} PrAttempt;

typedef struct
{
  PrEventKind event;    /* DELIVERED, DEFERRED, HELD or FAILED */
  const char *words;    /* (nullable) what the reply means, for people; the provider's */
  gboolean owes_report; /* to pr_outcome_report_to(), RFC 3461 §4 to §6 */
  PrReportKind report;  /* then: which one */
} PrOutcome;

/* Writes recipient @index of @message: @reply with 2yz delivers, 5yz fails, anything else
 * (code 0 too) defers, or fails when the message is older than give-up (the last reply then
 * says so, status 5.4.7); unless the provider is known to mean something else by it. The caller
 * records it. */
PrOutcome pr_outcome_apply (const PrAttempt *attempt, PrMessage *message, guint index,
                            const PrReply *reply);

/* A reply as a recipient's last reply shows it; code 0 is our own finding ("Could not connect to
 * ...") and shows as its text alone. (transfer full) */
char *pr_outcome_words (const PrReply *reply);
/* The same with what it means, for people; @words: (nullable). (transfer full) */
char *pr_outcome_explain (const PrReply *reply, const char *words);

/* Who is told that a recipient of @message failed: its sender; for the null sender, where a report
 * would answer a report (RFC 5321 §6.1), the postmaster, unless it is the postmaster who cannot be
 * reached or the message is itself what the postmaster was to be told. NULL: nobody. Borrowed. */
const char *pr_outcome_report_to (const PrConfig *config, const PrMessage *message, guint index);

/* A failed recipient that nobody can be told of: it stays visible in the queue. */
gboolean pr_outcome_is_kept (const PrConfig *config, const PrMessage *message, guint index);

/* Nothing of the message is left to do or to show: it leaves the queue with the next record. */
gboolean pr_outcome_leaves (const PrConfig *config, const PrMessage *message);

G_END_DECLS
