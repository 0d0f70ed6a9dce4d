/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/lookups.h"

#include <string.h>

static void
assert_wanted (PrLookups *lookups, PrRecordKind kind, const char *name)
{
  g_autofree char *wanted = NULL;
  PrRecordKind wanted_kind;

  g_assert_true (pr_lookups_take_wanted (lookups, &wanted_kind, &wanted));
  g_assert_cmpint (wanted_kind, ==, kind);
  g_assert_cmpstr (wanted, ==, name);
}

static void
test_ask_and_find (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  const PrLookup *lookup;
  PrRecordKind kind;
  char *name;

  g_assert_null (pr_lookups_find (lookups, PR_RECORD_TEXT, "Example.ORG."));
  g_assert_null (pr_lookups_find (lookups, PR_RECORD_TEXT, "example.org")); /* wanted once */
  g_assert_null (pr_lookups_find (lookups, PR_RECORD_MX, "example.org"));
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 2);
  assert_wanted (lookups, PR_RECORD_TEXT, "example.org");
  assert_wanted (lookups, PR_RECORD_MX, "example.org");
  g_assert_false (pr_lookups_take_wanted (lookups, &kind, &name));
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 2);

  pr_lookups_add (lookups, PR_RECORD_TEXT, "example.org", PR_LOOKUP_FOUND,
                  (const char *const[]){ "one", "two", NULL });
  lookup = pr_lookups_find (lookups, PR_RECORD_TEXT, "EXAMPLE.org");
  g_assert_cmpint (lookup->status, ==, PR_LOOKUP_FOUND);
  g_assert_cmpuint (lookup->values->len, ==, 2);
  g_assert_cmpstr (g_ptr_array_index (lookup->values, 1), ==, "two");
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 1);

  pr_lookups_add (lookups, PR_RECORD_MX, "example.org", PR_LOOKUP_FOUND, NULL);
  g_assert_cmpint (pr_lookups_find (lookups, PR_RECORD_MX, "example.org")->status, ==,
                   PR_LOOKUP_NONE);
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 0);
}

/* What was known before anybody asked needs no question. */
static void
test_known_before (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  PrRecordKind kind;
  char *name;

  pr_lookups_add (lookups, PR_RECORD_IP4, "example.org", PR_LOOKUP_FAILED, NULL);
  g_assert_cmpint (pr_lookups_find (lookups, PR_RECORD_IP4, "example.org")->status, ==,
                   PR_LOOKUP_FAILED);
  g_assert_false (pr_lookups_take_wanted (lookups, &kind, &name));
}

static void
test_not_a_name (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_autofree char *label = g_strnfill (64, 'a'), *name = g_strnfill (254, 'a');
  const char *const bad[] = { "", ".", "a..b", ".a", label, name, "a\\b", "a\nb", "\xc3\xa4.org" };

  for (gsize i = 3; i < 254; i += 4)
    name[i] = '.';
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const PrLookup *lookup = pr_lookups_find (lookups, PR_RECORD_IP4, bad[i]);

      g_assert_nonnull (lookup);
      g_assert_cmpint (lookup->status, ==, PR_LOOKUP_NONE);
    }

  name[253] = '\0';
  label[63] = '\0';
  g_assert_null (pr_lookups_find (lookups, PR_RECORD_IP4, name));
  g_assert_null (pr_lookups_find (lookups, PR_RECORD_IP4, label));
}

static void
test_bounded (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  const PrLookup *lookup = NULL;

  for (guint i = 0; i < PR_LOOKUPS_MAX; i++)
    {
      g_autofree char *name = g_strdup_printf ("n%u.example", i);

      g_assert_null (pr_lookups_find (lookups, PR_RECORD_IP4, name));
    }
  lookup = pr_lookups_find (lookups, PR_RECORD_IP4, "more.example");
  g_assert_nonnull (lookup);
  g_assert_cmpint (lookup->status, ==, PR_LOOKUP_FAILED);
}

static void
test_give_up (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  PrRecordKind kind;
  char *name;

  g_assert_null (pr_lookups_find (lookups, PR_RECORD_IP4, "slow.example"));
  pr_lookups_give_up (lookups);
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 0);
  g_assert_false (pr_lookups_take_wanted (lookups, &kind, &name));
  pr_lookups_add (lookups, PR_RECORD_IP4, "slow.example", PR_LOOKUP_FOUND,
                  (const char *const[]){ "192.0.2.1", NULL });
  g_assert_cmpint (pr_lookups_find (lookups, PR_RECORD_IP4, "slow.example")->status, ==,
                   PR_LOOKUP_FAILED);
  g_assert_cmpint (pr_lookups_find (lookups, PR_RECORD_IP4, "new.example")->status, ==,
                   PR_LOOKUP_FAILED);
}

static void
test_reverse (void)
{
  static const struct
  {
    const char *ip, *name;
  } cases[] = {
    { "192.0.2.77", "77.2.0.192.in-addr.arpa" },
    { "2001:db8::5", "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = NULL, *reverse = NULL;
      PrIp ip;

      g_assert_true (pr_ip_parse (cases[i].ip, &ip));
      name = pr_lookups_reverse_name (&ip);
      g_assert_cmpstr (name, ==, cases[i].name);
      reverse = pr_lookups_reverse (&ip);
      g_assert_true (g_str_has_prefix (name, reverse));
      g_assert_cmpint (name[strlen (reverse)], ==, '.');
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/lookups/ask-and-find", test_ask_and_find);
  g_test_add_func ("/lookups/known-before", test_known_before);
  g_test_add_func ("/lookups/not-a-name", test_not_a_name);
  g_test_add_func ("/lookups/bounded", test_bounded);
  g_test_add_func ("/lookups/give-up", test_give_up);
  g_test_add_func ("/lookups/reverse", test_reverse);
  return g_test_run ();
}
