/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "net/web.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * What a provider's answer over HTTP means, in the terms of mail. Pure but for the clock, which is
 * given: a date in Retry-After is relative to it.
 */
typedef enum
{
  PR_HTTP_SENT,
  PR_HTTP_REFUSED,   /* this message: reply is 5yz, and the provider's preset may know better */
  PR_HTTP_SLOW_DOWN, /* nothing for this route for wait_s */
  PR_HTTP_FAILED,    /* the provider has trouble: tried again later */
  PR_HTTP_TOKEN,     /* the access token was refused */
  PR_HTTP_SIGN_IN,   /* a person must permit or set something first */
} PrHttpVerdict;

typedef struct
{
  PrHttpVerdict verdict;
  PrReply reply; /* owned: status and words as a next hop would have said them */
  guint wait_s;  /* of SLOW_DOWN: at least 1 */
} PrHttpAnswer;

/* @via: GMAIL_API or GRAPH. @out: uninitialised. */
void pr_http_answer_judge (PrHttpAnswer *out, PrVia via, const PrWebAnswer *answer, gint64 now_s);
void pr_http_answer_clear (PrHttpAnswer *self);

G_END_DECLS
