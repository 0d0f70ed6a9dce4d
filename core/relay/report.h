/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/id.h"
#include "queue/message.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * Reports about a message's recipients: RFC 3464 in words for people and fields for programs.
 * Who is owed one is decided elsewhere (RFC 3461 §4 to §6, relay/outcome.h); this makes it. Memory
 * only, no I/O; g_mime_init() was called. Any thread.
 */
typedef enum
{
  PR_REPORT_FAILED,    /* given up */
  PR_REPORT_DELAYED,   /* still tried */
  PR_REPORT_DELIVERED, /* we were the last */
  PR_REPORT_RELAYED,   /* to a server that sends no reports */
} PrReportKind;

typedef struct
{
  guint index;          /* of the original's recipients */
  const PrReply *reply; /* (nullable) what was said last */
  const char *remote;   /* (nullable) the host that said it; NULL: our own finding */
  const char *words;    /* (nullable) what to do about it; NULL: what the status suggests */
} PrReportRecipient;

typedef struct
{
  PrReportKind kind;
  const PrMessage *original;
  const char *to; /* who is told: the original's sender, or the postmaster; canonical */
  GBytes *head;   /* (nullable) the original's first pr_report_get_head_size() octets */
  const PrReportRecipient *recipients;
  guint n_recipients;   /* at least one */
  const char *hostname; /* this relay's */
  gint64 now_us;        /* also the time of the last attempt */
  gint64 give_up_us;    /* DELAYED: when trying ends; 0: not said */
} PrReportFacts;

/* How many octets of the original a report wants: all of a small one where the whole may be
 * returned (failures, unless RET=HDRS), else as much as its header may have. */
gsize pr_report_get_head_size (PrReportKind kind, const PrMessage *original);

/* One report for all @facts->recipients: from the null sender to @facts->to, is_report, body in
 * memory with CRLF line ends. (transfer full) */
PrMessage *pr_report_new (const PrReportFacts *facts, PrIdSource *ids);

G_END_DECLS
