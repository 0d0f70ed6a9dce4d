/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrTranscript: the last lines of one conversation, each as "< line" (the peer said) or "> line"
 * (we said), bounded at PR_TRANSCRIPT_MAX octets: the oldest lines go first. Callers hide secrets
 * before (redact.h). Zero-initialised is empty and owns nothing.
 */
typedef struct
{
  GString *text;       /* owned, nullable: whole lines, each ended by '\n' */
  guint64 start_octet; /* how much went before text: position of its first octet */
} PrTranscript;

#define PR_TRANSCRIPT_MAX 8192

/* @line: without its line end; control characters become '?'. Lines over 512 octets are cut. */
void pr_transcript_add (PrTranscript *self, gboolean outgoing, const char *line, gsize len);
/* What was said behind position *@octet (0: all that is kept), and moves it to the end, so that a
 * follower asks again with it. Borrowed, valid until the next add; "" when there is nothing. */
const char *pr_transcript_read (const PrTranscript *self, guint64 *octet);
void pr_transcript_clear (PrTranscript *self);

G_END_DECLS
