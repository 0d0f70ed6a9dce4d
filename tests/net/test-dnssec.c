/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The validator against a signed zone, recorded; and what becomes of questions that meet trouble.
 */
#include "net/dnssec.h"

#include <string.h>

#include "common/module.h"
#include "net/fake-dns.h"
#include "wait.h"

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  FakeDns *dns;
  PrDnssec *dnssec;
  char *server, *anchor;

  guint n_answers;
  PrDnssecTrust trust; /* of the last answer */
  gboolean exists;
  GPtrArray *records;
  char *canonical, *why;
  gboolean free_inside;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "..", "app", NULL);

  pr_module_set_folder (modules);
  f->context = g_main_context_new ();
  f->loop = pr_loop_new (f->context);
  f->dns = fake_dns_new (f->context);
  f->server = fake_dns_get_server (f->dns);
  f->anchor = g_test_build_filename (G_TEST_DIST, "data", "dnssec.ds", NULL);
  f->dnssec = pr_dnssec_new (f->loop);
  pr_dnssec_set_server (f->dnssec, f->server);
  pr_dnssec_set_anchor (f->dnssec, f->anchor);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_dnssec_free (f->dnssec);
  fake_dns_free (f->dns);
  pr_loop_free (f->loop);
  g_main_context_unref (f->context);
  g_clear_pointer (&f->records, g_ptr_array_unref);
  g_free (f->canonical);
  g_free (f->why);
  g_free (f->server);
  g_free (f->anchor);
}

static void
on_answer (const PrDnssecAnswer *answer, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_answers++;
  f->trust = answer->trust;
  f->exists = answer->exists;
  g_clear_pointer (&f->records, g_ptr_array_unref);
  f->records = g_ptr_array_ref (answer->records);
  g_free (f->canonical);
  f->canonical = g_strdup (answer->canonical);
  g_free (f->why);
  f->why = g_strdup (answer->why);
  if (f->free_inside)
    g_clear_pointer (&f->dnssec, pr_dnssec_free);
}

static void
ask (Fixture *f, const char *name, guint16 type)
{
  guint before = f->n_answers;

  g_assert_cmpuint (pr_dnssec_ask (f->dnssec, name, type, on_answer, f), !=, 0);
  wait_for (f->context, f->n_answers > before, "an answer of the name server");
  g_test_message ("%s %u: %d %s %s", name, type, f->trust, f->canonical, f->why);
}

/* ── Trust ────────────────────────────────────────────────────────────────────────────────── */

static void
test_secure (Fixture *f, gconstpointer data)
{
  const guint8 *octets;
  gsize len;
  g_autofree char *host = NULL;

  ask (f, "signed.test", PR_DNS_MX);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
  g_assert_true (f->exists);
  g_assert_cmpuint (f->records->len, ==, 2);
  g_assert_cmpstr (f->canonical, ==, "signed.test");
  octets = g_bytes_get_data (f->records->pdata[0], &len);
  host = pr_dns_read_name (octets + 2, len - 2);
  g_assert_true (g_str_has_suffix (host, ".signed.test"));

  ask (f, "_25._tcp.mx.signed.test", PR_DNS_TLSA);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
  g_assert_cmpuint (f->records->len, ==, 1);
  octets = g_bytes_get_data (f->records->pdata[0], &len);
  g_assert_cmpuint (len, ==, 3 + 32);
  g_assert_cmpuint (octets[0], ==, 3);
  g_assert_cmphex (octets[3], ==, 0xaa);
}

/* That there is nothing is proven, too. */
static void
test_denial (Fixture *f, gconstpointer data)
{
  ask (f, "nothing.test", PR_DNS_MX);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
  g_assert_false (f->exists);
  ask (f, "_25._tcp.mx2.signed.test", PR_DNS_TLSA);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
  g_assert_false (f->exists);
  ask (f, "signed.test", PR_DNS_TLSA);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
  g_assert_true (f->exists);
  g_assert_cmpuint (f->records->len, ==, 0);
}

static void
test_alias (Fixture *f, gconstpointer data)
{
  ask (f, "alias.test", PR_DNS_A);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
  g_assert_cmpuint (f->records->len, ==, 1);
  g_assert_cmpstr (f->canonical, ==, "mx.signed.test");
}

static void
test_insecure (Fixture *f, gconstpointer data)
{
  ask (f, "plain.test", PR_DNS_MX);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_INSECURE);
  g_assert_cmpuint (f->records->len, ==, 1);
}

static void
test_bogus (Fixture *f, gconstpointer data)
{
  ask (f, "broken.test", PR_DNS_A);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_BOGUS);
  g_assert_cmpuint (f->records->len, ==, 0);
  g_assert_nonnull (f->why);
}

/* ── Trouble ──────────────────────────────────────────────────────────────────────────────── */

static void
test_no_answer (Fixture *f, gconstpointer data)
{
  ask (f, "refused.example", PR_DNS_A);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_FAILED);
  g_assert_nonnull (f->why);
  ask (f, "", PR_DNS_A);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_FAILED);
}

static void
test_anchor_is_missing (Fixture *f, gconstpointer data)
{
  pr_dnssec_set_anchor (f->dnssec, "/nonexistent/anchor");
  ask (f, "signed.test", PR_DNS_MX);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_FAILED);
  g_assert_nonnull (strstr (f->why, "/nonexistent/anchor"));
  pr_dnssec_set_anchor (f->dnssec, f->anchor);
  ask (f, "signed.test", PR_DNS_MX);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
}

/* A name server that shows no signature for the root cannot prove anything. */
static void
test_stripped (Fixture *f, gconstpointer data)
{
  guint n_questions;

  pr_dnssec_set_anchor (f->dnssec, NULL);
  ask (f, "signed.test", PR_DNS_MX);
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_UNAVAILABLE);
  n_questions = fake_dns_count (f->dns);
  ask (f, "signed.test", PR_DNS_MX); /* remembered */
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_UNAVAILABLE);
  g_assert_cmpuint (fake_dns_count (f->dns), ==, n_questions);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  guint first = pr_dnssec_ask (f->dnssec, "signed.test", PR_DNS_MX, on_answer, f);
  guint second = pr_dnssec_ask (f->dnssec, "alias.test", PR_DNS_A, on_answer, f);

  g_assert_cmpuint (first, !=, second);
  pr_dnssec_cancel (f->dnssec, first);
  pr_dnssec_cancel (f->dnssec, first);
  wait_for (f->context, f->n_answers == 1, "the other answer");
  g_assert_cmpstr (f->canonical, ==, "mx.signed.test");
  ask (f, "signed.test", PR_DNS_MX);
  g_assert_cmpuint (f->n_answers, ==, 2);
}

/* What is under way is asked of the new network's name server. */
static void
test_forget (Fixture *f, gconstpointer data)
{
  fake_dns_set_mute (f->dns, TRUE);
  pr_dnssec_ask (f->dnssec, "signed.test", PR_DNS_MX, on_answer, f);
  wait_for (f->context, fake_dns_count (f->dns) > 0, "the question");
  fake_dns_set_mute (f->dns, FALSE);
  pr_dnssec_forget (f->dnssec);
  wait_for (f->context, f->n_answers == 1, "an answer");
  g_assert_cmpint (f->trust, ==, PR_DNSSEC_SECURE);
}

static void
test_free (Fixture *f, gconstpointer data)
{
  pr_dnssec_ask (f->dnssec, "signed.test", PR_DNS_MX, on_answer, f);
  pr_dnssec_free (f->dnssec); /* while the worker reads */
  f->dnssec = pr_dnssec_new (f->loop);
  pr_dnssec_set_server (f->dnssec, f->server);
  pr_dnssec_set_anchor (f->dnssec, f->anchor);
  f->free_inside = TRUE;
  pr_dnssec_ask (f->dnssec, "alias.test", PR_DNS_A, on_answer, f);
  pr_dnssec_ask (f->dnssec, "alias.test", PR_DNS_A, on_answer, f);
  wait_for (f->context, f->n_answers == 1, "an answer");
  g_assert_null (f->dnssec);
  fake_dns_set_mute (f->dns, TRUE);
  f->dnssec = pr_dnssec_new (f->loop);
  pr_dnssec_set_server (f->dnssec, f->server);
  pr_dnssec_set_anchor (f->dnssec, f->anchor);
  pr_dnssec_ask (f->dnssec, "signed.test", PR_DNS_MX, on_answer, f);
  wait_for (f->context, fake_dns_count (f->dns) > 0, "the question");
}

/* ── Names ────────────────────────────────────────────────────────────────────────────────── */

static void
test_names (void)
{
  static const struct
  {
    const char *wire;
    gsize len;
    const char *name;
  } names[] = {
    { "\0", 1, "" },           { "\2MX\7example\0", 12, "mx.example" },
    { "\4_a-b\0", 6, "_a-b" }, { "", 0, NULL },
    { "\2mx", 3, NULL },       { "\2mx\7exam", 8, NULL },
    { "\3a.b\0", 5, NULL },    { "\3a b\0", 5, NULL },
    { "\300\14", 2, NULL },    { "\77", 1, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = pr_dns_read_name ((const guint8 *) names[i].wire, names[i].len);

      g_assert_cmpstr (name, ==, names[i].name);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/dnssec/secure", test_secure);
  ADD ("/dnssec/denial", test_denial);
  ADD ("/dnssec/alias", test_alias);
  ADD ("/dnssec/insecure", test_insecure);
  ADD ("/dnssec/bogus", test_bogus);
  ADD ("/dnssec/no-answer", test_no_answer);
  ADD ("/dnssec/anchor-is-missing", test_anchor_is_missing);
  ADD ("/dnssec/stripped", test_stripped);
  ADD ("/dnssec/cancel", test_cancel);
  ADD ("/dnssec/forget", test_forget);
  ADD ("/dnssec/free", test_free);
#undef ADD
  g_test_add_func ("/dnssec/names", test_names);
  return g_test_run ();
}
