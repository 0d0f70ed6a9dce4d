/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner and TLS: what each mode demands, what is told, and what is never sent in clear. */
#include <string.h>

#include "pki.h"
#include "relay/world.h"

#define DAY_S (24 * 60 * 60)

typedef struct
{
  World *world;
  FakeHop *hop;
  Pair *authority;
  char *ca_file;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->world = world_new ("[server]\nhostname=relay.test\n");
  f->hop = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  f->authority = pair_new (&(PairOptions){ .name = "Test authority", .is_authority = TRUE });
  f->ca_file = g_build_filename (f->world->home, "ca.pem", NULL);
  g_file_set_contents (f->ca_file, g_bytes_get_data (f->authority->certificate, NULL),
                       (gssize) g_bytes_get_size (f->authority->certificate), &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fake_hop_free (f->hop);
  pair_free (f->authority);
  g_free (f->ca_file);
  world_free (f->world);
}

static void
show (Fixture *f, const PairOptions *options, gboolean implicit)
{
  g_autoptr (Pair) pair = pair_new (options);
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  fake_hop_set_tls (f->hop, tls, implicit);
}

static void
start (Fixture *f, const char *tls)
{
  g_autofree char *config =
    g_strdup_printf ("[server]\nhostname=relay.test\n"
                     "[route out]\nvia=smarthost\nhosts=127.0.0.1:%u\nca-file=%s\n%s\n"
                     "[retry]\nschedule=1s;1s;2s\n",
                     fake_hop_get_port (f->hop), f->ca_file, tls);

  world_set_config (f->world, config);
  if (!f->world->runner->started)
    pr_runner_start (f->world->runner);
  world_put (f->world, "me@a.example", "you@b.example");
}

static void
wait_mail (Fixture *f)
{
  world_wait (f->world, world_count_messages (f->world) == 0, "the message to leave");
  g_assert_cmpuint (fake_hop_count_mail (f->hop), ==, 1);
}

/* ── What verifies ────────────────────────────────────────────────────────────────────────── */

static void
test_verified (Fixture *f, gconstpointer mode)
{
  show (f, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority },
        strstr (mode, "implicit") != NULL);
  start (f, mode);
  wait_mail (f);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
  g_assert_nonnull (strstr (world_last_event (f->world, "delivered"), " | TLS1.3 "));
  g_assert_null (strstr (world_last_event (f->world, "delivered"), "not verified"));
}

static void
test_sessions_are_resumed (Fixture *f, gconstpointer data)
{
  show (f, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority }, FALSE);
  start (f, "tls=required\nmax-messages-per-connection=1");
  world_wait (f->world, fake_hop_count_mail (f->hop) == 1, "the message to leave");
  world_wait (f->world, fake_hop_count_open (f->hop) == 0, "the connection to end");
  world_put (f->world, "me@a.example", "you@b.example");
  world_wait (f->world, fake_hop_count_mail (f->hop) == 2, "another one to leave");
  g_assert_cmpuint (fake_hop_count_resumed (f->hop), ==, 1);
}

/* ── What does not ────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PairOptions options;
  gboolean by_authority;
  const char *words;
} Fault;

static const Fault faults[] = {
  { { .name = "127.0.0.1" }, FALSE, "signed by itself" },
  { { .name = "other.example" }, TRUE, "but for: other.example" },
  { { .name = "127.0.0.1", .from_s = -2 * DAY_S, .until_s = -DAY_S }, TRUE, "expired" },
};

static void
test_fault_is_temporary (Fixture *f, gconstpointer data)
{
  const Fault *fault = data;
  PairOptions options = fault->options;

  options.issuer = fault->by_authority ? f->authority : NULL;
  show (f, &options, FALSE);
  start (f, "tls=required");
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_test_message ("%s", world_last_event (f->world, "hop-failed"));
  g_assert_nonnull (strstr (world_last_event (f->world, "hop-failed"), fault->words));
  world_idle (f->world, 1500);
  g_assert_cmpuint (world_count_messages (f->world), ==, 1);
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "failed"), ==, 0);
}

static void
test_required_is_never_plain (Fixture *f, gconstpointer data)
{
  start (f, "tls=required");
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_assert_nonnull (strstr (world_last_event (f->world, "hop-failed"), "STARTTLS"));
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
}

static void
test_required_is_refused (Fixture *f, gconstpointer data)
{
  show (f, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority }, FALSE);
  fake_hop_answer (f->hop, "STARTTLS", "454 4.7.0 Not now", 1);
  start (f, "tls=required");
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
  wait_mail (f);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
}

static void
test_missing_ca_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *elsewhere = g_strconcat (f->ca_file, ".away", NULL);

  show (f, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority }, FALSE);
  start (f, "tls=required\nmax-messages-per-connection=99");
  wait_mail (f);
  g_file_set_contents (f->ca_file, "no certificate", -1, &error);
  g_assert_no_error (error);
  start (f, "tls=required\nmax-messages-per-connection=98");
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_file_set_contents (f->ca_file, g_bytes_get_data (f->authority->certificate, NULL),
                       (gssize) g_bytes_get_size (f->authority->certificate), &error);
  g_assert_no_error (error);
  world_wait (f->world, world_count_messages (f->world) == 0, "the message to leave after all");
}

/* A person copies the fingerprint from the log: then this certificate is right, and no other. */
static void
test_pin (Fixture *f, gconstpointer data)
{
  g_autofree char *keys = NULL;
  const char *shown;

  show (f, &(PairOptions){ .name = "other.example" }, FALSE);
  start (f, "tls=required");
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  shown = strstr (world_last_event (f->world, "hop-failed"), "SHA256:");
  g_assert_nonnull (shown);
  keys = g_strdup_printf ("tls=required\npin=%.71s", shown);
  start (f, keys);
  world_wait (f->world, world_count_messages (f->world) == 0, "the messages to leave");
  g_assert_cmpuint (fake_hop_count_mail (f->hop), ==, 2);

  show (f, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority }, FALSE);
  world_wait (f->world, fake_hop_count_open (f->hop) == 0, "the connection to end");
  world_put (f->world, "me@a.example", "you@b.example");
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 2, "the hop to fail");
  g_assert_nonnull (strstr (world_last_event (f->world, "hop-failed"), "agreed to"));
}

/* ── Opportunistic ────────────────────────────────────────────────────────────────────────── */

static void
test_opportunistic_takes_any (Fixture *f, gconstpointer data)
{
  show (f, &(PairOptions){ .name = "somebody.else" }, FALSE);
  start (f, "tls=opportunistic");
  wait_mail (f);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
  g_assert_nonnull (strstr (world_last_event (f->world, "delivered"), "(not verified: "));
}

static void
test_opportunistic_without (Fixture *f, gconstpointer data)
{
  start (f, "tls=opportunistic");
  wait_mail (f);
  g_assert_null (strstr (world_last_event (f->world, "delivered"), " | "));
}

/* "220", and no handshake follows. */
static void
test_opportunistic_falls_back (Fixture *f, gconstpointer answer)
{
  show (f, &(PairOptions){ .name = "127.0.0.1", .issuer = f->authority }, FALSE);
  fake_hop_answer (f->hop, "STARTTLS", answer, -1);
  start (f, "tls=opportunistic\nreply-timeout=2s");
  wait_mail (f);
  g_assert_false (fake_hop_get_mail (f->hop, 0)->secure);
  g_assert_nonnull (
    strstr (world_last_event (f->world, "delivered"), " | none, because the handshake failed"));
  g_assert_cmpuint (fake_hop_count_connections (f->hop), ==, 2);
  g_assert_cmpuint (world_count_events (f->world, "hop-failed"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  ADD ("/secure/required", "tls=required", test_verified);
  ADD ("/secure/implicit", "tls=implicit", test_verified);
  ADD ("/secure/opportunistic/verified", "tls=opportunistic", test_opportunistic_takes_any);
  ADD ("/secure/resumed", NULL, test_sessions_are_resumed);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = g_strdup_printf ("/secure/fault/%u", i);

      ADD (path, &faults[i], test_fault_is_temporary);
    }
  ADD ("/secure/pin", NULL, test_pin);
  ADD ("/secure/never-plain", NULL, test_required_is_never_plain);
  ADD ("/secure/refused", NULL, test_required_is_refused);
  ADD ("/secure/ca-file", NULL, test_missing_ca_file);
  ADD ("/secure/opportunistic/none", NULL, test_opportunistic_without);
  ADD ("/secure/opportunistic/refused", "454 4.7.0 Not now", test_opportunistic_falls_back);
  ADD ("/secure/opportunistic/dropped", "DROP", test_opportunistic_falls_back);
  ADD ("/secure/opportunistic/mute", "MUTE", test_opportunistic_falls_back);
#undef ADD
  return g_test_run ();
}
