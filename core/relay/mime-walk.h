/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrMimeWalk: the parts of a message as it goes by (RFC 2045, 2046), in any fragmentation and in
 * bounded memory. It changes nothing: every octet comes out once, in order, told apart.
 */
typedef enum
{
  PR_MIME_7BIT, /* or not said */
  PR_MIME_8BIT,
  PR_MIME_BINARY,
  PR_MIME_QP,
  PR_MIME_BASE64,
  PR_MIME_OTHER,
} PrMimeEncoding;

/* One entity: the message itself (index 0), a part, or a message within. Known when its header
 * ended. */
typedef struct
{
  guint index;                       /* in the order of their beginning */
  gboolean is_multipart, is_message; /* it is taken apart */
  gboolean is_opaque;                /* it should be, and cannot: must stay as it is */
  gboolean is_text;
  gboolean is_cut;                /* its header ends without an empty line */
  gboolean has_type, has_version; /* Content-Type, MIME-Version */
  gboolean is_signed;             /* within multipart/signed, at any depth */
  gboolean is_inner;     /* within what must stay whole: a message, what is signed or encrypted */
  gboolean is_separable; /* a part of multipart/mixed or multipart/related that is not inner, and
                            not the one that is shown: the message is whole without it */
  guint depth;           /* of multiparts around it */
  guint n_delimiter_octets; /* of the boundary in front of it, with the line end that is its own */
  PrMimeEncoding encoding;
} PrMimeEntity;

typedef struct
{
  /* One field with its line ends. @name_len 0: something that is no field. */
  void (*field) (gpointer owner, const PrMimeEntity *entity, const char *text, gsize len,
                 gsize name_len);
  void (*end_header) (gpointer owner, const PrMimeEntity *entity);
  /* Octets of an entity that has no parts. The line end in front of a boundary is not of them. */
  void (*body) (gpointer owner, const PrMimeEntity *entity, const char *data, gsize len);
  void (*end_body) (gpointer owner, const PrMimeEntity *entity);
  /* All else: empty lines behind headers, boundaries, what stands around parts. */
  void (*between) (gpointer owner, const char *data, gsize len);
} PrMimeSink;

typedef struct _PrMimeWalk PrMimeWalk;

/* @sink: borrowed, static. */
PrMimeWalk *pr_mime_walk_new (const PrMimeSink *sink, gpointer owner);
void pr_mime_walk_free (PrMimeWalk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrMimeWalk, pr_mime_walk_free)

void pr_mime_walk_feed (PrMimeWalk *self, const char *data, gsize len);
void pr_mime_walk_finish (PrMimeWalk *self);

G_END_DECLS
