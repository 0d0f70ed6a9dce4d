/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/envelope.h"
#include "smtp/sasl.h"
#include "smtp/verdict.h"

G_BEGIN_DECLS

/**
 * PrSession: the server's side of one SMTP conversation (RFC 5321) without a socket or a clock.
 * Octets go in by pr_session_feed(), replies come out in the caller's buffer; what needs the
 * rest of the world is asked through PrSessionHandler. Not thread-safe; one owner. An idle
 * session holds nothing but the struct.
 */
typedef struct _PrSession PrSession;

/* What the listener announces and bears. Shared by all sessions of a listener, outlives them. */
typedef struct
{
  const char *hostname;            /* in the greeting and the replies */
  guint64 max_message_size_octets; /* SIZE; 0: none announced, none checked */
  guint max_recipients;            /* LIMITS RCPTMAX (RFC 9422) */
  gboolean legacy;                 /* CONTRACT: [listener] legacy */
  gboolean offers_tls;             /* STARTTLS (RFC 3207), while the session is not secure */
  gboolean requires_tls;           /* no MAIL before it */
} PrSessionOptions;

/* What a client may sign in with as things stand. */
typedef struct
{
  PrSaslMechanisms allowed;   /* listed by EHLO */
  PrSaslMechanisms needs_tls; /* would be allowed behind STARTTLS: 538 5.7.11 */
} PrAuthOffer;

/* Each step's question to the world. All are called from within feed or resume, never later.
 * mail, rcpt, data, end and auth may answer PR_PENDING and then owe one pr_session_resume(). */
typedef struct
{
  /* EHLO or HELO was accepted; @name as the client said it: at most 255 octets without control
   * characters, made valid UTF-8. It need not be a host name, and may hold spaces. */
  void (*greeted) (gpointer owner, const char *name, gboolean extended);
  PrVerdict (*mail) (gpointer owner, const PrEnvelope *envelope);
  /* @recipient is not yet in @envelope. */
  PrVerdict (*rcpt) (gpointer owner, const PrEnvelope *envelope, const PrRecipient *recipient);
  /* DATA or the first BDAT: the message is about to come. ACCEPT opens it. */
  PrVerdict (*data) (gpointer owner, const PrEnvelope *envelope);
  /* The next octets of the message, in runs as long as the input has them: dots removed, every
   * line ends in CRLF (repaired where legacy), the last one too; as they are for BINARYMIME.
   * Lines may be of any length: where the next hop takes 998 octets (RFC 5321 §4.5.3.1.6), the
   * client side encodes. NUL and octets above 127 may come whatever BODY said.
   * Called only between an accepted data and end or abandon. */
  void (*body) (gpointer owner, const char *data, gsize len);
  /* The message is complete and within its limits. @envelope: (transfer full). ACCEPT (the 250
   * that makes us responsible, RFC 5321 §6.1) may come only after it is safe on disk. */
  PrVerdict (*end) (gpointer owner, PrEnvelope *envelope);
  /* A message that was opened will not be completed: too large, broken, RSET, gone. Comes as soon
   * as that is known; the octets that are still to come are consumed by the session. */
  void (*abandon) (gpointer owner);
  /* (nullable: nobody can sign in; the three below are then not called) */
  PrAuthOffer (*auth_offer) (gpointer owner);
  /* As PrSaslServerWorld has it. get_binding: (nullable). */
  char *(*find_secret) (gpointer owner, PrSaslMechanisms mechanism, const char *user);
  GBytes *(*get_binding) (gpointer owner, const char *type);
  /* Somebody says to be @user ("" where that was not understood): @is_proven, or @check (transfer
   * full) (nullable) tells whether it is true, or it is not true. ACCEPT signs @user in. */
  PrVerdict (*auth) (gpointer owner, const char *user, PrSaslCheck *check, gboolean is_proven);
  /* (nullable): each line that goes either way, for the transcript, without its end; of a message
   * only "(N octets of message)". Secrets are hidden already. Incoming lines hold any octet but
   * NUL, CR and LF. */
  void (*trace) (gpointer owner, gboolean outgoing, const char *line, gsize len);
  /* (nullable) STARTTLS: TRUE where TLS can begin now. */
  gboolean (*starttls) (gpointer owner);
} PrSessionHandler;

typedef enum
{
  PR_SESSION_COMMAND,  /* waits for a command: idle timeout */
  PR_SESSION_DATA,     /* reads a message: minimum rate, total deadline */
  PR_SESSION_PENDING,  /* waits for a verdict: feed takes nothing */
  PR_SESSION_CLOSING,  /* said its last reply: write it, then close */
  PR_SESSION_SECURING, /* said 220 to STARTTLS: write it, then begin TLS and a new session, for
                        * this one takes nothing more (RFC 3207 §4.2) */
} PrSessionPhase;

/* @options, @handler: borrowed, outlive the session. */
PrSession *pr_session_new (const PrSessionOptions *options, const PrSessionHandler *handler,
                           gpointer owner);
/* Abandons an open message. */
void pr_session_free (PrSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSession, pr_session_free)

/* Appends the 220 greeting, or with a refusing verdict that reply (554 or 421) and closes. */
void pr_session_greet (PrSession *self, PrVerdict verdict, GString *out);
/* TLS is in force, from before the greeting or after STARTTLS. */
void pr_session_set_secure (PrSession *self);
/* Takes octets as they came off the wire, appends replies to @out, returns how many were taken:
 * all, unless it became PENDING, CLOSING or SECURING; the rest must be fed again after resume. */
gsize pr_session_feed (PrSession *self, const char *data, gsize len, GString *out);
/* The verdict a handler answered PENDING for. Feed what was left afterwards. After the session
 * was shut down it is ignored. */
void pr_session_resume (PrSession *self, PrVerdict verdict, GString *out);
/* Ends the conversation from our side, whatever its state: 421 with @enhanced and @text (a
 * timeout, a shutdown). Nothing more is taken. */
void pr_session_shut_down (PrSession *self, const char *enhanced, const char *text, GString *out);

PrSessionPhase pr_session_get_phase (const PrSession *self);
/* What EHLO or HELO said (see greeted), NULL before. Borrowed, valid until the next feed. */
const char *pr_session_get_helo (const PrSession *self);
gboolean pr_session_is_extended (const PrSession *self); /* EHLO, not HELO */
/* Who signed in, NULL: nobody. Borrowed, valid until the next feed. */
const char *pr_session_get_user (const PrSession *self);
/* Since the last accepted message. At 20 the session says 421 4.7.0 and closes. */
guint pr_session_get_n_errors (const PrSession *self);
guint64 pr_session_get_body_size (const PrSession *self); /* octets of the open message */

G_END_DECLS
