/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/mx.h"

#include "relay/fake-dnssec.h"
#include "relay/fake-resolver.h"

typedef struct
{
  PrMx *mx;
  GString *text; /* "proven 10 a.example 20 b.example", "550 5.1.2", "distrusted 0 4.7.5" */
  gboolean told;
} Heard;

static void
on_mx (const PrMxAnswer *answer, gpointer user_data)
{
  Heard *heard = user_data;
  const PrReply *failure = answer->failure;

  heard->told = TRUE;
  g_assert_true ((answer->exchangers != NULL) != (failure != NULL));
  g_assert_false (answer->proven && answer->distrusted);
  if (answer->proven || answer->distrusted)
    g_string_append (heard->text, answer->proven ? "proven" : "distrusted");
  if (failure != NULL)
    g_string_append_printf (heard->text, " %u %u.%u.%u", failure->code, failure->status[0],
                            failure->status[1], failure->status[2]);
  for (guint i = 0; answer->exchangers != NULL && i < answer->exchangers->len; i++)
    {
      const PrExchanger *exchanger = &g_array_index (answer->exchangers, PrExchanger, i);

      g_string_append_printf (heard->text, " %u %s", exchanger->preference, exchanger->host);
    }
  g_clear_pointer (&heard->mx, pr_mx_free); /* from within */
}

static void
assert_mx (const char *domain, gboolean with_dnssec, const char *expected)
{
  GMainContext *context = g_main_context_new ();
  PrLoop *loop = pr_loop_new (context);
  PrResolver *resolver = pr_resolver_new (context);
  PrDnssec *dnssec = with_dnssec ? pr_dnssec_new (loop) : NULL;
  Heard heard = { .text = g_string_new (NULL) };

  heard.mx = pr_mx_new (resolver, dnssec, domain, on_mx, &heard);
  while (!heard.told)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpstr (g_strstrip (heard.text->str), ==, expected);

  heard.mx = pr_mx_new (resolver, dnssec, domain, on_mx, &heard); /* not waited for */
  pr_mx_free (heard.mx);
  if (with_dnssec)
    pr_dnssec_free (dnssec);
  pr_resolver_free (resolver);
  pr_loop_free (loop);
  g_main_context_unref (context);
  g_string_free (heard.text, TRUE);
}

static void
test_unproven (void)
{
  fake_resolver_add_domain ("d.example", "10 a.example 20 b.example");
  fake_resolver_add_domain ("null.example", "");
  assert_mx ("d.example", FALSE, "10 a.example 20 b.example");
  assert_mx ("d.example", TRUE, "10 a.example 20 b.example"); /* its zone signs nothing */
  assert_mx ("null.example", FALSE, "556 5.1.10");
  assert_mx ("none.example", FALSE, "550 5.1.2");
  fake_resolver_set_broken (TRUE);
  assert_mx ("d.example", FALSE, "0 4.4.3");
  fake_resolver_clear ();
}

static void
test_proven (void)
{
  fake_dnssec_add_exchangers ("d.example", PR_DNSSEC_SECURE, "20 b.example 10 a.example");
  fake_dnssec_add_exchangers ("null.example", PR_DNSSEC_SECURE, "0 .");
  fake_dnssec_add ("alone.example", PR_DNS_MX, PR_DNSSEC_SECURE, NULL, 0);
  fake_dnssec_add ("odd.example", PR_DNS_MX, PR_DNSSEC_SECURE, (const guint8 *) "\0\1", 2);
  fake_dnssec_deny ("none.example", PR_DNS_MX);
  assert_mx ("d.example", TRUE, "proven 10 a.example 20 b.example");
  assert_mx ("alone.example", TRUE, "proven 0 alone.example");
  assert_mx ("null.example", TRUE, "556 5.1.10");
  assert_mx ("odd.example", TRUE, "0 4.4.4");
  assert_mx ("none.example", TRUE, "550 5.1.2");
  fake_dnssec_clear ();
}

static void
test_distrusted (void)
{
  fake_resolver_add_domain ("d.example", "10 a.example");
  fake_dnssec_add_exchangers ("d.example", PR_DNSSEC_BOGUS, "10 a.example");
  assert_mx ("d.example", TRUE, "distrusted 0 4.7.5");
  fake_dnssec_clear ();
  fake_dnssec_add_exchangers ("d.example", PR_DNSSEC_FAILED, "10 a.example");
  assert_mx ("d.example", TRUE, "distrusted 0 4.7.5");
  fake_dnssec_clear ();
  fake_dnssec_add_exchangers ("d.example", PR_DNSSEC_UNAVAILABLE, "10 a.example");
  assert_mx ("d.example", TRUE, "10 a.example");
  fake_dnssec_clear ();
  fake_resolver_clear ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/mx/unproven", test_unproven);
  g_test_add_func ("/mx/proven", test_proven);
  g_test_add_func ("/mx/distrusted", test_distrusted);
  return g_test_run ();
}
