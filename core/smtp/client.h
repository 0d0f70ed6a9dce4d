/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/capabilities.h"
#include "smtp/envelope.h"
#include "smtp/reply.h"
#include "smtp/sasl.h"

G_BEGIN_DECLS

/**
 * PrClient: the client's side of SMTP or LMTP (RFC 5321, 2033) without a socket or a clock.
 *
 *   greeting → EHLO (→ HELO) → idle ⇄ transaction → … → QUIT
 *
 * The owner writes what is appended to the out buffers, feeds what it reads, keeps the deadline
 * that pr_client_get_wait() names. One transaction at a time. Not thread-safe.
 *
 * With PIPELINING the whole envelope and DATA leave in one write (at most 100 RCPT wait for their
 * reply, so that neither side's buffers fill); without, each command waits for its reply. The
 * message goes by DATA; by BDAT only where it must (BINARYMIME): DATA costs no extra round trip
 * when pipelined, and a message whose recipients are all refused is then never sent.
 */
typedef struct _PrClient PrClient;

/* One message for some recipients of one next hop. The struct is copied; what it points to is
 * borrowed by the client until finished or failed. */
typedef struct
{
  const char *sender;                   /* canonical (address.h); "" is the null sender */
  const PrRecipient *const *recipients; /* n_recipients pointers, at least one */
  guint n_recipients;
  guint64 size_octets; /* for SIZE=; 0: not known */
  PrBodyType body;     /* what the text really is, after conversion */
  gboolean smtputf8;   /* addresses or headers need it: never sent without the extension */
  PrRet ret;
  const char *envid;     /* (nullable) xtext */
  gboolean requires_tls; /* REQUIRETLS is said where it is offered; whether the message may go at
                          * all is the owner's matter, who knows the channel (RFC 8689 §4.2.1) */
} PrTransaction;

typedef struct
{
  /* Greeted and introduced: a transaction may begin, extensions are known. */
  void (*ready) (gpointer owner);
  /* (nullable where STARTTLS is never said) the server is ready for the handshake: the owner
   * secures the channel, then calls pr_client_secured(). */
  void (*wants_tls) (gpointer owner);
  /* (nullable where nobody signs in) the outcome of pr_client_sign_in(): NULL, signed in; else why
   * not: 535 and the like, 454 or 432 for later. The connection is idle. */
  void (*signed_in) (gpointer owner, const PrReply *refusal);
  /* The message is wanted, said once: the owner calls pr_client_give_body() until last, at once
   * or later. It stops when finished or failed comes before. */
  void (*wants_body) (gpointer owner);
  /* The final word on recipient @index: its RCPT refusal, or what came for the final dot.
   * Exactly once for each recipient, unless failed comes first. Only a 2yz for the dot
   * (LMTP: that recipient's) is a delivery. @stage names the command ("RCPT TO", "end of
   * data") for people; static. Replies of our own making ("check before sending": too large for
   * the hop, not expressible there) are always 5yz with an enhanced status and never left this
   * machine. */
  void (*result) (gpointer owner, guint index, const PrReply *reply, const char *stage);
  /* All recipients have their result; the connection is idle and may be reused. What the owner
   * sends from within leaves in one write with what is in the out buffer already. */
  void (*finished) (gpointer owner);
  /* The connection is of no more use: close it once the out buffer has left. @error's code says
   * what happened: TEMPORARY (refused, 421, closed, given up), PROTOCOL (not SMTP). @reply:
   * (nullable): what the hop said. A refusal before ready is always TEMPORARY, even "554" or
   * "550 bad HELO": it speaks of this host and not of a message (RFC 5321 §3.1), and the owner
   * may try the next host or decide by @reply->code. Recipients without a result have none: try
   * them again. pr_client_dot_sent() tells if that may double the message. */
  void (*failed) (gpointer owner, const GError *error, const PrReply *reply);
  /* (nullable): each line that goes either way, without line end; the text of a message is one
   * line that tells its length. */
  void (*trace) (gpointer owner, gboolean outgoing, const char *line, gsize len);
} PrClientHandler;

/* RFC 5321 §4.5.3.2: what is waited for decides how long. */
typedef enum
{
  PR_WAIT_NOTHING,  /* idle or done */
  PR_WAIT_GREETING, /* 5 min */
  PR_WAIT_REPLY,    /* EHLO, MAIL, RCPT: reply-timeout, 5 min */
  PR_WAIT_DATA,     /* 354: 2 min, at most reply-timeout */
  PR_WAIT_BODY,     /* sending the body: 3 min for each piece to leave */
  PR_WAIT_DOT,      /* after the final dot: twice reply-timeout, 10 min */
} PrWait;

/* @hostname: for EHLO, copied. @lmtp: LHLO and a reply for each recipient. @handler: borrowed,
 * static. */
PrClient *pr_client_new (const char *hostname, gboolean lmtp, const PrClientHandler *handler,
                         gpointer owner);
/* Calls no handler. */
void pr_client_free (PrClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrClient, pr_client_free)

/* Handlers are called from within; a handler may begin the next transaction, never free. */
void pr_client_feed (PrClient *self, const char *data, gsize len, GString *out);
/* The peer closed (@why NULL), or the owner gives up (@why is for people: a time-out, a body that
 * cannot be read; it is told together with what was waited for). Calls failed, unless QUIT was
 * said or failed was called before. There is no other way out of a message that was begun: a
 * final dot would deliver half of it. */
void pr_client_close (PrClient *self, const GError *why);
/* Legal when pr_client_is_idle() and STARTTLS is offered: wants_tls follows, or failed with
 * PR_ERROR_TLS where the server refuses after all. */
void pr_client_start_tls (PrClient *self, GString *out);
/* TLS is in force: forgets what was said before and introduces itself anew; ready follows. For
 * implicit TLS before the greeting was fed: notes it. */
void pr_client_secured (PrClient *self, GString *out);
/* Legal when idle. @mechanism: the one of @sasl (transfer full). signed_in follows. What is said is
 * hidden from the trace. */
void pr_client_sign_in (PrClient *self, PrSaslMechanisms mechanism, PrSaslClient *sasl,
                        GString *out);
/* Legal when pr_client_is_idle(). */
void pr_client_send (PrClient *self, const PrTransaction *transaction, GString *out);
/* Appends the octets dot-stuffed and with line ends repaired (smtp/stuff.h), or as one BDAT chunk
 * octet for octet. Any fragmentation. @last ends the message. */
void pr_client_give_body (PrClient *self, const char *data, gsize len, gboolean last, GString *out);
/* Says goodbye when idle; in any other state there is no polite way and nothing is appended. */
void pr_client_quit (PrClient *self, GString *out);

/* Borrowed; all zero before ready. */
const PrCapabilities *pr_client_get_capabilities (const PrClient *self);
PrWait pr_client_get_wait (const PrClient *self);
gboolean pr_client_is_idle (const PrClient *self);
/* The end of the message was handed out and no word on it came: trying again may double it. */
gboolean pr_client_dot_sent (const PrClient *self);

G_END_DECLS
