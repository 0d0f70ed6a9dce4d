/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "dkim/key.h"

G_BEGIN_DECLS

/* The field that a signature is: DKIM-Signature (RFC 6376 §3.5), and ARC-Message-Signature, which
 * is its twin with a number in place of a version (RFC 8617 §4.1.2). Read here for those who
 * verify. */

typedef enum
{
  PR_DKIM_SIGNATURE,
  PR_ARC_SIGNATURE,
} PrDkimKind;

typedef struct
{
  PrTags *tags; /* owned, nullable */
  PrDkimAlgorithm algorithm;
  const char *algorithm_name; /* "" where there is none */
  PrCanon header_canon, body_canon;
  const char *names;                  /* h= */
  char *domain, *selector, *identity; /* owned; "" where they cannot be read */
  char *start;                        /* owned: the first octets of b= */
  guint64 body_limit;                 /* l=, else G_MAXUINT64 */
  guint64 expires_s;                  /* x=, else G_MAXUINT64 */
  GBytes *body_hash, *signature;      /* owned */
} PrDkimFields;

#define PR_DKIM_MAX_NAMES 500 /* in h= */

/* NULL: it can be verified; else what is wrong with it, in words (static). What could be read is in
 * @self either way. */
const char *pr_dkim_fields_read (PrDkimFields *self, const PrCanonField *field, PrDkimKind kind);
void pr_dkim_fields_clear (PrDkimFields *self);

/* The hash that was signed: of the fields that h= names, and of the field at @index of @fields,
 * which
 * @self was read from, without its signature (§3.7). */
void pr_dkim_fields_hash (const PrDkimFields *self, const GArray *fields, guint index,
                          guint8 hash[PR_CANON_HASH_LEN]);
/* Appends that last field, with the value of b= left out. */
void pr_dkim_append_unsigned (GString *out, const PrCanonField *field, PrCanon canon);

G_END_DECLS
