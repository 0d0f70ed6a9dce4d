/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The local authority: what it issues, when anew, and what it gives out. */
#include "net/authority.h"

#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>

#include "common/error.h"
#include "net/tls.h"

static const char *const names[] = { "192.0.2.7", "2001:db8::7", "printer.example", NULL };
static const char *const others[] = { "192.0.2.8", "2001:db8::7", "printer.example", NULL };
static const char *const fewer[] = { "192.0.2.7", "2001:db8::7", NULL };

typedef struct
{
  char *parent, *folder; /* owned */
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->parent = g_dir_make_tmp ("authority-XXXXXX", NULL);
  f->folder = g_build_filename (f->parent, "tls", NULL);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_autofree char *remove = g_strdup_printf ("rm -rf '%s'", f->parent);

  g_assert_true (g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL));
  g_free (f->parent);
  g_free (f->folder);
}

static void
get (Fixture *f, const char *const *for_names, PrAuthorityKey kind, PrKeyPair *out)
{
  g_autoptr (GError) error = NULL;

  pr_key_pair_clear (out);
  pr_authority_get_pair (f->folder, for_names, kind, out, &error);
  g_assert_no_error (error);
  g_assert_nonnull (out->certificate);
  g_assert_nonnull (out->key);
}

static gnutls_x509_crt_t
read_certificate (GBytes *bytes, gnutls_x509_crt_fmt_t format)
{
  gsize len;
  gconstpointer data = g_bytes_get_data (bytes, &len);
  gnutls_datum_t datum = { (void *) data, (unsigned) len };
  gnutls_x509_crt_t certificate;

  gnutls_x509_crt_init (&certificate);
  g_assert_cmpint (gnutls_x509_crt_import (certificate, &datum, format), ==, 0);
  return certificate;
}

static void
write_file (Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_issues (Fixture *f, gconstpointer unused)
{
  g_auto (PrKeyPair) pair = { 0 };
  g_autoptr (GBytes) pem = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) server = NULL;
  gnutls_x509_crt_t authority, certificate;
  unsigned status = 1;

  get (f, names, PR_AUTHORITY_ECDSA, &pair);
  pem = pr_authority_export (f->folder, "pem", &error);
  g_assert_no_error (error);
  authority = read_certificate (pem, GNUTLS_X509_FMT_PEM);
  certificate = read_certificate (pair.certificate, GNUTLS_X509_FMT_PEM);
  g_assert_cmpint (gnutls_x509_crt_verify (certificate, &authority, 1, 0, &status), ==, 0);
  g_assert_cmpuint (status, ==, 0);
  for (guint i = 0; names[i] != NULL; i++)
    g_assert_true (gnutls_x509_crt_check_hostname (certificate, names[i]));
  g_assert_false (gnutls_x509_crt_check_hostname (certificate, "other.example"));
  g_assert_cmpint (gnutls_x509_crt_get_ca_status (authority, NULL), ==, 1);
  g_assert_cmpint (gnutls_x509_crt_get_ca_status (certificate, NULL), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_get_pk_algorithm (certificate, NULL), ==, GNUTLS_PK_ECDSA);
  gnutls_x509_crt_deinit (authority);
  gnutls_x509_crt_deinit (certificate);
  server = pr_tls_server_new (pair.certificate, pair.key, PR_TLS_1_2, &error);
  g_assert_no_error (error);
}

static void
test_keys_are_private (Fixture *f, gconstpointer unused)
{
  static const char *const files[] = { "authority.key", "server.key", "server-rsa.key" };
  g_auto (PrKeyPair) pair = { 0 };
  GStatBuf facts;

  get (f, names, PR_AUTHORITY_ECDSA, &pair);
  get (f, names, PR_AUTHORITY_RSA, &pair);
  g_assert_cmpint (g_stat (f->folder, &facts), ==, 0);
  g_assert_cmpint (facts.st_mode & 0777, ==, 0700);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (f->folder, files[i], NULL);

      g_assert_cmpint (g_stat (path, &facts), ==, 0);
      g_assert_cmpint (facts.st_mode & 0777, ==, 0600);
    }
}

static void
test_stays_and_changes (Fixture *f, gconstpointer unused)
{
  g_auto (PrKeyPair) first = { 0 };
  g_auto (PrKeyPair) next = { 0 };
  g_autoptr (GBytes) authority = NULL;
  g_autoptr (GBytes) same = NULL;

  get (f, names, PR_AUTHORITY_ECDSA, &first);
  authority = pr_authority_export (f->folder, "der", NULL);
  get (f, names, PR_AUTHORITY_ECDSA, &next);
  g_assert_true (g_bytes_equal (first.certificate, next.certificate));
  g_assert_true (g_bytes_equal (first.key, next.key));

  get (f, others, PR_AUTHORITY_ECDSA, &next); /* another address */
  g_assert_false (g_bytes_equal (first.certificate, next.certificate));
  get (f, fewer, PR_AUTHORITY_ECDSA, &first);
  g_assert_false (g_bytes_equal (first.certificate, next.certificate));
  get (f, names, PR_AUTHORITY_ECDSA, &next);
  g_assert_false (g_bytes_equal (first.certificate, next.certificate));

  /* Devices need not import it again. */
  same = pr_authority_export (f->folder, "crt", NULL);
  g_assert_true (g_bytes_equal (authority, same));
}

static void
test_damage (Fixture *f, gconstpointer unused)
{
  static const char *const files[] = { "server.pem", "server.key", "authority.pem",
                                       "authority.key" };
  static const char *const texts[] = { "", "nonsense" };
  g_auto (PrKeyPair) pair = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (files) * G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (PrTlsServer) server = NULL;
      g_autoptr (GError) error = NULL;

      get (f, names, PR_AUTHORITY_ECDSA, &pair);
      write_file (f, files[i / 2], texts[i % 2]);
      get (f, names, PR_AUTHORITY_ECDSA, &pair);
      server = pr_tls_server_new (pair.certificate, pair.key, PR_TLS_1_2, &error);
      g_assert_no_error (error);
    }

  write_file (f, "server.key", "");
  get (f, names, PR_AUTHORITY_RSA, &pair);
  write_file (f, "server.key", g_bytes_get_data (pair.key, NULL)); /* of another certificate */
  get (f, names, PR_AUTHORITY_ECDSA, &pair);
  g_assert_nonnull (pair.key);
}

static void
test_export (Fixture *f, gconstpointer unused)
{
  static const char *const formats[] = { "pem", "der", "crt", "p12" };
  g_auto (PrKeyPair) pair = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autoptr (GError) error = NULL;
      int code = i < 3 ? PR_ERROR_TEMPORARY : PR_ERROR_CONFIG;

      g_assert_null (pr_authority_export (f->folder, formats[i], &error));
      g_assert_error (error, PR_ERROR, code);
    }
  g_assert_null (pr_authority_convert (NULL, "pem", NULL));

  get (f, names, PR_AUTHORITY_ECDSA, &pair);
  for (gsize i = 0; i < 3; i++)
    {
      g_autoptr (GBytes) bytes = pr_authority_export (f->folder, formats[i], NULL);

      gnutls_x509_crt_deinit (
        read_certificate (bytes, i == 0 ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER));
    }
}

static void
test_no_folder (Fixture *f, gconstpointer unused)
{
  g_autofree char *file = g_build_filename (f->parent, "file", NULL);
  g_autofree char *below = g_build_filename (file, "tls", NULL);
  g_autoptr (GError) error = NULL;
  g_auto (PrKeyPair) pair = { 0 };

  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_false (pr_authority_get_pair (below, names, PR_AUTHORITY_ECDSA, &pair, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_PERMANENT);
  g_assert_null (pair.key);
}

static void
test_names (Fixture *f, gconstpointer unused)
{
  g_auto (GStrv) found = pr_authority_find_names ("relay.example.org");
  g_auto (GStrv) literal = pr_authority_find_names ("[192.0.2.1]");

  g_assert_true (g_strv_contains ((const char *const *) found, "relay.example.org"));
  g_assert_true (g_strv_contains ((const char *const *) found, "localhost"));
  for (guint i = 0; found[i] != NULL && found[i + 1] != NULL; i++)
    g_assert_cmpstr (found[i], <, found[i + 1]);
  g_assert_false (g_strv_contains ((const char *const *) literal, "[192.0.2.1]"));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
    { "/authority/issues", test_issues },
    { "/authority/keys-are-private", test_keys_are_private },
    { "/authority/stays-and-changes", test_stays_and_changes },
    { "/authority/damage", test_damage },
    { "/authority/export", test_export },
    { "/authority/no-folder", test_no_folder },
    { "/authority/names", test_names },
  };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
