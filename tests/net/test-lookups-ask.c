/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What checks want, asked of a name server on this computer. */
#include "net/fake-dns.h"
#include "net/lookups-ask.h"
#include "wait.h"

typedef struct
{
  GMainContext *context;
  FakeDns *dns;
  PrResolver *resolver;
  PrLookups *lookups;
  PrLookupsAsk *ask;
  guint n_answered;
} Fixture;

static void
on_answered (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_answered++;
}

static void
settle (GMainContext *context)
{
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (context, FALSE);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static const guint8 text[] = { 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, 3, 2, 'h', 'i' };
  static const guint8 mx[] = { 0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 5, 0, 10, 1, 'a', 0 };

  g_autofree char *server = NULL;

  f->context = g_main_context_new ();
  f->dns = fake_dns_new (f->context);
  server = fake_dns_get_server (f->dns);
  fake_dns_add (f->dns, "full.example", 16, 0, text, sizeof text, 1);
  fake_dns_add (f->dns, "full.example", 15, 0, mx, sizeof mx, 1);
  fake_dns_add (f->dns, "empty.example", 1, 0, NULL, 0, 0);
  fake_dns_add (f->dns, "gone.example", 1, 3, NULL, 0, 0);
  fake_dns_add (f->dns, "broken.example", 1, 2, NULL, 0, 0);
  f->resolver = pr_resolver_new (f->context);
  pr_resolver_set_server (f->resolver, server);
  f->lookups = pr_lookups_new ();
  f->ask = pr_lookups_ask_new (f->lookups, f->resolver, on_answered, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->ask, pr_lookups_ask_free);
  pr_lookups_free (f->lookups);
  pr_resolver_free (f->resolver);
  fake_dns_free (f->dns);
  settle (f->context);
  g_main_context_unref (f->context);
}

static PrLookupStatus
status_of (Fixture *f, PrRecordKind kind, const char *name)
{
  const PrLookup *lookup = pr_lookups_find (f->lookups, kind, name);

  g_assert_nonnull (lookup);
  return lookup->status;
}

static void
test_all_at_once (Fixture *f, gconstpointer data)
{
  g_assert_false (pr_lookups_ask_wanted (f->ask));

  pr_lookups_find (f->lookups, PR_RECORD_TEXT, "full.example");
  pr_lookups_find (f->lookups, PR_RECORD_MX, "full.example");
  pr_lookups_find (f->lookups, PR_RECORD_IP4, "empty.example");
  pr_lookups_find (f->lookups, PR_RECORD_IP4, "gone.example");
  pr_lookups_find (f->lookups, PR_RECORD_IP4, "broken.example");
  g_assert_true (pr_lookups_ask_wanted (f->ask));
  g_assert_cmpuint (f->n_answered, ==, 0);
  wait_for (f->context, f->n_answered == 1, "the answers");

  g_assert_cmpuint (pr_lookups_count_missing (f->lookups), ==, 0);
  g_assert_cmpint (status_of (f, PR_RECORD_TEXT, "full.example"), ==, PR_LOOKUP_FOUND);
  g_assert_cmpint (status_of (f, PR_RECORD_MX, "full.example"), ==, PR_LOOKUP_FOUND);
  g_assert_cmpint (status_of (f, PR_RECORD_IP4, "empty.example"), ==, PR_LOOKUP_NONE);
  g_assert_cmpint (status_of (f, PR_RECORD_IP4, "gone.example"), ==, PR_LOOKUP_NONE);
  g_assert_cmpint (status_of (f, PR_RECORD_IP4, "broken.example"), ==, PR_LOOKUP_FAILED);

  pr_lookups_find (f->lookups, PR_RECORD_IP6, "gone.example");
  g_assert_true (pr_lookups_ask_wanted (f->ask));
  wait_for (f->context, f->n_answered == 2, "one more answer");
}

static void
test_freed_before (Fixture *f, gconstpointer data)
{
  pr_lookups_find (f->lookups, PR_RECORD_TEXT, "full.example");
  g_assert_true (pr_lookups_ask_wanted (f->ask));
  g_clear_pointer (&f->ask, pr_lookups_ask_free);
  wait_for (f->context, fake_dns_count (f->dns) == 1, "the question");
  settle (f->context);
  g_assert_cmpuint (f->n_answered, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/lookups-ask/all-at-once", Fixture, NULL, set_up, test_all_at_once, tear_down);
  g_test_add ("/lookups-ask/freed-before", Fixture, NULL, set_up, test_freed_before, tear_down);
  return g_test_run ();
}
