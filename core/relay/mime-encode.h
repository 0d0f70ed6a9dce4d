/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrMimeEncoder: octets as quoted-printable or base64 (RFC 2045 §6.7, §6.8) in any fragmentation,
 * lines of at most 76 octets, CRLF between them. Zero-initialised is ready; owns no memory. For
 * convert.c alone.
 */
typedef struct
{
  guint column; /* of the line being written */
  guint n_held;
  guint8 held[3]; /* base64: less than a group; quoted-printable: a blank, a CR */
} PrMimeEncoder;

/* Text with CRLF line ends, which stay line ends; a bare CR or LF is encoded. */
void pr_mime_encode_qp (PrMimeEncoder *self, const char *data, gsize len, GString *out);
void pr_mime_encode_base64 (PrMimeEncoder *self, const char *data, gsize len, GString *out);
/* The end: what is held leaves. No line end is added. */
void pr_mime_encode_qp_end (PrMimeEncoder *self, GString *out);
void pr_mime_encode_base64_end (PrMimeEncoder *self, GString *out);

G_END_DECLS
