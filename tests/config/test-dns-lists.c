/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/dns-lists.h"

#include <string.h>

static void
test_parse (void)
{
  const char *const entries[] = { "Zen.Spamhaus.ORG=127.0.0.2-127.0.0.11*2", "list.dnswl.org*-3",
                                  "b.example=127.0.0.4", NULL };
  g_autofree char *why = NULL;
  g_autoptr (PrDnsLists) lists = pr_dns_lists_new (entries, &why);

  g_assert_null (why);
  g_assert_cmpuint (lists->n, ==, 3);
  g_assert_cmpstr (lists->entries[0].zone, ==, "zen.spamhaus.org");
  g_assert_cmpuint (lists->entries[0].from, ==, 0x7f000002);
  g_assert_cmpuint (lists->entries[0].to, ==, 0x7f00000b);
  g_assert_cmpint (lists->entries[0].weight, ==, 2);
  g_assert_cmpint (lists->entries[1].weight, ==, -3);
  g_assert_cmpuint (lists->entries[1].to, ==, 0x7f0000fe);
  g_assert_cmpuint (lists->entries[2].from, ==, lists->entries[2].to);
}

static void
test_faults (void)
{
  const char *const bad[] = { "",
                              "printer",
                              "a.example*0",
                              "a.example*x",
                              "a.example=",
                              "a.example=x",
                              "a.example=127.0.0.9-127.0.0.2",
                              "=127.0.0.2",
                              "a b.example",
                              "a.example*1001" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const char *const entries[] = { "fine.example", bad[i], NULL };
      g_autofree char *why = NULL;

      g_assert_null (pr_dns_lists_new (entries, &why));
      g_assert_nonnull (strstr (why, "cannot be read"));
    }
}

static void
test_too_many (void)
{
  const char *entries[PR_DNS_LISTS_MAX + 2] = { 0 };
  g_autofree char *why = NULL;

  for (guint i = 0; i <= PR_DNS_LISTS_MAX; i++)
    entries[i] = "a.example";
  g_assert_null (pr_dns_lists_new (entries, &why));
  g_assert_nonnull (why);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/dns-lists/parse", test_parse);
  g_test_add_func ("/dns-lists/faults", test_faults);
  g_test_add_func ("/dns-lists/too-many", test_too_many);
  return g_test_run ();
}
