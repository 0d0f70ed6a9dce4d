/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What would become of a mail. */
#include "service/explain.h"

#include <string.h>
#include <gmime/gmime.h>

#include "common/error.h"

static const char text[] = "[access]\ndeny-senders=*@spam.example\ndeny-recipients=no@b.example\n"
                           "[route local]\nrecipients=*@b.example\nvia=hold\n"
                           "[route boss]\nsenders=boss@a.example\nhosts=mx.a.example;[::1]:26\n"
                           "[route me]\nrecipients=*@c.example\nhosts=h.example:465\ntls=implicit\n"
                           "rewrite-sender=me@a.example\n";

static PrConfig *
make_config (void)
{
  g_autoptr (GPtrArray) faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "test", &faults);

  g_assert_nonnull (config);
  return config;
}

static void
test_facts (void)
{
  static const struct
  {
    const char *from, *to, *expected;
  } cases[] = {
    { "x@a.example", "y@B.example",
      "{'passed': <@a(ss) []>, 'route': <'local'>, 'via': <'hold'>, 'hosts': <@as []>, "
      "'sender': <'x@a.example'>, 'from': <'x@a.example'>}" },
    { "Boss <boss@a.example>", "y@d.example",
      "{'passed': <[('local', 'recipients')]>, 'route': <'boss'>, 'via': <'smarthost'>, "
      "'hosts': <['mx.a.example:587', '[::1]:26']>, 'sender': <'boss@a.example'>, "
      "'from': <'Boss <boss@a.example>'>}" },
    { "Scan <scan@a.example>", "y@c.example",
      "{'passed': <[('local', 'recipients'), ('boss', 'senders')]>, 'route': <'me'>, "
      "'via': <'smarthost'>, 'hosts': <['h.example:465']>, 'sender': <'me@a.example'>, "
      "'from': <'Scan <me@a.example>'>, 'reply-to': <'Scan <scan@a.example>'>}" },
    { "", "y@d.example",
      "{'passed': <[('local', 'recipients'), ('boss', 'senders'), ('me', 'recipients')]>, "
      "'sender': <''>, 'from': <''>}" },
  };
  g_autoptr (PrConfig) config = make_config ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) facts = pr_explain (config, cases[i].from, cases[i].to, &error);
      g_autofree char *printed = NULL;

      g_assert_no_error (error);
      g_variant_ref_sink (facts);
      printed = g_variant_print (facts, FALSE);
      g_assert_cmpstr (printed, ==, cases[i].expected);
    }
}

static void
test_refusals (void)
{
  static const char *const cases[][2] = { { "x@spam.example", "y@d.example" },
                                          { "x@a.example", "no@b.example" } };
  g_autoptr (PrConfig) config = make_config ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) facts =
        g_variant_ref_sink (pr_explain (config, cases[i][0], cases[i][1], NULL));
      const char *refused = NULL;

      g_assert_true (g_variant_lookup (facts, "refused", "&s", &refused));
      g_assert_cmpstr (refused, !=, "");
    }
}

static void
test_addresses_that_are_none (void)
{
  static const char *const cases[][2] = {
    { "x@a.example", "" },
    { "x@a.example", "nobody" },
    { "x", "y@d.example" },
    { "x@a, y@a", "y@d.example" },
    { "x@a.example\nBcc: z@a.example", "y@d.example" },
    { "\xff@a.example", "y@d.example" },
  };
  g_autoptr (PrConfig) config = make_config ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pr_explain (config, cases[i][0], cases[i][1], &error));
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
    }
}

static void
test_rewriting (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) after =
    g_variant_ref_sink (pr_explain_rewriting ("Scan <scan@office.example>", "me@a.example", NULL));
  g_autoptr (GVariant) same =
    g_variant_ref_sink (pr_explain_rewriting ("Scan <scan@office.example>", "", NULL));
  g_autofree char *after_text = g_variant_print (after, FALSE);
  g_autofree char *same_text = g_variant_print (same, FALSE);

  g_assert_cmpstr (after_text, ==,
                   "{'sender': <'me@a.example'>, 'from': <'Scan <me@a.example>'>, "
                   "'reply-to': <'Scan <scan@office.example>'>}");
  g_assert_cmpstr (same_text, ==,
                   "{'sender': <'scan@office.example'>, 'from': <'Scan <scan@office.example>'>}");
  g_assert_null (pr_explain_rewriting ("Scan <scan@office.example>", "me", &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/explain/facts", test_facts);
  g_test_add_func ("/explain/refusals", test_refusals);
  g_test_add_func ("/explain/addresses-that-are-none", test_addresses_that_are_none);
  g_test_add_func ("/explain/rewriting", test_rewriting);
  return g_test_run ();
}
