/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/oauth.h"

#include "common/error.h"
#include "config/secrets.h"
#include "provider.h"
#include "wait.h"

static PrOauthState
check (Provider *p, const char **text)
{
  const char *access, *why;
  PrOauthState state = pr_oauth_check (p->oauth, "r", &access, &why);

  *text = access != NULL ? access : why;
  g_assert_true ((state == PR_OAUTH_READY) == (access != NULL));
  return state;
}

#define wait_state(p, wanted, text)                                                                \
  wait_for ((p)->context, check ((p), (text)) == (wanted), "the token's state " #wanted)

static void
on_done (const GError *error, gpointer user_data)
{
  guint *n = user_data;

  g_assert_no_error (error);
  ++*n;
}

static void
test_used (void)
{
  PrRouteConfig route = { .auth = (char *) "auto" };

  g_assert_false (pr_oauth_is_used (&route));
  route.client_id = (char *) "id";
  g_assert_true (pr_oauth_is_used (&route));
  route.auth = (char *) "plain";
  g_assert_false (pr_oauth_is_used (&route));
  route.auth = (char *) "xoauth2";
  route.client_id = NULL;
  g_assert_false (pr_oauth_is_used (&route)); /* a token kept by hand in place of a password */
  route.account = (char *) "goa:x";
  g_assert_true (pr_oauth_is_used (&route));
}

static void
test_nobody (Provider *p, gconstpointer data)
{
  const char *text;
  PrOauthFacts facts;
  PrOauthState state;
  PrOauthClient client;
  const char *flow, *ca_file;

  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_LATER); /* there is no such route */
  g_assert_false (pr_oauth_get_facts (p->oauth, "r", &state, &facts));
  provider_configure (p, "");
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_WAIT);
  wait_state (p, PR_OAUTH_SIGN_IN, &text);
  g_assert_nonnull (strstr (text, "postroomctl route sign-in r"));
  g_assert_true (pr_oauth_get_facts (p->oauth, "r", &state, &facts));
  g_assert_cmpint (state, ==, PR_OAUTH_SIGN_IN);
  g_assert_false (facts.can_refresh);
  g_assert_true (pr_oauth_get_client (p->oauth, "r", &client, &flow, &ca_file));
  g_assert_cmpstr (client.client_id, ==, "postroom");
  g_assert_cmpstr (flow, ==, "auto");
  g_assert_cmpuint (p->n_asked, ==, 0);
}

static void
test_kept (Provider *p, gconstpointer data)
{
  const char *text;

  provider_write_record (p, "old", "refresh", 3000);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "old");
  g_assert_cmpuint (p->n_asked, ==, 0);
  provider_configure (p, "max-connections=3\n"); /* nothing that matters here */
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_READY);
}

/* Rotation: the new refresh token is on the disk before the new access token is given out. */
static void
test_refresh (Provider *p, gconstpointer data)
{
  const char *text;
  char *record;

  provider_write_record (p, "old", "refresh-0", -5);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "access-1");
  record = provider_read_record (p);
  g_assert_nonnull (strstr (record, "refresh-1"));
  pr_secret_free (record);
  g_assert_cmpstr (p->asked->str, ==,
                   "/token grant_type=refresh_token&client_id=postroom&refresh_token=refresh-0\n");
  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (check (p, &text), ==, PR_OAUTH_READY);
  g_assert_cmpuint (p->n_asked, ==, 1);
}

/* Ahead of its end a token is still given out while the next one is fetched. */
static void
test_ahead (Provider *p, gconstpointer data)
{
  const char *text;

  provider_write_record (p, "old", "refresh-0", 200);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "old");
  wait_for (p->context, check (p, &text) == PR_OAUTH_READY && g_str_equal (text, "access-1"),
            "the next token");
  g_assert_cmpuint (p->n_asked, ==, 1);
}

/* A day without mail: the token is fetched anew all the same. */
static void
test_schedule (Provider *p, gconstpointer data)
{
  provider_write_record (p, "old", "refresh-0", -90000);
  provider_configure (p, "");
  wait_for (p->context, p->n_asked == 1, "the token to be asked for without need");
}

static void
test_keep_refresh (Provider *p, gconstpointer data)
{
  const char *text;
  char *record;

  p->reply = "{\"access_token\":\"new\",\"expires_in\":3600}";
  provider_write_record (p, NULL, "refresh-0", 0);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  record = provider_read_record (p);
  g_assert_nonnull (strstr (record, "refresh-0"));
  pr_secret_free (record);
}

static void
test_revoked (Provider *p, gconstpointer data)
{
  const char *text;
  guint n = 0;
  PrToken *token;
  PrOauthState state;
  PrOauthFacts facts;

  p->status = 400;
  p->reply = "{\"error\":\"invalid_grant\",\"error_description\":\"it was revoked\"}";
  provider_write_record (p, NULL, "refresh-0", 0);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_SIGN_IN, &text);
  g_assert_nonnull (strstr (text, "it was revoked"));
  g_assert_null (strstr (text, "refresh-0"));
  g_assert_true (pr_oauth_get_facts (p->oauth, "r", &state, &facts));
  g_assert_false (facts.can_refresh);
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_SIGN_IN);
  g_assert_cmpuint (p->n_asked, ==, 1);

  g_string_truncate (p->changed, 0);
  token = pr_token_new ();
  token->access = g_strdup ("fresh");
  token->obtained_s = g_get_real_time () / G_USEC_PER_SEC;
  pr_oauth_adopt (p->oauth, "r", token, on_done, &n);
  wait_for (p->context, n == 1, "the token to be kept");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "fresh");
  wait_for (p->context, strstr (p->changed->str, "r ") != NULL, "the change to be told");
}

static void
test_put_off (Provider *p, gconstpointer data)
{
  const char *text;

  p->status = 503;
  p->reply = "";
  provider_write_record (p, NULL, "refresh-0", 0);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_LATER, &text);
  g_assert_nonnull (strstr (text, "503"));
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (check (p, &text), ==, PR_OAUTH_LATER);
  g_assert_cmpuint (p->n_asked, ==, 1);
}

static void
test_refused (Provider *p, gconstpointer data)
{
  const char *text;

  provider_write_record (p, "old", "refresh-0", 3000);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  pr_oauth_refuse (p->oauth, "r", "another", "535");
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_READY);
  pr_oauth_refuse (p->oauth, "r", "old", "535");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "access-1");
  pr_oauth_accept (p->oauth, "r", "access-1"); /* so that the next refusal is a first one again */
  pr_oauth_refuse (p->oauth, "r", "access-1", "535");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "access-2");
  pr_oauth_refuse (p->oauth, "r", "access-2", "535 5.7.8 No");
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_SIGN_IN);
  g_assert_nonnull (strstr (text, "535 5.7.8 No"));
  g_assert_cmpuint (p->n_asked, ==, 2);
}

static void
test_alone (Provider *p, gconstpointer data)
{
  const char *text;

  pr_secrets_set (p->credentials, "r", PR_SECRET_CLIENT_SECRET, "hush", NULL);
  p->reply = "{\"access_token\":\"app\",\"expires_in\":3600}";
  provider_configure (p, "oauth-flow=client-credentials\n");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "app");
  g_assert_cmpstr (p->asked->str, ==,
                   "/token grant_type=client_credentials&client_id=postroom&client_secret=hush&"
                   "scope=mail%20offline_access\n");
}

/* How a sign-out went, as text. */
static void
on_signed_out (const PrOauthSignOutFacts *facts, gpointer user_data)
{
  g_string_append_printf (user_data, "%s,%s,%s", facts->error != NULL ? "unkept" : "forgotten",
                          facts->asked ? "asked" : "not asked",
                          facts->refused != NULL ? facts->refused->message : "fine");
}

static void
test_sign_out (Provider *p, gconstpointer data)
{
  g_autoptr (GString) said = g_string_new (NULL);
  const char *text;

  provider_write_record (p, "old", "refresh-0", 3000);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  p->reply = "";
  pr_oauth_sign_out (p->oauth, "r", on_signed_out, said);
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_SIGN_IN);
  wait_for (p->context, said->len > 0, "the token to be forgotten");
  g_assert_cmpstr (said->str, ==, "forgotten,asked,fine");
  g_assert_cmpstr (p->asked->str, ==,
                   "/revoke token=refresh-0&token_type_hint=refresh_token&client_id=postroom\n");
  g_assert_null (provider_read_record (p));
  provider_write_record (p, "again", "refresh-0", 3000);
  pr_oauth_renew (p->oauth, "r");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "again");
}

static void
test_sign_out_twice (Provider *p, gconstpointer data)
{
  g_autoptr (GString) first = g_string_new (NULL);
  g_autoptr (GString) second = g_string_new (NULL);
  const char *text;

  provider_write_record (p, "old", "refresh-0", 3000);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  p->status = 503;
  p->reply = "";
  pr_oauth_sign_out (p->oauth, "r", on_signed_out, first);
  pr_oauth_sign_out (p->oauth, "r", on_signed_out, second);
  wait_for (p->context, first->len > 0 && second->len > 0, "both answers");
  g_assert_nonnull (strstr (first->str, "forgotten,asked,the provider answered with status 503"));
  g_assert_cmpstr (second->str, ==, "forgotten,not asked,fine"); /* there was nothing left */
}

/* Whoever waits when all of it ends is answered. */
static void
test_sign_out_at_the_end (Provider *p, gconstpointer data)
{
  g_autoptr (GString) said = g_string_new (NULL);
  const char *text;

  provider_write_record (p, "old", "refresh-0", 3000);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  p->silent = TRUE;
  pr_oauth_sign_out (p->oauth, "r", on_signed_out, said);
  g_clear_pointer (&p->oauth, pr_oauth_free);
  g_assert_nonnull (strstr (said->str, "asked,Postroom ends"));
  g_assert_null (provider_read_record (p));
}

static void
on_unkept (const char *route, const char *why, gpointer user_data)
{
  g_string_append_printf (user_data, "%s %s;", route, why != NULL ? "unkept" : "kept");
}

/* A token that cannot be written is used, told of, and written when that can be. */
static void
test_unkept (Provider *p, gconstpointer data)
{
  g_autoptr (GString) said = g_string_new (NULL);
  const char *text;
  PrOauthState state;
  PrOauthFacts facts;
  char *record;

  pr_oauth_set_unkept_func (p->oauth, on_unkept, said);
  provider_write_record (p, NULL, "refresh-0", 0);
  provider_configure (p, "");
  wait_for (p->context, pr_oauth_get_facts (p->oauth, "r", &state, &facts) && facts.can_refresh,
            "the record to be read");
  provider_break_disk (p);
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "access-1");
  g_assert_cmpstr (said->str, ==, "r unkept;");
  g_assert_true (pr_oauth_get_facts (p->oauth, "r", &state, &facts));
  g_assert_nonnull (facts.unkept);
  pr_oauth_renew (p->oauth, "r"); /* what the disk has is older */
  provider_mend_disk (p);
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "access-1");
  g_clear_pointer (&p->oauth, pr_oauth_free);
  record = provider_read_record (p);
  g_assert_nonnull (strstr (record, "refresh-1"));
  pr_secret_free (record);
}

/* The stored sign-in does not come back once the disk works again. */
static void
test_sign_out_unkept (Provider *p, gconstpointer data)
{
  g_autoptr (GString) said = g_string_new (NULL);
  const char *text;

  provider_write_record (p, "old", "refresh-0", 3000);
  provider_configure (p, "");
  wait_state (p, PR_OAUTH_READY, &text);
  p->reply = "";
  provider_break_disk (p);
  pr_oauth_sign_out (p->oauth, "r", on_signed_out, said);
  wait_for (p->context, said->len > 0, "the answer");
  g_assert_cmpstr (said->str, ==, "unkept,asked,fine");
  provider_mend_disk (p);
  provider_write_record (p, "old", "refresh-0", 3000);
  pr_oauth_renew (p->oauth, "r");
  wait_state (p, PR_OAUTH_SIGN_IN, &text);
  g_clear_pointer (&p->oauth, pr_oauth_free);
  g_assert_null (provider_read_record (p));
}

static PrToken *
make_token (void)
{
  PrToken *token = pr_token_new ();

  token->access = g_strdup ("fresh");
  token->refresh = g_strdup ("refresh-f");
  token->obtained_s = g_get_real_time () / G_USEC_PER_SEC;
  return token;
}

static void
on_refused (const GError *error, gpointer user_data)
{
  GError **out = user_data;

  g_assert_nonnull (error);
  *out = g_error_copy (error);
}

/* The route changes while its token is written: the sign-in ends all the same, and the new settings
 * find the new token. */
static void
test_changed_meanwhile (Provider *p, gconstpointer data)
{
  g_autoptr (GError) changed = NULL;
  g_autoptr (GError) removed = NULL;
  g_autoptr (PrConfig) none = pr_config_new_default ();
  const char *text;

  provider_configure (p, "");
  pr_oauth_adopt (p->oauth, "r", make_token (), on_refused, &changed);
  provider_configure (p, "ca-file=/etc/ssl/certs/ca-certificates.crt\n");
  wait_for (p->context, changed != NULL, "an answer although the route changed");
  g_assert_error (changed, PR_ERROR, PR_ERROR_CONFIG);
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "fresh");
  pr_oauth_adopt (p->oauth, "r", make_token (), on_refused, &removed);
  pr_oauth_set_config (p->oauth, none);
  wait_for (p->context, removed != NULL, "an answer although the route is gone");
}

static void
test_adopted_at_the_end (Provider *p, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  char *record;

  provider_configure (p, "");
  pr_oauth_adopt (p->oauth, "r", make_token (), on_refused, &error);
  g_clear_pointer (&p->oauth, pr_oauth_free);
  g_assert_error (error, PR_ERROR, PR_ERROR_TEMPORARY);
  record = provider_read_record (p);
  g_assert_nonnull (strstr (record, "refresh-f"));
  pr_secret_free (record);
}

/* A client's secret that is set while a token is fetched: neither is lost. */
static void
test_renew_meanwhile (Provider *p, gconstpointer data)
{
  const char *text;
  PrOauthClient client;
  const char *flow, *ca_file;

  provider_write_record (p, NULL, "refresh-0", 0);
  provider_configure (p, "");
  wait_for (p->context, check (p, &text) == PR_OAUTH_WAIT && pr_web_count (p->web) == 1,
            "a question");
  pr_secrets_set (p->credentials, "r", PR_SECRET_CLIENT_SECRET, "hush", NULL);
  pr_oauth_renew (p->oauth, "r");
  wait_state (p, PR_OAUTH_READY, &text);
  g_assert_cmpstr (text, ==, "access-1");
  wait_for (p->context,
            pr_oauth_get_client (p->oauth, "r", &client, &flow, &ca_file) &&
              g_strcmp0 (client.client_secret, "hush") == 0,
            "the client's secret");
  g_assert_cmpuint (p->n_asked, ==, 1);
}

/* Freed, or its route gone, while somebody is asked. */
static void
test_gone (Provider *p, gconstpointer data)
{
  g_autoptr (PrConfig) none = pr_config_new_default ();
  const char *text;
  guint listener = pr_oauth_listen (p->oauth, NULL, NULL);

  pr_oauth_unlisten (p->oauth, listener);
  p->silent = TRUE;
  provider_write_record (p, NULL, "refresh-0", 0);
  provider_configure (p, "");
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_WAIT);
  wait_for (p->context, check (p, &text) == PR_OAUTH_WAIT && p->n_asked == 1, "a question");
  g_assert_true (pr_oauth_is_asking (p->oauth));
  pr_oauth_set_config (p->oauth, none);
  g_assert_false (pr_oauth_is_asking (p->oauth));
  g_assert_cmpuint (pr_web_count (p->web), ==, 0);
  g_assert_cmpint (check (p, &text), ==, PR_OAUTH_LATER);
  provider_configure (p, "");
  wait_for (p->context, check (p, &text) == PR_OAUTH_WAIT && p->n_asked == 2, "a question");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name)                                                                                  \
  g_test_add ("/oauth/" #name, Provider, NULL, provider_set_up, test_##name, provider_tear_down)
  g_test_add_func ("/oauth/used", test_used);
  ADD (nobody);
  ADD (kept);
  ADD (refresh);
  ADD (ahead);
  ADD (schedule);
  ADD (keep_refresh);
  ADD (revoked);
  ADD (put_off);
  ADD (refused);
  ADD (alone);
  ADD (sign_out);
  ADD (sign_out_twice);
  ADD (sign_out_at_the_end);
  ADD (unkept);
  ADD (sign_out_unkept);
  ADD (changed_meanwhile);
  ADD (adopted_at_the_end);
  ADD (renew_meanwhile);
  ADD (gone);
  return g_test_run ();
}
