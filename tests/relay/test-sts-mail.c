/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MTA-STS (RFC 8461): what becomes of mail for a domain that has a policy. */
#include <string.h>

#include "pki.h"
#include "relay/fake-dnssec.h"
#include "relay/fake-resolver.h"
#include "relay/fake-web.h"
#include "relay/world.h"

#define URL "https://mta-sts.b.example/.well-known/mta-sts.txt"

typedef struct
{
  World *world;
  FakeHop *first, *second; /* mx1 and mx2 of b.example */
  Pair *authority;         /* trusted by ca-file */
  char *ca_file;
} Fixture;

/* NULL: it offers no encryption. */
static void
show (Fixture *f, FakeHop **hop, const char *address, const char *name)
{
  g_autoptr (Pair) pair = NULL;
  g_autoptr (PrTlsServer) tls = NULL;
  g_autoptr (GError) error = NULL;

  if (name == NULL)
    {
      fake_hop_free (*hop);
      *hop = fake_hop_new (f->world->loop, address, f->world->runner->mx_port, FALSE);
      return;
    }
  pair = pair_new (&(PairOptions){ .name = name, .issuer = f->authority });
  tls = pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);
  g_assert_no_error (error);
  fake_hop_set_tls (*hop, tls, FALSE);
}

static void
show_first (Fixture *f, const char *name)
{
  show (f, &f->first, "127.0.0.1", name);
}

static void
show_second (Fixture *f, const char *name)
{
  show (f, &f->second, "127.0.0.2", name);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->world = world_new ("[server]\nhostname=relay.test\n");
  f->first = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  f->world->runner->mx_port = fake_hop_get_port (f->first);
  f->second = fake_hop_new (f->world->loop, "127.0.0.2", f->world->runner->mx_port, FALSE);
  f->authority = pair_new (&(PairOptions){ .name = "Test authority", .is_authority = TRUE });
  f->ca_file = g_build_filename (f->world->home, "ca.pem", NULL);
  g_file_set_contents (f->ca_file, g_bytes_get_data (f->authority->certificate, NULL),
                       (gssize) g_bytes_get_size (f->authority->certificate), &error);
  g_assert_no_error (error);
  show_first (f, "mx1.b.example");
  show_second (f, "mx2.b.example");
  fake_resolver_add_domain ("b.example", "10 mx1.b.example 20 mx2.b.example");
  fake_resolver_add_host ("mx1.b.example", "127.0.0.1");
  fake_resolver_add_host ("mx2.b.example", "127.0.0.2");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_hop_free (f->first);
  fake_hop_free (f->second);
  pair_free (f->authority);
  g_free (f->ca_file);
  world_free (f->world);
  fake_web_clear ();
  fake_dnssec_clear ();
}

static void
publish (const char *id, const char *mode, const char *mx)
{
  g_autofree char *record = g_strdup_printf ("v=STSv1; id=%s", id);
  g_autofree char *policy =
    g_strdup_printf ("version: STSv1\nmode: %s\nmax_age: 86400\nmx: %s\n", mode, mx);

  fake_resolver_remove_texts ("_mta-sts.b.example");
  fake_resolver_add_text ("_mta-sts.b.example", record);
  fake_web_add (URL, 200, "text/plain", policy);
}

static void
start (Fixture *f, const char *keys)
{
  g_autofree char *config =
    g_strdup_printf ("[server]\nhostname=relay.test\n[route out]\nvia=mx\nca-file=%s\n%s\n"
                     "[retry]\nschedule=1s\n",
                     f->ca_file, keys);

  world_set_config (f->world, config);
  pr_runner_start (f->world->runner);
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

static const char *
wait_mail (Fixture *f, FakeHop *hop)
{
  const char *event;

  world_wait (f->world, world_count_messages (f->world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (hop), >=, 1);
  event = world_last_event (f->world, "delivered");
  g_test_message ("%s", event);
  return event;
}

static void
assert_mail (Fixture *f, FakeHop *hop, const char *words)
{
  g_assert_nonnull (strstr (wait_mail (f, hop), words));
}

static void
assert_waits (Fixture *f, const char *words)
{
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_test_message ("%s", world_last_event (f->world, "hop-failed"));
  g_assert_nonnull (strstr (world_last_event (f->world, "hop-failed"), words));
  g_assert_cmpuint (fake_hop_count (f->first, "MAIL"), ==, 0);
  g_assert_cmpuint (fake_hop_count (f->second, "MAIL"), ==, 0);
}

/* ── enforce ──────────────────────────────────────────────────────────────────────────────── */

static void
test_right (Fixture *f, gconstpointer keys)
{
  publish ("1", "enforce", "*.b.example");
  start (f, keys);
  put (f, FALSE, FALSE);
  assert_mail (f, f->first, ", verified by MTA-STS policy");
  g_assert_true (fake_hop_get_mail (f->first, 0)->secure);
  g_assert_cmpstr (fake_web_get_ca_file (), ==, f->ca_file);
}

/* It is passed over, and its name never looked up. */
static void
test_not_named (Fixture *f, gconstpointer data)
{
  publish ("1", "enforce", "mx2.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->second, ", verified by MTA-STS policy");
  g_assert_cmpuint (fake_hop_count (f->first, "EHLO"), ==, 0);
}

static void
test_nobody_named (Fixture *f, gconstpointer data)
{
  publish ("1", "enforce", "mx.other.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_waits (f, "The policy of b.example (MTA-STS) names other servers than mx2.b.example");
  g_assert_cmpuint (fake_hop_count (f->first, "EHLO"), ==, 0);
  publish ("2", "enforce", "mx1.b.example"); /* the domain mends it */
  assert_mail (f, f->first, ", verified by MTA-STS policy");
}

static void
test_wrong_certificate (Fixture *f, gconstpointer data)
{
  show_first (f, "b.example"); /* the exchanger's name counts, not the domain's */
  publish ("1", "enforce", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->second, ", verified by MTA-STS policy");
  g_assert_cmpuint (fake_hop_count (f->first, "MAIL"), ==, 0);
}

static void
test_nobody_is_right (Fixture *f, gconstpointer data)
{
  show_first (f, "b.example");
  show_second (f, "mx1.b.example");
  publish ("1", "enforce", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_waits (f, "its domain's policy (MTA-STS) demands more");
}

static void
test_no_encryption (Fixture *f, gconstpointer data)
{
  show_first (f, NULL);
  show_second (f, NULL);
  publish ("1", "enforce", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_waits (f, "the policy of its domain demands it (MTA-STS)");
}

static void
test_handshake_fails (Fixture *f, gconstpointer data)
{
  fake_hop_answer (f->first, "STARTTLS", "454 4.7.0 Not now", -1);
  fake_hop_answer (f->second, "STARTTLS", "454 4.7.0 Not now", -1);
  publish ("1", "enforce", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_waits (f, "454");
}

/* TLS-Required: No (RFC 8689 §3): none of it counts for this message. */
static void
test_waived (Fixture *f, gconstpointer data)
{
  publish ("1", "enforce", "mx.other.example");
  start (f, "");
  put (f, TRUE, FALSE);
  g_assert_null (strstr (wait_mail (f, f->first), "MTA-STS"));
}

/* RFC 8689 §4.2.1: a policy proves the server as DNSSEC does. */
static void
test_requiretls (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->first, "REQUIRETLS");
  publish ("1", "enforce", "*.b.example");
  start (f, "");
  put (f, FALSE, TRUE);
  assert_mail (f, f->first, ", verified by MTA-STS policy");
}

static void
test_requiretls_testing (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->first, "REQUIRETLS");
  publish ("1", "testing", "*.b.example");
  start (f, "tls=required");
  put (f, FALSE, TRUE);
  world_wait (f->world, world_count_events (f->world, "failed") == 1, "the message to fail");
  g_assert_nonnull (strstr (world_last_event (f->world, "failed"), "is not proven to be a server"));
}

/* What DANE proves goes first, whatever the policy says (RFC 8461 §2). */
static void
test_dane_first (Fixture *f, gconstpointer data)
{
  g_autoptr (Pair) pair = pair_new (&(PairOptions){ .name = "nobody.example" });
  g_autoptr (GBytes) hash = pair_hash (pair, TRUE);
  g_autofree char *name = g_strdup_printf ("_%u._tcp.mx1.b.example", f->world->runner->mx_port);
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);
  guint8 record[35] = { 3, 1, 1 };

  g_assert_no_error (error);
  memcpy (record + 3, g_bytes_get_data (hash, NULL), 32);
  fake_hop_set_tls (f->first, tls, FALSE);
  fake_dnssec_add_exchangers ("b.example", PR_DNSSEC_SECURE, "10 mx1.b.example 20 mx2.b.example");
  fake_dnssec_add_host ("mx1.b.example", PR_DNSSEC_SECURE);
  fake_dnssec_add_host ("mx2.b.example", PR_DNSSEC_SECURE);
  fake_dnssec_add (name, PR_DNS_TLSA, PR_DNSSEC_SECURE, record, sizeof record);
  publish ("1", "enforce", "mx2.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->first, ", verified by DANE");
}

/* Proven, and without records: then the policy counts. */
static void
test_proven (Fixture *f, gconstpointer data)
{
  fake_dnssec_add_exchangers ("b.example", PR_DNSSEC_SECURE, "10 mx1.b.example 20 mx2.b.example");
  fake_dnssec_add_host ("mx1.b.example", PR_DNSSEC_SECURE);
  fake_dnssec_add_host ("mx2.b.example", PR_DNSSEC_SECURE);
  publish ("1", "enforce", "mx2.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->second, ", verified by MTA-STS policy");
}

/* ── Nothing is demanded ──────────────────────────────────────────────────────────────────── */

static void
test_testing (Fixture *f, gconstpointer data)
{
  publish ("1", "testing", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  g_assert_null (strstr (wait_mail (f, f->first), "MTA-STS")); /* nothing would have been refused */
}

static void
test_testing_not_named (Fixture *f, gconstpointer data)
{
  publish ("1", "testing", "mx.other.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->first, "being tested, would refuse this: it names other servers");
}

static void
test_testing_wrong_certificate (Fixture *f, gconstpointer data)
{
  show_first (f, "other.example");
  publish ("1", "testing", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->first, "would refuse this: it demands a certificate that can be verified");
}

static void
test_testing_plain (Fixture *f, gconstpointer data)
{
  show_first (f, NULL);
  publish ("1", "testing", "*.b.example");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->first,
               "none; the MTA-STS policy of its domain, which is being tested, would "
               "refuse this: it demands encryption");
}

static void
test_none (Fixture *f, gconstpointer data)
{
  publish ("1", "none", "mx.other.example");
  show_first (f, "other.example");
  start (f, "");
  put (f, FALSE, FALSE);
  g_assert_null (strstr (wait_mail (f, f->first), "MTA-STS"));
}

static void
test_no_policy (Fixture *f, gconstpointer data)
{
  show_first (f, NULL);
  start (f, "");
  put (f, FALSE, FALSE);
  g_assert_null (strstr (wait_mail (f, f->first), "|"));
  g_assert_cmpuint (fake_web_count (), ==, 0);
}

static void
test_lack (Fixture *f, gconstpointer data)
{
  publish ("1", "enforce", "mx.other.example");
  fake_web_add (URL, 404, "text/plain", "");
  start (f, "");
  put (f, FALSE, FALSE);
  assert_mail (f, f->first, "policy of its domain cannot be had: the server answered 404");
}

static void
test_switched_off (Fixture *f, gconstpointer keys)
{
  publish ("1", "enforce", "mx.other.example");
  start (f, keys);
  put (f, FALSE, FALSE);
  wait_mail (f, f->first);
  g_assert_cmpuint (fake_resolver_count_texts (), ==, 0);
}

/* No such domain, while its policy is looked for. */
static void
test_no_domain (Fixture *f, gconstpointer data)
{
  PrEnvelope *envelope = pr_envelope_new ();

  fake_resolver_add_text ("_mta-sts.gone.example", "v=STSv1; id=1");
  fake_web_mute ("https://mta-sts.gone.example/.well-known/mta-sts.txt");
  start (f, "");
  envelope->sender = g_strdup ("");
  pr_envelope_add_recipient (envelope, "you@gone.example", PR_NOTIFY_UNSET, NULL);
  world_put_envelope (f->world, envelope, "Subject: x\r\n\r\n", 0);
  world_wait (f->world, world_count_events (f->world, "failed") == 1, "the message to fail");
  g_assert_nonnull (strstr (world_last_event (f->world, "failed"), "no domain of this name"));
}

/* A policy server that never answers holds up nobody else's mail. */
static void
test_others_go_on (Fixture *f, gconstpointer data)
{
  fake_resolver_add_text ("_mta-sts.slow.example", "v=STSv1; id=1");
  fake_resolver_add_domain ("slow.example", "10 mx1.b.example");
  fake_web_mute ("https://mta-sts.slow.example/.well-known/mta-sts.txt");
  publish ("1", "enforce", "*.b.example");
  start (f, "");
  world_put (f->world, "", "you@slow.example");
  world_wait (f->world, fake_web_count_open () == 1, "the slow server to be asked");
  put (f, FALSE, FALSE);
  world_wait (f->world, world_count_messages (f->world) == 1, "the other message to leave");
  g_assert_cmpuint (fake_hop_count_mail (f->first), ==, 1);
}

int
main (int argc, char *argv[])
{
#define TEST(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  TEST ("/sts-mail/right", "", test_right);
  TEST ("/sts-mail/right-required", "tls=required", test_right);
  TEST ("/sts-mail/not-named", NULL, test_not_named);
  TEST ("/sts-mail/nobody-named", NULL, test_nobody_named);
  TEST ("/sts-mail/wrong-certificate", NULL, test_wrong_certificate);
  TEST ("/sts-mail/nobody-is-right", NULL, test_nobody_is_right);
  TEST ("/sts-mail/no-encryption", NULL, test_no_encryption);
  TEST ("/sts-mail/handshake-fails", NULL, test_handshake_fails);
  TEST ("/sts-mail/waived", NULL, test_waived);
  TEST ("/sts-mail/requiretls", NULL, test_requiretls);
  TEST ("/sts-mail/requiretls-testing", NULL, test_requiretls_testing);
  TEST ("/sts-mail/dane-first", NULL, test_dane_first);
  TEST ("/sts-mail/proven", NULL, test_proven);
  TEST ("/sts-mail/testing", NULL, test_testing);
  TEST ("/sts-mail/testing-not-named", NULL, test_testing_not_named);
  TEST ("/sts-mail/testing-wrong-certificate", NULL, test_testing_wrong_certificate);
  TEST ("/sts-mail/testing-plain", NULL, test_testing_plain);
  TEST ("/sts-mail/none", NULL, test_none);
  TEST ("/sts-mail/no-policy", NULL, test_no_policy);
  TEST ("/sts-mail/lack", NULL, test_lack);
  TEST ("/sts-mail/switched-off", "mta-sts=false", test_switched_off);
  TEST ("/sts-mail/switched-off-tls", "tls=off", test_switched_off);
  TEST ("/sts-mail/no-domain", NULL, test_no_domain);
  TEST ("/sts-mail/others-go-on", NULL, test_others_go_on);
  return g_test_run ();
}
