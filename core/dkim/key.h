/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "dkim/canon.h"
#include "dkim/tags.h"

G_BEGIN_DECLS

typedef enum
{
  PR_DKIM_RSA_SHA256,     /* RFC 6376, RFC 8301 */
  PR_DKIM_ED25519_SHA256, /* RFC 8463 */
} PrDkimAlgorithm;

#define PR_DKIM_RSA_BITS_MIN 1024 /* RFC 8301 §3.2: less does not count */
#define PR_DKIM_RSA_BITS_MAX 8192 /* more would cost us more than the sender */

/* "rsa-sha256", "ed25519-sha256". FALSE: another one, or rsa-sha1, which proves nothing any more.
 */
gboolean pr_dkim_algorithm_parse (const char *name, PrDkimAlgorithm *algorithm);
const char *pr_dkim_algorithm_name (PrDkimAlgorithm algorithm); /* static */

/**
 * PrDkimKey: what a domain publishes at SELECTOR._domainkey.DOMAIN (RFC 6376 §3.6.1). Immutable.
 */
typedef struct _PrDkimKey PrDkimKey;

/* PR_ERROR_PERMANENT, in words: it is no key, was revoked, is too short, is not for mail. */
PrDkimKey *pr_dkim_key_parse (const char *record, GError **error);
void pr_dkim_key_free (PrDkimKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDkimKey, pr_dkim_key_free)
PrDkimAlgorithm pr_dkim_key_get_algorithm (const PrDkimKey *self);
guint pr_dkim_key_get_bits (const PrDkimKey *self);
gboolean pr_dkim_key_is_testing (const PrDkimKey *self); /* t=y: a failure means nothing */
gboolean pr_dkim_key_is_strict (const PrDkimKey *self);  /* t=s: i= may not be below d= */
gboolean pr_dkim_key_verify (const PrDkimKey *self, const guint8 hash[PR_CANON_HASH_LEN],
                             GBytes *signature);

/**
 * PrDkimSecret: the private half. Immutable; may be used by several threads at once.
 */
typedef struct _PrDkimSecret PrDkimSecret;

#define PR_DKIM_RSA_BITS 2048 /* of those we make */

/* RSA takes a while: in a thread. PR_ERROR_UNSUPPORTED: GnuTLS may not (FIPS). */
PrDkimSecret *pr_dkim_secret_new (PrDkimAlgorithm algorithm, GError **error);
/* @pem: PKCS#8, or PKCS#1 for RSA. PR_ERROR_CONFIG in words. */
PrDkimSecret *pr_dkim_secret_parse (const char *pem, gsize len, GError **error);
PrDkimSecret *pr_dkim_secret_ref (PrDkimSecret *self);
void pr_dkim_secret_unref (PrDkimSecret *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDkimSecret, pr_dkim_secret_unref)
PrDkimAlgorithm pr_dkim_secret_get_algorithm (const PrDkimSecret *self);
/* PKCS#8 in PEM. (transfer full); the caller wipes it. */
char *pr_dkim_secret_to_pem (const PrDkimSecret *self);
/* What is to be published: "v=DKIM1; k=rsa; p=…". (transfer full) */
char *pr_dkim_secret_to_record (const PrDkimSecret *self);
/* (transfer full); NULL: GnuTLS refused. */
GBytes *pr_dkim_secret_sign (const PrDkimSecret *self, const guint8 hash[PR_CANON_HASH_LEN]);

G_END_DECLS
