/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The local authority and what it issues. */

#include "net/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/ip.h"

#define DAY_S (24 * 60 * 60)
#define AUTHORITY_DAYS (20 * 365) /* importing it again is work for a person */
#define SERVER_DAYS 397           /* the longest that every system takes */
#define RENEW_DAYS 60
#define BACKDATE_DAYS 2 /* a device's clock may be behind */
#define MAX_NAMES 64
#define MAX_FILE (64 * 1024)

typedef struct
{
  gnutls_x509_crt_t certificate;
  gnutls_x509_privkey_t key;
} Holder;

static void
holder_init (Holder *self)
{
  gnutls_x509_crt_init (&self->certificate);
  gnutls_x509_privkey_init (&self->key);
}

static void
holder_clear (Holder *self)
{
  gnutls_x509_crt_deinit (self->certificate);
  gnutls_x509_privkey_deinit (self->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Holder, holder_clear)

/* GnuTLS wipes its own; what we held of a key is wiped here. */
static void
wipe_and_free (gpointer data)
{
  gnutls_datum_t *datum = data;

  gnutls_memset (datum->data, 0, datum->size);
  gnutls_free (datum->data);
  g_free (datum);
}

static GBytes *
bytes_of (gnutls_datum_t datum)
{
  return g_bytes_new_with_free_func (datum.data, datum.size, wipe_and_free,
                                     g_memdup2 (&datum, sizeof datum));
}

static gnutls_datum_t
datum_of (GBytes *bytes)
{
  gsize len;
  gconstpointer data = g_bytes_get_data (bytes, &len);

  return (gnutls_datum_t){ (void *) data, (unsigned) len };
}

void
pr_key_pair_clear (PrKeyPair *self)
{
  g_clear_pointer (&self->certificate, g_bytes_unref);
  g_clear_pointer (&self->key, g_bytes_unref);
}

static gboolean
check (int code, const char *what, GError **error)
{
  if (code >= 0)
    return TRUE;

  g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "Making %s failed: %s", what,
               gnutls_strerror (code));
  return FALSE;
}

/* ── Files: NAME.pem and NAME.key ─────────────────────────────────────────────────────────── */

static char *
path_of (const char *folder, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);

  return g_build_filename (folder, file, NULL);
}

static GBytes *
read_file (const char *folder, const char *name, const char *suffix)
{
  g_autofree char *path = path_of (folder, name, suffix);
  char *text = NULL;
  gsize len = 0;

  if (!g_file_get_contents (path, &text, &len, NULL))
    return NULL;
  if (len > MAX_FILE)
    g_clear_pointer (&text, g_free);

  return text != NULL ? g_bytes_new_take (text, len) : NULL;
}

static gboolean
write_file (const char *folder, const char *name, const char *suffix, GBytes *bytes, GError **error)
{
  g_autofree char *path = path_of (folder, name, suffix);
  g_autoptr (GError) fault = NULL;

  if (g_file_set_contents_full (
        path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes),
        G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &fault))
    return TRUE;

  g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be written: %s", path,
               fault->message);
  return FALSE;
}

/* FALSE: there is none, or none that can be used. */
static gboolean
load (const char *folder, const char *name, Holder *out, PrKeyPair *pair)
{
  g_autoptr (GBytes) certificate = read_file (folder, name, ".pem");
  g_autoptr (GBytes) key = read_file (folder, name, ".key");
  guint8 ids[2][64];
  size_t lens[2] = { sizeof ids[0], sizeof ids[1] };
  gnutls_datum_t datum;

  if (certificate == NULL || key == NULL)
    return FALSE;
  datum = datum_of (certificate);
  if (gnutls_x509_crt_import (out->certificate, &datum, GNUTLS_X509_FMT_PEM) < 0)
    return FALSE;
  datum = datum_of (key);
  if (gnutls_x509_privkey_import (out->key, &datum, GNUTLS_X509_FMT_PEM) < 0 ||
      gnutls_x509_crt_get_key_id (out->certificate, 0, ids[0], &lens[0]) < 0 ||
      gnutls_x509_privkey_get_key_id (out->key, 0, ids[1], &lens[1]) < 0 || lens[0] != lens[1] ||
      memcmp (ids[0], ids[1], lens[0]) != 0)
    return FALSE;

  if (pair != NULL)
    *pair = (PrKeyPair){ g_steal_pointer (&certificate), g_steal_pointer (&key) };
  return TRUE;
}

/* The key first: a certificate without its key is noticed, and both are made again. */
static gboolean
save (const char *folder, const char *name, const Holder *holder, PrKeyPair *pair, GError **error)
{
  gnutls_datum_t pem = { 0 };
  g_auto (PrKeyPair) made = { 0 };

  if (!check (gnutls_x509_privkey_export2 (holder->key, GNUTLS_X509_FMT_PEM, &pem), "a key", error))
    return FALSE;
  made.key = bytes_of (pem);
  if (!check (gnutls_x509_crt_export2 (holder->certificate, GNUTLS_X509_FMT_PEM, &pem),
              "a certificate", error))
    return FALSE;
  made.certificate = bytes_of (pem);
  if (!write_file (folder, name, ".key", made.key, error) ||
      !write_file (folder, name, ".pem", made.certificate, error))
    return FALSE;

  if (pair != NULL)
    {
      *pair = made;
      made = (PrKeyPair){ 0 };
    }
  return TRUE;
}

/* ── Making ───────────────────────────────────────────────────────────────────────────────── */

static gboolean
begin (Holder *self, PrAuthorityKey kind, const char *common_name, guint days, GError **error)
{
  guint8 serial[16];
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  int code =
    kind == PR_AUTHORITY_RSA
      ? gnutls_x509_privkey_generate (self->key, GNUTLS_PK_RSA, 2048, 0)
      : gnutls_x509_privkey_generate (self->key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0);

  if (!check (code, "a key", error))
    return FALSE;

  gnutls_rnd (GNUTLS_RND_NONCE, serial, sizeof serial);
  serial[0] = (serial[0] & 0x7f) | 0x40; /* positive and of full length, RFC 5280 §4.1.2.2 */
  gnutls_x509_crt_set_version (self->certificate, 3);
  gnutls_x509_crt_set_serial (self->certificate, serial, sizeof serial);
  gnutls_x509_crt_set_key (self->certificate, self->key);
  gnutls_x509_crt_set_activation_time (self->certificate, (time_t) (now_s - BACKDATE_DAYS * DAY_S));
  gnutls_x509_crt_set_expiration_time (self->certificate, (time_t) (now_s + (gint64) days * DAY_S));

  return check (gnutls_x509_crt_set_dn_by_oid (self->certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
                                               common_name, (unsigned) strlen (common_name)),
                "a certificate", error);
}

static void
add_key_ids (Holder *self, const Holder *issuer)
{
  guint8 id[64];
  size_t len = sizeof id;

  if (gnutls_x509_crt_get_key_id (self->certificate, 0, id, &len) >= 0)
    gnutls_x509_crt_set_subject_key_id (self->certificate, id, len);
  len = sizeof id;
  if (gnutls_x509_crt_get_key_id (issuer->certificate, 0, id, &len) >= 0)
    gnutls_x509_crt_set_authority_key_id (self->certificate, id, len);
}

static gboolean
make_authority (const char *folder, Holder *self, GError **error)
{
  g_autofree char *name = g_strdup_printf ("Postroom on %.40s", g_get_host_name ());

  if (!begin (self, PR_AUTHORITY_ECDSA, name, AUTHORITY_DAYS, error))
    return FALSE;

  gnutls_x509_crt_set_basic_constraints (self->certificate, 1, 0);
  gnutls_x509_crt_set_key_usage (self->certificate, GNUTLS_KEY_KEY_CERT_SIGN);
  add_key_ids (self, self);
  return check (gnutls_x509_crt_sign2 (self->certificate, self->certificate, self->key,
                                       GNUTLS_DIG_SHA256, 0),
                "the authority", error) &&
         save (folder, "authority", self, NULL, error);
}

static void
add_name (gnutls_x509_crt_t certificate, const char *name)
{
  PrIp ip;
  g_autoptr (GInetAddress) address = NULL;

  if (!pr_ip_parse (name, &ip))
    {
      gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, name,
                                            (unsigned) strlen (name), GNUTLS_FSAN_APPEND);
      return;
    }
  address = g_inet_address_new_from_string (name);
  if (address != NULL)
    gnutls_x509_crt_set_subject_alt_name (
      certificate, GNUTLS_SAN_IPADDRESS, g_inet_address_to_bytes (address),
      (unsigned) g_inet_address_get_native_size (address), GNUTLS_FSAN_APPEND);
}

static gboolean
issue (const char *folder, const char *file, const Holder *authority, const char *const *names,
       PrAuthorityKey kind, PrKeyPair *out, GError **error)
{
  g_auto (Holder) self = { 0 };

  holder_init (&self);
  if (!begin (&self, kind, "Postroom", SERVER_DAYS, error))
    return FALSE;

  for (guint i = 0; i < MAX_NAMES && names[i] != NULL; i++)
    add_name (self.certificate, names[i]);
  gnutls_x509_crt_set_basic_constraints (self.certificate, 0, -1);
  gnutls_x509_crt_set_key_usage (self.certificate,
                                 GNUTLS_KEY_DIGITAL_SIGNATURE |
                                   (kind == PR_AUTHORITY_RSA ? GNUTLS_KEY_KEY_ENCIPHERMENT : 0));
  gnutls_x509_crt_set_key_purpose_oid (self.certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
  add_key_ids (&self, authority);

  return check (gnutls_x509_crt_sign2 (self.certificate, authority->certificate, authority->key,
                                       GNUTLS_DIG_SHA256, 0),
                "the certificate", error) &&
         save (folder, file, &self, out, error);
}

/* ── Whether what is there will do ────────────────────────────────────────────────────────── */

static gboolean
lasts (gnutls_x509_crt_t certificate)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;

  return gnutls_x509_crt_get_activation_time (certificate) <= now_s &&
         gnutls_x509_crt_get_expiration_time (certificate) > now_s + (gint64) RENEW_DAYS * DAY_S;
}

/* The names are in the order they were given. */
static gboolean
has_names (gnutls_x509_crt_t certificate, const char *const *names)
{
  guint n = 0;

  for (; n < MAX_NAMES && names[n] != NULL; n++)
    {
      char text[256];
      size_t len = sizeof text;
      int type = gnutls_x509_crt_get_subject_alt_name (certificate, n, text, &len, NULL);

      if (type == GNUTLS_SAN_DNSNAME)
        {
          if (strlen (names[n]) != len || memcmp (names[n], text, len) != 0)
            return FALSE;
        }
      else if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16))
        {
          g_autoptr (GInetAddress) there = g_inet_address_new_from_bytes (
            (guint8 *) text, len == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
          g_autoptr (GInetAddress) wanted = g_inet_address_new_from_string (names[n]);

          if (wanted == NULL || !g_inet_address_equal (there, wanted))
            return FALSE;
        }
      else
        return FALSE;
    }

  return gnutls_x509_crt_get_subject_alt_name (certificate, n, (char[256]){ 0 }, &(size_t){ 256 },
                                               NULL) == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

gboolean
pr_authority_get_pair (const char *folder, const char *const *names, PrAuthorityKey kind,
                       PrKeyPair *out, GError **error)
{
  const char *file = kind == PR_AUTHORITY_RSA ? "server-rsa" : "server";
  g_auto (Holder) authority = { 0 };
  g_auto (Holder) server = { 0 };
  unsigned status = 1;

  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be made: %s", folder,
                   g_strerror (errno));
      return FALSE;
    }

  holder_init (&authority);
  holder_init (&server);
  if (!load (folder, "authority", &authority, NULL) || !lasts (authority.certificate))
    {
      holder_clear (&authority);
      holder_init (&authority);
      if (!make_authority (folder, &authority, error))
        return FALSE;
    }

  if (load (folder, file, &server, out) && lasts (server.certificate) &&
      has_names (server.certificate, names) &&
      gnutls_x509_crt_verify (server.certificate, &authority.certificate, 1, 0, &status) >= 0 &&
      status == 0)
    return TRUE;

  pr_key_pair_clear (out);
  return issue (folder, file, &authority, names, kind, out, error);
}

GBytes *
pr_authority_convert (GBytes *pem, const char *format, GError **error)
{
  g_auto (Holder) holder = { 0 };
  gnutls_datum_t datum;

  if (strcmp (format, "pem") != 0 && strcmp (format, "der") != 0 && strcmp (format, "crt") != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "There is no format \"%s\"; use pem, der or crt", format);
      return NULL;
    }
  holder_init (&holder);
  if (pem != NULL)
    datum = datum_of (pem);
  if (pem == NULL || gnutls_x509_crt_import (holder.certificate, &datum, GNUTLS_X509_FMT_PEM) < 0)
    {
      g_set_error_literal (error, PR_ERROR, PR_ERROR_TEMPORARY,
                           "There is no authority yet: no listener has needed its certificate");
      return NULL;
    }
  if (strcmp (format, "pem") == 0)
    return g_bytes_ref (pem);
  if (!check (gnutls_x509_crt_export2 (holder.certificate, GNUTLS_X509_FMT_DER, &datum),
              "the export", error))
    return NULL;

  return bytes_of (datum);
}

GBytes *
pr_authority_export (const char *folder, const char *format, GError **error)
{
  g_autoptr (GBytes) pem = read_file (folder, "authority", ".pem");

  return pr_authority_convert (pem, format, error);
}

/* ── What this machine is called ──────────────────────────────────────────────────────────── */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
take_name (GPtrArray *names, char *name)
{
  if (name[0] == '\0' || g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
    g_free (name);
  else
    g_ptr_array_add (names, name);
}

static void
add_addresses (GPtrArray *names)
{
  struct ifaddrs *list = NULL;

  if (getifaddrs (&list) != 0)
    return;

  for (struct ifaddrs *each = list; each != NULL && names->len < MAX_NAMES; each = each->ifa_next)
    {
      g_autoptr (GInetAddress) address = NULL;
      const struct sockaddr *native = each->ifa_addr;

      if (native != NULL && native->sa_family == AF_INET)
        address = g_inet_address_new_from_bytes (
          (const guint8 *) &((const struct sockaddr_in *) (gconstpointer) native)->sin_addr,
          G_SOCKET_FAMILY_IPV4);
      else if (native != NULL && native->sa_family == AF_INET6)
        address = g_inet_address_new_from_bytes (
          (const guint8 *) &((const struct sockaddr_in6 *) (gconstpointer) native)->sin6_addr,
          G_SOCKET_FAMILY_IPV6);
      if (address != NULL && !g_inet_address_get_is_link_local (address))
        take_name (names, g_inet_address_to_string (address));
    }
  freeifaddrs (list);
}

GStrv
pr_authority_find_names (const char *hostname)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *system = g_get_host_name ();

  add_addresses (names);
  if (hostname[0] != '[')
    take_name (names, g_hostname_to_ascii (hostname) ?: g_strdup (""));
  if (!g_hostname_is_ip_address (system))
    {
      take_name (names, g_hostname_to_ascii (system) ?: g_strdup (""));
      if (strchr (system, '.') == NULL)
        take_name (names, g_strconcat (system, ".local", NULL)); /* as mDNS has it */
    }
  take_name (names, g_strdup ("localhost"));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);

  return (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
