/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session-private.h: what the files of the server session share.
 *
 *   session.c   framing of command lines, replies, budgets, phases, the public functions
 *   verb.c      the table of verbs: what each needs, its check, how it proceeds
 *   params.c    the parameters of MAIL and RCPT
 *   auth.c      AUTH and its exchange
 *   body.c      the octets of a message: DATA and BDAT
 */
#pragma once

#include "smtp/session.h"

G_BEGIN_DECLS

/* What a pending verdict is about. */
typedef enum
{
  PR_STEP_MAIL,
  PR_STEP_RCPT,
  PR_STEP_DATA,
  PR_STEP_CHUNK,
  PR_STEP_END,
  PR_STEP_AUTH,
} PrStep;

/* An exchange that is under way. */
typedef struct _PrAuth PrAuth;

/* Where in the text of a message the next octet stands (body.c has the diagram). */
typedef enum
{
  PR_AT_LINE_START,
  PR_IN_LINE,
  PR_AFTER_CR,
  PR_AFTER_DOT,
  PR_AFTER_DOT_CR,
} PrBodyState;

/* Why the message that comes in will not be taken. */
typedef enum
{
  PR_BODY_GOOD,
  PR_BODY_TOO_LARGE,
  PR_BODY_BARE_LINE_END,
} PrBodyFault;

typedef struct
{
  PrBodyState state;
  PrBodyFault fault;
  gboolean is_open;    /* the handler said yes to data and had neither end nor abandon */
  gboolean by_dot;     /* DATA, not BDAT */
  gboolean is_chunked; /* a BDAT of this transaction was taken */
  gboolean is_raw;     /* BINARYMIME: line ends have no meaning */
  guint64 size_octets;
  /* BDAT */
  guint64 chunk_octets, chunk_left;
  gboolean chunk_is_last;
  gboolean discards;   /* the chunk's refusal was said already, its octets are still to come */
  gboolean has_failed; /* a chunk was refused: nothing but RSET helps (RFC 3030 §2) */
} PrBody;

struct _PrSession
{
  const PrSessionOptions *options; /* borrowed, outlive the session */
  const PrSessionHandler *handler;
  gpointer owner;

  PrSessionPhase phase;
  PrStep step;      /* while PENDING */
  GString *out;     /* borrowed, while a public function runs */
  GString *line;    /* owned, nullable: a command line of which only a part has come */
  guint64 overlong; /* octets of a line that is longer than allowed, of which line keeps one */

  gboolean is_secure;
  char *helo; /* owned, nullable */
  gboolean is_extended;
  PrEnvelope *envelope;  /* owned, NULL: no transaction */
  PrRecipient recipient; /* owned, while its verdict is pending */
  PrBody body;

  PrAuth *auth;       /* owned, nullable */
  char *claimed_user; /* owned, nullable: while the verdict on it is pending */
  char *user;         /* owned, nullable: who signed in */

  gboolean hides_lines; /* AUTH was tried: lines that are no command may be secrets */
  guint n_errors;       /* these three: since the last accepted message */
  guint n_refused_tenths;
  guint n_idle;
};

/* session.c */

/* One reply; '\n' in @text makes it several lines. @enhanced: (nullable). */
void pr_session_say (PrSession *self, guint code, const char *enhanced, const char *text);
/* Says what @verdict, which is no ACCEPT, says; closes where it says so. */
void pr_session_say_refusal (PrSession *self, PrVerdict verdict);
/* The same, and takes it from the client's budget of errors. */
void pr_session_refuse (PrSession *self, PrVerdict verdict);
/* The same, for a recipient: a long list of bad ones is no attack, so they have their own. */
void pr_session_refuse_recipient (PrSession *self, PrVerdict verdict);
/* Waits for the verdict on @step, or goes on with it. */
void pr_session_settle (PrSession *self, PrStep step, PrVerdict verdict);
/* Forgets the transaction, abandons its message. */
void pr_session_reset (PrSession *self);
/* For what moves no mail but is no error: small commands, "try again later". FALSE when it was one
 * too many, and the session is over. */
gboolean pr_session_may_idle (PrSession *self);
void pr_session_close (PrSession *self);
void pr_session_trace (PrSession *self, gboolean outgoing, const char *line, gsize len);

/* verb.c */

/* One command line without its end; no NUL, CR or LF in it. */
void pr_session_run (PrSession *self, const char *line, gsize len);

/* auth.c: @argument to @end is what stands behind the verb. */

PrAuthOffer pr_session_get_auth_offer (const PrSession *self);
PrVerdict pr_session_check_auth (const PrSession *self, const char *argument, const char *end);
void pr_session_begin_auth (PrSession *self, const char *argument, const char *end);
/* The command for the transcript, without what is secret in it. */
void pr_session_trace_auth (PrSession *self, const char *argument, const char *end);
/* A line while @self->auth; one that was too long. */
void pr_session_take_response (PrSession *self, const char *line, gsize len);
void pr_session_refuse_response (PrSession *self);
void pr_session_settle_auth (PrSession *self, PrVerdict verdict);
/* Forgets an exchange that is under way. */
void pr_session_end_auth (PrSession *self);

/* params.c: from the first octet behind the path to the end of the line. ACCEPT, or the refusal. */

PrVerdict pr_mail_params_parse (const char *text, const char *end, PrEnvelope *envelope);
PrVerdict pr_rcpt_params_parse (const char *text, const char *end, gboolean smtputf8,
                                PrRecipient *recipient);

/* body.c */

/* After the verdict on DATA or the first BDAT: the message may come. */
void pr_session_open_body (PrSession *self, gboolean by_dot);
/* The next chunk of the open message: body.chunk_octets and chunk_is_last say what comes. */
void pr_session_begin_chunk (PrSession *self);
/* The octets of a chunk whose refusal was said. */
void pr_session_skip_chunk (PrSession *self, guint64 octets, gboolean is_last);
/* Takes octets of the message; returns how many, less than @len where it ended. */
gsize pr_session_take_body (PrSession *self, const char *data, gsize len);
void pr_session_abandon_body (PrSession *self);

G_END_DECLS
