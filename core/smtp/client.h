/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/envelope.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * PrClient: the client's side of SMTP or LMTP (RFC 5321, 2033) without a socket or a clock.
 *
 *   greeting → EHLO (→ HELO) → idle ⇄ transaction → … → QUIT
 *
 * The owner writes what is appended to the out buffers, feeds what it reads, keeps the deadline
 * that pr_client_get_wait() names. One transaction at a time. Not thread-safe.
 */
typedef struct _PrClient PrClient;

typedef enum
{
  PR_EXT_PIPELINING = 1 << 0,
  PR_EXT_SIZE = 1 << 1,
  PR_EXT_8BITMIME = 1 << 2,
  PR_EXT_SMTPUTF8 = 1 << 3,
  PR_EXT_DSN = 1 << 4,
  PR_EXT_CHUNKING = 1 << 5,
  PR_EXT_BINARYMIME = 1 << 6,
  PR_EXT_STARTTLS = 1 << 7,
  PR_EXT_AUTH = 1 << 8,
  PR_EXT_ENHANCED = 1 << 9,
  PR_EXT_LIMITS = 1 << 10,
} PrExtensions;

/* One message for some recipients of one next hop. Borrowed by the client until finished. */
typedef struct
{
  const char *sender;                   /* as it goes on the wire; "" is the null sender */
  const PrRecipient *const *recipients; /* n_recipients pointers */
  guint n_recipients;
  guint64 size_octets; /* for SIZE= */
  PrBodyType body;
  gboolean smtputf8; /* send the parameter */
  PrRet ret;
  const char *envid; /* (nullable) xtext */
} PrTransaction;

typedef struct
{
  /* Greeted and introduced: a transaction may begin, extensions are known. */
  void (*ready) (gpointer owner);
  /* The message is wanted: the owner calls pr_client_give_body() until last. */
  void (*wants_body) (gpointer owner);
  /* The final word on recipient @index: its RCPT refusal, or what came for the final dot.
   * Exactly once for each recipient, unless failed comes first. Only a 2yz for the dot
   * (LMTP: that recipient's) is a delivery. @stage names the command ("RCPT TO", "end of
   * data") for people. */
  void (*result) (gpointer owner, guint index, const PrReply *reply, const char *stage);
  /* All recipients have their result; the connection is idle and may be reused. */
  void (*finished) (gpointer owner);
  /* The connection is of no more use. @error's code decides (TEMPORARY, PERMANENT, PROTOCOL);
   * @reply: (nullable): what the hop said (421, 554 greeting). Recipients without a result
   * have none: try them again. pr_client_dot_sent() tells if that may double the message. */
  void (*failed) (gpointer owner, const GError *error, const PrReply *reply);
  /* (nullable): each line that goes either way. */
  void (*trace) (gpointer owner, gboolean outgoing, const char *line, gsize len);
} PrClientHandler;

/* RFC 5321 §4.5.3.2: what is waited for decides how long. */
typedef enum
{
  PR_WAIT_NOTHING,  /* idle */
  PR_WAIT_GREETING, /* 5 min */
  PR_WAIT_REPLY,    /* EHLO, MAIL, RCPT: reply-timeout, 5 min */
  PR_WAIT_DATA,     /* 354: 2 min, at most reply-timeout */
  PR_WAIT_BODY,     /* sending the body: 3 min for each piece to leave */
  PR_WAIT_DOT,      /* after the final dot: twice reply-timeout, 10 min */
} PrWait;

/* @hostname: for EHLO, copied. @lmtp: LHLO and a reply for each recipient. */
PrClient *pr_client_new (const char *hostname, gboolean lmtp, const PrClientHandler *handler,
                         gpointer owner);
void pr_client_free (PrClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrClient, pr_client_free)

/* Handlers are called from within; a handler may begin the next transaction, never free. */
void pr_client_feed (PrClient *self, const char *data, gsize len, GString *out);
/* The peer closed, or the owner gave up (@why is for people): fails what is open. */
void pr_client_close (PrClient *self, const GError *why);
/* Legal when ready or after finished. */
void pr_client_send (PrClient *self, const PrTransaction *transaction, GString *out);
/* Appends the octets dot-stuffed, or as BDAT chunks where CHUNKING is used; @data has CRLF line
 * ends in any fragmentation. @last ends the message. */
void pr_client_give_body (PrClient *self, const char *data, gsize len, gboolean last, GString *out);
/* The body cannot be read: leaves the transaction without completing the message (the
 * connection must then be closed where that is the only honest way). */
void pr_client_abort_body (PrClient *self, GString *out);
void pr_client_quit (PrClient *self, GString *out);

PrExtensions pr_client_get_extensions (const PrClient *self);
guint64 pr_client_get_max_size (const PrClient *self);       /* SIZE; 0: not said */
guint pr_client_get_max_recipients (const PrClient *self);   /* LIMITS RCPTMAX; 0: not said */
guint pr_client_get_max_transactions (const PrClient *self); /* LIMITS MAILMAX; 0 */
PrWait pr_client_get_wait (const PrClient *self);
gboolean pr_client_is_idle (const PrClient *self);
gboolean pr_client_dot_sent (const PrClient *self);

G_END_DECLS
