/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "guard/inspection.h"
#include "queue/spool.h"

G_BEGIN_DECLS

/**
 * PrIntake: one message between its first octet and the queue. Writes the trace field on top
 * (RFC 5321 §4.4), counts Received fields, and for clients that may relay adds Date and
 * Message-ID where they are missing (RFC 6409 §8) at the end of the header section; all
 * else goes to the spool unchanged, in one pass. Owner's thread only.
 */
typedef struct _PrIntake PrIntake;

/* All strings are read during pr_intake_new only. */
typedef struct
{
  const char *hostname;    /* ours */
  const char *helo;        /* what the client called itself; anything */
  const char *client;      /* its address in text form */
  const char *protocol;    /* "ESMTP", "UTF8SMTP", … (RFC 3848, 6531) */
  const char *tls_version; /* (nullable) "TLS1.3" */
  const char *tls_cipher;  /* (nullable) as IANA names it */
  const PrEnvelope *envelope;
  gboolean complete;     /* add what is missing */
  gboolean keeps_header; /* for pr_intake_get_header */
  /* (nullable) borrowed, outlives it: sees the message go by. Fields Authentication-Results that
   * claim to be ours are then taken out (RFC 8601 §5), and room is kept for the true one. */
  PrInspection *inspection;
} PrIntakeFacts;

PrIntake *pr_intake_new (PrStore *store, const PrIntakeFacts *facts, PrSpoolFunc writable,
                         gpointer user_data);
/* Discards what was written. */
void pr_intake_free (PrIntake *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrIntake, pr_intake_free)

/* FALSE: the disk is behind, stop reading from the client until writable is called. */
gboolean pr_intake_append (PrIntake *self, const char *data, gsize len);
gint64 pr_intake_get_id (const PrIntake *self); /* of the message to be */
guint pr_intake_get_n_received (const PrIntake *self);
/* The message as it came from its start until behind its header, or PR_HEADERS_MAX octets of a
 * header that is longer. NULL: not kept. Borrowed. */
const char *pr_intake_get_header (const PrIntake *self, gsize *len);
/* The message has ended: everything has gone by, and the rest may be asked. */
void pr_intake_end (PrIntake *self);
/* An inspected message's header is longer than PR_HEADERS_MAX: nobody could say what is in it. */
gboolean pr_intake_is_obscure (const PrIntake *self);
/* The inspection has ended: puts what it found on top of the message. */
void pr_intake_set_results (PrIntake *self, const char *field);
/* The finished message, body included, ready for pr_store_put. Frees @self.
 * @envelope: (transfer full). (transfer full) */
PrMessage *pr_intake_finish (PrIntake *self, PrEnvelope *envelope);

/* RFC 5321 §6.3: a message that passed this many hosts goes round in circles. */
#define PR_MAX_RECEIVED 100

G_END_DECLS
