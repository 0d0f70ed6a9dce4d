/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inspection by itself; with a server around it in tests/server/test-guard.c. */
#include "guard/inspection.h"
#include "net/fake-dns.h"
#include "wait.h"

#include <string.h>

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  FakeDns *dns;
  PrResolver *resolver;
  PrConfig *config;
  PrIp client;
  PrVerdict verdict;
  guint n_done;
} Fixture;

static void
on_done (PrVerdict verdict, gpointer user_data)
{
  Fixture *f = user_data;

  f->verdict = verdict;
  f->n_done++;
}

static void
set_up (Fixture *f, gconstpointer text)
{
  g_autofree char *server = NULL;
  g_autoptr (GPtrArray) faults = NULL;

  f->context = g_main_context_new ();
  g_main_context_push_thread_default (f->context);
  f->loop = pr_loop_new (f->context);
  f->dns = fake_dns_new (f->context);
  f->resolver = pr_resolver_new (f->context);
  server = fake_dns_get_server (f->dns);
  pr_resolver_set_server (f->resolver, server);
  f->config = pr_config_parse (text, strlen (text), "test.conf", &faults);
  g_assert_true (pr_ip_parse ("192.0.2.5", &f->client));
}

static void
tear_down (Fixture *f, gconstpointer text)
{
  pr_config_unref (f->config);
  pr_resolver_free (f->resolver);
  fake_dns_free (f->dns);
  pr_loop_free (f->loop);
  g_main_context_pop_thread_default (f->context);
  g_main_context_unref (f->context);
}

static PrInspection *
make (Fixture *f)
{
  return pr_inspection_new (&(PrInspectionFacts){ .loop = f->loop,
                                                  .resolver = f->resolver,
                                                  .config = f->config,
                                                  .client = &f->client,
                                                  .hostname = "relay.example",
                                                  .sender = "a@ann.example" },
                            on_done, f);
}

static void
test_is_due (Fixture *f, gconstpointer text)
{
  g_autoptr (PrConfig) none = NULL;
  g_autoptr (GPtrArray) faults = NULL;
  const char *off = "[guard]\nhello=off\nreverse-name=off\nspf=off\ndkim=off\ndmarc=off\n";
  PrIp other;

  none = pr_config_parse (off, strlen (off), "test.conf", &faults);
  g_assert_true (pr_ip_parse ("192.0.3.5", &other));
  g_assert_false (pr_inspection_is_due (f->config, &f->client)); /* excused */
  g_assert_true (pr_inspection_is_due (f->config, &other));
  g_assert_false (pr_inspection_is_due (none, &other));
}

/* DNS says nothing at all; the message passes, and what is said of it is true. */
static void
test_nothing_known (Fixture *f, gconstpointer text)
{
  g_autoptr (PrInspection) inspection = make (f);
  g_autofree char *results = NULL;

  g_assert_cmpint (pr_inspection_begin (inspection).kind, ==, PR_VERDICT_PENDING);
  g_assert_cmpuint (f->n_done, ==, 0);
  wait_for (f->context, f->n_done == 1, "the first verdict");
  g_assert_cmpint (f->verdict.kind, ==, PR_VERDICT_ACCEPT);

  pr_inspection_take_header (inspection, "From: a@ann.example\r\n", 21);
  pr_inspection_take_body (inspection, "x\r\n", 3);
  g_assert_cmpint (pr_inspection_end (inspection).kind, ==, PR_VERDICT_PENDING);
  wait_for (f->context, f->n_done == 2, "the second verdict");
  g_assert_cmpint (f->verdict.kind, ==, PR_VERDICT_ACCEPT);
  g_assert_null (pr_inspection_get_hold (inspection));
  g_assert_nonnull (strstr (pr_inspection_get_words (inspection), "SPF temperror"));
  results = pr_inspection_format_results (inspection);
  g_assert_nonnull (strstr (results, "dmarc=temperror"));
}

static void
test_freed_while_asking (Fixture *f, gconstpointer text)
{
  PrInspection *inspection = make (f);

  g_assert_cmpint (pr_inspection_begin (inspection).kind, ==, PR_VERDICT_PENDING);
  pr_inspection_free (inspection);
  wait_for (f->context, fake_dns_count (f->dns) > 0, "a question");
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (f->context, FALSE);
  g_assert_cmpuint (f->n_done, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/inspection/is-due", Fixture, "[guard]\nexcused-networks=192.0.2.0/24\n", set_up,
              test_is_due, tear_down);
  g_test_add ("/inspection/nothing-known", Fixture, "", set_up, test_nothing_known, tear_down);
  g_test_add ("/inspection/freed-while-asking", Fixture, "", set_up, test_freed_while_asking,
              tear_down);
  return g_test_run ();
}
