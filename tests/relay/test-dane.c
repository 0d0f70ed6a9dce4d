/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DANE (RFC 7672): what is read from the DNS, and what becomes of mail. */
#include "relay/dane.h"

#include <string.h>

#include "pki.h"
#include "relay/fake-dnssec.h"
#include "relay/fake-resolver.h"
#include "relay/world.h"

#define HASH "0123456789abcdef0123456789abcdef"

/* ── What is read ─────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  gboolean told;
  GString *text; /* "verify BASE 3 1 1" */
} Heard;

static void
on_dane (const PrDaneAnswer *answer, gpointer user_data)
{
  static const char *const kinds[] = { "none", "encrypt", "verify", "broken" };
  Heard *heard = user_data;

  heard->told = TRUE;
  g_string_append_printf (heard->text, "%s %s", kinds[answer->kind], answer->base);
  for (guint i = 0; answer->records != NULL && i < answer->records->len; i++)
    {
      const PrTlsa *record = answer->records->pdata[i];

      g_string_append_printf (heard->text, " %u%u%u", record->usage, record->selector,
                              record->matching);
    }
  g_assert_cmpint (answer->kind == PR_DANE_BROKEN, ==, answer->why != NULL);
}

static void
add_tlsa (const char *name, PrDnssecTrust trust, guint usage, guint selector, guint matching,
          GBytes *data)
{
  g_autoptr (GByteArray) octets = g_byte_array_new ();
  guint8 head[3] = { (guint8) usage, (guint8) selector, (guint8) matching };
  gsize len;
  const guint8 *rest = g_bytes_get_data (data, &len);

  g_byte_array_append (octets, head, sizeof head);
  g_byte_array_append (octets, rest, (guint) len);
  fake_dnssec_add (name, PR_DNS_TLSA, trust, octets->data, octets->len);
}

static void
add_hash (const char *name, guint usage, guint selector, guint matching, gsize len)
{
  g_autoptr (GBytes) data = g_bytes_new (HASH HASH, len);

  add_tlsa (name, PR_DNSSEC_SECURE, usage, selector, matching, data);
}

static void
assert_dane (const char *expected)
{
  GMainContext *context = g_main_context_new ();
  PrLoop *loop = pr_loop_new (context);
  PrDnssec *dnssec = pr_dnssec_new (loop);
  Heard heard = { .text = g_string_new (NULL) };
  g_autoptr (PrDane) dane = pr_dane_new (dnssec, "mx.example", 25, on_dane, &heard);

  while (!heard.told)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpstr (heard.text->str, ==, expected);

  g_clear_pointer (&dane, pr_dane_free);
  dane = pr_dane_new (dnssec, "mx.example", 25, on_dane, &heard); /* not waited for */
  g_clear_pointer (&dane, pr_dane_free);
  pr_dnssec_free (dnssec);
  pr_loop_free (loop);
  g_main_context_unref (context);
  g_string_free (heard.text, TRUE);
  fake_dnssec_clear ();
}

#define OURS "_25._tcp.mx.example"

static void
test_records (void)
{
  assert_dane ("none mx.example"); /* its address is not proven */
  g_assert_cmpuint (fake_dnssec_count (), ==, 0);

  fake_dnssec_add_host ("mx.example", PR_DNSSEC_SECURE);
  fake_dnssec_deny (OURS, PR_DNS_TLSA);
  assert_dane ("none mx.example");

  fake_dnssec_add_host ("mx.example", PR_DNSSEC_SECURE);
  add_hash (OURS, 3, 1, 1, 32);
  add_hash (OURS, 2, 0, 2, 64);
  add_hash (OURS, 1, 1, 1, 32); /* PKIX: not for mail */
  add_hash (OURS, 3, 1, 1, 31); /* no hash of this kind is so short */
  add_hash (OURS, 3, 2, 1, 32);
  add_hash (OURS, 3, 1, 3, 32);
  fake_dnssec_add (OURS, PR_DNS_TLSA, PR_DNSSEC_SECURE, (const guint8 *) "\3\1", 2);
  assert_dane ("verify mx.example 311 202");

  fake_dnssec_add_host ("mx.example", PR_DNSSEC_SECURE);
  add_hash (OURS, 0, 1, 1, 32);
  assert_dane ("encrypt mx.example");

  /* What somebody else could have written */
  fake_dnssec_add_host ("mx.example", PR_DNSSEC_SECURE);
  fake_dnssec_add (OURS, PR_DNS_TLSA, PR_DNSSEC_INSECURE, (const guint8 *) "\3\1\1" HASH, 35);
  assert_dane ("none mx.example");
}

static void
test_faults (void)
{
  static const PrDnssecTrust faults[] = { PR_DNSSEC_BOGUS, PR_DNSSEC_FAILED };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      fake_dnssec_add_host ("mx.example", PR_DNSSEC_SECURE);
      fake_dnssec_add (OURS, PR_DNS_TLSA, faults[i], NULL, 0);
      assert_dane ("broken mx.example");
      fake_dnssec_add_host ("mx.example", faults[i]);
      assert_dane ("broken mx.example");
    }
  fake_dnssec_add_host ("mx.example", PR_DNSSEC_UNAVAILABLE);
  assert_dane ("none mx.example");
}

/* RFC 7672 §2.2.3 */
static void
test_aliases (void)
{
  fake_dnssec_add_alias ("mx.example", PR_DNS_A, "real.example");
  fake_dnssec_add_alias ("mx.example", PR_DNS_AAAA, "real.example");
  fake_dnssec_add_host ("real.example", PR_DNSSEC_SECURE);
  add_hash ("_25._tcp.real.example", 3, 1, 1, 32);
  add_hash (OURS, 3, 0, 1, 32);
  assert_dane ("verify real.example 311");

  fake_dnssec_add_alias ("mx.example", PR_DNS_A, "real.example");
  fake_dnssec_add_host ("real.example", PR_DNSSEC_SECURE);
  add_hash (OURS, 3, 0, 1, 32);
  assert_dane ("verify mx.example 301");

  /* The alias is proven, what it leads to is not: the name as it was given. */
  fake_dnssec_add_alias ("mx.example", PR_DNS_A, "real.example");
  fake_dnssec_add_host ("real.example", PR_DNSSEC_INSECURE);
  fake_dnssec_add ("mx.example", PR_DNS_CNAME, PR_DNSSEC_SECURE, (const guint8 *) "\1a\0", 3);
  add_hash ("_25._tcp.real.example", 3, 1, 1, 32);
  add_hash (OURS, 3, 0, 1, 32);
  assert_dane ("verify mx.example 301");

  fake_dnssec_add_alias ("mx.example", PR_DNS_A, "real.example");
  fake_dnssec_add_host ("real.example", PR_DNSSEC_INSECURE);
  add_hash ("_25._tcp.real.example", 3, 1, 1, 32);
  add_hash (OURS, 3, 0, 1, 32);
  assert_dane ("none mx.example");
}

/* ── Mail ─────────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  World *world;
  FakeHop *first, *second; /* mx1 and mx2 of b.example */
  Pair *authority, *pair;  /* what they show */
  char *tlsa[2];           /* the names of their records */
} Fixture;

#define CONFIG "[server]\nhostname=relay.test\n[route out]\nvia=mx\n%s\n[retry]\nschedule=1s\n"

static void
show (FakeHop *hop, const Pair *pair)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  fake_hop_set_tls (hop, tls, FALSE);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  guint16 port;

  f->world = world_new ("[server]\nhostname=relay.test\n");
  f->first = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  port = fake_hop_get_port (f->first);
  f->second = fake_hop_new (f->world->loop, "127.0.0.2", port, FALSE);
  f->world->runner->mx_port = port;
  f->authority = pair_new (&(PairOptions){ .name = "Nobody knows it", .is_authority = TRUE });
  f->pair = pair_new (&(PairOptions){ .name = "mx1.b.example", .issuer = f->authority });
  show (f->first, f->pair);
  show (f->second, f->pair);
  fake_resolver_add_domain ("b.example", "10 mx1.b.example 20 mx2.b.example");
  fake_resolver_add_host ("mx1.b.example", "127.0.0.1");
  fake_resolver_add_host ("mx2.b.example", "127.0.0.2");
  fake_dnssec_add_exchangers ("b.example", PR_DNSSEC_SECURE, "20 mx2.b.example 10 mx1.b.example");
  fake_dnssec_add_host ("mx1.b.example", PR_DNSSEC_SECURE);
  fake_dnssec_add_host ("mx2.b.example", PR_DNSSEC_SECURE);
  for (guint i = 0; i < 2; i++)
    f->tlsa[i] = g_strdup_printf ("_%u._tcp.mx%u.b.example", port, i + 1);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_hop_free (f->first);
  fake_hop_free (f->second);
  pair_free (f->authority);
  pair_free (f->pair);
  g_free (f->tlsa[0]);
  g_free (f->tlsa[1]);
  world_free (f->world);
  fake_dnssec_clear ();
  fake_resolver_clear ();
}

static void
put (Fixture *f, gboolean waives_tls, gboolean requires_tls)
{
  PrEnvelope *envelope = pr_envelope_new ();

  envelope->sender = g_strdup ("");
  envelope->waives_tls = waives_tls;
  envelope->requires_tls = requires_tls;
  pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_UNSET, NULL);
  world_put_envelope (f->world, envelope, "Subject: x\r\n\r\n", 0);
}

static void
start (Fixture *f, const char *keys)
{
  g_autofree char *config = g_strdup_printf (CONFIG, keys);

  world_set_config (f->world, config);
  pr_runner_start (f->world->runner);
}

static void
wait_mail (Fixture *f, FakeHop *hop, const char *words)
{
  world_wait (f->world, world_count_messages (f->world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), ==, 1);
  g_test_message ("%s", world_last_event (f->world, "delivered"));
  g_assert_nonnull (strstr (world_last_event (f->world, "delivered"), words));
}

static void
wait_failure (Fixture *f, const char *words)
{
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_test_message ("%s", world_last_event (f->world, "hop-failed"));
  g_assert_nonnull (strstr (world_last_event (f->world, "hop-failed"), words));
  g_assert_cmpuint (fake_hop_count (f->first, "MAIL"), ==, 0);
  g_assert_cmpuint (fake_hop_count (f->second, "MAIL"), ==, 0);
}

static void
add_record (Fixture *f, guint host, guint usage, guint selector, const Pair *pair)
{
  g_autoptr (GBytes) hash = pair_hash (pair, selector == 1);

  add_tlsa (f->tlsa[host], PR_DNSSEC_SECURE, usage, selector, 1, hash);
}

static void
test_end_entity (Fixture *f, gconstpointer data)
{
  add_record (f, 0, 3, 1, f->authority); /* the next one, before a rollover */
  add_record (f, 0, 3, 1, f->pair);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_mail (f, f->first, ", verified by DANE");
}

static void
show_chain (Fixture *f, const char *name)
{
  g_autoptr (Pair) pair = pair_new (&(PairOptions){ .name = name, .issuer = f->authority });
  g_autoptr (GBytes) chain = pair_chain (pair, f->authority);
  Pair shown = { chain, pair->key };

  show (f->first, &shown);
  show (f->second, &shown);
}

/* The exchanger's name, or the domain's: both are proven (RFC 7672 §3.2.2). */
static void
test_trust_anchor (Fixture *f, gconstpointer name)
{
  show_chain (f, name);
  add_record (f, 0, 2, 0, f->authority);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_mail (f, f->first, ", verified by DANE");
}

/* An authority vouches for many; only these count. */
static void
test_trust_anchor_of_another (Fixture *f, gconstpointer data)
{
  show_chain (f, "mx1.c.example");
  add_record (f, 0, 2, 0, f->authority);
  add_record (f, 1, 2, 0, f->authority);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_failure (f, "is not the one its DNS records (TLSA) name");
}

/* The other exchanger is what its record says. */
static void
test_wrong_certificate (Fixture *f, gconstpointer data)
{
  add_record (f, 0, 3, 1, f->authority);
  add_record (f, 1, 3, 1, f->pair);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_mail (f, f->second, ", verified by DANE");
  g_assert_cmpuint (fake_hop_count (f->first, "MAIL"), ==, 0);
}

static void
test_nobody_is_right (Fixture *f, gconstpointer data)
{
  add_record (f, 0, 3, 1, f->authority);
  add_record (f, 1, 3, 1, f->authority);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_failure (f, "is not the one its DNS records (TLSA) name");
  fake_dnssec_clear (); /* the domain mends its records */
  world_wait (f->world, world_count_messages (f->world) == 0, "the message to leave after all");
}

static void
test_no_tls (Fixture *f, gconstpointer data)
{
  fake_hop_answer (f->first, "STARTTLS", "454 4.7.0 Not now", -1);
  fake_hop_free (f->second);
  f->second = fake_hop_new (f->world->loop, "127.0.0.2", f->world->runner->mx_port, FALSE);
  add_record (f, 0, 3, 1, f->pair);
  add_record (f, 1, 3, 1, f->pair);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_failure (f, "DANE");
}

/* Records that nobody can use: encrypted, whoever it is, and never plain. */
static void
test_unusable (Fixture *f, gconstpointer data)
{
  add_record (f, 0, 1, 1, f->pair);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_mail (f, f->first, "(not verified: ");
}

static void
test_not_published (Fixture *f, gconstpointer data)
{
  start (f, "");
  put (f, FALSE, FALSE);
  wait_mail (f, f->first, "(not verified: ");
}

static void
test_bogus (Fixture *f, gconstpointer name)
{
  fake_dnssec_add ("b.example", PR_DNS_MX, PR_DNSSEC_BOGUS, NULL, 0);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_failure (f, "cannot be trusted");
}

static void
test_bogus_records (Fixture *f, gconstpointer name)
{
  fake_dnssec_add (f->tlsa[0], PR_DNS_TLSA, PR_DNSSEC_BOGUS, NULL, 0);
  fake_dnssec_add (f->tlsa[1], PR_DNS_TLSA, PR_DNSSEC_FAILED, NULL, 0);
  start (f, "");
  put (f, FALSE, FALSE);
  wait_failure (f, "cannot be had");
}

static void
test_switched_off (Fixture *f, gconstpointer name)
{
  add_record (f, 0, 3, 1, f->authority);
  start (f, "dane=no");
  put (f, FALSE, FALSE);
  wait_mail (f, f->first, "(not verified: ");
  g_assert_cmpuint (fake_dnssec_count (), ==, 0);
}

static void
test_absent (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *domain, *words;
  } absent[] = { { "gone.example", "no domain" }, { "null.example", "null MX" } };

  fake_dnssec_deny ("gone.example", PR_DNS_MX);
  fake_dnssec_add_exchangers ("null.example", PR_DNSSEC_SECURE, "0 .");
  start (f, "");
  for (guint i = 0; i < G_N_ELEMENTS (absent); i++)
    {
      g_autofree char *address = g_strconcat ("a@", absent[i].domain, NULL);

      world_put (f->world, "", address);
      world_wait (f->world, world_count_events (f->world, "failed") == i + 1, "the failure");
      g_assert_nonnull (strstr (world_last_event (f->world, "failed"), absent[i].words));
    }
}

/* "TLS-Required: No" goes where the other mail waits (RFC 8689 §3). */
static void
test_waiver (Fixture *f, gconstpointer trouble)
{
  if (g_strcmp0 (trouble, "bogus") == 0)
    fake_dnssec_add ("b.example", PR_DNS_MX, PR_DNSSEC_BOGUS, NULL, 0);
  add_record (f, 0, 3, 1, f->authority);
  add_record (f, 1, 3, 1, f->authority);
  put (f, FALSE, FALSE);
  put (f, TRUE, FALSE);
  start (f, "");
  world_wait (f->world, world_count_messages (f->world) == 1,
              "the message that waives it to leave");
  world_wait (f->world, world_count_events (f->world, "hop-failed") >= 1, "the other one to wait");
  g_assert_cmpuint (fake_hop_count_mail (f->first), ==, 1);
  g_assert_cmpuint (world_count_events (f->world, "delivered"), ==, 1);
}

/* DANE proves the host, and the host promises to go on so. */
static void
test_requiretls (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->first, "REQUIRETLS");
  add_record (f, 0, 3, 1, f->pair);
  start (f, "");
  put (f, FALSE, TRUE);
  wait_mail (f, f->first, ", verified by DANE");
  g_assert_cmpstr (fake_hop_get_mail (f->first, 0)->sender, ==, "<> REQUIRETLS");
}

/* A certificate alone does not: it may be the right one of the wrong host. */
static void
test_requiretls_unproven (Fixture *f, gconstpointer data)
{
  g_autofree char *ca_file = g_build_filename (f->world->home, "ca.pem", NULL);
  g_autofree char *keys = g_strconcat ("ca-file=", ca_file, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (ca_file, g_bytes_get_data (f->authority->certificate, NULL),
                       (gssize) g_bytes_get_size (f->authority->certificate), &error);
  g_assert_no_error (error);
  fake_dnssec_clear ();
  fake_resolver_add_domain ("b.example", "10 mx1.b.example");
  fake_hop_set_ehlo (f->first, "REQUIRETLS");
  start (f, keys);
  put (f, FALSE, TRUE);
  world_wait (f->world, world_count_events (f->world, "failed") == 1, "the message to fail");
  g_assert_nonnull (strstr (world_last_event (f->world, "failed"), "is not proven"));
  g_assert_cmpuint (fake_hop_count (f->first, "MAIL"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/dane/records", test_records);
  g_test_add_func ("/dane/faults", test_faults);
  g_test_add_func ("/dane/aliases", test_aliases);
#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  ADD ("/dane/end-entity", NULL, test_end_entity);
  ADD ("/dane/trust-anchor/host", "mx1.b.example", test_trust_anchor);
  ADD ("/dane/trust-anchor/domain", "b.example", test_trust_anchor);
  ADD ("/dane/trust-anchor/another", NULL, test_trust_anchor_of_another);
  ADD ("/dane/wrong-certificate", NULL, test_wrong_certificate);
  ADD ("/dane/nobody-is-right", NULL, test_nobody_is_right);
  ADD ("/dane/no-tls", NULL, test_no_tls);
  ADD ("/dane/unusable", NULL, test_unusable);
  ADD ("/dane/not-published", NULL, test_not_published);
  ADD ("/dane/bogus", NULL, test_bogus);
  ADD ("/dane/bogus-records", NULL, test_bogus_records);
  ADD ("/dane/switched-off", NULL, test_switched_off);
  ADD ("/dane/absent", NULL, test_absent);
  ADD ("/dane/waiver", NULL, test_waiver);
  ADD ("/dane/waiver/bogus", "bogus", test_waiver);
  ADD ("/dane/requiretls", NULL, test_requiretls);
  ADD ("/dane/requiretls/unproven", NULL, test_requiretls_unproven);
#undef ADD
  return g_test_run ();
}
