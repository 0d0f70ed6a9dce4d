/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrStuffer: the text of a message on its way behind DATA (RFC 5321 §4.5.2). Everything Postroom
 * sends behind a 354 goes through it, so that nothing can leave with line ends that another
 * server might take for the end of the message.
 *
 * Whatever comes in, in any fragmentation: a dot at the start of a line is doubled; line ends are
 * CRLF (a bare LF, a bare CR become one); the message ends in CRLF, then ".\r\n". Long lines pass
 * as they are: breaking them would damage what they carry. Zero-initialised is ready for a
 * message; it owns no memory.
 */
typedef struct
{
  enum
  {
    PR_STUFFER_LINE_START,
    PR_STUFFER_IN_LINE,
    PR_STUFFER_AFTER_CR, /* a CR that was not sent yet: LF may follow in the next piece */
  } at;
} PrStuffer;

void pr_stuffer_append (PrStuffer *self, const char *data, gsize len, GString *out);
/* The end of the message: completes the last line, adds the final dot, is ready for the next. */
void pr_stuffer_finish (PrStuffer *self, GString *out);

/* One piece of a message behind BDAT (RFC 3030 §2), octet for octet. @len may be 0 only with
 * @last. */
void pr_bdat_append (const char *data, gsize len, gboolean last, GString *out);

G_END_DECLS
