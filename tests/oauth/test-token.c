/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/token.h"

#include "config/secrets.h"

#define NOW 1800000000

static void
test_text (void)
{
  g_autoptr (PrToken) token = pr_token_new ();
  g_autoptr (PrToken) back = NULL;
  char *text;

  token->access = g_strdup ("ac\"cess");
  token->refresh = g_strdup ("refresh");
  token->client_id = g_strdup ("id");
  token->account = g_strdup ("me@example.org");
  token->obtained_s = NOW;
  token->expires_s = NOW + 3600;
  text = pr_token_to_text (token);
  back = pr_token_from_text (text);
  g_assert_cmpstr (back->access, ==, "ac\"cess");
  g_assert_cmpstr (back->refresh, ==, "refresh");
  g_assert_cmpstr (back->client_id, ==, "id");
  g_assert_cmpstr (back->account, ==, "me@example.org");
  g_assert_cmpint (back->obtained_s, ==, NOW);
  g_assert_cmpint (back->expires_s, ==, NOW + 3600);
  pr_secret_free (text);
}

static void
test_foreign (void)
{
  static const char *const foreign[] = {
    "", "x", "[]", "{}", "null", "{\"version\":2}", "{\"version\":\"1\"}",
  };
  g_autoptr (PrToken) odd =
    pr_token_from_text ("{\"version\":1,\"access\":7,\"expires\":\"x\",\"obtained\":-5}");

  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
    g_assert_null (pr_token_from_text (foreign[i]));
  g_assert_null (odd->access);
  g_assert_cmpint (odd->expires_s, ==, 0);
  g_assert_cmpint (odd->obtained_s, ==, 0);
  g_assert_false (pr_token_is_good (odd, NOW));
  pr_token_free (NULL);
}

typedef struct
{
  gint64 life_s, age_s; /* life 0: the provider did not say */
  gboolean good, due;
} Age;

static const Age ages[] = {
  { 3600, 0, TRUE, FALSE },
  { 3600, 3299, TRUE, FALSE },
  { 3600, 3301, TRUE, TRUE },
  { 3600, 3541, FALSE, TRUE },
  { 3600, 9999, FALSE, TRUE },
  { 60, 40, TRUE, FALSE },
  { 60, 50, TRUE, TRUE },
  { 60, 55, FALSE, TRUE },
  { 0, 10, TRUE, FALSE },
  { 0, 4000, FALSE, TRUE },
  /* the clock was set back: a little, and so much that nothing is sure */
  { 3600, -600, TRUE, FALSE },
  { 3600, -9000, FALSE, TRUE },
};

static void
test_age (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ages); i++)
    {
      g_autoptr (PrToken) token = pr_token_new ();

      token->access = g_strdup ("a");
      token->obtained_s = NOW - ages[i].age_s;
      token->expires_s = ages[i].life_s != 0 ? token->obtained_s + ages[i].life_s : 0;
      g_test_message ("row %zu", i);
      g_assert_cmpint (pr_token_is_good (token, NOW), ==, ages[i].good);
      g_assert_cmpint (pr_token_is_due (token, NOW), ==, ages[i].due);
      g_assert_cmpuint (pr_token_get_margin_s (token), ==, ages[i].life_s == 60 ? 6 : 60);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/token/text", test_text);
  g_test_add_func ("/token/foreign", test_foreign);
  g_test_add_func ("/token/age", test_age);
  return g_test_run ();
}
