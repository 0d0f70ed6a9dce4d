/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/certificate.h"

#include <string.h>

#include "pki.h"

#define DAY_S (24 * 60 * 60)

static void
test_read (void)
{
  g_autoptr (Pair) authority = pair_new (&(PairOptions){ .name = "Mine", .is_authority = TRUE });
  g_autoptr (Pair) pair = pair_new (&(PairOptions){ .name = "mail.test", .issuer = authority });
  g_autoptr (Pair) here = pair_new (&(PairOptions){ .name = "127.0.0.1" });
  g_autoptr (GBytes) chain = pair_chain (pair, authority);
  g_autoptr (GBytes) hash = pair_hash (pair, FALSE);
  g_autoptr (PrCertificate) read = pr_certificate_read (chain);
  g_autoptr (PrCertificate) other = pr_certificate_read (here->certificate);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;

  g_assert_cmpuint (g_strv_length (read->names), ==, 1);
  g_assert_cmpstr (read->names[0], ==, "mail.test");
  g_assert_cmpstr (read->issuer, ==, "Mine");
  g_assert_false (read->is_self_signed);
  g_assert_cmpint (read->from_s, <, now_s);
  g_assert_cmpint (read->expiry_s, >, now_s);
  g_assert_cmpint (read->expiry_s, <, now_s + 2 * DAY_S);
  g_assert_cmpmem (read->sha256, sizeof read->sha256, g_bytes_get_data (hash, NULL),
                   g_bytes_get_size (hash));

  g_assert_cmpstr (other->names[0], ==, "127.0.0.1");
  g_assert_true (other->is_self_signed);
}

static void
test_none (void)
{
  static const char *const cases[] = { "", "x", "-----BEGIN CERTIFICATE-----\nx\n",
                                       "-----BEGIN CERTIFICATE-----\nMIIB\n-----END "
                                       "CERTIFICATE-----\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) pem = g_bytes_new_static (cases[i], strlen (cases[i]));

      g_assert_null (pr_certificate_read (pem));
    }
  pr_certificate_free (NULL);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/certificate/read", test_read);
  g_test_add_func ("/certificate/none", test_none);
  return g_test_run ();
}
