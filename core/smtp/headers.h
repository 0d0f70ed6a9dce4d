/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The header of a message as text (RFC 5322 §2.2), without MIME: what is found is found in any
 * fragmentation and in bounded memory, and what is not changed keeps every octet. */

typedef enum
{
  PR_FIELD_DATE = 1 << 0,
  PR_FIELD_MESSAGE_ID = 1 << 1,
  PR_FIELD_FROM = 1 << 2,
  PR_FIELD_SENDER = 1 << 3,
  PR_FIELD_REPLY_TO = 1 << 4,
  PR_FIELD_TO = 1 << 5,
  PR_FIELD_CC = 1 << 6,
  PR_FIELD_SUBJECT = 1 << 7,
  PR_FIELD_RECEIVED = 1 << 8,
  PR_FIELD_DKIM_SIGNATURE = 1 << 9,
  PR_FIELD_MIME_VERSION = 1 << 10,
  PR_FIELD_RETURN_PATH = 1 << 11,
  PR_FIELD_TLS_REQUIRED = 1 << 12,
} PrFields;

#define PR_FIELD_NAME_MAX 77 /* a line of more octets without a colon is no field */

/**
 * PrHeaderScan: watches a message go by and tells where its header ends, so that fields can be
 * added there without keeping any of it. Zero-initialised is ready; owns no memory.
 */
typedef struct
{
  PrFields seen;
  guint n_received;  /* trace fields: loops are counted by them (RFC 5321 §6.3) */
  gboolean has_8bit; /* an octet above 127 in the header: SMTPUTF8 (RFC 6532) or a fault */
  gboolean ended;
  /* private */
  gboolean in_line, has_fields, in_tls_required;
  guint8 n_tls_required;
  char tls_required[3]; /* of its value, as much as tells whether it is "No" */
  guint8 n_held;
  char held[PR_FIELD_NAME_MAX + 1]; /* the start of a line that may still become anything */
} PrHeaderScan;

typedef struct
{
  /* The octets of the message in order, at most PR_FIELD_NAME_MAX + 1 later than they were fed. */
  void (*octets) (gpointer owner, const char *data, gsize len);
  /* Once: all fields went by, what is written now is the end of the header. The empty line
   * follows by octets: the message's own, or one that is added where the message had none (a
   * header that breaks off at a line that is no field, or no header at all). */
  void (*end) (gpointer owner);
} PrHeaderSink;

/* After @self->ended nothing is looked at: the caller may then keep its octets to itself. */
void pr_header_scan_feed (PrHeaderScan *self, const char *data, gsize len, const PrHeaderSink *sink,
                          gpointer owner);
/* The message is complete: hands out what is held; calls end where the header was all there was. */
void pr_header_scan_finish (PrHeaderScan *self, const PrHeaderSink *sink, gpointer owner);

/* The header has "TLS-Required: No" (RFC 8689 §3): once, and nothing else. */
gboolean pr_header_scan_waives_tls (const PrHeaderScan *self);

/**
 * PrHeaders: a header block in memory, to be read and changed field by field. Names compare
 * without case. Not thread-safe.
 */
typedef struct _PrHeaders PrHeaders;

#define PR_HEADERS_MAX (256 * 1024) /* octets of a header that are looked at */

/* Parses the header at the start of a message; copies what it keeps. @len may cover more than the
 * header. Line ends CRLF or LF. */
PrHeaders *pr_headers_new (const char *data, gsize len);
void pr_headers_free (PrHeaders *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrHeaders, pr_headers_free)

/* Where the header ended in the data: the empty line, or the first octet of the body where there is
 * none. The body is what follows, the empty line included. */
gsize pr_headers_get_size (const PrHeaders *self);
/* FALSE: @data ended, or PR_HEADERS_MAX was reached, before the header did. */
gboolean pr_headers_is_complete (const PrHeaders *self);
guint pr_headers_count (const PrHeaders *self, const char *name);
/* The value of the @nth field of that name from the top, without the blanks around it; NULL if
 * there is none. _get: unfolded to one line. _get_raw: with its line breaks. (transfer full) */
char *pr_headers_get (const PrHeaders *self, const char *name, guint nth);
char *pr_headers_get_raw (const PrHeaders *self, const char *name, guint nth);
/* Replaces the first field of that name in its place and removes the others; adds it at the end
 * where there is none. @value: may be folded already (line breaks only in front of blanks). */
void pr_headers_set (PrHeaders *self, const char *name, const char *value);
/* Adds a field at the end, whatever there is. */
void pr_headers_append (PrHeaders *self, const char *name, const char *value);
void pr_headers_remove (PrHeaders *self, const char *name);
/* Appends all fields to @out, without the empty line. */
void pr_headers_write (const PrHeaders *self, GString *out);

G_END_DECLS
