/* SPDX-License-Identifier: GPL-3.0-or-later */
/* REQUIRETLS (RFC 8689): where such a message goes, and what becomes of it where it may not. */
#include <string.h>

#include "pki.h"
#include "relay/world.h"

#define TEXT "Subject: secret plans\r\n\r\nAttack at dawn\r\n"

typedef struct
{
  World *world;
  FakeHop *hop;  /* of everybody */
  FakeHop *home; /* of the sender: verified, REQUIRETLS offered */
  Pair *authority;
  char *ca_file;
} Fixture;

static void
show (Fixture *f, FakeHop *hop, const PairOptions *options)
{
  g_autoptr (Pair) pair = pair_new (options);
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  fake_hop_set_tls (hop, tls, FALSE);
}

static void
show_right (Fixture *f, FakeHop *hop)
{
  show (f, hop, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority });
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->world = world_new ("[server]\nhostname=relay.test\n");
  f->hop = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  f->home = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  f->authority = pair_new (&(PairOptions){ .name = "Test authority", .is_authority = TRUE });
  f->ca_file = g_build_filename (f->world->home, "ca.pem", NULL);
  g_file_set_contents (f->ca_file, g_bytes_get_data (f->authority->certificate, NULL),
                       (gssize) g_bytes_get_size (f->authority->certificate), &error);
  g_assert_no_error (error);
  show_right (f, f->home);
  fake_hop_set_ehlo (f->home, "REQUIRETLS");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_hop_free (f->hop);
  fake_hop_free (f->home);
  pair_free (f->authority);
  g_free (f->ca_file);
  world_free (f->world);
}

/* @route: the lines of the route that leads to everybody. */
static void
start (Fixture *f, const char *route)
{
  g_autofree char *config =
    g_strdup_printf ("[server]\nhostname=relay.test\n"
                     "[route back]\nrecipients=*@a.example\nhosts=127.0.0.1:%u\nca-file=%s\n"
                     "[route out]\nca-file=%s\n%s\n",
                     fake_hop_get_port (f->home), f->ca_file, f->ca_file, route);

  world_set_config (f->world, config);
  pr_runner_start (f->world->runner);
}

static void
start_smarthost (Fixture *f, const char *keys)
{
  g_autofree char *route =
    g_strdup_printf ("hosts=127.0.0.1:%u\n%s", fake_hop_get_port (f->hop), keys);

  start (f, route);
}

static void
put (Fixture *f, gboolean requires_tls)
{
  PrEnvelope *envelope = pr_envelope_new ();

  envelope->sender = g_strdup ("me@a.example");
  envelope->requires_tls = requires_tls;
  pr_envelope_add_recipient (envelope, "you@b.example", PR_NOTIFY_UNSET, NULL);
  world_put_envelope (f->world, envelope, TEXT, 0);
}

static void
wait_all (Fixture *f)
{
  world_wait (f->world, world_count_messages (f->world) == 0, "all messages to leave");
}

static void
test_goes (Fixture *f, gconstpointer data)
{
  show_right (f, f->hop);
  fake_hop_set_ehlo (f->hop, "REQUIRETLS");
  start_smarthost (f, "");
  put (f, TRUE);
  wait_all (f);
  g_assert_cmpuint (fake_hop_count_mail (f->hop), ==, 1);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
  g_assert_cmpstr (fake_hop_get_mail (f->hop, 0)->sender, ==, "<me@a.example> REQUIRETLS");
  put (f, FALSE);
  wait_all (f);
  g_assert_cmpstr (fake_hop_get_mail (f->hop, 1)->sender, ==, "<me@a.example>");
}

/* The notice is under the same demand, and shows nothing of the text (§5). */
static void
assert_bounced (Fixture *f, const char *status, const char *words)
{
  const FakeMail *notice;

  wait_all (f);
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
  g_test_message ("%s", world_last_event (f->world, "failed"));
  g_assert_nonnull (strstr (world_last_event (f->world, "failed"), words));
  g_assert_cmpuint (fake_hop_count_mail (f->home), ==, 1);
  notice = fake_hop_get_mail (f->home, 0);
  g_assert_true (notice->secure);
  g_assert_nonnull (strstr (notice->sender, "<> "));
  g_assert_nonnull (strstr (notice->sender, " REQUIRETLS"));
  g_assert_nonnull (strstr (notice->text->str, status));
  g_assert_nonnull (strstr (notice->text->str, "secret plans"));
  g_assert_null (strstr (notice->text->str, "Attack at dawn"));
}

static void
test_not_offered (Fixture *f, gconstpointer data)
{
  show_right (f, f->hop);
  start_smarthost (f, "");
  put (f, TRUE);
  assert_bounced (f, "Status: 5.7.30", "does not promise");
}

static void
test_plain (Fixture *f, gconstpointer mode)
{
  fake_hop_set_ehlo (f->hop, "REQUIRETLS");
  start_smarthost (f, mode);
  put (f, TRUE);
  assert_bounced (f, "Status: 5.7.10", "offers no encryption");
}

static void
test_unverified (Fixture *f, gconstpointer data)
{
  show (f, f->hop, &(PairOptions){ .name = "somebody.else" });
  fake_hop_set_ehlo (f->hop, "REQUIRETLS");
  start_smarthost (f, "tls=opportunistic");
  put (f, TRUE);
  assert_bounced (f, "Status: 5.7.30", "cannot prove who it is");
}

/* Another server of the same route has what the preferred one lacks. */
static void
test_other_host (Fixture *f, gconstpointer data)
{
  g_autofree char *route = g_strdup_printf (
    "hosts=127.0.0.1:%u;127.0.0.1:%u", fake_hop_get_port (f->hop), fake_hop_get_port (f->home));

  show_right (f, f->hop);
  start (f, route);
  put (f, TRUE);
  wait_all (f);
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
  g_assert_cmpuint (fake_hop_count_mail (f->home), ==, 1);
  g_assert_cmpstr (fake_hop_get_mail (f->home, 0)->sender, ==, "<me@a.example> REQUIRETLS");
  g_assert_cmpuint (world_count_events (f->world, "failed"), ==, 0);
}

/* A mailbox on this machine is the end of the way. */
static void
test_lmtp (Fixture *f, gconstpointer data)
{
  g_autofree char *route = NULL;

  fake_hop_free (f->hop);
  f->hop = fake_hop_new (f->world->loop, "127.0.0.1", 0, TRUE);
  route = g_strdup_printf ("via=lmtp\nhosts=127.0.0.1:%u", fake_hop_get_port (f->hop));
  start (f, route);
  put (f, TRUE);
  wait_all (f);
  g_assert_cmpuint (fake_hop_count_mail (f->hop), ==, 1);
  g_assert_cmpuint (world_count_events (f->world, "failed"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  ADD ("/requiretls/goes", NULL, test_goes);
  ADD ("/requiretls/not-offered", NULL, test_not_offered);
  ADD ("/requiretls/plain", "tls=off", test_plain);
  ADD ("/requiretls/plain/opportunistic", "tls=opportunistic", test_plain);
  ADD ("/requiretls/unverified", NULL, test_unverified);
  ADD ("/requiretls/other-host", NULL, test_other_host);
  ADD ("/requiretls/lmtp", NULL, test_lmtp);
#undef ADD
  return g_test_run ();
}
