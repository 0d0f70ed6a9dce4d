/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/client.h"
#include "smtp/stuff.h"

G_BEGIN_DECLS

/* What the parts of the client share: client.c reads replies, client-entry.c makes a connection
 * usable, client-mail.c sends messages over it. Internal to core/smtp. */

typedef enum
{
  STATE_GREETING,
  STATE_EHLO,
  STATE_HELO,
  STATE_STARTTLS,
  STATE_SECURING, /* the owner secures the channel */
  STATE_AUTH,
  STATE_IDLE,
  STATE_RSET,
  STATE_MAIL,
  STATE_RCPT,
  STATE_DATA,
  STATE_BODY,
  STATE_DOT,
  STATE_QUIT,
  STATE_CLOSED,
} PrClientState;

/* What became of one recipient of the transaction. */
typedef enum
{
  FATE_OPEN,     /* RCPT was not sent */
  FATE_SENT,     /* its reply is awaited */
  FATE_ACCEPTED, /* the end of data decides */
  FATE_SETTLED,  /* its result was given */
} Fate;

struct _PrClient
{
  const PrClientHandler *handler; /* borrowed */
  gpointer owner;                 /* borrowed */
  char *hostname;                 /* owned */
  gboolean lmtp;

  PrClientState state;
  PrReplyReader reader;
  GString *line; /* owned: room for a line of the trace */
  PrCapabilities hop;
  gboolean secure;        /* TLS is in force */
  PrSaslClient *sasl;     /* owned, nullable: signing in */
  gboolean sasl_given_up; /* said "*": whatever is answered, it was refused */
  gboolean needs_rset;    /* the last transaction left something behind on the server */
  gboolean settling;      /* below settle_here() on the stack */
  gboolean finish_due;    /* nothing left to send: settle_here() finishes */

  /* The transaction; its pointers are borrowed until finished. */
  PrTransaction transaction;
  guint8 *fates; /* owned, room for n_fates */
  guint n_fates;
  guint next_rcpt;     /* the first recipient whose RCPT may have to be sent */
  guint next_reply;    /* no recipient before it awaits a reply of the current state */
  guint n_outstanding; /* RCPT replies awaited */
  guint n_accepted;    /* recipients without a result; LMTP: replies to the dot awaited */
  guint n_chunks;      /* BDAT replies awaited, but for the last */
  gboolean mail_refused;
  gboolean data_sent; /* DATA left before the replies to RCPT came */
  gboolean chunking;  /* BDAT instead of DATA */
  gboolean dot_sent;
  gboolean is_hasty; /* the next reply was there before the message was: it is not for the dot */
  guint64 n_body_octets;
  PrStuffer stuffer;
};

/* For people. Static. */
const char *pr_client_state_name (PrClientState state);
/* The command or the place that a reply was waited for. */
const char *pr_client_get_stage (const PrClient *self);
void pr_client_fail (PrClient *self, const GError *error, const PrReply *reply);
/* @reply: (nullable): what cannot be. */
void pr_client_fail_protocol (PrClient *self, const PrReply *reply);
/* The server wants no more of this connection, and says why. */
void pr_client_fail_refused (PrClient *self, const PrReply *reply, GString *out);
/* One line, traced. */
void pr_client_say (PrClient *self, const char *line, GString *out);
/* Tells the trace what was appended to @out behind @start. */
void pr_client_trace_sent (PrClient *self, const GString *out, gsize start);

void pr_client_on_greeting (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_ehlo (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_helo (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_starttls (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_auth (PrClient *self, const PrReply *reply, GString *out);

void pr_client_on_rset (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_mail (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_rcpt (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_data (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_body (PrClient *self, const PrReply *reply, GString *out);
void pr_client_on_dot (PrClient *self, const PrReply *reply, GString *out);

G_END_DECLS
