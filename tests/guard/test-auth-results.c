/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/auth-results.h"

#include <string.h>

static void
test_format (void)
{
  PrSpf spf = { .result = PR_SPF_SOFTFAIL, .domain = (char *) "example.org" };
  PrDmarc dmarc = { .result = PR_DMARC_FAIL, .policy = PR_DMARC_POLICY_QUARANTINE };
  const char *header = "DKIM-Signature: v=1; a=rsa-sha1; d=Example.ORG; s=one; h=from; bh=; b=AbC/"
                       "defghij\r\nFrom: a@b\r\n";
  g_autoptr (PrDkimVerifier) dkim = pr_dkim_verifier_new (header, strlen (header));
  g_autofree char *field = pr_auth_results_format (&(PrAuthResults){ .hostname = "relay.example",
                                                                     .sender = "me@example.org",
                                                                     .helo = "x",
                                                                     .spf = &spf,
                                                                     .dkim = dkim,
                                                                     .dmarc = &dmarc,
                                                                     .author = "example.org" });

  g_assert_cmpstr (
    field, ==,
    "Authentication-Results: relay.example;\r\n"
    "\tdmarc=fail policy.dmarc=quarantine header.from=example.org;\r\n"
    "\tspf=softfail smtp.mailfrom=me@example.org;\r\n"
    "\tdkim=permerror reason=\"the signature is of a kind that is unknown or proves nothing any "
    "more\" header.d=example.org header.s=one header.a=rsa-sha1 header.b=AbC/defg\r\n");
}

static void
test_little (void)
{
  PrSpf spf = { .result = PR_SPF_NONE };
  g_autoptr (PrDkimVerifier) dkim = pr_dkim_verifier_new ("", 0);
  g_autofree char *none = pr_auth_results_format (&(PrAuthResults){ .hostname = "r.example" });
  g_autofree char *bounce = pr_auth_results_format (&(PrAuthResults){
    .hostname = "r.example", .sender = "", .helo = "c.example", .spf = &spf, .dkim = dkim });

  g_assert_cmpstr (none, ==, "Authentication-Results: r.example; none\r\n");
  g_assert_cmpstr (bounce, ==,
                   "Authentication-Results: r.example;\r\n"
                   "\tspf=none smtp.helo=c.example;\r\n"
                   "\tdkim=none\r\n");
}

/* A peer's words never end the field, or begin another. */
static void
test_hostile (void)
{
  PrSpf spf = { .result = PR_SPF_PASS };
  const char *header = "DKIM-Signature: v=2; d=a\"; s=(x; b=;\r\nFrom: a@b\r\n";
  g_autoptr (PrDkimVerifier) dkim = pr_dkim_verifier_new (header, strlen (header));
  g_autofree char *field =
    pr_auth_results_format (&(PrAuthResults){ .hostname = "r.example",
                                              .sender = "\"a;\r\nX: y\"@example.org",
                                              .helo = "",
                                              .spf = &spf,
                                              .dkim = dkim });

  g_assert_cmpstr (field, ==,
                   "Authentication-Results: r.example;\r\n"
                   "\tspf=pass;\r\n"
                   "\tdkim=permerror reason=\"the signature is of another version\"\r\n");
}

static void
test_bounded (void)
{
  g_autoptr (GString) header = g_string_new (NULL);
  g_autoptr (PrDkimVerifier) dkim = NULL;
  g_autofree char *field = NULL;

  for (guint i = 0; i < 10; i++)
    g_string_append (header,
                     "DKIM-Signature: v=1; d=a.very.long.domain.of.somebody.example; s=b\r\n");
  g_string_append (header, "From: a@b\r\n");
  dkim = pr_dkim_verifier_new (header->str, header->len);
  field = pr_auth_results_format (&(PrAuthResults){ .hostname = "r.example", .dkim = dkim });
  g_assert_cmpuint (strlen (field), <=, PR_AUTH_RESULTS_MAX);
  g_assert_true (g_str_has_suffix (field, "header.s=b\r\n"));
}

static void
test_is_ours (void)
{
  const char *const ours[] = { "relay.example; spf=pass", " Relay.Example 1; none",
                               "(hm) relay.example",      "\r\n\trelay.example;",
                               "\"relay.example\"; x",    "(never ends relay.example",
                               "relay.example/1; x" };
  const char *const others[] = { "mail.relay.example; x", "relay.example.org", "",
                                 "x(relay.example)", "(relay.example) other.example" };

  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    g_assert_true (pr_auth_results_is_ours (ours[i], "relay.example"));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (pr_auth_results_is_ours (others[i], "relay.example"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/auth-results/format", test_format);
  g_test_add_func ("/auth-results/little", test_little);
  g_test_add_func ("/auth-results/hostile", test_hostile);
  g_test_add_func ("/auth-results/bounded", test_bounded);
  g_test_add_func ("/auth-results/is-ours", test_is_ours);
  return g_test_run ();
}
