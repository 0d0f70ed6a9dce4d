/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/resolver.h"

G_BEGIN_DECLS

/* What the parts of the resolver share: resolver.c asks and tells, resolver-answer.c understands
 * what was answered. Internal to core/net. */

typedef enum
{
  ASK_EXCHANGERS,
  ASK_ADDRESSES,
  ASK_RECORDS,
} PrQuestionKind;

typedef struct
{
  guint refs;
  PrQuestionKind kind;
  PrRecordKind records; /* ASK_RECORDS */
  char *name;           /* owned; A-labels */
  gboolean asked, answered;
  GArray *exchangers;   /* owned, nullable */
  GPtrArray *addresses; /* owned, nullable */
  GPtrArray *values;    /* owned, nullable */
  GError *error;        /* owned, nullable */
  gint64 expires_us;
  GQueue tickets; /* borrowed: who waits for it */
} PrQuestion;

/* Each fills in what the question was about, or its error. */
void pr_question_take_records (PrQuestion *question, GList *records);
void pr_question_take_addresses (PrQuestion *question, GList *addresses);
void pr_question_take_error (PrQuestion *question, const GError *error);
/* FALSE: that needs a name server. */
gboolean pr_question_take_text (PrQuestion *question);

G_END_DECLS
