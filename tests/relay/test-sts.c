/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which policy a domain has: found, fetched, kept, and when it is fetched anew. What mail makes of
 * it is in test-sts-mail.c. */
#include "relay/sts.h"

#include <string.h>

#include "common/error.h"
#include "relay/fake-resolver.h"
#include "relay/fake-web.h"
#include "relay/world.h"

#define TXT "_mta-sts.d.example"
#define URL "https://mta-sts.d.example/.well-known/mta-sts.txt"
#define POLICY(mode, age, mx) "version: STSv1\nmode: " mode "\nmax_age: " age "\nmx: " mx "\n"
#define FIRST POLICY ("enforce", "86400", "one.d.example")
#define SECOND POLICY ("testing", "86400", "two.d.example")
#define PATIENCE_MS (10 * 60000)

typedef struct
{
  World *world;
  PrSts *sts;
  guint n_values; /* of the last count */
  gboolean counted;
} Fixture;

typedef struct
{
  Fixture *f;
  guint n_told;
  char *text;     /* the policy; "! why"; "none" */
  guint cancel;   /* this one, when told */
  gboolean again; /* asks again, when told */
} Heard;

static void
open_sts (Fixture *f, gboolean impatient)
{
  f->sts = pr_sts_new (f->world->loop, f->world->store, f->world->resolver);
  pr_sts_set_times (f->sts, impatient ? 20 : PATIENCE_MS, PATIENCE_MS);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->world = world_new ("[server]\nhostname=relay.test\n");
  open_sts (f, data != NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->sts, pr_sts_free);
  g_assert_cmpuint (fake_web_count_open (), ==, 0);
  fake_web_clear ();
  world_free (f->world);
}

static void
on_policy (PrStsPolicy *policy, const char *why, gpointer user_data)
{
  Heard *heard = user_data;

  heard->n_told++;
  g_assert_false (policy != NULL && why != NULL);
  g_free (heard->text);
  heard->text = policy != NULL ? pr_sts_policy_to_text (policy)
                : why != NULL  ? g_strconcat ("! ", why, NULL)
                               : g_strdup ("none");
  if (heard->cancel != 0)
    pr_sts_cancel (heard->f->sts, heard->cancel);
  if (heard->again)
    {
      heard->again = FALSE;
      pr_sts_ask (heard->f->sts, "d.example", NULL, on_policy, heard);
    }
}

static char *
ask (Fixture *f, const char *domain)
{
  Heard heard = { .f = f };

  g_assert_cmpuint (pr_sts_ask (f->sts, domain, NULL, on_policy, &heard), !=, 0);
  g_assert_cmpuint (heard.n_told, ==, 0);
  world_wait (f->world, heard.n_told == 1, "the policy");
  return heard.text;
}

static void
assert_policy (Fixture *f, const char *expected)
{
  g_autofree char *text = ask (f, "d.example");

  if (*expected == '!')
    g_assert_nonnull (strstr (text, expected + 2));
  else
    g_assert_cmpstr (text, ==, expected);
}

static void
publish (const char *id, const char *policy)
{
  g_autofree char *record = g_strdup_printf ("v=STSv1; id=%s;", id);

  fake_resolver_remove_texts (TXT);
  fake_resolver_add_text (TXT, record);
  if (policy != NULL)
    fake_web_add (URL, 200, "text/plain", policy);
}

/* ── What the store has ───────────────────────────────────────────────────────────────────── */

static void
on_values (const PrStoreValue *values, guint n, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_no_error (error);
  f->n_values = n;
  f->counted = TRUE;
}

static guint
count_values (Fixture *f)
{
  f->counted = FALSE;
  pr_store_list_values (f->world->store, "sts/", 5000, on_values, f);
  world_wait (f->world, f->counted, "the values");
  return f->n_values;
}

/* A policy of @age_s that ends in @left_s. */
static void
put_value (Fixture *f, const char *domain, gint64 age_s, gint64 left_s, const char *rest)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  g_autofree char *name = g_strconcat ("sts/", domain, NULL);
  g_autofree char *value =
    g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s",
                     now_s + left_s, now_s - age_s, now_s - age_s, rest);

  pr_store_set_value (f->world->store, name, value, NULL, NULL);
}

static void
reopen (Fixture *f)
{
  pr_sts_free (f->sts);
  world_restart (f->world, "[server]\nhostname=relay.test\n");
  open_sts (f, FALSE);
}

/* ── Tests ────────────────────────────────────────────────────────────────────────────────── */

static void
test_nothing (Fixture *f, gconstpointer data)
{
  assert_policy (f, "none"); /* no such name */
  fake_resolver_add_text (TXT, "");
  assert_policy (f, "none"); /* no such record */
  fake_resolver_add_text (TXT, "v=spf1 -all");
  assert_policy (f, "none");
  fake_resolver_set_broken (TRUE);
  assert_policy (f, "none");
  fake_resolver_set_broken (FALSE);
  publish ("1", NULL);
  fake_resolver_add_text (TXT, "v=STSv1; id=2;");
  assert_policy (f, "none"); /* two */
  g_assert_cmpuint (fake_web_count (), ==, 0);
}

static void
test_kept (Fixture *f, gconstpointer data)
{
  publish ("1", FIRST);
  assert_policy (f, FIRST);
  assert_policy (f, FIRST);
  g_assert_cmpuint (fake_web_count (), ==, 1);
  g_assert_cmpuint (fake_resolver_count_texts (), ==, 2); /* the id is looked at each time */

  /* Whoever stands in between cannot hide it (RFC 8461 §10.2). */
  fake_resolver_remove_texts (TXT);
  assert_policy (f, FIRST);
  fake_resolver_set_broken (TRUE);
  assert_policy (f, FIRST);
  fake_resolver_set_broken (FALSE);
  reopen (f);
  assert_policy (f, FIRST);
  g_assert_cmpuint (fake_web_count (), ==, 1);
}

static void
test_changed (Fixture *f, gconstpointer data)
{
  publish ("1", FIRST);
  assert_policy (f, FIRST);
  publish ("2", SECOND);
  assert_policy (f, SECOND);
  assert_policy (f, SECOND);
  g_assert_cmpuint (fake_web_count (), ==, 2);
  reopen (f);
  assert_policy (f, SECOND);
  g_assert_cmpuint (count_values (f), ==, 1);
}

/* What cannot be fetched changes nothing, and is not tried again for a while (§3.3). */
static void
test_failure (Fixture *f, gconstpointer data)
{
  publish ("1", NULL);
  assert_policy (f, "! no connection");
  assert_policy (f, "! no connection");
  g_assert_cmpuint (fake_web_count (), ==, 1);
  publish ("2", NULL); /* another policy, another try */
  assert_policy (f, "! no connection");
  g_assert_cmpuint (fake_web_count (), ==, 2);
  fake_web_add (URL, 200, "text/plain", FIRST);
  assert_policy (f, "! no connection");
  pr_sts_forget_failures (f->sts);
  assert_policy (f, FIRST);

  publish ("3", "garbage");
  assert_policy (f, FIRST);
  assert_policy (f, FIRST);
  g_assert_cmpuint (fake_web_count (), ==, 4);
  publish ("4", SECOND);
  assert_policy (f, SECOND);
}

static void
test_no_module (Fixture *f, gconstpointer data)
{
  publish ("1", NULL);
  fake_web_fail (URL, PR_ERROR_UNSUPPORTED, "the part postroom-web is not installed");
  assert_policy (f, "! not installed");
  publish ("2", NULL);
  assert_policy (f, "! not installed");
}

/* It holds for what waited for it, and then no more. */
static void
test_ends (Fixture *f, gconstpointer data)
{
  publish ("1", POLICY ("enforce", "0", "one.d.example"));
  assert_policy (f, POLICY ("enforce", "0", "one.d.example"));
  fake_resolver_remove_texts (TXT);
  assert_policy (f, "none");
  g_assert_cmpuint (count_values (f), ==, 0);

  put_value (f, "d.example", 86399, 1, "1\n" FIRST);
  reopen (f);
  for (gint64 deadline = world_begin_wait ();; world_turn (f->world, deadline, "its end"))
    {
      g_autofree char *text = ask (f, "d.example");

      if (strcmp (text, "none") == 0)
        break;
      g_assert_cmpstr (text, ==, FIRST);
    }
  g_assert_cmpuint (count_values (f), ==, 0);
}

/* Fetched anew behind the answer: after a day, or when half of its life is over. */
static void
test_refreshed (Fixture *f, gconstpointer data)
{
  put_value (f, "d.example", 43300, 43100, "1\n" FIRST);
  publish ("1", POLICY ("enforce", "86400", "new.d.example"));
  assert_policy (f, FIRST);
  world_wait (f->world, fake_web_count () == 1 && fake_web_count_open () == 0, "the new one");
  assert_policy (f, POLICY ("enforce", "86400", "new.d.example"));
  g_assert_cmpuint (fake_web_count (), ==, 1);

  /* And where that fails, the old one holds. */
  put_value (f, "d.example", 43300, 43100, "1\n" FIRST);
  reopen (f);
  fake_web_add (URL, 500, "text/plain", "");
  assert_policy (f, FIRST);
  world_wait (f->world, fake_web_count () == 2 && fake_web_count_open () == 0, "the failure");
  assert_policy (f, FIRST);
  g_assert_cmpuint (fake_web_count (), ==, 2);
}

/* Without any mail: what is used and old; not what is fresh, or of no use. */
static void
test_round (Fixture *f, gconstpointer data)
{
  fake_resolver_add_text ("_mta-sts.fresh.example", "v=STSv1; id=1");
  fake_resolver_add_text ("_mta-sts.unused.example", "v=STSv1; id=1");
  put_value (f, "d.example", 43300, 43100, "1\n" FIRST);
  put_value (f, "fresh.example", 100, 86300, "1\n" FIRST);
  put_value (f, "unused.example", 31 * 86400, 86400,
             "1\n" POLICY ("enforce", "31557600", "one.d.example"));
  put_value (f, "ended.example", 86401, -1, "1\n" FIRST);
  publish ("1", SECOND);
  pr_sts_set_times (f->sts, PATIENCE_MS, 1);
  pr_sts_start (f->sts);
  pr_sts_start (f->sts);
  world_wait (f->world, fake_web_count () == 1 && fake_web_count_open () == 0, "the round");
  assert_policy (f, SECOND);
  g_assert_cmpuint (fake_web_count (), ==, 1);
  g_assert_cmpuint (count_values (f), ==, 3);
}

/* The clock was wrong, or somebody wrote into the database: nothing of it holds. */
static void
test_damaged (Fixture *f, gconstpointer data)
{
  put_value (f, "d.example", 0, 86500, "1\n" FIRST); /* for longer than it said */
  put_value (f, "a.example", 0, 100, "1\nversion: STSv1\n");
  put_value (f, "b.example", 0, 100, "");
  pr_store_set_value (f->world->store, "sts/", "", NULL, NULL);
  pr_store_set_value (f->world->store, "sts/c.example", "x y z a\n" FIRST, NULL, NULL);
  assert_policy (f, "none");
  g_assert_cmpuint (count_values (f), ==, 0);
}

static void
test_bound (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.example", i);

      put_value (f, domain, 100 + i, 86000, "1\n" FIRST);
    }
  publish ("1", SECOND);
  assert_policy (f, SECOND);
  g_assert_cmpuint (count_values (f), ==, 1000);
  for (guint i = 0; i < 20; i++) /* what is not kept takes nobody's place for long */
    {
      g_autofree char *domain = g_strdup_printf ("new%u.example", i);
      g_autofree char *text = ask (f, domain);

      g_assert_cmpstr (text, ==, "none");
    }
  g_assert_cmpuint (count_values (f), >=, 980);
  assert_policy (f, SECOND);
}

/* Many who ask at once, one question and one request. */
static void
test_shared (Fixture *f, gconstpointer data)
{
  Heard heard[20] = { 0 };

  publish ("1", FIRST);
  for (guint i = 0; i < 20; i++)
    {
      heard[i].f = f;
      pr_sts_ask (f->sts, "d.example", "/etc/ca.pem", on_policy, &heard[i]);
    }
  for (guint i = 0; i < 20; i++)
    {
      world_wait (f->world, heard[i].n_told == 1, "all of them");
      g_assert_cmpstr (heard[i].text, ==, FIRST);
      g_free (heard[i].text);
    }
  g_assert_cmpuint (fake_resolver_count_texts (), ==, 1);
  g_assert_cmpuint (fake_web_count (), ==, 1);
  g_assert_cmpstr (fake_web_get_ca_file (), ==, "/etc/ca.pem");
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  Heard first = { .f = f, .again = TRUE }, second = { .f = f };
  guint token;

  publish ("1", FIRST);
  token = pr_sts_ask (f->sts, "d.example", NULL, on_policy, &second);
  pr_sts_cancel (f->sts, token); /* before what is kept was read */
  pr_sts_cancel (f->sts, token);
  pr_sts_ask (f->sts, "d.example", NULL, on_policy, &first);
  first.cancel = pr_sts_ask (f->sts, "d.example", NULL, on_policy, &second);
  world_wait (f->world, first.n_told == 2, "an answer, and another");
  g_assert_cmpuint (second.n_told, ==, 0);
  g_free (first.text);
}

/* A server that never answers: who asks is not kept for ever, and nobody else is held up. */
static void
test_impatient (Fixture *f, gconstpointer data)
{
  fake_web_mute (URL);
  publish ("1", NULL);
  pr_sts_start (f->sts);
  count_values (f); /* by now it is loaded */
  assert_policy (f, "! in time");
  world_wait (f->world, fake_web_count_open () == 1, "the request");
  pr_sts_set_times (f->sts, PATIENCE_MS, PATIENCE_MS);
  fake_resolver_add_text ("_mta-sts.e.example", "v=STSv1; id=1");
  fake_web_add ("https://mta-sts.e.example/.well-known/mta-sts.txt", 200, "text/plain", FIRST);
  {
    g_autofree char *text = ask (f, "e.example");

    g_assert_cmpstr (text, ==, FIRST);
  }
}

/* What could lead the address elsewhere is not looked up on the web. */
static void
test_odd_domain (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  fake_resolver_add_text ("_mta-sts.evil.example/x", "v=STSv1; id=1");
  text = ask (f, "evil.example/x");
  g_assert_cmpstr (text, ==, "none");
  g_assert_cmpuint (fake_web_count (), ==, 0);
}

static void
test_freed (Fixture *f, gconstpointer data)
{
  Heard heard = { .f = f };

  publish ("1", NULL);
  fake_web_mute (URL);
  pr_sts_start (f->sts);
  count_values (f);
  pr_sts_ask (f->sts, "e.example", NULL, on_policy, &heard);
  pr_sts_ask (f->sts, "d.example", NULL, on_policy, &heard);
  world_wait (f->world, fake_web_count_open () == 1, "the request");
  pr_sts_ask (f->sts, "f.example", NULL, on_policy, &heard);
  g_clear_pointer (&f->sts, pr_sts_free);
  g_assert_cmpuint (heard.n_told, ==, 1); /* of e.example, which has none */
  g_free (heard.text);
}

int
main (int argc, char *argv[])
{
#define TEST(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  TEST ("/sts/nothing", NULL, test_nothing);
  TEST ("/sts/kept", NULL, test_kept);
  TEST ("/sts/changed", NULL, test_changed);
  TEST ("/sts/failure", NULL, test_failure);
  TEST ("/sts/no-module", NULL, test_no_module);
  TEST ("/sts/ends", NULL, test_ends);
  TEST ("/sts/refreshed", NULL, test_refreshed);
  TEST ("/sts/round", NULL, test_round);
  TEST ("/sts/damaged", NULL, test_damaged);
  TEST ("/sts/bound", NULL, test_bound);
  TEST ("/sts/shared", NULL, test_shared);
  TEST ("/sts/cancel", NULL, test_cancel);
  TEST ("/sts/impatient", "impatient", test_impatient);
  TEST ("/sts/odd-domain", NULL, test_odd_domain);
  TEST ("/sts/freed", NULL, test_freed);
  return g_test_run ();
}
