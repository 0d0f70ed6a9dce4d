/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a server is who it should be, and in words why not. */

#include "net/tls-verify.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#define DANE_TA 2 /* RFC 6698 §2.1.1 */
#define DANE_EE 3

/* ── Trust and names ──────────────────────────────────────────────────────────────────────── */

static char *
names_of (gnutls_x509_crt_t certificate)
{
  GString *names = g_string_new (NULL);
  char name[256];

  for (unsigned i = 0; i < 5; i++)
    {
      size_t len = sizeof name;
      int type = gnutls_x509_crt_get_subject_alt_name (certificate, i, name, &len, NULL);

      if (type < 0)
        break;
      if (type == GNUTLS_SAN_DNSNAME)
        g_string_append_printf (names, "%s%.*s", names->len > 0 ? ", " : "", (int) len, name);
    }
  if (names->len == 0)
    g_string_append (names, "none");

  return g_string_free (names, FALSE);
}

static char *
date_words (time_t when)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (when);

  return date != NULL ? g_date_time_format (date, "%Y-%m-%d") : g_strdup ("an unknown day");
}

static char *
certificate_words (const char *host, unsigned status, gnutls_x509_crt_t certificate)
{
  if (status & GNUTLS_CERT_EXPIRED)
    {
      g_autofree char *date = date_words (gnutls_x509_crt_get_expiration_time (certificate));

      return g_strdup_printf ("the certificate of %s expired on %s", host, date);
    }
  if (status & GNUTLS_CERT_NOT_ACTIVATED)
    return g_strdup_printf ("the certificate of %s is not valid yet; is the clock right?", host);
  if (status & GNUTLS_CERT_REVOKED)
    return g_strdup_printf ("the certificate of %s was revoked", host);
  if (status & GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED)
    return g_strdup_printf ("what is known of revoked certificates is too old for %s; is there a "
                            "newer list for ca-file?",
                            host);
  if (status & GNUTLS_CERT_MISSING_OCSP_STATUS)
    return g_strdup_printf (
      "%s must prove that its certificate was not revoked (OCSP), and did not", host);
  if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA))
    return g_strdup_printf (gnutls_x509_crt_check_issuer (certificate, certificate)
                              ? "the certificate of %s is signed by itself"
                              : "the certificate of %s was issued by an authority that is not "
                                "trusted here",
                            host);
  if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
    return g_strdup_printf ("the certificate of %s is too weak", host);
  if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
    {
      g_autofree char *names = names_of (certificate);

      return g_strdup_printf ("the certificate is not for %s but for: %s", host, names);
    }

  return g_strdup_printf ("the certificate of %s cannot be verified", host);
}

char *
pr_tls_check_peer (gnutls_session_t session, const char *host, gnutls_x509_crt_t certificate)
{
  g_autofree char *name =
    g_hostname_is_ip_address (host) ? g_strdup (host) : g_hostname_to_ascii (host);
  unsigned status = 0;
  int code = gnutls_certificate_verify_peers3 (session, name != NULL ? name : host, &status);

  if (code == GNUTLS_E_SUCCESS && status == 0)
    return NULL;
  if (code != GNUTLS_E_SUCCESS)
    return g_strdup_printf ("the certificate of %s cannot be verified: %s", host,
                            gnutls_strerror (code));

  return certificate_words (host, status, certificate);
}

/* ── TLSA records ─────────────────────────────────────────────────────────────────────────── */

/* (transfer full): the part of a certificate that a record speaks of; NULL if there is none. */
static GBytes *
selected_part (guint8 selector, const gnutls_datum_t *der)
{
  gnutls_x509_crt_t certificate;
  gnutls_pubkey_t key;
  gnutls_datum_t spki = { 0 };
  GBytes *part = NULL;

  if (selector == 0)
    return g_bytes_new (der->data, der->size);
  if (selector != 1)
    return NULL;

  gnutls_x509_crt_init (&certificate);
  gnutls_pubkey_init (&key);
  if (gnutls_x509_crt_import (certificate, der, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS &&
      gnutls_pubkey_import_x509 (key, certificate, 0) == GNUTLS_E_SUCCESS &&
      gnutls_pubkey_export2 (key, GNUTLS_X509_FMT_DER, &spki) == GNUTLS_E_SUCCESS)
    {
      part = g_bytes_new (spki.data, spki.size);
      gnutls_free (spki.data);
    }
  gnutls_pubkey_deinit (key);
  gnutls_x509_crt_deinit (certificate);

  return part;
}

/* RFC 6698 §2.1.3 */
static gboolean
tlsa_matches (const PrTlsa *record, const gnutls_datum_t *der)
{
  g_autoptr (GBytes) part = selected_part (record->selector, der);
  g_autoptr (GBytes) hash = NULL;
  guint8 digest[64];
  gnutls_digest_algorithm_t algorithm =
    record->matching == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;

  if (part == NULL || record->matching > 2)
    return FALSE;
  if (record->matching == 0)
    return g_bytes_equal (part, record->data);
  if (gnutls_hash_fast (algorithm, g_bytes_get_data (part, NULL), g_bytes_get_size (part),
                        digest) != 0)
    return FALSE;

  hash = g_bytes_new (digest, record->matching == 1 ? 32 : 64);
  return g_bytes_equal (hash, record->data);
}

/* DANE-TA: the chain up to the certificate that the record names is right, and so is the name. */
static gboolean
chain_is_right (const gnutls_datum_t *chain, unsigned anchor, const char *host)
{
  gnutls_x509_trust_list_t trust;
  gnutls_x509_crt_t certificates[16];
  gnutls_typed_vdata_st name = { GNUTLS_DT_DNS_HOSTNAME, (void *) host, 0 };
  unsigned status = GNUTLS_CERT_INVALID, n_imported = 0;
  gboolean readable = TRUE, right;

  while (n_imported <= anchor)
    {
      gnutls_x509_crt_t *certificate = &certificates[n_imported];

      gnutls_x509_crt_init (certificate);
      n_imported++;
      if (gnutls_x509_crt_import (*certificate, &chain[n_imported - 1], GNUTLS_X509_FMT_DER) !=
          GNUTLS_E_SUCCESS)
        readable = FALSE;
    }

  gnutls_x509_trust_list_init (&trust, 0);
  right = readable && gnutls_x509_trust_list_add_cas (trust, &certificates[anchor], 1, 0) == 1 &&
          gnutls_x509_trust_list_verify_crt2 (trust, certificates, anchor + 1, &name, 1, 0, &status,
                                              NULL) == GNUTLS_E_SUCCESS &&
          status == 0;
  gnutls_x509_trust_list_deinit (trust, 0);
  for (unsigned i = 0; i < n_imported; i++)
    gnutls_x509_crt_deinit (certificates[i]);

  return right;
}

/* RFC 7672 §3.2.2: one of the names is enough. */
static gboolean
is_for_one (const gnutls_datum_t *chain, unsigned anchor, const char *host,
            const char *const *names)
{
  gboolean right = chain_is_right (chain, anchor, host);

  for (; !right && names != NULL && *names != NULL; names++)
    right = chain_is_right (chain, anchor, *names);
  return right;
}

gboolean
pr_tls_matches_tlsa (gnutls_session_t session, const char *host, GPtrArray *records,
                     const char *const *names)
{
  unsigned n = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &n);

  for (guint i = 0; chain != NULL && records != NULL && i < records->len; i++)
    {
      const PrTlsa *record = records->pdata[i];

      if (record->usage == DANE_EE && tlsa_matches (record, &chain[0]))
        return TRUE; /* names and dates do not count, RFC 7671 §5.1 */
      if (record->usage != DANE_TA)
        continue; /* PKIX usages are not used for mail, RFC 7672 §3.1.3 */
      for (unsigned j = 0; j < MIN (n, 16); j++)
        if (tlsa_matches (record, &chain[j]) && is_for_one (chain, j, host, names))
          return TRUE;
    }

  return FALSE;
}
