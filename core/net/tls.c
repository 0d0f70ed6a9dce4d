/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What listeners show and what routes demand: credentials, priorities, tickets. */

#include "net/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "common/error.h"
#include "net/tls-session.h"

#define REVOKED "-----BEGIN X509 CRL" /* RFC 7468 §6 */
#define MAX_REMEMBERED 64             /* sessions to resume, for each client */

struct _PrTlsServer
{
  grefcount refs;
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  gnutls_datum_t ticket_key; /* GnuTLS derives keys from it that change with time */
  PrTlsVersion minimum;
  gint64 expiry_s;
};

struct _PrTlsClient
{
  grefcount refs;
  PrTlsClient *base; /* owned reference, nullable: whose the next two are */
  gnutls_certificate_credentials_t credentials; /* own, or the shared ones */
  gnutls_priority_t priority;
  gboolean is_shared;
  PrTlsVerify verify;
  guint8 pin[32];
  GHashTable *remembered; /* owned: host to GBytes */
};

/* The system's trust store costs 12 ms and 3.7 MiB: routes without a ca-file share it. */
static gnutls_certificate_credentials_t shared_credentials;
static guint n_shared;

/* Explicit: plain NORMAL still takes TLS 1.0 (measured with 3.7.9). */
static gnutls_priority_t
make_priority (PrTlsVersion minimum)
{
  static const struct
  {
    PrTlsVersion minimum;
    const char *text;
  } priorities[] = {
    { PR_TLS_1_3, "NORMAL:-VERS-ALL:+VERS-TLS1.3" },
    { PR_TLS_1_2, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
    /* For a device that can do no better: what it was built with, too. */
    { PR_TLS_1_1, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+3DES-CBC:+RSA:+SHA1:"
                  "+SIGN-RSA-SHA1:%COMPAT" },
    { PR_TLS_1_0, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:+3DES-CBC:"
                  "+RSA:+SHA1:+SIGN-RSA-SHA1:%COMPAT" },
  };
  gnutls_priority_t priority = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (priorities); i++)
    if (priorities[i].minimum == minimum)
      {
        int code = gnutls_priority_init (&priority, priorities[i].text, NULL);

        g_assert (code == GNUTLS_E_SUCCESS);
      }

  return priority;
}

static gnutls_datum_t
datum_of (GBytes *bytes)
{
  gsize len;
  gconstpointer data = g_bytes_get_data (bytes, &len);

  return (gnutls_datum_t){ .data = (void *) data, .size = (unsigned) len };
}

/* ── A listener's ─────────────────────────────────────────────────────────────────────────── */

static gint64
read_expiry (const gnutls_datum_t *chain)
{
  gnutls_x509_crt_t certificate;
  gint64 expiry_s = 0;

  gnutls_x509_crt_init (&certificate);
  if (gnutls_x509_crt_import (certificate, chain, GNUTLS_X509_FMT_PEM) == GNUTLS_E_SUCCESS)
    expiry_s = gnutls_x509_crt_get_expiration_time (certificate);
  gnutls_x509_crt_deinit (certificate);

  return expiry_s;
}

static const char *
words_for_pair (int code)
{
  if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
    return "the key does not belong to the certificate";
  if (code == GNUTLS_E_DECRYPTION_FAILED)
    return "the key is locked with a password; give one that is not";

  return gnutls_strerror (code);
}

gboolean
pr_tls_server_add (PrTlsServer *self, GBytes *certificates, GBytes *key, GError **error)
{
  gnutls_datum_t chain = datum_of (certificates), secret = datum_of (key);
  gint64 expiry_s;
  int code = gnutls_certificate_set_x509_key_mem2 (self->credentials, &chain, &secret,
                                                   GNUTLS_X509_FMT_PEM, NULL, 0);

  if (code < 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "The certificate cannot be used: %s",
                   words_for_pair (code));
      return FALSE;
    }

  expiry_s = read_expiry (&chain);
  self->expiry_s = self->expiry_s == 0 ? expiry_s : MIN (self->expiry_s, expiry_s);
  return TRUE;
}

PrTlsServer *
pr_tls_server_new (GBytes *certificates, GBytes *key, PrTlsVersion minimum, GError **error)
{
  g_autoptr (PrTlsServer) self = g_new0 (PrTlsServer, 1);

  g_ref_count_init (&self->refs);
  self->minimum = minimum;
  self->priority = make_priority (minimum);
  gnutls_session_ticket_key_generate (&self->ticket_key);
  gnutls_certificate_allocate_credentials (&self->credentials);
  gnutls_certificate_set_known_dh_params (self->credentials, GNUTLS_SEC_PARAM_MEDIUM);
  if (!pr_tls_server_add (self, certificates, key, error))
    return NULL;

  return g_steal_pointer (&self);
}

PrTlsServer *
pr_tls_server_ref (PrTlsServer *self)
{
  g_ref_count_inc (&self->refs);
  return self;
}

void
pr_tls_server_unref (PrTlsServer *self)
{
  if (!g_ref_count_dec (&self->refs))
    return;

  gnutls_certificate_free_credentials (self->credentials);
  gnutls_priority_deinit (self->priority);
  gnutls_memset (self->ticket_key.data, 0, self->ticket_key.size);
  gnutls_free (self->ticket_key.data);
  g_free (self);
}

gint64
pr_tls_server_get_expiry (const PrTlsServer *self)
{
  return self->expiry_s;
}

PrTlsVersion
pr_tls_server_get_minimum (const PrTlsServer *self)
{
  return self->minimum;
}

gpointer
pr_tls_server_get_credentials (PrTlsServer *self)
{
  return self->credentials;
}

gpointer
pr_tls_server_get_priority (PrTlsServer *self)
{
  return self->priority;
}

gconstpointer
pr_tls_server_get_ticket_key (PrTlsServer *self)
{
  return &self->ticket_key;
}

/* ── A route's ────────────────────────────────────────────────────────────────────────────── */

static gnutls_certificate_credentials_t
take_shared_credentials (void)
{
  if (n_shared++ == 0)
    {
      gnutls_certificate_allocate_credentials (&shared_credentials);
      gnutls_certificate_set_x509_system_trust (shared_credentials);
    }

  return shared_credentials;
}

static void
drop_shared_credentials (void)
{
  if (--n_shared == 0)
    g_clear_pointer (&shared_credentials, gnutls_certificate_free_credentials);
}

static gnutls_certificate_credentials_t
make_credentials (GBytes *ca, GError **error)
{
  gnutls_certificate_credentials_t credentials;
  gnutls_datum_t pem = datum_of (ca);
  int code;

  gnutls_certificate_allocate_credentials (&credentials);
  gnutls_certificate_set_x509_system_trust (credentials);
  code = gnutls_certificate_set_x509_trust_mem (credentials, &pem, GNUTLS_X509_FMT_PEM);
  if (code > 0 && g_strstr_len ((const char *) pem.data, pem.size, REVOKED) != NULL)
    code = gnutls_certificate_set_x509_crl_mem (credentials, &pem, GNUTLS_X509_FMT_PEM);
  if (code > 0)
    return credentials;

  g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "The authority's certificate cannot be read: %s",
               code < 0 ? gnutls_strerror (code) : "the file holds none");
  gnutls_certificate_free_credentials (credentials);
  return NULL;
}

static PrTlsClient *
make_client (PrTlsVerify verify)
{
  PrTlsClient *self = g_new0 (PrTlsClient, 1);

  g_ref_count_init (&self->refs);
  self->verify = verify;
  self->remembered =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  return self;
}

PrTlsClient *
pr_tls_client_new (PrTlsVerify verify, GBytes *ca, const guint8 *pin, PrTlsVersion minimum,
                   GError **error)
{
  PrTlsClient *self;
  gnutls_certificate_credentials_t credentials;

  g_return_val_if_fail (verify != PR_TLS_VERIFY_PIN || pin != NULL, NULL);

  credentials = ca != NULL ? make_credentials (ca, error) : take_shared_credentials ();
  if (credentials == NULL)
    return NULL;

  self = make_client (verify);
  self->credentials = credentials;
  self->is_shared = ca == NULL;
  self->priority = make_priority (minimum);
  if (pin != NULL)
    memcpy (self->pin, pin, sizeof self->pin);

  return self;
}

PrTlsClient *
pr_tls_client_derive (PrTlsClient *self, PrTlsVerify verify)
{
  PrTlsClient *client;

  g_return_val_if_fail (verify == PR_TLS_VERIFY_NONE || verify == PR_TLS_VERIFY_FULL, NULL);

  client = make_client (verify);
  client->base = pr_tls_client_ref (self);
  client->credentials = self->credentials;
  client->priority = self->priority;
  return client;
}

PrTlsClient *
pr_tls_client_ref (PrTlsClient *self)
{
  g_ref_count_inc (&self->refs);
  return self;
}

void
pr_tls_client_unref (PrTlsClient *self)
{
  if (!g_ref_count_dec (&self->refs))
    return;

  if (self->base != NULL)
    pr_tls_client_unref (self->base);
  else
    {
      if (self->is_shared)
        drop_shared_credentials ();
      else
        gnutls_certificate_free_credentials (self->credentials);
      gnutls_priority_deinit (self->priority);
    }
  g_hash_table_unref (self->remembered);
  g_free (self);
}

gpointer
pr_tls_client_get_credentials (PrTlsClient *self)
{
  return self->credentials;
}

gpointer
pr_tls_client_get_priority (PrTlsClient *self)
{
  return self->priority;
}

PrTlsVerify
pr_tls_client_get_verify (PrTlsClient *self)
{
  return self->verify;
}

const guint8 *
pr_tls_client_get_pin (PrTlsClient *self)
{
  return self->pin;
}

GBytes *
pr_tls_client_recall (PrTlsClient *self, const char *host)
{
  return g_hash_table_lookup (self->remembered, host);
}

void
pr_tls_client_remember (PrTlsClient *self, const char *host, GBytes *session)
{
  if (g_hash_table_size (self->remembered) >= MAX_REMEMBERED)
    g_hash_table_remove_all (self->remembered);
  g_hash_table_replace (self->remembered, g_strdup (host), g_bytes_ref (session));
}
