/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/pattern.h"

#include <string.h>

#include "common/error.h"

typedef struct
{
  const char *list; /* separated by ; */
  const char *address;
  gboolean matches;
} MatchCase;

static const MatchCase cases[] = {
  { "*", "a@example.org", TRUE },
  { "*", "", TRUE },
  { "*", "postmaster", TRUE },
  { "*@*", "a@example.org", TRUE },
  { "*@*", "", FALSE },
  { "a@example.org", "a@example.org", TRUE },
  { "A@Example.ORG", "a@example.org", TRUE },
  { "a@example.org", "A@EXAMPLE.org", TRUE },
  { "a@example.org", "b@example.org", FALSE },
  { "a@example.org", "a@example.com", FALSE },
  { "a@example.org", "a@mail.example.org", FALSE },
  { "*@example.org", "any.one@example.org", TRUE },
  { "*@example.org", "a@mail.example.org", FALSE },
  { "*@example.org", "a@notexample.org", FALSE },
  { "example.org", "a@example.org", TRUE },
  { "*.example.org", "a@mail.example.org", TRUE },
  { "*.example.org", "a@example.org", FALSE },
  { "*@*.example.org", "a@x.y.z.example.org", TRUE },
  { "*@*.example.org", "a@example.org", FALSE },
  { "*@*.example.org", "a@xexample.org", FALSE },
  { "a@*.example.org", "a@x.example.org", TRUE },
  { "a@*.example.org", "b@x.example.org", FALSE },
  { "root@*", "root@anything.example", TRUE },
  { "root@*", "ROOT@[192.0.2.1]", TRUE },
  { "root@*", "toor@anything.example", FALSE },
  { "root@*", "root", TRUE },
  { "localhost", "a@localhost", TRUE },
  { "*@[192.0.2.1]", "a@[192.0.2.1]", TRUE },
  { "*@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]", TRUE },
  { "*@*.1", "a@[192.0.2.1]", FALSE },
  { "*@bücher.example", "a@xn--bcher-kva.example", TRUE },
  { "*@xn--bcher-kva.example", "a@bücher.example", TRUE },
  { "*@*.bücher.example", "a@www.xn--bcher-kva.example", TRUE },
  { "*@BÜCHER.example", "a@bücher.example", TRUE },
  { "jürgen@example.org", "JÜRGEN@example.org", TRUE },
  { "\"a b\"@example.org", "\"a b\"@example.org", TRUE },
  { "\"a@b\"@example.org", "\"a@b\"@example.org", TRUE },
  { "a@example.org;*@example.com", "z@example.com", TRUE },
  { "*@example.org", "", FALSE },
  { "*@example.org", "@example.org", FALSE },
  { "*@example.org", "a@", FALSE },
  { "*@*.example.org", "a@*.example.org", FALSE },
  { "*@example.org", "a@\xff\xfe", FALSE },
};

static void
test_match (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const MatchCase *c = &cases[i];
      g_auto (GStrv) list = g_strsplit (c->list, ";", -1);
      g_autoptr (GError) error = NULL;
      g_autoptr (PrPatterns) patterns = pr_patterns_new ((const char *const *) list, &error);

      g_assert_no_error (error);
      g_test_message ("case %" G_GSIZE_FORMAT " against %s", i, c->list);
      g_assert_cmpint (pr_patterns_match (patterns, c->address), ==, c->matches);
      g_assert_false (pr_patterns_is_empty (patterns));
    }
}

static void
test_wrong (void)
{
  static const char *const wrong[] = { "",
                                       "@",
                                       "@example.org",
                                       "a@",
                                       "a*@example.org",
                                       "a@exam*ple.org",
                                       "a@example.*",
                                       "*@*.*.org",
                                       "*@*.2.1]",
                                       "a@.example.org",
                                       "a@example..org",
                                       "a@example.org.",
                                       "a b@example.org",
                                       "a@b@example.org",
                                       "a@exa mple.org",
                                       "a\n@example.org",
                                       "\"a@example.org",
                                       "a@[",
                                       "a@[]",
                                       "a@[192.0.2.1",
                                       "a@[host]",
                                       "*.[192.0.2.1]",
                                       "a@\xff.org",
                                       "**" };
  g_autofree char *label = g_strnfill (64, 'a');
  g_autofree char *domain = g_strnfill (300, 'a');

  for (gsize i = 0; i < G_N_ELEMENTS (wrong) + 2; i++)
    {
      const char *entry = i < G_N_ELEMENTS (wrong)    ? wrong[i]
                          : i == G_N_ELEMENTS (wrong) ? label
                                                      : domain;
      const char *list[] = { "*@example.org", entry, NULL };
      g_autoptr (GError) error = NULL;
      g_autoptr (PrPatterns) patterns = pr_patterns_new (list, &error);

      g_assert_null (patterns);
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, entry));
    }
}

static void
test_empty (void)
{
  static const char *const none[] = { NULL };
  g_autoptr (PrPatterns) a = pr_patterns_new (NULL, NULL);
  g_autoptr (PrPatterns) b = pr_patterns_new (none, NULL);

  g_assert_true (pr_patterns_is_empty (a));
  g_assert_true (pr_patterns_is_empty (b));
  g_assert_false (pr_patterns_match (a, "a@example.org"));
  g_assert_false (pr_patterns_match (a, ""));
  pr_patterns_free (NULL);
}

/* Nothing a peer sends as an address may cost more than its length. */
static void
test_hostile (void)
{
  static const char *const list[] = { "*@*.example.org", "a@example.com", NULL };
  g_autoptr (PrPatterns) patterns = pr_patterns_new (list, NULL);
  g_autofree char *dots = g_strnfill (100000, '.');
  g_autofree char *address = g_strconcat ("a@", dots, NULL);
  g_autofree char *ats = g_strnfill (100000, '@');

  g_assert_false (pr_patterns_match (patterns, address));
  g_assert_false (pr_patterns_match (patterns, ats));
  for (guint i = 0; i < 2000; i++)
    {
      char random[24] = { 0 };

      for (guint j = 0; j < sizeof random - 1; j++)
        random[j] = (char) g_test_rand_int_range (0, 256);
      pr_patterns_match (patterns, random);
    }
}

static void
test_fold (void)
{
  static const struct
  {
    const char *domain, *folded;
  } domains[] = { { "Example.ORG", "example.org" },
                  { "Bücher.example", "xn--bcher-kva.example" },
                  { "[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]" },
                  { "", "" },
                  { "a\xff", NULL },
                  { "ü\xc3.example", NULL } };

  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      g_autofree char *folded = pr_domain_fold (domains[i].domain);

      g_assert_cmpstr (folded, ==, domains[i].folded);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/pattern/match", test_match);
  g_test_add_func ("/pattern/wrong", test_wrong);
  g_test_add_func ("/pattern/empty", test_empty);
  g_test_add_func ("/pattern/hostile", test_hostile);
  g_test_add_func ("/domain/fold", test_fold);
  return g_test_run ();
}
