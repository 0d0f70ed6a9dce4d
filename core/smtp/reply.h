/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrReply: one SMTP reply (RFC 5321 §4.2) with its enhanced status (RFC 3463), whichever way it
 * travels. The numbers decide; the text is for people.
 */
typedef struct
{
  guint16 code;     /* 200..599; 0: there was none */
  guint8 status[3]; /* class.subject.detail, {0,0,0}: none. subject and detail are up to 999
                       on the wire; what is above 255 is read as 0 */
  gboolean is_own;  /* Postroom's own finding; no peer said it */
  char *text;       /* owned; lines joined by '\n', printable, at most PR_REPLY_MAX_TEXT */
} PrReply;

#define PR_REPLY_MAX_LINE 2048 /* longest line taken from a next hop, beyond: protocol error */
#define PR_REPLY_MAX_LINES 128 /* most lines of one reply */
#define PR_REPLY_MAX_TEXT 4096 /* what is kept of the text */

/* @enhanced: "5.7.1" or NULL (as is one that is malformed); @text: copied, made printable and cut
 * to PR_REPLY_MAX_TEXT; '\n' separates its lines. @self: initialised, or zero. */
void pr_reply_set (PrReply *self, guint code, const char *enhanced, const char *text);
void pr_reply_clear (PrReply *self);
void pr_reply_copy (PrReply *self, const PrReply *other);
/* "550 5.7.1 text" on one line, line breaks as " / ". (transfer full) */
char *pr_reply_to_string (const PrReply *self);
/* Reads back what pr_reply_to_string wrote (the text stays on one line); FALSE if it is not one,
 * and *@self is then unchanged. */
gboolean pr_reply_from_string (PrReply *self, const char *text);
#define pr_reply_is_positive(r) ((r)->code >= 200 && (r)->code < 300)
#define pr_reply_is_temporary(r) ((r)->code >= 400 && (r)->code < 500)
#define pr_reply_is_permanent(r) ((r)->code >= 500)

/**
 * PrReplyReader: collects reply lines from a next hop, in any fragmentation, within the bounds
 * above. Zero-initialised is ready; between replies it owns no memory but the last reply, which
 * is valid until the next feed or clear.
 *
 * Lines may end in LF alone: nothing can be smuggled by that in this direction, and mail must
 * leave. A reply whose lines disagree in their code is broken: whichever was believed, it could
 * be a delivery that never was (RFC 5321 §4.2.1).
 */
typedef struct
{
  GString *line; /* owned, NULL when empty */
  GString *text; /* owned, NULL when empty */
  guint n_lines;
  PrReply reply;
} PrReplyReader;

typedef enum
{
  PR_REPLY_MORE,     /* all octets taken, no complete reply yet */
  PR_REPLY_COMPLETE, /* reader->reply is one reply; *taken octets were used */
  PR_REPLY_BROKEN,   /* not SMTP: close the connection */
} PrReplyStatus;

/* Takes octets up to the end of one reply; the rest belongs to the next one. After BROKEN only
 * clear is legal. */
PrReplyStatus pr_reply_reader_feed (PrReplyReader *self, const char *data, gsize len, gsize *taken);
void pr_reply_reader_clear (PrReplyReader *self);

G_END_DECLS
