/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "smtp/verdict.h"

G_BEGIN_DECLS

/**
 * PrInspection: what is found out about one message of a stranger, and what follows from it by the
 * [guard] group of the configuration.
 *
 *   begin ──► greeting, reverse name, SPF ──► verdict before the message is read
 *   header, body ──► end ──► DKIM, DMARC ──► verdict, and what is said of it (RFC 8601)
 *
 * Nobody who may relay, and nobody in excused-networks, is inspected: they wait for nothing.
 * Verdicts come within PR_INSPECTION_MS for each half; what DNS did not answer by then counts as
 * not found out. One thread.
 */
typedef struct _PrInspection PrInspection;

#define PR_INSPECTION_MS 30000

/* All are read during pr_inspection_new only, but for the borrowed. */
typedef struct
{
  PrLoop *loop;         /* borrowed, outlives it */
  PrResolver *resolver; /* borrowed, outlives it; of its own, so that strangers hold up nobody */
  PrConfig *config;     /* referenced */
  const PrIp *client;
  const char *hostname; /* ours */
  const char *helo;     /* (nullable) as the client said it */
  const char *sender;   /* canonical, "" for the null sender */
} PrInspectionFacts;

/* Whether there is anything to find out about this client. */
gboolean pr_inspection_is_due (const PrConfig *config, const PrIp *client);

/* @done: the verdict that a PENDING promised; never from within. Its text is valid until the
 * inspection is freed. */
PrInspection *pr_inspection_new (const PrInspectionFacts *facts,
                                 void (*done) (PrVerdict verdict, gpointer user_data),
                                 gpointer user_data);
void pr_inspection_free (PrInspection *self); /* @done does not come any more */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrInspection, pr_inspection_free)

/* Each gives ACCEPT, REFUSE or PENDING. */
PrVerdict pr_inspection_begin (PrInspection *self);
PrVerdict pr_inspection_end (PrInspection *self);
/* Between the two, the message as it came. @header: whole, up to the empty line. */
void pr_inspection_take_header (PrInspection *self, const char *header, gsize len);
void pr_inspection_take_body (PrInspection *self, const char *data, gsize len);

/* After the last verdict. Why the message is to be held for a person; NULL: it is not. Borrowed. */
const char *pr_inspection_get_hold (const PrInspection *self);
/* Everything that was found, in words, for the log; NULL: nothing was looked at. Borrowed. */
const char *pr_inspection_get_words (const PrInspection *self);
/* The field Authentication-Results. (transfer full) */
char *pr_inspection_format_results (const PrInspection *self);

G_END_DECLS
