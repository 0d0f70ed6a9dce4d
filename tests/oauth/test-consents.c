/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/consents.h"

#include "common/error.h"
#include "config/secrets.h"
#include "provider.h"
#include "wait.h"

#define DEVICE                                                                                     \
  "{\"device_code\":\"dev\",\"user_code\":\"WDJB-MJHT\",\"verification_uri\":"                     \
  "\"https://e.org/d\",\"expires_in\":600,\"interval\":1}"

static guint n_changes;

static void
on_changed (guint id, gpointer user_data)
{
  n_changes++;
}

static PrConsentState
get_state (PrConsents *attempts, guint id, PrConsentFacts *facts)
{
  g_assert_true (pr_consents_get (attempts, id, facts));
  return facts->state;
}

#define wait_state(p, attempts, id, facts, wanted)                                                 \
  wait_for ((p)->context, get_state (attempts, id, facts) == (wanted), "the attempt to be " #wanted)

/* What the browser would bring back for @url. @state: NULL: the right one. */
static char *
make_redirect (const char *url, const char *state, const char *answer)
{
  const char *query = strchr (url, '?') + 1;
  g_autoptr (GHashTable) fields = g_uri_parse_params (query, -1, "&", 0, NULL);

  g_assert_cmpstr (g_hash_table_lookup (fields, "code_challenge_method"), ==, "S256");
  return g_strdup_printf ("%s/?%s&state=%s", (char *) g_hash_table_lookup (fields, "redirect_uri"),
                          answer,
                          state != NULL ? state : (char *) g_hash_table_lookup (fields, "state"));
}

static void
on_visited (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  guint *status = user_data;

  g_assert_no_error (error);
  *status = answer->status;
}

static void
visit (Provider *p, const char *url)
{
  guint status = 0;

  pr_web_send (p->web, &(PrWebRequest){ .url = url }, on_visited, &status);
  wait_for (p->context, status != 0, "a page for the browser");
  g_assert_cmpuint (status, ==, 200);
}

static void
test_browser (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *wrong = NULL;
  g_autofree char *right = NULL;
  const char *access, *why;
  PrConsentFacts facts;
  char *record;
  guint id;

  provider_configure (p, "");
  id = pr_consents_start (attempts, "r", "auto", &error);
  g_assert_no_error (error);
  g_assert_cmpint (get_state (attempts, id, &facts), ==, PR_CONSENT_WAITING);
  g_assert_cmpstr (facts.route, ==, "r");
  g_assert_cmpint (facts.expires_s, >, g_get_real_time () / G_USEC_PER_SEC);
  wrong = make_redirect (facts.url, "forged", "code=evil");
  right = make_redirect (facts.url, NULL, "code=good");
  visit (p, wrong);
  g_assert_cmpint (get_state (attempts, id, &facts), ==, PR_CONSENT_WAITING);
  g_assert_cmpuint (p->n_asked, ==, 0);
  visit (p, right);
  wait_state (p, attempts, id, &facts, PR_CONSENT_DONE);
  g_assert_nonnull (strstr (p->asked->str, "code=good"));
  g_assert_nonnull (strstr (p->asked->str, "code_verifier="));
  g_assert_null (facts.url);
  record = provider_read_record (p);
  g_assert_nonnull (strstr (record, "refresh-1"));
  pr_secret_free (record);
  g_assert_cmpint (pr_oauth_check (p->oauth, "r", &access, &why), ==, PR_OAUTH_READY);
  g_assert_cmpstr (access, ==, "access-1");
  wait_for (p->context, n_changes > 0, "changes to be told");
  g_assert_false (pr_consents_paste (attempts, id, right, &error)); /* it is over */
}

static void
test_paste (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  g_autofree char *right = NULL;
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "");
  id = pr_consents_start (attempts, "r", "code", NULL);
  g_assert_true (pr_consents_get (attempts, id, &facts));
  right = make_redirect (facts.url, NULL, "code=good#_=_");
  g_assert_false (pr_consents_paste (attempts, id, "nonsense", NULL));
  g_assert_false (pr_consents_paste (attempts, id, "http://127.0.0.1/?code=x&state=y", NULL));
  g_assert_false (pr_consents_paste (attempts, 99, right, NULL));
  g_clear_pointer (&right, g_free);
  g_assert_true (pr_consents_get (attempts, id, &facts));
  right = make_redirect (facts.url, NULL, "code=good");
  g_assert_true (pr_consents_paste (attempts, id, right, NULL));
  wait_state (p, attempts, id, &facts, PR_CONSENT_DONE);
}

static void
test_declined (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  g_autofree char *right = NULL;
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "");
  id = pr_consents_start (attempts, "r", "code", NULL);
  g_assert_true (pr_consents_get (attempts, id, &facts));
  right = make_redirect (facts.url, NULL, "error=access_denied");
  visit (p, right);
  wait_state (p, attempts, id, &facts, PR_CONSENT_FAILED);
  g_assert_nonnull (strstr (facts.why, "access_denied"));
  g_assert_cmpuint (p->n_asked, ==, 0);
}

static void
test_device (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "");
  p->reply = DEVICE;
  id = pr_consents_start (attempts, "r", "device", NULL);
  g_assert_cmpint (get_state (attempts, id, &facts), ==, PR_CONSENT_ASKING);
  wait_state (p, attempts, id, &facts, PR_CONSENT_WAITING);
  g_assert_cmpstr (facts.user_code, ==, "WDJB-MJHT");
  g_assert_cmpstr (facts.short_url, ==, "https://e.org/d");
  p->status = 400;
  p->reply = "{\"error\":\"authorization_pending\"}";
  wait_for (p->context, p->n_asked >= 2, "the first question for the token");
  g_assert_cmpint (get_state (attempts, id, &facts), ==, PR_CONSENT_WAITING);
  p->status = 200;
  p->reply = NULL;
  wait_state (p, attempts, id, &facts, PR_CONSENT_DONE);
  g_assert_nonnull (strstr (p->asked->str, "device_code=dev"));
}

static void
test_device_fails (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "");
  p->reply = DEVICE;
  id = pr_consents_start (attempts, "r", "device", NULL);
  wait_state (p, attempts, id, &facts, PR_CONSENT_WAITING);
  p->status = 400;
  p->reply = "{\"error\":\"access_denied\"}";
  wait_state (p, attempts, id, &facts, PR_CONSENT_FAILED);
  g_assert_nonnull (strstr (facts.why, "declined"));
  p->reply = "{\"error\":\"invalid_client\"}";
  id = pr_consents_start (attempts, "r", "device", NULL);
  wait_state (p, attempts, id, &facts, PR_CONSENT_FAILED);
}

static void
test_alone (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "oauth-flow=client-credentials\n");
  id = pr_consents_start (attempts, "r", "auto", NULL);
  wait_state (p, attempts, id, &facts, PR_CONSENT_DONE);
}

static void
test_many (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  g_autoptr (GError) error = NULL;
  PrConsentFacts facts;
  guint first, last = 0;

  provider_configure (p, "");
  g_assert_cmpuint (pr_consents_start (attempts, "none", "auto", &error), ==, 0);
  g_assert_error (error, PR_ERROR, PR_ERROR_CONFIG);
  first = pr_consents_start (attempts, "r", "auto", NULL);
  for (guint i = 0; i < 40; i++)
    last = pr_consents_start (attempts, "r", "auto", NULL);
  g_assert_false (pr_consents_get (attempts, first, &facts));
  g_assert_cmpint (get_state (attempts, last, &facts), ==, PR_CONSENT_WAITING);
  g_assert_cmpint (get_state (attempts, last - 1, &facts), ==, PR_CONSENT_FAILED);
  pr_consents_cancel (attempts, last);
  pr_consents_cancel (attempts, 999);
  g_assert_cmpint (get_state (attempts, last, &facts), ==, PR_CONSENT_FAILED);
}

/* The token is on its way to the disk when all of it ends: nothing stays behind (ASan sees it). */
static void
test_kept_at_the_end (Provider *p, gconstpointer data)
{
  PrConsents *attempts = pr_consents_new (p->oauth, on_changed, NULL);
  g_autofree char *right = NULL;
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "");
  id = pr_consents_start (attempts, "r", "code", NULL);
  g_assert_true (pr_consents_get (attempts, id, &facts));
  right = make_redirect (facts.url, NULL, "code=good");
  g_assert_true (pr_consents_paste (attempts, id, right, NULL));
  wait_for (p->context, p->n_asked == 1 && pr_web_count (p->web) == 0, "the token");
  pr_consents_free (attempts);
  g_clear_pointer (&p->oauth, pr_oauth_free);
}

/* The route goes while the token is on its way to the disk: the sign-in ends, in words. */
static void
test_gone_meanwhile (Provider *p, gconstpointer data)
{
  g_autoptr (PrConsents) attempts = pr_consents_new (p->oauth, on_changed, NULL);
  g_autoptr (PrConfig) none = pr_config_new_default ();
  g_autofree char *right = NULL;
  PrConsentFacts facts;
  guint id;

  provider_configure (p, "");
  id = pr_consents_start (attempts, "r", "code", NULL);
  g_assert_true (pr_consents_get (attempts, id, &facts));
  right = make_redirect (facts.url, NULL, "code=good");
  g_assert_true (pr_consents_paste (attempts, id, right, NULL));
  wait_for (p->context, p->n_asked == 1 && pr_web_count (p->web) == 0, "the token");
  pr_oauth_set_config (p->oauth, none);
  wait_state (p, attempts, id, &facts, PR_CONSENT_FAILED);
  g_assert_nonnull (strstr (facts.why, "changed or removed"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name)                                                                                  \
  g_test_add ("/consents/" #name, Provider, NULL, provider_set_up, test_##name, provider_tear_down)
  ADD (browser);
  ADD (paste);
  ADD (declined);
  ADD (device);
  ADD (device_fails);
  ADD (alone);
  ADD (many);
  ADD (kept_at_the_end);
  ADD (gone_meanwhile);
  return g_test_run ();
}
