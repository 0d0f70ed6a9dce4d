/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard/client-name.h"

static PrIp
ip (const char *text)
{
  PrIp out;

  g_assert_true (pr_ip_parse (text, &out));
  return out;
}

static void
add (PrLookups *lookups, PrRecordKind kind, const char *name, const char *value)
{
  pr_lookups_add (lookups, kind, name, PR_LOOKUP_FOUND, (const char *const[]){ value, NULL });
}

static void
test_found (void)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  PrIp client = ip ("192.0.2.5");
  PrClientName name = { 0 };

  g_assert_false (pr_client_name_find (lookups, &client, &name));
  pr_lookups_add (lookups, PR_RECORD_NAME, "5.2.0.192.in-addr.arpa", PR_LOOKUP_FOUND,
                  (const char *const[]){ "wrong.example", "mail.example", NULL });
  g_assert_false (pr_client_name_find (lookups, &client, &name));
  g_assert_cmpuint (pr_lookups_count_missing (lookups), ==, 2); /* both at once */
  add (lookups, PR_RECORD_IP4, "wrong.example", "192.0.2.6");
  add (lookups, PR_RECORD_IP4, "mail.example", "192.0.2.5");
  g_assert_true (pr_client_name_find (lookups, &client, &name));
  g_assert_cmpint (name.status, ==, PR_CLIENT_NAME_FOUND);
  g_assert_cmpstr (name.name, ==, "mail.example");
  pr_client_name_clear (&name);
}

static PrClientNameStatus
status_of (PrLookupStatus names, PrLookupStatus addresses, const char *address)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  PrIp client = ip ("2001:db8::5");
  PrClientName name = { 0 };
  g_autofree char *reverse = pr_lookups_reverse_name (&client);

  pr_lookups_add (lookups, PR_RECORD_NAME, reverse, names,
                  (const char *const[]){ "mail.example", NULL });
  pr_lookups_add (lookups, PR_RECORD_IP6, "mail.example", addresses,
                  (const char *const[]){ address, NULL });
  g_assert_true (pr_client_name_find (lookups, &client, &name));
  g_assert_null (name.name);
  g_assert_nonnull (pr_client_name_describe (name.status));
  return name.status;
}

static void
test_not_found (void)
{
  g_assert_cmpint (status_of (PR_LOOKUP_NONE, PR_LOOKUP_NONE, NULL), ==, PR_CLIENT_NAME_NONE);
  g_assert_cmpint (status_of (PR_LOOKUP_FAILED, PR_LOOKUP_NONE, NULL), ==, PR_CLIENT_NAME_UNKNOWN);
  g_assert_cmpint (status_of (PR_LOOKUP_FOUND, PR_LOOKUP_NONE, NULL), ==, PR_CLIENT_NAME_DIFFERENT);
  g_assert_cmpint (status_of (PR_LOOKUP_FOUND, PR_LOOKUP_FAILED, NULL), ==, PR_CLIENT_NAME_UNKNOWN);
  g_assert_cmpint (status_of (PR_LOOKUP_FOUND, PR_LOOKUP_FOUND, "2001:db8::6"), ==,
                   PR_CLIENT_NAME_DIFFERENT);
}

static void
test_hello (void)
{
  PrIp v4 = ip ("192.0.2.5"), v6 = ip ("2001:db8::5");
  const char *const fine[] = { "printer", "mail.example", "[192.0.2.5]", "192.0.2.5", "", "[x]" };
  const char *const bad[] = { "Relay.Example", "localhost", "LOCALHOST.localdomain",
                              "[192.0.2.6]",   "10.0.0.1",  "[IPv6:2001:db8::5]" };

  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    g_assert_null (pr_client_name_check_hello (fine[i], "relay.example", &v4));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_nonnull (pr_client_name_check_hello (bad[i], "relay.example", &v4));
  g_assert_null (pr_client_name_check_hello ("[IPv6:2001:db8::5]", "relay.example", &v6));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/client-name/found", test_found);
  g_test_add_func ("/client-name/not-found", test_not_found);
  g_test_add_func ("/client-name/hello", test_hello);
  return g_test_run ();
}
