/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/http-answer.h"
#include "relay/runner-private.h"
#include "relay/way.h"

G_BEGIN_DECLS

/**
 * PrHttpParts: one message that Microsoft Graph does not take in one piece, as a draft whose large
 * attachments are uploaded on their own ("Attach large files to Outlook messages"). Whatever fails
 * on the way, the draft is deleted before anybody is told. The disk is read by the runner's
 * worker, in pieces, as the network takes them. One thread.
 */
typedef struct _PrHttpParts PrHttpParts;

typedef struct
{
  PrRunner *runner; /* borrowed; its web is there */
  PrMessage *message;
  PrConfig *config;
  const PrRouteConfig *route; /* of @config */
  PrWay *way;                 /* open */
  const char *base_url;       /* of the mailbox: "https://…/me" */
  const char *head;           /* what stands for the first @head_octets of the message */
  gsize head_len, head_octets;
  guint64 max_octets; /* of one request, before it is encoded */
} PrHttpPartsJob;

/* Exactly one is set: @answer, as pr_http_answer_judge() says; @error; or @held: it cannot go this
 * way, in words. All the callee's only during the call. The parts are gone then. */
typedef void (*PrHttpPartsFunc) (const PrHttpAnswer *answer, const GError *error, const char *held,
                                 gpointer user_data);

/* Keeps references, and copies of the texts. @func comes on a later turn. */
PrHttpParts *pr_http_parts_new (const PrHttpPartsJob *job, PrHttpPartsFunc func,
                                gpointer user_data);
/* The provider was told to send it: it may be under way to its recipients. */
gboolean pr_http_parts_is_sent (const PrHttpParts *self);
/* It is not to be sent now: func does not come. The draft is deleted, which takes as long as it
 * takes: the runner has not stopped before that. */
void pr_http_parts_cancel (PrHttpParts *self);
/* The end, at once: of a runner that ends. */
void pr_http_parts_free (PrHttpParts *self);

G_END_DECLS
