/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "guard/access.h"
#include "smtp/address.h"

/* Only what access looks at. */
typedef struct
{
  PrConfig config;
} Rules;

static void
set_up (Rules *rules, gconstpointer unused)
{
  const char *relay[] = { "127.0.0.0/8", "::1/128", "192.168.0.0/16", NULL };
  const char *deny[] = { "192.168.66.0/24", "2001:db8:bad::/48", NULL };
  const char *local[] = { "home.example", "*.home.example", NULL };
  const char *bad_senders[] = { "*@spam.example", NULL };
  const char *bad_recipients[] = { "boss@home.example", NULL };

  rules->config.hostname = (char *) "relay.example.org";
  rules->config.relay_networks = pr_networks_new (relay, NULL);
  rules->config.deny_networks = pr_networks_new (deny, NULL);
  rules->config.local_domains = pr_patterns_new (local, NULL);
  rules->config.deny_senders = pr_patterns_new (bad_senders, NULL);
  rules->config.deny_recipients = pr_patterns_new (bad_recipients, NULL);
}

static void
tear_down (Rules *rules, gconstpointer unused)
{
  pr_networks_free (rules->config.relay_networks);
  pr_networks_free (rules->config.deny_networks);
  pr_patterns_free (rules->config.local_domains);
  pr_patterns_free (rules->config.deny_senders);
  pr_patterns_free (rules->config.deny_recipients);
}

static void
test_clients (Rules *rules, gconstpointer unused)
{
  static const struct
  {
    const char *client;
    gboolean accepted, relays;
  } cases[] = {
    { "127.0.0.1", TRUE, TRUE },         { "::1", TRUE, TRUE },
    { "192.168.1.40", TRUE, TRUE },      { "192.168.66.1", FALSE, FALSE },
    { "203.0.113.9", TRUE, FALSE },      { "2001:db8::1", TRUE, FALSE },
    { "2001:db8:bad::1", FALSE, FALSE }, { "::ffff:192.168.1.40", TRUE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PrIp ip;
      PrVerdict verdict;

      g_assert_true (pr_ip_parse (cases[i].client, &ip));
      verdict = pr_access_check_client (&rules->config, &ip);
      g_assert_cmpint (verdict.kind == PR_VERDICT_ACCEPT, ==, cases[i].accepted);
      if (!cases[i].accepted)
        g_assert_cmpint (verdict.code, ==, 554);
      g_assert_cmpint (pr_access_may_relay (&rules->config, &ip), ==, cases[i].relays);
    }
}

static void
test_senders (Rules *rules, gconstpointer unused)
{
  g_assert_cmpint (pr_access_check_sender (&rules->config, "x@spam.example").code, ==, 550);
  g_assert_cmpint (pr_access_check_sender (&rules->config, "x@ham.example").kind, ==,
                   PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_access_check_sender (&rules->config, "").kind, ==, PR_VERDICT_ACCEPT);
}

/* Every trick that made some relay open: what a stranger writes behind RCPT TO, as a client
 * would, through the same parser. */
static void
test_strangers_never_relay (Rules *rules, gconstpointer unused)
{
  static const char *const paths[] = {
    "<a@elsewhere.example>",
    "<a%elsewhere.example@relay.example.org>",
    "<elsewhere.example!a@relay.example.org>",
    "<@home.example:a@elsewhere.example>",
    "<@home.example,@relay.example.org:a@elsewhere.example>",
    "<\"a@home.example\"@elsewhere.example>",
    "<\"a@elsewhere.example\"@relay.example.org>",
    "<a@[127.0.0.1]>",
    "<a@[IPv6:::1]>",
    "<a@home.example.elsewhere.example>",
    "<a@nothome.example>",
    "<a@relay.example.org>",
    "<postmaster@elsewhere.example>",
    "<postmaster%elsewhere.example@elsewhere.example>",
    "<\"postmaster@relay.example.org\"@elsewhere.example>",
    "<postmasters@relay.example.org>",
    "<a%elsewhere.example@home.example>",
    "<elsewhere.example!a@home.example>",
    "<\"a@elsewhere.example\"@home.example>",
    "<\"a%elsewhere.example\"@home.example>",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *address = NULL;
      const char *end, *fault;

      if (!pr_path_parse (paths[i], strlen (paths[i]), PR_PATH_RECIPIENT, &address, &end, &fault))
        continue; /* refused even earlier */
      g_assert_cmpint (pr_access_check_recipient (&rules->config, FALSE, address).code, ==, 550);
      g_assert_cmpint (pr_access_check_recipient (&rules->config, TRUE, address).kind, ==,
                       PR_VERDICT_ACCEPT);
    }
}

static void
test_strangers_reach_us (Rules *rules, gconstpointer unused)
{
  static const char *const addresses[] = {
    "me@home.example",      "me@HOME.example", "me@sub.home.example",
    "postmaster",           "Postmaster",      "postmaster@relay.example.org",
    "\"a b\"@home.example",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++)
    g_assert_cmpint (pr_access_check_recipient (&rules->config, FALSE, addresses[i]).kind, ==,
                     PR_VERDICT_ACCEPT);

  g_assert_cmpint (pr_access_check_recipient (&rules->config, FALSE, "boss@home.example").code, ==,
                   550);
  g_assert_cmpint (pr_access_check_recipient (&rules->config, TRUE, "boss@home.example").code, ==,
                   550);
}

#define ADD(name, func) g_test_add ("/access/" name, Rules, NULL, set_up, func, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("clients", test_clients);
  ADD ("senders", test_senders);
  ADD ("strangers-never-relay", test_strangers_never_relay);
  ADD ("strangers-reach-us", test_strangers_reach_us);
  return g_test_run ();
}
