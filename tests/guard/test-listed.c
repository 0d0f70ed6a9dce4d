/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/listed.h"

static PrDnsLists *
lists (void)
{
  const char *const entries[] = { "bad.example*2", "worse.example=127.0.0.9", "good.example*-5",
                                  NULL };
  g_autofree char *why = NULL;

  return pr_dns_lists_new (entries, &why);
}

static void
test_listed (void)
{
  static const struct
  {
    const char *bad, *worse, *good; /* answers, NULL: not on it, "": none came */
    int score;
    const char *zones;
    gboolean unknown;
  } cases[] = {
    { NULL, NULL, NULL, 0, NULL, FALSE },
    { "127.0.0.2", NULL, NULL, 2, "bad.example", FALSE },
    { "127.0.0.2", "127.0.0.9", NULL, 3, "bad.example, worse.example", FALSE },
    { "127.0.0.2", "127.0.0.8", "127.0.0.3", -3, "bad.example", FALSE },
    { "127.255.255.254", NULL, NULL, 0, NULL, FALSE }, /* it refuses to answer us */
    { "127.0.0.1", "192.0.2.1", NULL, 0, NULL, FALSE },
    { "", NULL, NULL, 0, NULL, TRUE },
  };
  g_autoptr (PrDnsLists) all = lists ();
  PrIp client;

  g_assert_true (pr_ip_parse ("192.0.2.99", &client));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *const answers[] = { cases[i].bad, cases[i].worse, cases[i].good };
      g_autoptr (PrLookups) lookups = pr_lookups_new ();
      PrListed listed = { 0 };

      g_assert_false (pr_listed_check (lookups, all, &client, &listed));
      g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 3); /* all at once */
      for (guint n = 0; n < 3; n++)
        {
          g_autofree char *name = g_strconcat ("99.2.0.192.", all->entries[n].zone, NULL);

          pr_lookups_add (lookups, PR_RECORD_IP4, name,
                          answers[n] == NULL      ? PR_LOOKUP_NONE
                          : answers[n][0] == '\0' ? PR_LOOKUP_FAILED
                                                  : PR_LOOKUP_FOUND,
                          (const char *const[]){ answers[n], NULL });
        }
      g_assert_true (pr_listed_check (lookups, all, &client, &listed));
      g_assert_cmpint (listed.score, ==, cases[i].score);
      g_assert_cmpstr (listed.zones, ==, cases[i].zones);
      g_assert_cmpint (listed.unknown, ==, cases[i].unknown);
      pr_listed_clear (&listed);
    }
}

static void
test_ipv6 (void)
{
  const char *const entries[] = { "bad.example", NULL };
  g_autofree char *why = NULL, *name = NULL;
  g_autoptr (PrDnsLists) all = pr_dns_lists_new (entries, &why);
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  PrListed listed = { 0 };
  PrRecordKind kind;
  PrIp client;

  g_assert_true (pr_ip_parse ("2001:db8::1", &client));
  g_assert_false (pr_listed_check (lookups, all, &client, &listed));
  g_assert_true (pr_lookups_take_wanted (lookups, &kind, &name));
  g_assert_cmpstr (name, ==,
                   "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bad.example");
}

static void
test_no_lists (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  PrListed listed = { 0 };
  PrIp client;

  g_assert_true (pr_ip_parse ("192.0.2.99", &client));
  g_assert_true (pr_listed_check (lookups, NULL, &client, &listed));
  g_assert_cmpint (listed.score, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/listed/listed", test_listed);
  g_test_add_func ("/listed/ipv6", test_ipv6);
  g_test_add_func ("/listed/no-lists", test_no_lists);
  return g_test_run ();
}
