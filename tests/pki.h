/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Certificates for tests, made on the spot. */
typedef struct
{
  GBytes *certificate, *key; /* owned; PEM */
} Pair;

typedef struct
{
  const char *name;       /* host name or address */
  const Pair *issuer;     /* NULL: signs itself */
  gint64 from_s, until_s; /* relative to now; 0, 0: yesterday, tomorrow */
  gboolean is_authority;
  gboolean is_rsa; /* else ECDSA P-256 */
} PairOptions;

Pair *pair_new (const PairOptions *options);
void pair_free (Pair *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

/* SHA-256 of the DER form (@spki: of its public key alone). */
GBytes *pair_hash (const Pair *self, gboolean spki);
/* Both certificates, in this order. */
GBytes *pair_chain (const Pair *self, const Pair *issuer);

G_END_DECLS
