/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/certificate.h"

#include <gio/gio.h>
#include <gnutls/x509.h>

#define MAX_NAMES 100
#define MAX_NAME 256

/* (transfer full) (nullable): a kind of name that is not shown. */
static char *
name_to_text (int type, const char *name, gsize len)
{
  if (type == GNUTLS_SAN_DNSNAME)
    {
      g_autofree char *text = g_strndup (name, len);

      return g_utf8_make_valid (text, -1);
    }
  if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16))
    {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (
        (const guint8 *) name, len == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);

      return g_inet_address_to_string (address);
    }
  return NULL;
}

/* (transfer full) */
static char **
read_names (gnutls_x509_crt_t certificate)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < MAX_NAMES; i++)
    {
      char name[MAX_NAME];
      size_t len = sizeof name;
      int type = gnutls_x509_crt_get_subject_alt_name (certificate, i, name, &len, NULL);
      char *text;

      if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        break;
      text = type >= 0 ? name_to_text (type, name, len) : NULL;
      if (text != NULL)
        g_ptr_array_add (names, text);
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* (transfer full): the common name, else the whole of it. */
static char *
read_issuer (gnutls_x509_crt_t certificate)
{
  char name[MAX_NAME];
  size_t len = sizeof name;

  if (gnutls_x509_crt_get_issuer_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name,
                                            &len) >= 0)
    return g_utf8_make_valid (name, (gssize) len);
  len = sizeof name;
  if (gnutls_x509_crt_get_issuer_dn (certificate, name, &len) >= 0)
    return g_utf8_make_valid (name, (gssize) len);
  return g_strdup ("");
}

static PrCertificate *
describe (gnutls_x509_crt_t certificate)
{
  PrCertificate *self = g_new0 (PrCertificate, 1);
  size_t len = sizeof self->sha256;

  self->names = read_names (certificate);
  self->issuer = read_issuer (certificate);
  self->is_self_signed = gnutls_x509_crt_check_issuer (certificate, certificate) != 0;
  self->from_s = (gint64) gnutls_x509_crt_get_activation_time (certificate);
  self->expiry_s = (gint64) gnutls_x509_crt_get_expiration_time (certificate);
  gnutls_x509_crt_get_fingerprint (certificate, GNUTLS_DIG_SHA256, self->sha256, &len);
  return self;
}

PrCertificate *
pr_certificate_read (GBytes *pem)
{
  PrCertificate *self = NULL;
  gnutls_x509_crt_t certificate;
  gnutls_datum_t datum;
  gsize len;

  datum.data = (unsigned char *) g_bytes_get_data (pem, &len);
  datum.size = (unsigned) len;
  gnutls_x509_crt_init (&certificate);
  if (len > 0 && gnutls_x509_crt_import (certificate, &datum, GNUTLS_X509_FMT_PEM) >= 0)
    self = describe (certificate);
  gnutls_x509_crt_deinit (certificate);
  return self;
}

void
pr_certificate_free (PrCertificate *self)
{
  if (self == NULL)
    return;
  g_strfreev (self->names);
  g_free (self->issuer);
  g_free (self);
}
