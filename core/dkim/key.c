/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of DKIM by GnuTLS. An Ed25519 key signs the SHA-256 of what an RSA key would sign (RFC 8463
 * §3): for GnuTLS it is data, not a hash. */

#include "dkim/key.h"

#include "common/error.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#define ED25519_LEN 32
#define DER_MAX 2048 /* octets: an RSA key of 8192 bits has 1,062 */

/* Of what fails only where there is no memory: GLib ends the process then as well. */
static void
must (int code)
{
  g_assert (code >= 0);
}

struct _PrDkimKey
{
  PrDkimAlgorithm algorithm;
  gnutls_pubkey_t key; /* owned */
  guint bits;
  gboolean testing, strict;
};

struct _PrDkimSecret
{
  gatomicrefcount refs;
  PrDkimAlgorithm algorithm;
  gnutls_x509_privkey_t x509; /* owned */
  gnutls_privkey_t key;       /* owned; borrows x509 */
};

static const char *const algorithm_names[] = { "rsa-sha256", "ed25519-sha256" };
static const gnutls_sign_algorithm_t sign_algorithms[] = { GNUTLS_SIGN_RSA_SHA256,
                                                           GNUTLS_SIGN_EDDSA_ED25519 };

gboolean
pr_dkim_algorithm_parse (const char *name, PrDkimAlgorithm *algorithm)
{
  for (guint i = 0; i < G_N_ELEMENTS (algorithm_names); i++)
    if (g_ascii_strcasecmp (name, algorithm_names[i]) == 0)
      {
        *algorithm = i;
        return TRUE;
      }

  return FALSE;
}

const char *
pr_dkim_algorithm_name (PrDkimAlgorithm algorithm)
{
  return algorithm_names[algorithm];
}

/* --- what is published -------------------------------------------------------------------- */

/* A SubjectPublicKeyInfo as RFC 6376 wants it, or the bare RSAPublicKey that some publish. */
static gboolean
import_rsa (PrDkimKey *self, GBytes *der)
{
  gnutls_datum_t datum = { (guchar *) g_bytes_get_data (der, NULL),
                           (unsigned) g_bytes_get_size (der) };
  g_autofree char *base64 = NULL, *pem = NULL;

  if (datum.size == 0 || datum.size > DER_MAX)
    return FALSE;
  if (gnutls_pubkey_import (self->key, &datum, GNUTLS_X509_FMT_DER) == 0)
    return gnutls_pubkey_get_pk_algorithm (self->key, &self->bits) == GNUTLS_PK_RSA;

  base64 = g_base64_encode (datum.data, datum.size);
  pem = g_strconcat ("-----BEGIN RSA PUBLIC KEY-----\n", base64, "\n-----END RSA PUBLIC KEY-----\n",
                     NULL);
  datum = (gnutls_datum_t){ (guchar *) pem, (unsigned) strlen (pem) };
  return gnutls_pubkey_import (self->key, &datum, GNUTLS_X509_FMT_PEM) == 0 &&
         gnutls_pubkey_get_pk_algorithm (self->key, &self->bits) == GNUTLS_PK_RSA;
}

static gboolean
import_ed25519 (PrDkimKey *self, GBytes *raw)
{
  gnutls_datum_t datum = { (guchar *) g_bytes_get_data (raw, NULL), ED25519_LEN };

  self->bits = 8 * ED25519_LEN;
  return g_bytes_get_size (raw) == ED25519_LEN &&
         gnutls_pubkey_import_ecc_raw (self->key, GNUTLS_ECC_CURVE_ED25519, &datum, NULL) == 0;
}

static gboolean
refuse (GError **error, const char *words)
{
  g_set_error_literal (error, PR_ERROR, PR_ERROR_PERMANENT, words);
  return FALSE;
}

static gboolean
read_record (PrDkimKey *self, const PrTags *tags, GError **error)
{
  const char *version = pr_tags_get (tags, "v"), *kind = pr_tags_get (tags, "k");
  g_autoptr (GBytes) key = pr_tags_get_base64 (tags, "p");
  gboolean is_rsa = kind == NULL || g_ascii_strcasecmp (kind, "rsa") == 0;

  if (version != NULL &&
      (strcmp (version, "DKIM1") != 0 || strcmp (pr_tags_get_name (tags, 0), "v") != 0))
    return refuse (error, "the record is of another version");
  if (!pr_tags_has_word (tags, "h", "sha256", TRUE))
    return refuse (error, "the key does not allow SHA-256");
  if (!pr_tags_has_word (tags, "s", "*", TRUE) && !pr_tags_has_word (tags, "s", "email", TRUE))
    return refuse (error, "the key is not for mail");
  if (!is_rsa && g_ascii_strcasecmp (kind, "ed25519") != 0)
    return refuse (error, "the key is of an unknown kind");
  if (key == NULL)
    return refuse (error, "the record holds no key");
  if (g_bytes_get_size (key) == 0)
    return refuse (error, "the key was revoked");

  self->algorithm = is_rsa ? PR_DKIM_RSA_SHA256 : PR_DKIM_ED25519_SHA256;
  if (!(is_rsa ? import_rsa (self, key) : import_ed25519 (self, key)))
    return refuse (error, "the key cannot be read");
  if (is_rsa && (self->bits < PR_DKIM_RSA_BITS_MIN || self->bits > PR_DKIM_RSA_BITS_MAX))
    return refuse (error, "the key is too short or too long to prove anything");

  self->testing = pr_tags_has_word (tags, "t", "y", FALSE);
  self->strict = pr_tags_has_word (tags, "t", "s", FALSE);
  return TRUE;
}

PrDkimKey *
pr_dkim_key_parse (const char *record, GError **error)
{
  g_autoptr (PrTags) tags = pr_tags_parse (record, strlen (record));
  g_autoptr (PrDkimKey) self = g_new0 (PrDkimKey, 1);

  must (gnutls_pubkey_init (&self->key));
  if (tags == NULL)
    {
      refuse (error, "the record holds no key");
      return NULL;
    }

  return read_record (self, tags, error) ? g_steal_pointer (&self) : NULL;
}

void
pr_dkim_key_free (PrDkimKey *self)
{
  gnutls_pubkey_deinit (self->key);
  g_free (self);
}

PrDkimAlgorithm
pr_dkim_key_get_algorithm (const PrDkimKey *self)
{
  return self->algorithm;
}

guint
pr_dkim_key_get_bits (const PrDkimKey *self)
{
  return self->bits;
}

gboolean
pr_dkim_key_is_testing (const PrDkimKey *self)
{
  return self->testing;
}

gboolean
pr_dkim_key_is_strict (const PrDkimKey *self)
{
  return self->strict;
}

gboolean
pr_dkim_key_verify (const PrDkimKey *self, const guint8 hash[PR_CANON_HASH_LEN], GBytes *signature)
{
  const gnutls_datum_t hashed = { (guchar *) hash, PR_CANON_HASH_LEN };
  gsize len;
  gconstpointer data = g_bytes_get_data (signature, &len);
  const gnutls_datum_t signed_by = { (guchar *) data, (unsigned) len };

  if (len == 0)
    return FALSE;
  if (self->algorithm == PR_DKIM_ED25519_SHA256)
    return gnutls_pubkey_verify_data2 (self->key, sign_algorithms[self->algorithm], 0, &hashed,
                                       &signed_by) >= 0;

  return gnutls_pubkey_verify_hash2 (self->key, sign_algorithms[self->algorithm], 0, &hashed,
                                     &signed_by) >= 0;
}

/* --- what is kept ------------------------------------------------------------------------- */

static PrDkimSecret *
secret_alloc (void)
{
  PrDkimSecret *self = g_new0 (PrDkimSecret, 1);

  g_atomic_ref_count_init (&self->refs);
  must (gnutls_x509_privkey_init (&self->x509));
  must (gnutls_privkey_init (&self->key));

  return self;
}

static gboolean
adopt (PrDkimSecret *self)
{
  return gnutls_privkey_import_x509 (self->key, self->x509, 0) >= 0;
}

PrDkimSecret *
pr_dkim_secret_new (PrDkimAlgorithm algorithm, GError **error)
{
  g_autoptr (PrDkimSecret) self = secret_alloc ();
  gboolean is_rsa = algorithm == PR_DKIM_RSA_SHA256;
  int code = gnutls_x509_privkey_generate (
    self->x509, is_rsa ? GNUTLS_PK_RSA : GNUTLS_PK_EDDSA_ED25519, is_rsa ? PR_DKIM_RSA_BITS : 0, 0);

  self->algorithm = algorithm;
  if (code >= 0 && adopt (self))
    return g_steal_pointer (&self);

  g_set_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED, "A key cannot be made here: %s",
               gnutls_strerror (code));
  return NULL;
}

PrDkimSecret *
pr_dkim_secret_parse (const char *pem, gsize len, GError **error)
{
  const gnutls_datum_t datum = { (guchar *) pem, (unsigned) len };
  g_autoptr (PrDkimSecret) self = secret_alloc ();
  int kind;

  if (gnutls_x509_privkey_import2 (self->x509, &datum, GNUTLS_X509_FMT_PEM, NULL,
                                   GNUTLS_PKCS_PLAIN) < 0 ||
      !adopt (self))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "It holds no private key in PEM form without a password");
      return NULL;
    }

  kind = gnutls_x509_privkey_get_pk_algorithm (self->x509);
  if (kind != GNUTLS_PK_RSA && kind != GNUTLS_PK_EDDSA_ED25519)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "Its key is neither RSA nor Ed25519, and DKIM knows no other");
      return NULL;
    }

  self->algorithm = kind == GNUTLS_PK_RSA ? PR_DKIM_RSA_SHA256 : PR_DKIM_ED25519_SHA256;
  return g_steal_pointer (&self);
}

PrDkimSecret *
pr_dkim_secret_ref (PrDkimSecret *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
pr_dkim_secret_unref (PrDkimSecret *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  gnutls_privkey_deinit (self->key);
  gnutls_x509_privkey_deinit (self->x509);
  g_free (self);
}

PrDkimAlgorithm
pr_dkim_secret_get_algorithm (const PrDkimSecret *self)
{
  return self->algorithm;
}

char *
pr_dkim_secret_to_pem (const PrDkimSecret *self)
{
  gnutls_datum_t out = { 0 };
  char *pem;

  must (gnutls_x509_privkey_export2_pkcs8 (self->x509, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &out));
  pem = g_strndup ((const char *) out.data, out.size);
  gnutls_memset (out.data, 0, out.size);
  gnutls_free (out.data);

  return pem;
}

static char *
public_base64 (gnutls_pubkey_t key, PrDkimAlgorithm algorithm)
{
  gnutls_datum_t out = { 0 };
  char *base64;

  must (algorithm == PR_DKIM_RSA_SHA256 ? gnutls_pubkey_export2 (key, GNUTLS_X509_FMT_DER, &out)
                                        : gnutls_pubkey_export_ecc_raw2 (key, NULL, &out, NULL, 0));
  base64 = g_base64_encode (out.data, out.size);
  gnutls_free (out.data);

  return base64;
}

char *
pr_dkim_secret_to_record (const PrDkimSecret *self)
{
  gnutls_pubkey_t key = NULL;
  g_autofree char *base64 = NULL;

  must (gnutls_pubkey_init (&key));
  must (gnutls_pubkey_import_privkey (key, self->key, 0, 0));
  base64 = public_base64 (key, self->algorithm);
  gnutls_pubkey_deinit (key);

  return g_strconcat ("v=DKIM1; k=", self->algorithm == PR_DKIM_RSA_SHA256 ? "rsa" : "ed25519",
                      "; p=", base64, NULL);
}

GBytes *
pr_dkim_secret_sign (const PrDkimSecret *self, const guint8 hash[PR_CANON_HASH_LEN])
{
  const gnutls_datum_t hashed = { (guchar *) hash, PR_CANON_HASH_LEN };
  gnutls_datum_t out = { 0 };
  int code =
    self->algorithm == PR_DKIM_RSA_SHA256
      ? gnutls_privkey_sign_hash2 (self->key, sign_algorithms[self->algorithm], 0, &hashed, &out)
      : gnutls_privkey_sign_data2 (self->key, sign_algorithms[self->algorithm], 0, &hashed, &out);
  GBytes *signature;

  if (code < 0)
    return NULL;
  signature = g_bytes_new (out.data, out.size);
  gnutls_free (out.data);

  return signature;
}
