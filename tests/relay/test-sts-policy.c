/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/sts-policy.h"

#include <string.h>

#include "common/error.h"

/* ── The record ───────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  const char *texts[4];
  const char *id;
} RecordCase;

#define LONG_ID "12345678901234567890123456789012"

static const RecordCase records[] = {
  { { "v=STSv1; id=20160831085700Z;" }, "20160831085700Z" },
  { { "v=STSv1;id=1" }, "1" },
  { { "v=STSv1 ;\tid=a ; " }, "a" },
  { { "v=STSv1; x-new.field_1=any~thing; id=2" }, "2" },
  { { "v=STSv1; id=1; id=2" }, "1" },
  { { "v=STSv1; id=" LONG_ID }, LONG_ID },
  { { "some other text", "v=STSv1; id=3", "v=spf1 -all" }, "3" },
  { { "v=STSv2; id=1", "v=STSv1; id=4" }, "4" },
  { { NULL }, NULL },
  { { "" }, NULL },
  { { "v=STSv1" }, NULL },
  { { "v=STSv1;" }, NULL },
  { { "v=STSv1; id=" }, NULL },
  { { "v=STSv1; id=a b" }, NULL },
  { { "v=STSv1; id=a=b" }, NULL },
  { { "v=STSv1; id=1;; x=y" }, NULL },
  { { "v=STSv1; id" }, NULL },
  { { "v=STSv1; =x; id=1" }, NULL },
  { { "v=STSv1; -x=y; id=1" }, NULL },
  { { "v=STSv1; x=; id=1" }, NULL },
  { { "v=STSv1; id=\xc3\xbc" }, NULL },
  { { "v=STSv1; id=" LONG_ID "3" }, NULL },
  { { "V=STSv1; id=1" }, NULL },
  { { "v=stsv1; id=1" }, NULL },
  { { " v=STSv1; id=1" }, NULL },
  { { "v=STSv1x; id=1" }, NULL },
  { { "v=STSv1; id=1", "v=STSv1; id=1" }, NULL }, /* which one? */
  { { "v=STSv1; id=1", "v=STSv1; broken" }, NULL },
};

static void
test_records (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_autoptr (GPtrArray) texts = g_ptr_array_new ();
      g_autofree char *id = NULL;

      for (guint j = 0; j < 4 && records[i].texts[j] != NULL; j++)
        g_ptr_array_add (texts, (gpointer) records[i].texts[j]);
      id = pr_sts_find_id (texts);
      g_test_message ("record %" G_GSIZE_FORMAT, i);
      g_assert_cmpstr (id, ==, records[i].id);
    }
}

/* ── The policy ───────────────────────────────────────────────────────────────────────────── */

#define POLICY(mode, rest) "version: STSv1\nmode: " mode "\nmax_age: 86400\n" rest
#define MX "mx: mx.example.org\n"

typedef struct
{
  const char *text;
  const char *expected; /* as it is written again, or a word of the fault */
} PolicyCase;

static const PolicyCase policies[] = {
  { POLICY ("enforce", MX), POLICY ("enforce", MX) },
  { POLICY ("testing", MX), POLICY ("testing", MX) },
  { POLICY ("none", ""), POLICY ("none", "") },
  { POLICY ("none", MX), POLICY ("none", MX) },
  { "version:STSv1\r\nmode:  enforce \r\nmx:\tMX.Example.org\r\nmax_age:86400", /* no last end */
    POLICY ("enforce", MX) },
  { MX POLICY ("enforce", "mx: *.Example.ORG\n\n"), POLICY ("enforce", MX "mx: *.example.org\n") },
  { POLICY ("enforce", MX "x-later: and: so on\n"
                          "mode: none\nversion: 2\nmax_age: 1\n"),
    POLICY ("enforce", MX) }, /* the first counts */
  { "version: STSv1\nmode: none\nmax_age: 9999999999\n",
    "version: STSv1\nmode: none\nmax_age: 31557600\n" },
  { "version: STSv1\nmode: none\nmax_age: 0\n", "version: STSv1\nmode: none\nmax_age: 0\n" },
  { "", "another version" },
  { "<html><body>404</body></html>", "a line that is none" },
  { "mode: none\nmax_age: 1\n", "another version" },
  { "version: STSv2\nmode: none\nmax_age: 1\n", "another version" },
  { "version: STSv1\nmax_age: 1\n", "no mode" },
  { "version: STSv1\nmode: Enforce\nmax_age: 1\n" MX, "no mode" },
  { "version: STSv1\nmode: none\n", "for how long" },
  { "version: STSv1\nmode: none\nmax_age: -1\n", "for how long" },
  { "version: STSv1\nmode: none\nmax_age: 1d\n", "for how long" },
  { "version: STSv1\nmode: none\nmax_age: 12345678901\n", "for how long" },
  { POLICY ("enforce", ""), "names no server" },
  { POLICY ("testing", ""), "names no server" },
  { POLICY ("enforce", "mx:\n"), "cannot be" },
  { POLICY ("enforce", "mx: *\n"), "cannot be" },
  { POLICY ("enforce", "mx: *.\n"), "cannot be" },
  { POLICY ("enforce", "mx: a.*.org\n"), "cannot be" },
  { POLICY ("enforce", "mx: a..org\n"), "cannot be" },
  { POLICY ("enforce", "mx: .org\n"), "cannot be" },
  { POLICY ("enforce", "mx: example.org.\n"), "cannot be" },
  { POLICY ("enforce", "mx: a b\n"), "cannot be" },
  { POLICY ("enforce", "mx: b\xc3\xbc.org\n"), "cannot be" },
  { POLICY ("enforce", "mx: \xff\n"), "cannot be" },
  { POLICY ("enforce", MX "no colon\n"), "a line that is none" },
  { POLICY ("enforce", MX ": x\n"), "a line that is none" },
  { POLICY ("enforce", MX "a b: x\n"), "a line that is none" },
  { POLICY ("enforce", MX "x: \x1b[2J\n"), "a line that is none" },
  { POLICY ("enforce", MX " x: y\n"), "a line that is none" },
};

static void
test_policies (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      g_autoptr (GError) error = NULL;
      gsize len = strlen (policies[i].text);
      g_autofree char *copy = g_memdup2 (policies[i].text, MAX (len, 1)); /* no NUL behind it */
      g_autoptr (PrStsPolicy) policy = pr_sts_policy_parse (copy, len, &error);
      g_autofree char *again = policy != NULL ? pr_sts_policy_to_text (policy) : NULL;

      g_test_message ("policy %" G_GSIZE_FORMAT, i);
      if (policy != NULL)
        {
          g_assert_cmpstr (again, ==, policies[i].expected);
          continue;
        }
      g_assert_error (error, PR_ERROR, PR_ERROR_PROTOCOL);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, policies[i].expected));
    }
}

static void
assert_too_much (GString *text, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_sts_policy_parse (text->str, text->len, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_PROTOCOL);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_bounds (void)
{
  g_autoptr (GString) many = g_string_new (POLICY ("enforce", ""));
  g_autoptr (GString) nul = g_string_new (POLICY ("none", "x: y"));
  g_autoptr (GString) large = g_string_new (POLICY ("none", ""));
  g_autoptr (PrStsPolicy) policy = NULL;

  for (guint i = 0; i < 100; i++)
    g_string_append_printf (many, "mx: m%u.example.org\n", i);
  policy = pr_sts_policy_parse (many->str, many->len, NULL);
  g_assert_cmpuint (g_strv_length (policy->mx), ==, 100);
  g_string_append (many, "mx: one.example.org\n");
  assert_too_much (many, "too many");

  nul->str[nul->len - 1] = '\0';
  assert_too_much (nul, "no text");
  while (large->len <= 65536)
    g_string_append (large, "x: y\n");
  assert_too_much (large, "too long");
}

static void
test_names (void)
{
  static const char text[] = POLICY ("enforce", MX "mx: *.mail.example.org\n");
  g_autoptr (PrStsPolicy) policy = pr_sts_policy_parse (text, strlen (text), NULL);

  g_assert_true (pr_sts_policy_names (policy, "mx.example.org"));
  g_assert_true (pr_sts_policy_names (policy, "MX.EXAMPLE.ORG"));
  g_assert_true (pr_sts_policy_names (policy, "a.mail.example.org"));
  g_assert_true (pr_sts_policy_names (policy, "a.Mail.example.org"));
  g_assert_false (pr_sts_policy_names (policy, "mail.example.org"));
  g_assert_false (pr_sts_policy_names (policy, "a.b.mail.example.org"));
  g_assert_false (pr_sts_policy_names (policy, ".mail.example.org"));
  g_assert_false (pr_sts_policy_names (policy, "mx.example.org.evil.test"));
  g_assert_false (pr_sts_policy_names (policy, "xmx.example.org"));
  g_assert_false (pr_sts_policy_names (policy, "evil.test"));
  g_assert_false (pr_sts_policy_names (policy, ""));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/sts-policy/records", test_records);
  g_test_add_func ("/sts-policy/policies", test_policies);
  g_test_add_func ("/sts-policy/bounds", test_bounds);
  g_test_add_func ("/sts-policy/names", test_names);
  return g_test_run ();
}
