/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * What of a conversation may be shown: the transcript of a session passes through here before
 * anything keeps it. Hidden are the arguments of AUTH (RFC 4954 §4) and the client's lines of
 * the exchange that follows it; also lone base64 lines of clients that talk on although AUTH was
 * refused. In doubt a line is hidden.
 *
 * Plain value, one for each conversation; zero-initialised is ready.
 */
typedef struct
{
  gboolean exchanging; /* the server has not given its final reply to AUTH */
  gboolean seen_auth;  /* AUTH was tried at all */
} PrRedactor;

/* Appends what may be shown of a line to @shown. @from_client: who said it. @line: with or
 * without line end, need not be terminated; the result has none, is valid UTF-8 and holds no
 * control characters (they would act on a terminal). */
void pr_redactor_show (PrRedactor *self, gboolean from_client, const char *line, gsize len,
                       GString *shown);

/* Appends @text as one line for people: control characters and what is not UTF-8 become "?". */
void pr_append_printable (GString *out, const char *text, gsize len);

G_END_DECLS
