/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates for tests. */
#include "pki.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#define DAY_S (24 * 60 * 60)

static void
must (int code)
{
  if (code < 0)
    g_error ("GnuTLS: %s", gnutls_strerror (code));
}

static GBytes *
to_bytes (gnutls_datum_t *datum)
{
  GBytes *bytes = g_bytes_new (datum->data, datum->size);

  gnutls_free (datum->data);
  return bytes;
}

static gnutls_datum_t
datum_of (GBytes *bytes)
{
  gsize len;
  gconstpointer data = g_bytes_get_data (bytes, &len);

  return (gnutls_datum_t){ (void *) data, (unsigned) len };
}

static gnutls_x509_crt_t
read_certificate (const Pair *pair)
{
  gnutls_x509_crt_t certificate;
  gnutls_datum_t pem = datum_of (pair->certificate);

  must (gnutls_x509_crt_init (&certificate));
  must (gnutls_x509_crt_import (certificate, &pem, GNUTLS_X509_FMT_PEM));
  return certificate;
}

static void
set_name (gnutls_x509_crt_t certificate, const char *name)
{
  guint8 ip[16];
  const char *fault;
  g_autofree char *dn = g_strdup_printf ("CN=%s", name);

  must (gnutls_x509_crt_set_dn (certificate, dn, &fault));
  if (inet_pton (AF_INET, name, ip) == 1)
    must (gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, ip, 4,
                                                GNUTLS_FSAN_SET));
  else
    must (gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, name,
                                                (unsigned) strlen (name), GNUTLS_FSAN_SET));
}

static void
sign (gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const Pair *issuer)
{
  gnutls_x509_crt_t authority;
  gnutls_x509_privkey_t secret;
  gnutls_datum_t pem;

  if (issuer == NULL)
    {
      must (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
      return;
    }

  authority = read_certificate (issuer);
  pem = datum_of (issuer->key);
  must (gnutls_x509_privkey_init (&secret));
  must (gnutls_x509_privkey_import (secret, &pem, GNUTLS_X509_FMT_PEM));
  must (gnutls_x509_crt_sign2 (certificate, authority, secret, GNUTLS_DIG_SHA256, 0));
  gnutls_x509_privkey_deinit (secret);
  gnutls_x509_crt_deinit (authority);
}

Pair *
pair_new (const PairOptions *options)
{
  Pair *self = g_new0 (Pair, 1);
  gnutls_x509_crt_t certificate;
  gnutls_x509_privkey_t key;
  gnutls_datum_t pem = { 0 };
  gint64 serial;
  time_t now = time (NULL);
  gboolean dated = options->from_s != 0 || options->until_s != 0;

  must (gnutls_x509_privkey_init (&key));
  must (options->is_rsa
          ? gnutls_x509_privkey_generate (key, GNUTLS_PK_RSA, 2048, 0)
          : gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0));
  must (gnutls_x509_crt_init (&certificate));
  must (gnutls_x509_crt_set_version (certificate, 3));
  serial = g_random_int ();
  must (gnutls_x509_crt_set_serial (certificate, &serial, sizeof serial));
  must (gnutls_x509_crt_set_key (certificate, key));
  set_name (certificate, options->name);
  must (gnutls_x509_crt_set_basic_constraints (certificate, options->is_authority ? 1 : 0, -1));
  must (
    gnutls_x509_crt_set_activation_time (certificate, now + (dated ? options->from_s : -DAY_S)));
  must (
    gnutls_x509_crt_set_expiration_time (certificate, now + (dated ? options->until_s : DAY_S)));
  sign (certificate, key, options->issuer);

  must (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &pem));
  self->certificate = to_bytes (&pem);
  must (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem));
  self->key = to_bytes (&pem);
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_privkey_deinit (key);

  return self;
}

void
pair_free (Pair *self)
{
  g_bytes_unref (self->certificate);
  g_bytes_unref (self->key);
  g_free (self);
}

GBytes *
pair_hash (const Pair *self, gboolean spki)
{
  gnutls_x509_crt_t certificate = read_certificate (self);
  gnutls_pubkey_t key;
  gnutls_datum_t der = { 0 };
  guint8 digest[32];

  must (gnutls_pubkey_init (&key));
  if (spki)
    {
      must (gnutls_pubkey_import_x509 (key, certificate, 0));
      must (gnutls_pubkey_export2 (key, GNUTLS_X509_FMT_DER, &der));
    }
  else
    must (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_DER, &der));
  must (gnutls_hash_fast (GNUTLS_DIG_SHA256, der.data, der.size, digest));
  gnutls_free (der.data);
  gnutls_pubkey_deinit (key);
  gnutls_x509_crt_deinit (certificate);

  return g_bytes_new (digest, sizeof digest);
}

GBytes *
pair_chain (const Pair *self, const Pair *issuer)
{
  GByteArray *both = g_byte_array_new ();

  g_byte_array_append (both, g_bytes_get_data (self->certificate, NULL),
                       (guint) g_bytes_get_size (self->certificate));
  g_byte_array_append (both, g_bytes_get_data (issuer->certificate, NULL),
                       (guint) g_bytes_get_size (issuer->certificate));
  return g_byte_array_free_to_bytes (both);
}
