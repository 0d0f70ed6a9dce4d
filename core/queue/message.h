/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/envelope.h"

G_BEGIN_DECLS

typedef enum
{
  PR_RECIPIENT_QUEUED,    /* waits for due_us */
  PR_RECIPIENT_HELD,      /* waits for a person, or for a route */
  PR_RECIPIENT_DELIVERED, /* kept while others of the message wait */
  PR_RECIPIENT_FAILED,    /* for good; kept while others wait, or because nobody can be told */
} PrRecipientState;

/* The queue's side of one recipient; index i belongs to envelope recipient i. */
typedef struct
{
  PrRecipientState state;
  guint attempts;
  gint64 due_us;    /* next attempt, microseconds since the epoch */
  char *hop;        /* owned, nullable: bucket of the next hop: "route" or "route/domain" */
  char *last_reply; /* owned, nullable: as pr_reply_to_string */
  gboolean warned;  /* the delay notice was sent */
} PrProgress;

/**
 * PrMessage: one message in the queue: envelope, progress and body. Reference-counted (atomic).
 * All of it but progress is fixed once it was given to the store; progress belongs to the
 * thread of the store's owner (the runner changes it and tells the store by pr_store_record) from
 * the moment the put was answered.
 */
typedef struct _PrMessage PrMessage;
struct _PrMessage
{
  gatomicrefcount refs;

  gint64 id; /* common/id.h; unique for ever */
  gint64 received_us;
  guint64 size_octets;  /* of the body as stored, with our trace header */
  PrEnvelope *envelope; /* owned */
  PrProgress *progress; /* owned, one for each recipient */
  char *client;         /* owned, nullable: address of who handed it in, NULL: made by us */
  char *user;           /* owned, nullable: signed in as */
  gboolean is_report;   /* a bounce or notice of ours: its failure makes no other */

  /* The body: inline in the row up to PR_BODY_INLINE_MAX, else a spool file. In memory @body is
   * present right after receipt and dropped when the store's memory budget is spent. */
  GBytes *body; /* owned, nullable */
  char *spool;  /* owned, nullable: file name below the body folder */

  /* The store's own: its memory budget, or a file that no row names yet. */
  gpointer hold;
  void (*release) (PrMessage *self);
};

#define PR_BODY_INLINE_MAX (128 * 1024)

/* Takes the envelope; all recipients queued, due at @received_us. */
PrMessage *pr_message_new (gint64 id, gint64 received_us, PrEnvelope *envelope);
PrMessage *pr_message_ref (PrMessage *self);
void pr_message_unref (PrMessage *self);
/* Recipients that are queued or held. */
guint pr_message_n_pending (const PrMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrMessage, pr_message_unref)

G_END_DECLS
