/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * PrVerdict: what the surrounding says to a step of the dialogue. Static text only: made on the
 * message path without allocation; words beyond that go through the journal.
 */
typedef enum
{
  PR_VERDICT_ACCEPT,  /* go on; the session's own 2yz/354 reply is sent */
  PR_VERDICT_REFUSE,  /* send the reply below, go on with the session */
  PR_VERDICT_CLOSE,   /* send the reply below (421 as a rule), then close */
  PR_VERDICT_PENDING, /* not known yet: pr_session_resume() brings it */
} PrVerdictKind;

typedef struct
{
  PrVerdictKind kind;
  guint16 code;         /* REFUSE, CLOSE */
  const char *enhanced; /* REFUSE, CLOSE: "4.3.1"; static */
  const char *text;     /* static, or valid until the session call returns; at most 400 octets in
                           a line, '\n' between lines. ACCEPT of mail, rcpt and end: (nullable),
                           instead of the session's own words */
} PrVerdict;

#define PR_ACCEPT ((PrVerdict){ .kind = PR_VERDICT_ACCEPT })
#define PR_PENDING ((PrVerdict){ .kind = PR_VERDICT_PENDING })
#define PR_REFUSE(c, e, t)                                                                         \
  ((PrVerdict){ .kind = PR_VERDICT_REFUSE, .code = (c), .enhanced = (e), .text = (t) })
#define PR_CLOSE(c, e, t)                                                                          \
  ((PrVerdict){ .kind = PR_VERDICT_CLOSE, .code = (c), .enhanced = (e), .text = (t) })

G_END_DECLS
