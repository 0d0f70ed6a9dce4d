/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrMailOutline: what a message is made of, found while its octets pass by in pieces of any size.
 * It keeps headers and where each part lies, never a body, so that its size does not depend on the
 * message's. What people and machines wrote there may be anything: every number is bounded, every
 * text is valid UTF-8 of one line.
 */
typedef struct _PrMailOutline PrMailOutline;

typedef struct
{
  char *name, *value; /* owned; the value decoded (RFC 2047) */
} PrMailHeader;

/* A part that has no parts itself. Messages inside are such, too. */
typedef struct
{
  char *type;          /* owned: "text/plain", lower case */
  char *name;          /* owned, nullable: a file name without folders, safe to propose */
  char *charset;       /* owned, nullable */
  char *encoding;      /* owned, nullable: "base64", lower case */
  guint64 offset;      /* of its body in the message */
  guint64 size_octets; /* of it, as encoded; so far, until it has ended */
  guint alternative;   /* which multipart/alternative it is of, 0: none */
  gboolean attachment; /* not to be read in its place */
  gboolean ended;
} PrMailPart;

PrMailOutline *pr_mail_outline_new (void);
void pr_mail_outline_free (PrMailOutline *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrMailOutline, pr_mail_outline_free)

/* The next octets; @last: there are no more. */
void pr_mail_outline_feed (PrMailOutline *self, const char *data, gsize size, gboolean last);

/* (transfer none): of PrMailHeader: the message's own; at most 200. */
GPtrArray *pr_mail_outline_get_headers (PrMailOutline *self);
/* (transfer none): of PrMailPart, in their order; at most 200. */
GPtrArray *pr_mail_outline_get_parts (PrMailOutline *self);
/* More octets can tell nothing new: it has ended, or it is one part. */
gboolean pr_mail_outline_is_known (PrMailOutline *self);

/* (transfer full): what a person may be offered as the name of a file: no folder, no hidden file,
 * nothing that cannot be seen or turns the reading direction. NULL: nothing is left of it. */
char *pr_mail_file_name (const char *name);

G_END_DECLS
