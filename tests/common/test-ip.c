/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ip.h"

#include <gio/gnetworking.h>
#include <string.h>

#include "common/error.h"

static PrIp
ip (const char *text)
{
  PrIp value;

  g_assert_true (pr_ip_parse (text, &value));
  return value;
}

static void
test_text (void)
{
  static const char *const same[] = { "0.0.0.0", "127.0.0.1",   "192.0.2.255",         "::",
                                      "::1",     "2001:db8::1", "2001:db8:1:2:3:4:5:6" };
  static const char *const wrong[] = { "",          " ",          "1.2.3",    "1.2.3.4.5",
                                       "1.2.3.256", "1.2.3.4 ",   " 1.2.3.4", "[::1]",
                                       "::1%lo",    "1.2.3.4:25", ":::",      "::g",
                                       "localhost", "1.2.3.4/24", "0x7f.1" };
  char buf[PR_IP_TEXT_SIZE];
  PrIp value;

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++)
    {
      value = ip (same[i]);
      g_assert_cmpstr (pr_ip_format (&value, buf), ==, same[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (pr_ip_parse (wrong[i], &value));
  g_assert_false (pr_ip_parse (NULL, &value));
  value = ip ("2001:DB8:0:0:0:0:0:1");
  g_assert_cmpstr (pr_ip_format (&value, buf), ==, "2001:db8::1");
}

static void
test_ports (void)
{
  static const char *const same[] = { "127.0.0.1:2525", "[::1]:2525", "0.0.0.0:0",
                                      "[2001:db8::1]:65535" };
  static const char *const wrong[] = { "",
                                       ":",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       ":25",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:-1",
                                       "127.0.0.1:+1",
                                       "127.0.0.1: 1",
                                       "::1:25",
                                       "[::1]",
                                       "[::1]25",
                                       "[::1:25",
                                       "[]:25",
                                       "[127.0.0.1]:25",
                                       "localhost:25",
                                       "[::1]]:25" };
  char buf[PR_IP_PORT_TEXT_SIZE];
  PrIp value;
  guint16 port;

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++)
    {
      g_assert_true (pr_ip_parse_with_port (same[i], &value, &port));
      g_assert_cmpstr (pr_ip_format_with_port (&value, port, buf), ==, same[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (pr_ip_parse_with_port (wrong[i], &value, &port));
  g_assert_false (pr_ip_parse_with_port (NULL, &value, &port));
}

static void
test_families (void)
{
  PrIp mapped = ip ("::ffff:192.0.2.1"), v4 = ip ("192.0.2.1"), v6 = ip ("2001:db8::1");
  static const struct
  {
    const char *text;
    gboolean loopback;
  } loopbacks[] = { { "127.0.0.1", TRUE },  { "127.255.0.9", TRUE },
                    { "::1", TRUE },        { "::ffff:127.0.0.1", TRUE },
                    { "128.0.0.1", FALSE }, { "::", FALSE },
                    { "::2", FALSE },       { "7f00::1", FALSE },
                    { "0.0.0.0", FALSE } };

  g_assert_true (pr_ip_equal (&mapped, &v4));
  g_assert_cmpuint (pr_ip_hash (&mapped), ==, pr_ip_hash (&v4));
  g_assert_true (pr_ip_is_v4 (&v4));
  g_assert_false (pr_ip_is_v4 (&v6));
  for (gsize i = 0; i < G_N_ELEMENTS (loopbacks); i++)
    {
      PrIp value = ip (loopbacks[i].text);

      g_assert_cmpint (pr_ip_is_loopback (&value), ==, loopbacks[i].loopback);
    }
}

static void
test_native (void)
{
  struct sockaddr_in in = { .sin_family = AF_INET };
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
  struct sockaddr other = { .sa_family = AF_UNIX };
  PrIp value, expected = ip ("192.0.2.7");

  inet_pton (AF_INET, "192.0.2.7", &in.sin_addr);
  inet_pton (AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr);
  g_assert_true (pr_ip_from_native (&in, sizeof in, &value));
  g_assert_true (pr_ip_equal (&value, &expected));
  g_assert_true (pr_ip_from_native (&in6, sizeof in6, &value));
  g_assert_true (pr_ip_equal (&value, &expected));
  g_assert_false (pr_ip_from_native (&other, sizeof other, &value));
  g_assert_false (pr_ip_from_native (&in6, sizeof in6 - 1, &value));
  g_assert_false (pr_ip_from_native (&in, 1, &value));
  g_assert_false (pr_ip_from_native (NULL, 0, &value));
}

static void
test_client_key (void)
{
  PrIp v4 = ip ("192.0.2.1"), a = ip ("2001:db8:1:2::1"), b = ip ("2001:db8:1:2:ffff::9");
  PrIp c = ip ("2001:db8:1:3::1"), key_a = pr_ip_client_key (&a), key_b = pr_ip_client_key (&b);
  PrIp key_c = pr_ip_client_key (&c), key_v4 = pr_ip_client_key (&v4);

  g_assert_true (pr_ip_equal (&v4, &key_v4));
  g_assert_true (pr_ip_equal (&key_a, &key_b));
  g_assert_false (pr_ip_equal (&key_a, &key_c));
}

static gboolean
contains (const char *list, const char *address)
{
  g_auto (GStrv) entries = g_strsplit (list, ";", -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (PrNetworks) networks = pr_networks_new ((const char *const *) entries, &error);
  PrIp value = ip (address);

  g_assert_no_error (error);
  return pr_networks_contain (networks, &value);
}

static void
test_networks (void)
{
  g_assert_true (contains ("127.0.0.0/8;::1/128", "127.9.9.9"));
  g_assert_true (contains ("127.0.0.0/8;::1/128", "::1"));
  g_assert_true (contains ("127.0.0.0/8", "::ffff:127.0.0.1"));
  g_assert_false (contains ("127.0.0.0/8;::1/128", "128.0.0.1"));
  g_assert_false (contains ("127.0.0.0/8;::1/128", "::2"));
  g_assert_true (contains ("192.0.2.7", "192.0.2.7"));
  g_assert_false (contains ("192.0.2.7", "192.0.2.6"));
  g_assert_true (contains ("192.0.2.128/25", "192.0.2.255"));
  g_assert_false (contains ("192.0.2.128/25", "192.0.2.127"));
  g_assert_true (contains ("2001:db8:8000::/33", "2001:db8:ffff::1"));
  g_assert_false (contains ("2001:db8:8000::/33", "2001:db8:7fff::1"));

  /* A network of all IPv6 lets no IPv4 in, and the reverse. */
  g_assert_true (contains ("::/0", "2001:db8::1"));
  g_assert_false (contains ("::/0", "192.0.2.1"));
  g_assert_true (contains ("0.0.0.0/0", "192.0.2.1"));
  g_assert_false (contains ("0.0.0.0/0", "2001:db8::1"));
}

static void
test_no_networks (void)
{
  static const char *const empty[] = { NULL };
  g_autoptr (PrNetworks) none = pr_networks_new (NULL, NULL);
  g_autoptr (PrNetworks) nothing = pr_networks_new (empty, NULL);
  PrIp value = ip ("127.0.0.1");

  g_assert_false (pr_networks_contain (none, &value));
  g_assert_false (pr_networks_contain (nothing, &value));
  pr_networks_free (NULL);
}

static void
test_wrong_networks (void)
{
  static const char *const wrong[] = {
    "",           "localhost",       "192.0.2.0/33",   "2001:db8::/129",   "192.0.2.1/24",
    "192.0.2.0/", "192.0.2.0/-1",    "192.0.2.0/+8",   "192.0.2.0/8 ",     "/8",
    "10/8",       "192.0.2.0/24/24", "2001:db8::1/64", "::ffff:1.2.3.4/96"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      const char *list[] = { "127.0.0.1", wrong[i], NULL };
      g_autoptr (GError) error = NULL;
      g_autoptr (PrNetworks) networks = pr_networks_new (list, &error);

      g_assert_null (networks);
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
      g_assert_nonnull (strstr (error->message, wrong[i]));
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/ip/text", test_text);
  g_test_add_func ("/ip/ports", test_ports);
  g_test_add_func ("/ip/families", test_families);
  g_test_add_func ("/ip/native", test_native);
  g_test_add_func ("/ip/client-key", test_client_key);
  g_test_add_func ("/networks/contain", test_networks);
  g_test_add_func ("/networks/none", test_no_networks);
  g_test_add_func ("/networks/wrong", test_wrong_networks);
  return g_test_run ();
}
