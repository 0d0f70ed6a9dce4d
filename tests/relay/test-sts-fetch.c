/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policies over HTTPS: what is taken for one, and how many servers are asked at once. HTTPS itself
 * is in tests/net/test-web.c. */
#include "relay/sts-fetch.h"

#include <string.h>

#include "common/error.h"
#include "relay/fake-web.h"
#include "wait.h"

#define PATIENCE_MS (10 * 60000)
#define URL "https://mta-sts.d.example/.well-known/mta-sts.txt"
#define POLICY "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mx.d.example\n"

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  PrStsFetcher *fetcher;
} Fixture;

typedef struct
{
  Fixture *f;
  guint n_told;
  guint cancel; /* this one, when told */
  char *text;   /* the policy, or what is wrong */
} Heard;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->context = g_main_context_new ();
  f->loop = pr_loop_new (f->context);
  f->fetcher = pr_sts_fetcher_new (f->loop, data != NULL ? 20 : PATIENCE_MS);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->fetcher, pr_sts_fetcher_free);
  g_assert_cmpuint (fake_web_count_open (), ==, 0);
  pr_loop_free (f->loop);
  g_main_context_unref (f->context);
  fake_web_clear ();
}

static void
on_fetched (PrStsPolicy *policy, const GError *error, gpointer user_data)
{
  Heard *heard = user_data;

  heard->n_told++;
  g_free (heard->text);
  g_assert_true ((policy == NULL) == (error != NULL));
  heard->text = policy != NULL ? pr_sts_policy_to_text (policy) : g_strdup (error->message);
  g_clear_pointer (&policy, pr_sts_policy_unref);
  if (heard->cancel != 0)
    pr_sts_fetch_cancel (heard->f->fetcher, heard->cancel);
}

static void
assert_fetched (Fixture *f, const char *expected)
{
  Heard heard = { .f = f };

  g_assert_cmpuint (pr_sts_fetch (f->fetcher, "d.example", NULL, on_fetched, &heard), !=, 0);
  g_assert_cmpuint (heard.n_told, ==, 0);
  wait_for (f->context, heard.n_told == 1, expected);
  g_assert_nonnull (strstr (heard.text, expected));
  g_free (heard.text);
}

static void
test_answers (Fixture *f, gconstpointer data)
{
  fake_web_add (URL, 200, "text/plain", POLICY);
  assert_fetched (f, POLICY);
  fake_web_add (URL, 200, "Text/Plain; charset=utf-8", POLICY);
  assert_fetched (f, POLICY);
  fake_web_add (URL, 200, "text/plain;charset=us-ascii", POLICY);
  assert_fetched (f, POLICY);
  fake_web_add (URL, 200, "text/html", POLICY);
  assert_fetched (f, "no plain text");
  fake_web_add (URL, 200, "text/plainer", POLICY);
  assert_fetched (f, "no plain text");
  fake_web_add (URL, 200, NULL, POLICY);
  assert_fetched (f, "no plain text");
  fake_web_add (URL, 200, "text/plain", "");
  assert_fetched (f, "another version");
  fake_web_add (URL, 301, "text/plain", POLICY); /* RFC 8461 §3.3: never followed */
  assert_fetched (f, "answered 301");
  fake_web_add (URL, 404, "text/plain", POLICY);
  assert_fetched (f, "answered 404");
  fake_web_add (URL, 206, "text/plain", POLICY);
  assert_fetched (f, "answered 206");
  fake_web_fail (URL, PR_ERROR_TLS, "the certificate of mta-sts.d.example has expired");
  assert_fetched (f, "has expired");
}

static void
test_ca_file (Fixture *f, gconstpointer data)
{
  Heard heard = { .f = f };

  fake_web_add (URL, 200, "text/plain", POLICY);
  pr_sts_fetch (f->fetcher, "d.example", "/etc/ca.pem", on_fetched, &heard);
  g_assert_cmpstr (fake_web_get_ca_file (), ==, "/etc/ca.pem");
  wait_for (f->context, heard.n_told == 1, "the policy");
  g_free (heard.text);
}

/* Sixteen that never answer hold up the seventeenth, until one of them is given up. */
static void
test_bound (Fixture *f, gconstpointer data)
{
  Heard mute = { .f = f }, last = { .f = f }, cancelled = { .f = f };
  guint tokens[16], token;

  fake_web_mute (URL);
  fake_web_add ("https://mta-sts.e.example/.well-known/mta-sts.txt", 200, "text/plain", POLICY);
  for (guint i = 0; i < 16; i++)
    tokens[i] = pr_sts_fetch (f->fetcher, "d.example", NULL, on_fetched, &mute);
  token = pr_sts_fetch (f->fetcher, "e.example", NULL, on_fetched, &cancelled);
  pr_sts_fetch (f->fetcher, "e.example", NULL, on_fetched, &last);
  for (guint i = 0; i < 50; i++)
    g_main_context_iteration (f->context, FALSE);
  g_assert_cmpuint (fake_web_count (), ==, 16);
  g_assert_cmpuint (last.n_told, ==, 0);

  pr_sts_fetch_cancel (f->fetcher, token); /* it waited */
  pr_sts_fetch_cancel (f->fetcher, token);
  pr_sts_fetch_cancel (f->fetcher, tokens[3]); /* it was under way */
  wait_for (f->context, last.n_told == 1, "the seventeenth");
  g_assert_cmpstr (last.text, ==, POLICY);
  g_assert_cmpuint (mute.n_told + cancelled.n_told, ==, 0);
  g_free (last.text);
}

static void
test_waited_too_long (Fixture *f, gconstpointer data)
{
  Heard mute = { .f = f }, last = { .f = f };

  fake_web_mute (URL);
  for (guint i = 0; i < 16; i++)
    pr_sts_fetch (f->fetcher, "d.example", NULL, on_fetched, &mute);
  pr_sts_fetch (f->fetcher, "e.example", NULL, on_fetched, &last);
  wait_for (f->context, last.n_told == 1, "the end of patience");
  g_assert_nonnull (strstr (last.text, "too many other domains"));
  g_assert_cmpuint (fake_web_count (), ==, 16);
  g_free (last.text);
}

/* Told, and one that is told with it is cancelled from within. */
static void
test_cancel_inside (Fixture *f, gconstpointer data)
{
  Heard first = { .f = f }, second = { .f = f };

  fake_web_add (URL, 200, "text/plain", POLICY);
  pr_sts_fetch (f->fetcher, "d.example", NULL, on_fetched, &first);
  first.cancel = pr_sts_fetch (f->fetcher, "d.example", NULL, on_fetched, &second);
  wait_for (f->context, first.n_told == 1, "the policy");
  for (guint i = 0; i < 50; i++)
    g_main_context_iteration (f->context, FALSE);
  g_assert_cmpuint (second.n_told, ==, 0);
  g_free (first.text);
}

static void
test_freed (Fixture *f, gconstpointer data)
{
  Heard heard = { .f = f };

  for (guint i = 0; i < 20; i++)
    pr_sts_fetch (f->fetcher, "d.example", NULL, on_fetched, &heard);
  g_clear_pointer (&f->fetcher, pr_sts_fetcher_free);
  for (guint i = 0; i < 50; i++)
    g_main_context_iteration (f->context, FALSE);
  g_assert_cmpuint (heard.n_told, ==, 0);
}

int
main (int argc, char *argv[])
{
#define TEST(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  TEST ("/sts-fetch/answers", NULL, test_answers);
  TEST ("/sts-fetch/ca-file", NULL, test_ca_file);
  TEST ("/sts-fetch/bound", NULL, test_bound);
  TEST ("/sts-fetch/waited-too-long", "impatient", test_waited_too_long);
  TEST ("/sts-fetch/cancel-inside", NULL, test_cancel_inside);
  TEST ("/sts-fetch/freed", NULL, test_freed);
  return g_test_run ();
}
