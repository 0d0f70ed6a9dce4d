/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * A message that is too large for one request, as a draft and attachments that are uploaded on
 * their own: the largest are taken out until the rest is small enough, and every octet of the rest
 * stays. Only what means the same apart is taken out: parts of multipart/mixed and
 * multipart/related that are attachments, with nothing around them that is signed, encrypted or a
 * message of its own.
 */
typedef struct
{
  char *name;       /* owned: what a person sees */
  char *type;       /* owned: "image/png" */
  char *content_id; /* owned, nullable: without its brackets */
  gboolean is_inline;
  guint64 offset, size_octets; /* where it lies, decoded, in the result */
} PrHttpAttachment;

typedef struct
{
  /* What is to be split. Borrowed. */
  const char *path; /* the message */
  const char *head; /* what stands for its first @head_octets */
  gsize head_len, head_octets;
  const char *target_path;  /* a file name of its own, not there yet */
  guint64 max_draft_octets; /* the draft may have */

  /* The answer, cleared by pr_http_split_clear(). */
  char *refusal;          /* owned, nullable: why it cannot be done, in words */
  int fd;                 /* owned: of a file without a name: the draft, then the attachments; -1 */
  guint64 draft_octets;   /* at its beginning */
  GPtrArray *attachments; /* owned, of PrHttpAttachment; at least one, in their order */
} PrHttpSplit;

/* Blocking (reads and writes files), flat in memory for any size: for a thread of the pool; any
 * thread, but g_mime_init() was called. Errors: TEMPORARY (cannot read or write). */
gboolean pr_http_split_run (PrHttpSplit *self, GError **error);
void pr_http_split_clear (PrHttpSplit *self);

G_END_DECLS
