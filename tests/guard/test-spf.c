/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the cases of spf-cases.py do not see: how answers are asked for, the words, and what a
 * hostile domain may not make us do. */
#include "guard/spf.h"
#include "guard/spf-private.h"

#include <string.h>

static void
add_text (PrLookups *lookups, const char *name, const char *text)
{
  pr_lookups_add (lookups, PR_RECORD_TEXT, name, PR_LOOKUP_FOUND,
                  (const char *const[]){ text, NULL });
}

static gboolean
check (PrLookups *lookups, const char *client, const char *sender, PrSpf *spf)
{
  PrIp ip;

  g_assert_true (pr_ip_parse (client, &ip));
  return pr_spf_check (
    lookups,
    &(PrSpfQuestion){
      .client = &ip, .helo = "client.example", .sender = sender, .receiver = "relay.example" },
    spf);
}

static void
test_words (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };

  g_assert_false (check (lookups, "192.0.2.1", "me@example.org", &spf));
  add_text (lookups, "example.org", "v=spf1 -ip4:192.0.2.0/24 exp=why.example.org");
  g_assert_false (check (lookups, "192.0.2.1", "me@example.org", &spf));
  add_text (lookups, "why.example.org", "%{i} is not %{d}'s");
  g_assert_true (check (lookups, "192.0.2.1", "me@example.org", &spf));
  g_assert_cmpint (spf.result, ==, PR_SPF_FAIL);
  g_assert_cmpstr (pr_spf_result_name (spf.result), ==, "fail");
  g_assert_cmpstr (spf.domain, ==, "example.org");
  g_assert_cmpstr (spf.matched, ==, "-ip4:192.0.2.0/24");
  g_assert_cmpstr (spf.explanation, ==, "192.0.2.1 is not example.org's");
  g_assert_null (spf.problem);
}

static void
test_problem_in_words (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };

  add_text (lookups, "example.org", "v=spf1 include:gone.example -all");
  pr_lookups_add (lookups, PR_RECORD_TEXT, "gone.example", PR_LOOKUP_NONE, NULL);
  g_assert_true (check (lookups, "192.0.2.1", "me@example.org", &spf));
  g_assert_cmpint (spf.result, ==, PR_SPF_PERMERROR);
  g_assert_cmpstr (spf.problem, ==, "it includes gone.example, which has no record");
}

/* All exchangers are asked for in one turn, not one after the other. */
static void
test_asks_together (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };

  add_text (lookups, "example.org", "v=spf1 mx -all");
  pr_lookups_add (lookups, PR_RECORD_MX, "example.org", PR_LOOKUP_FOUND,
                  (const char *const[]){ "a.example", "b.example", "c.example", NULL });
  g_assert_false (check (lookups, "192.0.2.1", "me@example.org", &spf));
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 3);
}

/* Answers every question with the same record, which asks for more. */
static void
test_endless_includes (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };
  guint turns = 0;

  while (!check (lookups, "192.0.2.1", "me@example.org", &spf))
    {
      PrRecordKind kind;
      char *name;

      g_assert_cmpuint (++turns, <, 30);
      while (pr_lookups_take_wanted (lookups, &kind, &name))
        {
          g_assert_cmpint (kind, ==, PR_RECORD_TEXT);
          add_text (lookups, name, "v=spf1 include:%{l}.%{d} redirect=x.%{d}");
          g_free (name);
        }
    }
  g_assert_cmpint (spf.result, ==, PR_SPF_PERMERROR);
  g_assert_nonnull (strstr (spf.problem, "more than is allowed"));
}

/* Macros can make a short record very long: such a name is nobody's. */
static void
test_exploding_macros (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_autofree char *local = g_strnfill (250, 'a'), *sender = g_strconcat (local, "@e.org", NULL);
  g_autoptr (GString) record = g_string_new ("v=spf1 exists:");
  g_auto (PrSpf) spf = { 0 };

  for (guint i = 0; i < 200; i++)
    g_string_append (record, "%{L}");
  g_string_append (record, ".e.org ?all");
  add_text (lookups, "e.org", record->str);
  g_assert_true (check (lookups, "192.0.2.1", sender, &spf));
  g_assert_cmpint (spf.result, ==, PR_SPF_NEUTRAL);
}

static void
test_null_sender (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };

  add_text (lookups, "client.example", "v=spf1 a -all");
  pr_lookups_add (lookups, PR_RECORD_IP6, "client.example", PR_LOOKUP_FOUND,
                  (const char *const[]){ "2001:db8::1", NULL });
  g_assert_true (check (lookups, "2001:db8::1", "", &spf));
  g_assert_cmpint (spf.result, ==, PR_SPF_PASS);
  g_assert_cmpstr (spf.domain, ==, "client.example");
}

static void
test_record (void)
{
  g_autoptr (PrSpfRecord) record =
    pr_spf_record_parse ("v=spf1 ~A:b.example/24//64 moo=1 redirect=%{d}.x exp=e.example");
  const PrSpfTerm *term;

  g_assert_nonnull (record);
  g_assert_cmpuint (record->terms->len, ==, 1);
  term = g_ptr_array_index (record->terms, 0);
  g_assert_cmpint (term->kind, ==, SPF_A);
  g_assert_cmpint (term->result, ==, PR_SPF_SOFTFAIL);
  g_assert_cmpstr (term->domain, ==, "b.example");
  g_assert_cmpuint (term->bits4, ==, 24);
  g_assert_cmpuint (term->bits6, ==, 64);
  g_assert_cmpstr (record->redirect, ==, "%{d}.x");
  g_assert_cmpstr (record->exp, ==, "e.example");
  g_assert_null (pr_spf_record_parse ("v=spf1 a:b.example:8080"));
  g_assert_null (pr_spf_record_parse ("v=spf1 a/33"));
}

static void
test_macros (void)
{
  PrIp ip;
  const PrSpfQuestion question = { .client = &ip, .helo = "h.example", .receiver = "r.example" };
  const PrSpfMacros macros = { &question, "strong-bad@email.example.com", "email.example.com",
                               NULL };
  /* RFC 7208 §7.4 */
  static const struct
  {
    const char *text, *expanded;
  } cases[] = {
    { "%{s}", "strong-bad@email.example.com" },
    { "%{d2}", "example.com" },
    { "%{dr}", "com.example.email" },
    { "%{l-}", "strong.bad" },
    { "%{lr-}", "bad.strong" },
    { "%{l1r-}", "strong" },
    { "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
    { "%{p}%%%_%-%{S}", "unknown% %20strong-bad%40email.example.com" },
  };

  g_assert_true (pr_ip_parse ("192.0.2.3", &ip));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *expanded = NULL;

      g_assert_true (pr_spf_macro_check (cases[i].text, FALSE));
      expanded = pr_spf_macro_expand (cases[i].text, &macros);
      g_assert_cmpstr (expanded, ==, cases[i].expanded);
    }
  g_assert_true (pr_spf_macro_uses_name ("x%{i}%{P2}"));
  g_assert_false (pr_spf_macro_uses_name ("%%{p}"));
  g_assert_false (pr_spf_macro_check ("%{t}", FALSE));
  g_assert_true (pr_spf_macro_check ("at %{t}", TRUE));
  g_assert_true (pr_spf_macro_check_domain ("%{i}"));
  g_assert_false (pr_spf_macro_check_domain ("a.123"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spf/words", test_words);
  g_test_add_func ("/spf/problem-in-words", test_problem_in_words);
  g_test_add_func ("/spf/asks-together", test_asks_together);
  g_test_add_func ("/spf/endless-includes", test_endless_includes);
  g_test_add_func ("/spf/exploding-macros", test_exploding_macros);
  g_test_add_func ("/spf/null-sender", test_null_sender);
  g_test_add_func ("/spf/record", test_record);
  g_test_add_func ("/spf/macros", test_macros);
  return g_test_run ();
}
