/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Canonical forms of a message (RFC 6376 §3.4): what is signed does not change when a relay folds a
 * line or drops a blank. Signer and verifier use the same code. */

typedef enum
{
  PR_CANON_SIMPLE,
  PR_CANON_RELAXED,
} PrCanon;

#define PR_CANON_HASH_LEN 32 /* SHA-256 */

/**
 * PrCanonBody: the hash of a body that goes by, in any fragmentation and in bounded memory. Lines
 * end in CRLF; single CR and LF are octets like others.
 */
typedef struct _PrCanonBody PrCanonBody;

/* @limit: octets of the canonical body that count ("l="); G_MAXUINT64: all. */
PrCanonBody *pr_canon_body_new (PrCanon canon, guint64 limit);
void pr_canon_body_free (PrCanonBody *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrCanonBody, pr_canon_body_free)
void pr_canon_body_feed (PrCanonBody *self, const char *data, gsize len);
/* The end of the body; then nothing more may be fed. Gives the octets of the canonical body, @limit
 * or not. */
guint64 pr_canon_body_finish (PrCanonBody *self, guint8 hash[PR_CANON_HASH_LEN]);

/* One field of a header that is in memory. Borrowed. */
typedef struct
{
  const char *text; /* from its name to in front of the CRLF that ends it */
  gsize len, name_len;
} PrCanonField;

/* The fields of @header from the top; what is no field, such as a first line "From me", is left
 * out. (transfer full) (element-type PrCanonField): they point into @header. Lines may end in LF.
 */
GArray *pr_canon_split (const char *header, gsize len);
gboolean pr_canon_field_is (const PrCanonField *field, const char *name);
/* Appends the canonical form, without CRLF at its end. */
void pr_canon_append_field (GString *out, const PrCanonField *field, PrCanon canon);
/* Appends those of @fields that @names ("from:to:to") asks for, each with CRLF: of a name that
 * comes several times the lowest that was not taken yet, nothing when there is none left (§5.4.2).
 */
void pr_canon_append_named (GString *out, const GArray *fields, const char *names, PrCanon canon);

G_END_DECLS
