/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/providers.h"

#include <string.h>

static void
test_load (void)
{
  g_autoptr (PrProvider) gmail = pr_provider_load ("gmail");
  g_autoptr (PrProvider) again = pr_provider_ref (gmail);

  g_assert_nonnull (gmail);
  g_assert_null (pr_provider_load ("no-such-provider"));
  g_assert_null (pr_provider_load (""));
  g_assert_null (pr_provider_ref (NULL));
  g_assert_cmpstr (gmail->name, ==, "Gmail");
  g_assert_cmpuint (gmail->n_hosts, ==, 2);
  g_assert_cmpstr (gmail->hosts[0].host, ==, "smtp.gmail.com");
  g_assert_cmpuint (gmail->hosts[0].port, ==, 465);
  g_assert_cmpint (gmail->hosts[0].tls, ==, PR_TLS_IMPLICIT);
  g_assert_cmpint (gmail->hosts[1].tls, ==, PR_TLS_REQUIRED);
  g_assert_cmpint (gmail->sign_ins[0].kind, ==, PR_SIGN_IN_APP_PASSWORD);
  g_assert_cmpuint (g_strv_length (gmail->sign_ins[0].steps), ==, 3);
  g_assert_cmpint (gmail->sign_ins[1].kind, ==, PR_SIGN_IN_OAUTH);
  g_assert_cmpstr (gmail->sign_ins[1].mechanisms[0], ==, "xoauth2");
  g_assert_cmpstr (gmail->oauth->token_url, ==, "https://oauth2.googleapis.com/token");
  g_assert_true (gmail->oauth->pkce);
  g_assert_null (gmail->oauth->device_url);
  g_assert_cmpstr (gmail->api->via, ==, "gmail-api");
  g_assert_cmpstr (gmail->api->scopes[0], ==, "https://www.googleapis.com/auth/gmail.send");
  g_assert_cmpuint (gmail->n_limits, ==, 1);
  g_assert_cmpuint (gmail->limits[0].number, ==, 500);
  g_assert_cmpuint (gmail->limits[0].window_s, ==, 86400);
  g_assert_false (gmail->limits[0].per_recipient);
  g_assert_cmpuint (gmail->max_recipients, ==, 100);
  g_assert_cmpint (gmail->from, ==, PR_FROM_ALIASES);
  g_assert_true (gmail->rewrites_from);
  g_assert_false (gmail->refuses_null_sender);
}

static void
test_limits (void)
{
  g_autoptr (PrProvider) microsoft = pr_provider_load ("microsoft365");
  g_autoptr (PrProvider) ionos = pr_provider_load ("ionos");
  g_autoptr (PrProvider) posteo = pr_provider_load ("posteo");

  g_assert_cmpuint (microsoft->max_connections, ==, 3);
  g_assert_cmpuint (microsoft->n_limits, ==, 2);
  g_assert_cmpuint (microsoft->limits[0].window_s, ==, 60);
  g_assert_true (microsoft->limits[1].per_recipient);
  g_assert_true (ionos->refuses_null_sender);
  g_assert_cmpuint (posteo->n_limits, ==, 0);
  g_assert_cmpuint (posteo->max_connections, ==, 0);
}

static void
test_search (void)
{
  static const struct
  {
    const char *text, *id; /* NULL: nobody */
  } cases[] = {
    { "me@gmail.com", "gmail" },
    { "Me@GMail.Com", "gmail" },
    { "web.de", "web-de" },
    { "posteo", "posteo" },
    { "a@b@ik.me", "infomaniak" },
    { "me@example.org", NULL },
    { "@", NULL },
    { "sendgr", "sendgrid" },
    { "no such words", NULL },
  };
  g_autoptr (GPtrArray) all = pr_provider_search (NULL);
  g_autoptr (GPtrArray) empty = pr_provider_search ("");
  g_autoptr (GPtrArray) several = pr_provider_search ("microsoft");

  g_assert_cmpuint (all->len, >=, 36);
  g_assert_cmpuint (empty->len, ==, all->len);
  g_assert_cmpuint (several->len, ==, 4);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) found = pr_provider_search (cases[i].text);

      g_assert_cmpuint (found->len, ==, cases[i].id != NULL ? 1 : 0);
      if (cases[i].id != NULL)
        g_assert_cmpstr (((PrProvider *) found->pdata[0])->id, ==, cases[i].id);
    }
}

static void
test_username (void)
{
  static const struct
  {
    const char *id, *address, *name;
  } cases[] = {
    { "gmail", "me@gmail.com", "me@gmail.com" },
    { "gmail", "me", NULL },
    { "web-de", "me@web.de", "me" },
    { "web-de", "me", "me" },
    { "sendgrid", "me@example.org", "apikey" },
    { "amazon-ses", "me@example.org", NULL },
    { "microsoft365-relay", "me@example.org", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PrProvider) provider = pr_provider_load (cases[i].id);
      g_autofree char *name = pr_provider_make_username (provider, cases[i].address);

      g_assert_cmpstr (name, ==, cases[i].name);
    }
}

static void
test_fill (void)
{
  g_autoptr (PrProvider) ses = pr_provider_load ("amazon-ses");
  g_autoptr (PrProvider) zoho = pr_provider_load ("zoho");
  g_autofree char *region = pr_provider_fill (ses, ses->hosts[0].host, "region", "eu-west-1");
  g_autofree char *by_default = pr_provider_fill (zoho, zoho->hosts[0].host, NULL, NULL);
  g_autofree char *europe = pr_provider_fill (zoho, zoho->hosts[0].host, "server", "zoho.eu");
  g_autofree char *plain = pr_provider_fill (ses, "nothing to fill", NULL, NULL);

  g_assert_cmpstr (region, ==, "email-smtp.eu-west-1.amazonaws.com");
  g_assert_cmpstr (by_default, ==, "smtp.zoho.com");
  g_assert_cmpstr (europe, ==, "smtp.zoho.eu");
  g_assert_cmpstr (plain, ==, "nothing to fill");
  g_assert_null (pr_provider_fill (ses, ses->hosts[0].host, NULL, NULL));
  g_assert_null (pr_provider_fill (ses, ses->hosts[0].host, "tenant", "x"));
}

static void
test_json (void)
{
  g_autofree char *text = pr_provider_to_json ("ionos");

  g_assert_null (pr_provider_to_json ("no-such-provider"));
  g_assert_true (g_str_has_prefix (text, "{\"id\":\"ionos\""));
  g_assert_nonnull (strstr (text, "\"checked-on\":"));
}

static PrAdviceKind
parse_kind (const char *word)
{
  static const char *const words[] = { "-", "retry", "hold", "bounce", "sign-in", "slow-down" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i], word))
      return (PrAdviceKind) i;
  g_error ("\"%s\" is no class", word);
}

/* What providers were seen to answer. */
static void
test_replies (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", "provider-replies.tsv", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (PrProvider) provider = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (; lines[n] != NULL && lines[n][0] != '\0'; n++)
    {
      g_auto (GStrv) fields = g_strsplit (lines[n], "\t", 3);
      g_autoptr (GString) said = g_string_new (fields[2]);
      PrReply reply = { 0 };
      PrAdvice advice;

      if (provider == NULL || !g_str_equal (provider->id, fields[0]))
        {
          pr_provider_unref (provider);
          provider = pr_provider_load (fields[0]);
        }
      g_string_replace (said, " / ", "\n", 0); /* the lines of one reply */
      g_assert_nonnull (provider);
      g_assert_true (pr_reply_from_string (&reply, said->str));
      reply.is_own = FALSE;
      pr_provider_advise (provider, &reply, &advice);
      if (advice.kind != parse_kind (fields[1]))
        g_error ("%s: read as %d, with: %s", lines[n], advice.kind, advice.words);
      g_assert_true ((advice.kind != PR_ADVICE_NONE) == (advice.words != NULL));
      g_assert_true (advice.kind != PR_ADVICE_SLOW_DOWN || advice.wait_s > 0);
      pr_reply_clear (&reply);
    }
  g_assert_cmpuint (n, >=, 100);
}

/* What is no refusal of theirs is not looked at. */
static void
test_not_theirs (void)
{
  g_autoptr (PrProvider) gmail = pr_provider_load ("gmail");
  PrReply reply = { 0 };
  PrAdvice advice;

  g_assert_true (pr_reply_from_string (&reply, "250 2.0.0 535 username and password not accepted"));
  reply.is_own = FALSE;
  g_assert_false (pr_provider_advise (gmail, &reply, &advice));
  g_assert_cmpint (advice.kind, ==, PR_ADVICE_NONE);
  pr_reply_set (&reply, 535, "5.7.8", "Username and Password not accepted");
  g_assert_false (pr_provider_advise (gmail, &reply, &advice)); /* our own words */
  reply.is_own = FALSE;
  g_assert_true (pr_provider_advise (gmail, &reply, &advice));
  g_assert_cmpstr (advice.action, ==, "app-password");
  g_assert_false (pr_provider_advise (NULL, &reply, &advice));
  pr_reply_clear (&reply);
  reply.code = 550; /* no text at all */
  g_assert_false (pr_provider_advise (gmail, &reply, &advice));
}

/* ── Routes ───────────────────────────────────────────────────────────────────────────────── */

static PrConfig *
parse (const char *text)
{
  g_autoptr (GPtrArray) faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "/home/me/postroom.conf", &faults);

  if (config == NULL)
    g_error ("%s", (char *) faults->pdata[0]);
  return config;
}

static void
test_route (void)
{
  g_autoptr (PrConfig) config =
    parse ("[route a]\nprovider=gmail\nusername=me@gmail.com\n"
           "[route b]\nprovider=gmail\ntls=required\n"
           "[route c]\nprovider=microsoft365\n"
           "[route d]\nprovider=sendgrid\n"
           "[route e]\nprovider=amazon-ses\nhosts=email-smtp.eu-west-1.amazonaws.com:587\n"
           "limit=14/1s; 50000 recipients/1d ; 7 messages/1h\nmax-connections=5\n"
           "[route f]\nprovider=microsoft365\nlimit=\nhosts=\n"
           "[route g]\nhosts=a.example.org\n");
  PrRouteConfig **routes = (PrRouteConfig **) config->routes->pdata;

  g_assert_cmpint (routes[0]->tls, ==, PR_TLS_IMPLICIT);
  g_assert_cmpuint (routes[0]->n_hosts, ==, 1);
  g_assert_cmpstr (routes[0]->hosts[0].host, ==, "smtp.gmail.com");
  g_assert_cmpuint (routes[0]->hosts[0].port, ==, 465);
  g_assert_cmpuint (routes[0]->n_limits, ==, 1);
  g_assert_cmpint (routes[1]->tls, ==, PR_TLS_REQUIRED);
  g_assert_cmpuint (routes[1]->hosts[0].port, ==, 587);
  g_assert_cmpuint (routes[2]->max_connections, ==, 3);
  g_assert_cmpuint (routes[2]->n_limits, ==, 2);
  g_assert_cmpstr (routes[3]->username, ==, "apikey");
  g_assert_cmpuint (routes[3]->n_hosts, ==, 3); /* all that speak STARTTLS */
  g_assert_cmpuint (routes[4]->n_hosts, ==, 1);
  g_assert_cmpuint (routes[4]->max_connections, ==, 5);
  g_assert_cmpuint (routes[4]->n_limits, ==, 3);
  g_assert_cmpuint (routes[4]->limits[0].number, ==, 14);
  g_assert_cmpuint (routes[4]->limits[0].window_s, ==, 1);
  g_assert_true (routes[4]->limits[1].per_recipient);
  g_assert_false (routes[4]->limits[2].per_recipient);
  g_assert_cmpuint (routes[5]->n_limits, ==, 2); /* nothing is as good as not said */
  g_assert_null (routes[6]->provider);
  g_assert_cmpuint (routes[6]->n_limits, ==, 0);
}

/* Each provider makes a route, once its parameters are given. */
static void
test_all_routes (void)
{
  g_autoptr (GPtrArray) all = pr_provider_search (NULL);

  for (guint i = 0; i < all->len; i++)
    {
      const PrProvider *provider = all->pdata[i];
      g_autofree char *host = pr_provider_fill (provider, provider->hosts[0].host, NULL, NULL);
      g_autofree char *text = g_strdup_printf ("[route a]\nprovider=%s\n%s", provider->id,
                                               host == NULL ? "hosts=smtp.example.org\n" : "");
      g_autoptr (PrConfig) config = parse (text);
      const PrRouteConfig *route = config->routes->pdata[0];

      g_assert_cmpuint (route->n_hosts, >, 0);
      g_assert_cmpstr (route->provider->id, ==, provider->id);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/providers/load", test_load);
  g_test_add_func ("/providers/limits", test_limits);
  g_test_add_func ("/providers/search", test_search);
  g_test_add_func ("/providers/username", test_username);
  g_test_add_func ("/providers/fill", test_fill);
  g_test_add_func ("/providers/json", test_json);
  g_test_add_func ("/providers/replies", test_replies);
  g_test_add_func ("/providers/not-theirs", test_not_theirs);
  g_test_add_func ("/providers/route", test_route);
  g_test_add_func ("/providers/all-routes", test_all_routes);
  return g_test_run ();
}
