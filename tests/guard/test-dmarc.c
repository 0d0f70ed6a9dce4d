/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/dmarc.h"

#include <string.h>

static PrLookups *
zone (void)
{
  static const struct
  {
    const char *name, *record;
  } records[] = {
    { "_dmarc.strict.example", "v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=s" },
    { "_dmarc.bank.co.uk", "v=DMARC1;p=reject" },
    { "_dmarc.some.example", "v=DMARC1; p=reject; pct=25" },
    { "_dmarc.mild.example", "v=DMARC1 ; p=quarantine; pct=0" },
    { "_dmarc.odd.example", "v=DMARC1; p=perhaps" },
    { "_dmarc.watch.example", "v=DMARC1; p=perhaps; rua=mailto:a@watch.example" },
    { "_dmarc.other.example", "v=DMARC12; p=reject" },
  };
  PrLookups *lookups = pr_lookups_new ();

  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    pr_lookups_add (lookups, PR_RECORD_TEXT, records[i].name, PR_LOOKUP_FOUND,
                    (const char *const[]){ records[i].record, NULL });
  pr_lookups_add (lookups, PR_RECORD_TEXT, "_dmarc.two.example", PR_LOOKUP_FOUND,
                  (const char *const[]){ "v=DMARC1; p=reject", "v=DMARC1; p=none", NULL });
  pr_lookups_add (lookups, PR_RECORD_TEXT, "_dmarc.away.example", PR_LOOKUP_FAILED, NULL);
  return lookups;
}

/* What is not in the zone does not exist. */
static PrDmarc
check (const char *author, PrSpfResult spf_result, const char *spf_domain, guint dice)
{
  g_autoptr (PrLookups) lookups = zone ();
  PrSpf spf = { .result = spf_result, .domain = (char *) spf_domain };
  PrDmarc dmarc = { 0 };

  while (!pr_dmarc_check (
    lookups, &(PrDmarcQuestion){ .author = author, .spf = &spf, .dice = dice }, &dmarc))
    {
      PrRecordKind kind;
      char *name;

      g_assert_true (pr_lookups_take_wanted (lookups, &kind, &name));
      pr_lookups_add (lookups, kind, name, PR_LOOKUP_NONE, NULL);
      g_free (name);
    }

  return dmarc;
}

static void
test_cases (void)
{
  static const struct
  {
    const char *author, *spf_domain;
    PrSpfResult spf;
    guint dice;
    PrDmarcResult result;
    PrDmarcPolicy policy;
    const char *domain;
  } cases[] = {
    { "strict.example", "strict.example", PR_SPF_PASS, 0, PR_DMARC_PASS, PR_DMARC_POLICY_REJECT,
      "strict.example" },
    { "strict.example", "mail.strict.example", PR_SPF_PASS, 0, PR_DMARC_FAIL,
      PR_DMARC_POLICY_REJECT, "strict.example" },
    { "strict.example", "strict.example", PR_SPF_SOFTFAIL, 0, PR_DMARC_FAIL, PR_DMARC_POLICY_REJECT,
      "strict.example" },
    { "sub.strict.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_FAIL,
      PR_DMARC_POLICY_QUARANTINE, "strict.example" },
    { "bank.co.uk", "mail.bank.co.uk", PR_SPF_PASS, 0, PR_DMARC_PASS, PR_DMARC_POLICY_REJECT,
      "bank.co.uk" },
    { "a.b.bank.co.uk", "mail.bank.co.uk", PR_SPF_PASS, 0, PR_DMARC_PASS, PR_DMARC_POLICY_REJECT,
      "bank.co.uk" },
    { "bank.co.uk", "eve.co.uk", PR_SPF_PASS, 0, PR_DMARC_FAIL, PR_DMARC_POLICY_REJECT,
      "bank.co.uk" },
    { "bank.co.uk", "bank.co.uk", PR_SPF_TEMPERROR, 0, PR_DMARC_TEMPERROR, PR_DMARC_POLICY_REJECT,
      "bank.co.uk" },
    { "some.example", "eve.example", PR_SPF_PASS, 24, PR_DMARC_FAIL, PR_DMARC_POLICY_REJECT,
      "some.example" },
    { "some.example", "eve.example", PR_SPF_PASS, 25, PR_DMARC_FAIL, PR_DMARC_POLICY_QUARANTINE,
      "some.example" },
    { "mild.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_FAIL, PR_DMARC_POLICY_NONE,
      "mild.example" },
    { "odd.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_PERMERROR, PR_DMARC_POLICY_NONE,
      "odd.example" },
    { "watch.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_FAIL, PR_DMARC_POLICY_NONE,
      "watch.example" },
    { "other.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_NONE, PR_DMARC_POLICY_NONE, "" },
    { "two.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_NONE, PR_DMARC_POLICY_NONE, "" },
    { "away.example", "eve.example", PR_SPF_PASS, 0, PR_DMARC_TEMPERROR, PR_DMARC_POLICY_NONE, "" },
    { "silent.example", "silent.example", PR_SPF_PASS, 0, PR_DMARC_NONE, PR_DMARC_POLICY_NONE, "" },
    { "", "eve.example", PR_SPF_PASS, 0, PR_DMARC_NONE, PR_DMARC_POLICY_NONE, "" },
    { "co.uk", "eve.example", PR_SPF_PASS, 0, PR_DMARC_NONE, PR_DMARC_POLICY_NONE, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (PrDmarc) dmarc =
        check (cases[i].author, cases[i].spf, cases[i].spf_domain, cases[i].dice);

      g_test_message ("%u: %s", i, cases[i].author);
      g_assert_cmpstr (pr_dmarc_result_name (dmarc.result), ==,
                       pr_dmarc_result_name (cases[i].result));
      g_assert_cmpstr (pr_dmarc_policy_name (dmarc.policy), ==,
                       pr_dmarc_policy_name (cases[i].policy));
      g_assert_cmpstr (dmarc.domain, ==, cases[i].domain);
      g_assert_true (dmarc.spf == (dmarc.result == PR_DMARC_PASS));
    }
}

static void
test_aligned (void)
{
  g_assert_true (pr_dmarc_is_aligned ("Mail.Example.ORG", "example.org", FALSE));
  g_assert_false (pr_dmarc_is_aligned ("mail.example.org", "example.org", TRUE));
  g_assert_false (pr_dmarc_is_aligned ("a.co.uk", "b.co.uk", FALSE));
  g_assert_false (pr_dmarc_is_aligned ("", "", FALSE));
}

static void
test_author (void)
{
  static const struct
  {
    const char *header, *author;
  } cases[] = {
    { "From: Ann <ann@Example.ORG>\r\n\r\n", "example.org" },
    { "from: a@example.org, b@EXAMPLE.org\r\n\r\n", "example.org" },
    { "From: a@example.org, b@example.net\r\n\r\n", "" },
    { "From: a@example.org\r\nFrom: a@example.org\r\n\r\n", "" },
    { "From: a@b\xc3\xbc"
      "cher.example\r\n\r\n",
      "xn--bcher-kva.example" },
    { "From: a@[192.0.2.1]\r\n\r\n", "" },
    { "From: undisclosed\r\n\r\n", "" },
    { "To: a@example.org\r\n\r\n", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *author = pr_dmarc_find_author (cases[i].header, strlen (cases[i].header));

      g_assert_cmpstr (author, ==, cases[i].author);
    }
}

/* DKIM alone is enough. */
static void
test_by_signature (void)
{
  const char *header =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"; /* RFC 8463 §A.3 */
  const char *body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_autoptr (PrDkimVerifier) dkim = pr_dkim_verifier_new (header, strlen (header));
  g_autofree char *author = pr_dmarc_find_author (header, strlen (header));
  PrSpf spf = { .result = PR_SPF_FAIL, .domain = (char *) "eve.example" };
  g_auto (PrDmarc) dmarc = { 0 };

  pr_lookups_add (lookups, PR_RECORD_TEXT, "brisbane._domainkey.football.example.com",
                  PR_LOOKUP_FOUND,
                  (const char *const[]){
                    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", NULL });
  pr_lookups_add (lookups, PR_RECORD_TEXT, "_dmarc.football.example.com", PR_LOOKUP_NONE, NULL);
  pr_lookups_add (lookups, PR_RECORD_TEXT, "_dmarc.example.com", PR_LOOKUP_FOUND,
                  (const char *const[]){ "v=DMARC1; p=reject", NULL });
  pr_dkim_verifier_feed (dkim, body, strlen (body));
  g_assert_true (pr_dkim_verifier_check (dkim, lookups, 1528640000));
  g_assert_true (pr_dmarc_check (
    lookups, &(PrDmarcQuestion){ .author = author, .spf = &spf, .dkim = dkim }, &dmarc));
  g_assert_cmpint (dmarc.result, ==, PR_DMARC_PASS);
  g_assert_true (dmarc.dkim);
  g_assert_false (dmarc.spf);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/dmarc/cases", test_cases);
  g_test_add_func ("/dmarc/aligned", test_aligned);
  g_test_add_func ("/dmarc/author", test_author);
  g_test_add_func ("/dmarc/by-signature", test_by_signature);
  return g_test_run ();
}
