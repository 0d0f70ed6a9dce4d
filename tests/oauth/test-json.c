/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/json.h"

#include <string.h>

static PrOauthJson *
parse (const char *text)
{
  return pr_oauth_json_parse (text, strlen (text));
}

static void
test_parse (void)
{
  g_assert_null (parse (""));
  g_assert_null (parse ("["));
  g_assert_null (parse ("[1]"));
  g_assert_null (parse ("\"a\""));
  pr_oauth_json_free (NULL);
  pr_oauth_json_free (parse ("{}"));
  pr_oauth_json_free (parse ("{\"a\":null,\"b\":1,\"c\":[\"d\"],\"e\":\"\"}"));
}

/* Somebody else still holds the texts: they are wiped all the same. */
static void
test_wiped (void)
{
  PrOauthJson *root = parse ("{\"token\":\"secret\"}");
  g_autoptr (JsonNode) node =
    json_node_ref (json_object_get_member (json_node_get_object (root), "token"));

  g_assert_cmpstr (json_node_get_string (node), ==, "secret");
  pr_oauth_json_free (root);
  g_assert_cmpstr (json_node_get_string (node), ==, "");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/json/parse", test_parse);
  g_test_add_func ("/json/wiped", test_wiped);
  return g_test_run ();
}
