/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What programs change in postroom.conf. */
#include "service/edits.h"

#include "common/error.h"

#include <string.h>

static const char file[] = "# mine\n"
                           "[server]\n"
                           "hostname=a.test\n"
                           "\n"
                           "[route out]\n"
                           "via=mx\n";

static void
assert_edited (const char *edits, const char *expected)
{
  g_autoptr (GVariant) list = g_variant_ref_sink (g_variant_new_parsed (edits));
  g_autoptr (GError) error = NULL;
  g_autofree char *text = pr_edits_apply (file, list, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_refused (const char *edits)
{
  g_autoptr (GVariant) list = g_variant_ref_sink (g_variant_new_parsed (edits));
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_edits_apply (file, list, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
  g_assert_cmpuint (strlen (error->message), >, 10);
}

static void
test_apply (void)
{
  assert_edited ("@a(ssss) []", file);
  assert_edited ("[('set', 'server', 'hostname', ' b.test')]",
                 "# mine\n[server]\nhostname=\\sb.test\n\n[route out]\nvia=mx\n");
  assert_edited ("[('set', 'route in', 'via', 'hold'), ('move', 'route in', '', 'route out'),"
                 " ('unset', 'server', 'hostname', ''), ('rename', 'route out', '', 'route o')]",
                 "# mine\n[server]\n\n[route in]\nvia=hold\n\n[route o]\nvia=mx\n");
  assert_edited ("[('remove', 'server', '', '')]", "# mine\n\n[route out]\nvia=mx\n");
}

/* Lists grow and shrink by one; where the file is silent they begin with the default. */
static void
test_lists (void)
{
  assert_edited ("[('add', 'access', 'relay-networks', '192.0.2.7'),"
                 " ('add', 'access', 'relay-networks', '192.0.2.7')]",
                 "# mine\n[server]\nhostname=a.test\n\n[route out]\nvia=mx\n\n[access]\n"
                 "relay-networks=127.0.0.0/8;::1/128;192.0.2.7\n");
  assert_edited ("[('add', 'access', 'deny-networks', '192.0.2.7'),"
                 " ('add', 'access', 'deny-networks', '192.0.2.8'),"
                 " ('take', 'access', 'deny-networks', '192.0.2.7')]",
                 "# mine\n[server]\nhostname=a.test\n\n[route out]\nvia=mx\n\n[access]\n"
                 "deny-networks=192.0.2.8\n");
}

/* Nothing of several edits is done when one makes no sense. */
static void
test_refused (void)
{
  assert_refused ("[('set', 'server', 'hostname', 'b'), ('burn', 'server', '', '')]");
  assert_refused ("[('remove', 'user x', '', '')]");
  assert_refused ("[('move', 'route out', '', 'route in')]");
  assert_refused ("[('rename', 'route out', '', 'server')]");
  assert_refused ("[('rename', 'route out', '', 'a]')]");
  assert_refused ("[('set', 'server', '', 'x')]");
  assert_refused ("[('set', 'server', 'a=b', 'x')]");
  assert_refused ("[('set', 'server', 'hostname', 'x\\n[access]')]");
  assert_refused ("[('set', 'a]\\n[b', 'hostname', 'x')]");
}

static char *
set_user (const char *text, const char *name, const char *password, const char *options,
          GError **error)
{
  g_autoptr (GVariant) dict = g_variant_parse (G_VARIANT_TYPE ("a{sv}"), options, NULL, NULL, NULL);

  return pr_edits_set_user (text, name, password, dict, error);
}

static void
test_user (void)
{
  g_autofree char *text = set_user (file, "hp", "secret", "{'senders': <'*@a.test'>}", NULL);
  g_autofree char *changed = set_user (text, "hp", "", "{'senders': <'*@b.test'>}", NULL);
  g_autofree char *plain = set_user (text, "hp", "new", "{'cram-md5': <true>}", NULL);
  g_autofree char *kept = set_user (plain, "hp", "newer", "{'must-exist': <true>}", NULL);

  g_assert_true (g_str_has_prefix (text, file));
  g_assert_nonnull (strstr (text, "[user hp]\nsenders=*@a.test\nsecret=SCRAM-SHA-256$"));
  g_assert_nonnull (strstr (text, "scram-sha-1=SCRAM-SHA-1$"));
  g_assert_null (strstr (text, "cram-md5"));
  g_assert_nonnull (strstr (changed, "senders=*@b.test\nsecret=SCRAM-SHA-256$"));
  g_assert_nonnull (strstr (plain, "cram-md5=new\n"));
  g_assert_nonnull (strstr (kept, "cram-md5=newer\n")); /* an old password must not stay good */
}

static void
test_user_refused (void)
{
  static const struct
  {
    const char *name, *password, *options;
  } cases[] = { { "hp", "", "{}" },       { "hp", "x", "{'must-exist': <true>}" },
                { "", "x", "{}" },        { "a]", "x", "{}" },
                { "hp", "bell\a", "{}" }, { "hp", "x", "{'senders': <'*\\nsecret=y'>}" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (set_user (file, cases[i].name, cases[i].password, cases[i].options, &error));
      g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/edits/apply", test_apply);
  g_test_add_func ("/edits/lists", test_lists);
  g_test_add_func ("/edits/refused", test_refused);
  g_test_add_func ("/edits/user", test_user);
  g_test_add_func ("/edits/user-refused", test_user_refused);
  return g_test_run ();
}
