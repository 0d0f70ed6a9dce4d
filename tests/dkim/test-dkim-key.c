/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/error.h"
#include "dkim/key.h"

#include <string.h>

static const guint8 hash[PR_CANON_HASH_LEN] = { 1, 2, 3 };

static void
test_made_and_published (gconstpointer data)
{
  PrDkimAlgorithm algorithm = GPOINTER_TO_UINT (data), parsed;
  g_autoptr (PrDkimSecret) secret = pr_dkim_secret_new (algorithm, NULL), again = NULL;
  g_autofree char *pem = pr_dkim_secret_to_pem (secret),
                  *record = pr_dkim_secret_to_record (secret);
  g_autoptr (GBytes) signature = NULL, short_one = NULL;
  g_autoptr (PrDkimKey) key = NULL;
  g_autoptr (GError) error = NULL;
  guint8 other[PR_CANON_HASH_LEN] = { 1, 2, 4 };

  again = pr_dkim_secret_parse (pem, strlen (pem), &error);
  g_assert_no_error (error);
  g_assert_cmpint (pr_dkim_secret_get_algorithm (again), ==, algorithm);
  g_assert_true (pr_dkim_algorithm_parse (pr_dkim_algorithm_name (algorithm), &parsed));
  g_assert_cmpint (parsed, ==, algorithm);

  key = pr_dkim_key_parse (record, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pr_dkim_key_get_algorithm (key), ==, algorithm);
  g_assert_cmpuint (pr_dkim_key_get_bits (key), ==, algorithm == PR_DKIM_RSA_SHA256 ? 2048 : 256);
  g_assert_false (pr_dkim_key_is_testing (key));
  g_assert_false (pr_dkim_key_is_strict (key));

  signature = pr_dkim_secret_sign (again, hash);
  g_assert_true (pr_dkim_key_verify (key, hash, signature));
  g_assert_false (pr_dkim_key_verify (key, other, signature));
  short_one = g_bytes_new_from_bytes (signature, 0, 20);
  g_assert_false (pr_dkim_key_verify (key, hash, short_one));
}

static void
test_kept_by_two (void)
{
  PrDkimSecret *secret = pr_dkim_secret_new (PR_DKIM_ED25519_SHA256, NULL);
  g_autoptr (PrDkimSecret) other = pr_dkim_secret_ref (secret);
  g_autoptr (GBytes) signature = NULL;

  pr_dkim_secret_unref (secret);
  signature = pr_dkim_secret_sign (other, hash);
  g_assert_nonnull (signature);
}

#define ED25519 "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" /* RFC 8463 §A.2 */

static void
test_records (void)
{
  static const struct
  {
    const char *record, *problem; /* NULL: a key */
  } cases[] = {
    { "k=ed25519; " ED25519, NULL },
    { "v=DKIM1; k=ed25519; t=y:s; s=email; h=sha1:sha256; n=hello; " ED25519, NULL },
    { "v=DKIM1; k=ed25519; p=", "revoked" },
    { "v=DKIM2; k=ed25519; " ED25519, "another version" },
    { "k=ed25519; v=DKIM1; " ED25519, "another version" },
    { "v=DKIM1; k=ed25519; s=tlsrpt; " ED25519, "not for mail" },
    { "v=DKIM1; k=ed25519; h=sha1; " ED25519, "SHA-256" },
    { "v=DKIM1; k=ed448; " ED25519, "unknown kind" },
    { "v=DKIM1; " ED25519, "cannot be read" },
    { "v=DKIM1; k=ed25519; p=11qYAYKx", "cannot be read" },
    { "v=DKIM1; k=rsa; p=?", "no key" },
    { "v=DKIM1; k=rsa", "no key" },
    { "hello", "no key" },
    /* 512 bits */
    { "v=DKIM1; "
      "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Q"
      "uKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==",
      "too short" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PrDkimKey) key = pr_dkim_key_parse (cases[i].record, &error);

      if (cases[i].problem == NULL)
        {
          g_assert_no_error (error);
          g_assert_nonnull (key);
          continue;
        }
      g_assert_null (key);
      g_assert_error (error, PR_ERROR, PR_ERROR_PERMANENT);
      if (strstr (error->message, cases[i].problem) == NULL)
        g_error ("%s: %s", cases[i].record, error->message);
    }
}

static void
test_flags (void)
{
  g_autoptr (PrDkimKey) key = pr_dkim_key_parse ("k=ed25519; t=y:s; " ED25519, NULL);

  g_assert_true (pr_dkim_key_is_testing (key));
  g_assert_true (pr_dkim_key_is_strict (key));
}

static void
test_no_secret (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_dkim_secret_parse ("hello", 5, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
}

static void
test_no_algorithm (void)
{
  PrDkimAlgorithm algorithm;

  g_assert_false (pr_dkim_algorithm_parse ("rsa-sha1", &algorithm)); /* RFC 8301 §3.1 */
  g_assert_false (pr_dkim_algorithm_parse ("", &algorithm));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_data_func ("/dkim-key/rsa", GUINT_TO_POINTER (PR_DKIM_RSA_SHA256),
                        test_made_and_published);
  g_test_add_data_func ("/dkim-key/ed25519", GUINT_TO_POINTER (PR_DKIM_ED25519_SHA256),
                        test_made_and_published);
  g_test_add_func ("/dkim-key/kept-by-two", test_kept_by_two);
  g_test_add_func ("/dkim-key/records", test_records);
  g_test_add_func ("/dkim-key/flags", test_flags);
  g_test_add_func ("/dkim-key/no-secret", test_no_secret);
  g_test_add_func ("/dkim-key/no-algorithm", test_no_algorithm);
  return g_test_run ();
}
