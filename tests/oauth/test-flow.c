/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/flow.h"

#include <string.h>

#include "common/error.h"

#define NOW 1800000000

static const PrOauthClient client = {
  .client_id = "id&1",
  .client_secret = "s e",
  .authorize = "https://example.org/authorize?prompt=consent",
  .token_url = "https://example.org/token",
  .scopes = "mail offline",
  .username = "me+you@example.org",
};

static void
test_random (void)
{
  g_autofree char *a = pr_oauth_make_random ();
  g_autofree char *b = pr_oauth_make_random ();
  /* RFC 7636, appendix B */
  g_autofree char *challenge =
    pr_oauth_make_challenge ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");

  g_assert_cmpuint (strlen (a), ==, 43);
  g_assert_cmpstr (a, !=, b);
  g_assert_cmpuint (strspn (a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                    ==, 43);
  g_assert_cmpstr (challenge, ==, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  g_assert_true (pr_oauth_is_equal ("abc", "abc"));
  g_assert_true (pr_oauth_is_equal ("", ""));
  g_assert_false (pr_oauth_is_equal ("abc", "abd"));
  g_assert_false (pr_oauth_is_equal ("abc", "ab"));
  g_assert_false (pr_oauth_is_equal ("ab", "abc"));
}

static void
check_form (GBytes *form, const char *expected)
{
  g_assert_cmpmem (g_bytes_get_data (form, NULL), g_bytes_get_size (form), expected,
                   strlen (expected));
  g_bytes_unref (form);
}

static void
test_questions (void)
{
  g_autofree char *url = pr_oauth_make_authorize_url (
    &client, "http://127.0.0.1:4", "st", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  PrOauthClient public = client;

  public.client_secret = NULL;
  g_assert_cmpstr (url, ==,
                   "https://example.org/authorize?prompt=consent&response_type=code&"
                   "client_id=id%261&redirect_uri=http%3A%2F%2F127.0.0.1%3A4&"
                   "scope=mail%20offline&state=st&"
                   "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"
                   "code_challenge_method=S256&login_hint=me%2Byou%40example.org");
  check_form (pr_oauth_ask_with_code (&public, "co/de", "http://127.0.0.1:4", "ver"),
              "grant_type=authorization_code&client_id=id%261&code=co%2Fde&"
              "redirect_uri=http%3A%2F%2F127.0.0.1%3A4&code_verifier=ver");
  check_form (pr_oauth_ask_with_refresh (&client, "re"),
              "grant_type=refresh_token&client_id=id%261&client_secret=s%20e&refresh_token=re");
  check_form (pr_oauth_ask_with_device (&public, "de"),
              "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&"
              "client_id=id%261&device_code=de");
  check_form (pr_oauth_ask_alone (&client), "grant_type=client_credentials&client_id=id%261&"
                                            "client_secret=s%20e&scope=mail%20offline");
  check_form (pr_oauth_ask_for_device (&public), "client_id=id%261&scope=mail%20offline");
}

typedef struct
{
  const char *query, *code;
  int error;
} Redirect;

static const Redirect redirects[] = {
  { "code=a%2Fb&state=st", NULL, PR_ERROR_AUTH }, /* RFC 9207 §2.4: it must say who it is */
  { "iss=https%3A%2F%2Fexample.org&code=a%2Fb&state=st", "a/b", 0 },
  { "state=st&code=x&iss=https%3A%2F%2Fexample.org", "x", 0 },
  { "state=st&code=x&iss=https%3A%2F%2Fevil.example", NULL, PR_ERROR_AUTH },
  { "state=st&code=x&iss=", NULL, PR_ERROR_AUTH },
  { "code=x&state=other", NULL, PR_ERROR_PROTOCOL },
  { "code=x", NULL, PR_ERROR_PROTOCOL },
  { "", NULL, PR_ERROR_PROTOCOL },
  { "%zz=%", NULL, PR_ERROR_PROTOCOL },
  { "error=access_denied&state=st", NULL, PR_ERROR_AUTH },
  { "error=access_denied", NULL, PR_ERROR_PROTOCOL },
  { "state=st", NULL, PR_ERROR_AUTH },
  { "state=st&code=", NULL, PR_ERROR_AUTH },
};

static void
test_redirects (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (redirects); i++)
    {
      const Redirect *r = &redirects[i];
      g_autoptr (GError) error = NULL;
      g_autofree char *code =
        pr_oauth_read_redirect (r->query, "st", "https://example.org", &error);

      g_assert_cmpstr (code, ==, r->code);
      if (r->code == NULL)
        g_assert_error (error, PR_ERROR, r->error);
    }
}

/* Most providers do not say who they are. */
static void
test_unknown_issuer (void)
{
  g_autofree char *silent = pr_oauth_read_redirect ("code=a%2Fb&state=st", "st", NULL, NULL);
  g_autofree char *said = pr_oauth_read_redirect ("iss=x&code=c&state=st", "st", NULL, NULL);

  g_assert_cmpstr (silent, ==, "a/b");
  g_assert_cmpstr (said, ==, "c");
}

static void
test_revocation (void)
{
  const PrOauthClient other = { .client_id = "id", .client_secret = "s" };
  g_autoptr (PrToken) token = pr_token_new ();
  g_autoptr (GError) error = NULL;

  token->access = g_strdup ("ac/c");
  check_form (pr_oauth_ask_to_revoke (&other, token),
              "token=ac%2Fc&token_type_hint=access_token&client_id=id&client_secret=s");
  token->refresh = g_strdup ("ref");
  check_form (pr_oauth_ask_to_revoke (&other, token),
              "token=ref&token_type_hint=refresh_token&client_id=id&client_secret=s");
  g_assert_true (pr_oauth_read_revocation (200, "", 0, &error));
  g_assert_false (pr_oauth_read_revocation (503, "<html>", 6, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_clear_error (&error);
  g_assert_false (
    pr_oauth_read_revocation (400, "{\"error\":\"unsupported_token_type\"}", 34, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
}

typedef struct
{
  guint status;
  const char *body;
  int error; /* -1: a token */
  PrOauthVerdict verdict;
} Answer;

static const Answer answers[] = {
  { 200, "{\"access_token\":\"a\",\"expires_in\":60}", -1, PR_OAUTH_FINAL },
  { 200, "{\"access_token\":\"a\",\"expires_in\":\"60\"}", -1, PR_OAUTH_FINAL },
  { 200, "{\"access_token\":\"a\\r\\nb\"}", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 200, "{\"access_token\":7}", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 200, "{\"access_token\":\"\"}", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 200, "{}", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 200, "<html>", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 200, "", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 200, "\xff\xfe", PR_ERROR_PROTOCOL, PR_OAUTH_FINAL },
  { 400, "{\"error\":\"invalid_grant\"}", PR_ERROR_AUTH, PR_OAUTH_FINAL },
  { 400, "{\"error\":\"interaction_required\"}", PR_ERROR_AUTH, PR_OAUTH_FINAL },
  { 401, "{\"error\":\"invalid_client\"}", PR_ERROR_CONFIG, PR_OAUTH_FINAL },
  { 400, "{\"error\":\"invalid_scope\"}", PR_ERROR_CONFIG, PR_OAUTH_FINAL },
  { 400, "{\"error\":\"authorization_pending\"}", PR_ERROR_TEMPORARY, PR_OAUTH_PENDING },
  { 400, "{\"error\":\"slow_down\"}", PR_ERROR_TEMPORARY, PR_OAUTH_SLOW_DOWN },
  { 400, "{\"error\":\"expired_token\"}", PR_ERROR_AUTH, PR_OAUTH_FINAL },
  { 400, "{\"error\":\"access_denied\"}", PR_ERROR_AUTH, PR_OAUTH_FINAL },
  { 400, "{\"error\":\"something_else\"}", PR_ERROR_AUTH, PR_OAUTH_FINAL },
  { 429, "{\"error\":\"too_many\"}", PR_ERROR_TEMPORARY, PR_OAUTH_FINAL },
  { 400, "no JSON", PR_ERROR_TEMPORARY, PR_OAUTH_FINAL },
  { 503, "", PR_ERROR_TEMPORARY, PR_OAUTH_FINAL },
  { 302, "", PR_ERROR_TEMPORARY, PR_OAUTH_FINAL },
};

static void
test_answers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      const Answer *a = &answers[i];
      g_autoptr (GError) error = NULL;
      PrOauthVerdict verdict;
      g_autoptr (PrToken) token =
        pr_oauth_read_token (a->status, a->body, strlen (a->body), NOW, &verdict, &error);

      g_test_message ("row %zu", i);
      g_assert_cmpint (verdict, ==, a->verdict);
      if (a->error < 0)
        {
          g_assert_no_error (error);
          g_assert_cmpint (token->expires_s, ==, NOW + 60);
        }
      else
        g_assert_error (error, PR_ERROR, a->error);
    }
}

/* What a server says is cut, and never holds control characters. */
static void
test_words (void)
{
  g_autofree char *long_words = g_strnfill (5000, 'x');
  g_autofree char *body = g_strdup_printf (
    "{\"error\":\"invalid_grant\",\"error_description\":\"a\\u001bb%s\"}", long_words);
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_oauth_read_token (400, body, strlen (body), NOW, NULL, &error));
  g_assert_cmpuint (strlen (error->message), <, 300);
  g_assert_null (strchr (error->message, '\x1b'));
}

static void
test_account (void)
{
  /* {"email":"me@example.org"} between two dots */
  static const char body[] = "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"id_token\":"
                             "\"e30.eyJlbWFpbCI6Im1lQGV4YW1wbGUub3JnIn0.c2ln\"}";
  static const char *const odd[] = { "a", "a.b.c", "..", "a.!!!!.c", "e30.W10.x" };
  g_autoptr (PrToken) token = pr_oauth_read_token (200, body, strlen (body), NOW, NULL, NULL);

  g_assert_cmpstr (token->account, ==, "me@example.org");
  g_assert_cmpstr (token->refresh, ==, "r");
  g_assert_cmpint (token->expires_s, ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *text =
        g_strdup_printf ("{\"access_token\":\"a\",\"id_token\":\"%s\"}", odd[i]);
      g_autoptr (PrToken) other = pr_oauth_read_token (200, text, strlen (text), NOW, NULL, NULL);

      g_assert_null (other->account);
    }
}

static void
test_device (void)
{
  static const char good[] =
    "{\"device_code\":\"d\",\"user_code\":\"WDJB-MJHT\",\"verification_uri\":\"https://e.org/d\","
    "\"verification_uri_complete\":\"https://e.org/d?c=1\",\"expires_in\":1800,\"interval\":7}";
  static const char google[] = "{\"device_code\":\"d\",\"user_code\":\"U\",\"verification_url\":"
                               "\"https://e.org/d\",\"verification_uri_complete\":\"file:///x\"}";
  static const char *const bad[] = {
    "{\"device_code\":\"d\",\"user_code\":\"U\",\"verification_uri\":\"javascript:alert(1)\"}",
    "{\"user_code\":\"U\",\"verification_uri\":\"https://e.org/\"}",
    "{\"device_code\":\"d\",\"verification_uri\":\"https://e.org/\"}",
    "{\"error\":\"invalid_client\"}",
    "",
  };
  g_autoptr (PrOauthDevice) device = pr_oauth_read_device (200, good, strlen (good), NOW, NULL);
  g_autoptr (PrOauthDevice) other = pr_oauth_read_device (200, google, strlen (google), NOW, NULL);

  g_assert_cmpstr (device->device_code, ==, "d");
  g_assert_cmpstr (device->user_code, ==, "WDJB-MJHT");
  g_assert_cmpstr (device->full, ==, "https://e.org/d?c=1");
  g_assert_cmpuint (device->interval_s, ==, 7);
  g_assert_cmpint (device->expires_s, ==, NOW + 1800);
  g_assert_cmpstr (other->url, ==, "https://e.org/d");
  g_assert_null (other->full);
  g_assert_cmpuint (other->interval_s, ==, 5);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (pr_oauth_read_device (200, bad[i], strlen (bad[i]), NOW, &error));
      g_assert_nonnull (error);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/flow/random", test_random);
  g_test_add_func ("/flow/questions", test_questions);
  g_test_add_func ("/flow/redirects", test_redirects);
  g_test_add_func ("/flow/unknown-issuer", test_unknown_issuer);
  g_test_add_func ("/flow/revocation", test_revocation);
  g_test_add_func ("/flow/answers", test_answers);
  g_test_add_func ("/flow/words", test_words);
  g_test_add_func ("/flow/account", test_account);
  g_test_add_func ("/flow/device", test_device);
  return g_test_run ();
}
