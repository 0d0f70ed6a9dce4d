/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/limits.h"

static PrIp
ip (const char *text)
{
  PrIp out;

  g_assert_true (pr_ip_parse (text, &out));
  return out;
}

static void
test_per_client (void)
{
  g_autoptr (PrLimits) limits = pr_limits_new (100, 2);
  PrIp a = ip ("192.0.2.1"), b = ip ("192.0.2.2");

  g_assert_cmpint (pr_limits_enter (limits, &a).kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_limits_enter (limits, &a).kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_limits_enter (limits, &a).code, ==, 421);
  g_assert_cmpint (pr_limits_enter (limits, &b).kind, ==, PR_VERDICT_ACCEPT);
  pr_limits_leave (limits, &a);
  g_assert_cmpint (pr_limits_enter (limits, &a).kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpuint (pr_limits_count (limits), ==, 3);
}

/* One IPv6 customer has 2^64 addresses: they are one client. */
static void
test_ipv6_network_is_one_client (void)
{
  g_autoptr (PrLimits) limits = pr_limits_new (100, 1);
  PrIp a = ip ("2001:db8::1"), b = ip ("2001:db8::ffff"), c = ip ("2001:db8:0:1::1");

  g_assert_cmpint (pr_limits_enter (limits, &a).kind, ==, PR_VERDICT_ACCEPT);
  g_assert_cmpint (pr_limits_enter (limits, &b).kind, ==, PR_VERDICT_CLOSE);
  g_assert_cmpint (pr_limits_enter (limits, &c).kind, ==, PR_VERDICT_ACCEPT);
  pr_limits_leave (limits, &b); /* any address of the network stands for it */
  g_assert_cmpint (pr_limits_enter (limits, &a).kind, ==, PR_VERDICT_ACCEPT);
}

static void
test_in_all (void)
{
  g_autoptr (PrLimits) limits = pr_limits_new (2, 2);
  PrIp a = ip ("192.0.2.1"), b = ip ("192.0.2.2"), c = ip ("192.0.2.3");

  pr_limits_enter (limits, &a);
  pr_limits_enter (limits, &b);
  g_assert_cmpint (pr_limits_enter (limits, &c).code, ==, 421);
  pr_limits_set (limits, 3, 2);
  g_assert_cmpint (pr_limits_enter (limits, &c).kind, ==, PR_VERDICT_ACCEPT);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/limits/per-client", test_per_client);
  g_test_add_func ("/limits/ipv6-network-is-one-client", test_ipv6_network_is_one_client);
  g_test_add_func ("/limits/in-all", test_in_all);
  return g_test_run ();
}
