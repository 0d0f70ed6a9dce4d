/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner signs in: with what, over what, and what a refusal holds. */
#include <glib/gstdio.h>
#include <string.h>

#include "config/secrets.h"
#include "pki.h"
#include "signing.h"

typedef Signing Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  signing_set_up (f);
  fake_hop_set_ehlo (f->hop, "PIPELINING\nAUTH PLAIN LOGIN");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  signing_tear_down (f);
}

static void
set_password (Fixture *f, const char *password)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pr_secrets_set (f->credentials, "out", PR_SECRET_PASSWORD, password, &error));
  g_assert_no_error (error);
  pr_runner_renew_way (f->world->runner, "out");
}

/* The hop takes this password and no other. */
static void
accept_only (Fixture *f, const char *password)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *encoded = NULL;
  g_autofree char *command = NULL;

  g_string_append_c (text, '\0');
  g_string_append (text, "me@a.example");
  g_string_append_c (text, '\0');
  g_string_append (text, password);
  encoded = g_base64_encode ((const guchar *) text->str, text->len);
  command = g_strconcat ("AUTH PLAIN ", encoded, NULL);
  fake_hop_answer (f->hop, "AUTH", "535 5.7.8 Wrong password", -1);
  fake_hop_answer (f->hop, command, "235 2.7.0 Welcome", -1);
}

/* Held: still there, not tried again, nobody told. */
static void
assert_held (Fixture *f, guint n_tries)
{
  gint64 until = -1;

  world_idle (f->world, 1500);
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, n_tries);
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 1);
  g_assert_cmpuint (world_count_events (f->world, "deferred"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "hop-failed"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "bounced"), ==, 0);
  g_assert_nonnull (pr_runner_get_sign_in_need (f->world->runner, "out"));
  g_assert_nonnull (pr_runner_get_hop_failure (f->world->runner, "out", &until));
  g_assert_cmpint (until, ==, 0);
}

static void
test_accepted (Fixture *f, gconstpointer data)
{
  set_password (f, "right");
  accept_only (f, "right");
  signing_start (f, "tls=required");
  signing_put (f);
  signing_wait_sent (f);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
  g_assert_null (pr_runner_get_sign_in_need (f->world->runner, "out"));
}

static void
test_refused_holds (Fixture *f, gconstpointer reply)
{
  g_autoptr (PrMessage) message = NULL;
  gint64 id;

  set_password (f, "wrong");
  accept_only (f, "right");
  signing_start (f, "tls=required");
  signing_put (f);
  signing_wait_needed (f);
  assert_held (f, 1);
  g_assert_nonnull (strstr (world_last_event (f->world, "sign-in-needed"), "Wrong password"));
  id = world_put (f->world, "me@a.example", "late@b.example");
  assert_held (f, 1);
  message = world_get (f->world, id);
  g_assert_cmpuint (message->progress[0].attempts, ==, 0);

  set_password (f, "right");
  signing_wait_sent (f);
  g_assert_cmpuint (fake_hop_count_mail (f->hop), ==, 2);
  g_assert_null (pr_runner_get_sign_in_need (f->world->runner, "out"));
}

/* Older than give-up while it waits: held it stays. */
static void
test_held_does_not_expire (Fixture *f, gconstpointer data)
{
  set_password (f, "wrong");
  accept_only (f, "right");
  signing_start (f, "tls=required");
  world_put_aged (f->world, "me@a.example", "you@b.example", 30 * 24 * 3600);
  signing_wait_needed (f);
  assert_held (f, 1);
  g_assert_cmpuint (world_count_events (f->world, "failed"), ==, 0);
  set_password (f, "right");
  signing_wait_sent (f);
  g_assert_cmpuint (fake_hop_count_mail (f->hop), ==, 1);
}

static void
test_no_password (Fixture *f, gconstpointer data)
{
  accept_only (f, "right");
  signing_start (f, "tls=required");
  signing_put (f);
  signing_wait_needed (f);
  assert_held (f, 0);
  set_password (f, "right");
  signing_wait_sent (f);
}

/* 454: the server has trouble, not the password. */
static void
test_temporary (Fixture *f, gconstpointer reply)
{
  set_password (f, "right");
  accept_only (f, "right");
  fake_hop_answer (f->hop, "AUTH", reply, 1);
  signing_start (f, "tls=required");
  signing_put (f);
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  signing_wait_sent (f);
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 0);
}

static void
test_never_in_clear (Fixture *f, gconstpointer keys)
{
  g_autoptr (Pair) stranger = pair_new (&(PairOptions){ .name = "other.example" });
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (stranger->certificate, stranger->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  fake_hop_set_tls (f->hop, tls, FALSE);
  set_password (f, "right");
  accept_only (f, "right");
  signing_start (f, keys);
  signing_put (f);
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, 0);
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 0);
}

static void
test_no_other_mechanism (Fixture *f, gconstpointer data)
{
  set_password (f, "right");
  accept_only (f, "right");
  signing_start (f, "tls=required\nauth=scram-sha-256");
  signing_put (f);
  world_wait (f->world, world_count_events (f->world, "hop-failed") == 1, "the hop to fail");
  g_assert_nonnull (strstr (world_last_event (f->world, "hop-failed"), "PLAIN LOGIN"));
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, 0);
}

/* Credentials that others can read are told, nothing counts, and all goes on when that is set
 * right. */
static void
test_open_file (Fixture *f, gconstpointer data)
{
  set_password (f, "right");
  accept_only (f, "right");
  g_assert_cmpint (g_chmod (f->credentials, 0644), ==, 0);
  signing_start (f, "tls=required");
  signing_put (f);
  signing_wait_needed (f);
  g_assert_nonnull (strstr (world_last_event (f->world, "sign-in-needed"), "chmod 600"));
  g_assert_cmpuint (world_count_events (f->world, "deferred"), ==, 0);
  g_assert_cmpint (g_chmod (f->credentials, 0600), ==, 0);
  pr_runner_renew_way (f->world->runner, "out");
  signing_wait_sent (f);
}

/* A person's retry tries the same password once more. */
static void
test_retry_by_hand (Fixture *f, gconstpointer data)
{
  gint64 id;

  set_password (f, "right");
  fake_hop_answer (f->hop, "AUTH", "235 2.7.0 Welcome", -1);
  fake_hop_answer (f->hop, "AUTH", "535 5.7.8 Account locked", 1);
  signing_start (f, "tls=required");
  id = world_put (f->world, "me@a.example", "you@b.example");
  signing_wait_needed (f);
  assert_held (f, 1);
  pr_runner_order (f->world->runner, PR_ORDER_RETRY, &id, 1, NULL, NULL);
  signing_wait_sent (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  ADD ("/sign-in/accepted", NULL, test_accepted);
  ADD ("/sign-in/refused", NULL, test_refused_holds);
  ADD ("/sign-in/does-not-expire", NULL, test_held_does_not_expire);
  ADD ("/sign-in/no-password", NULL, test_no_password);
  ADD ("/sign-in/temporary/454", "454 4.7.0 Later", test_temporary);
  ADD ("/sign-in/temporary/432", "432 4.7.12 A password transition is needed", test_temporary);
  ADD ("/sign-in/temporary/drop", "DROP", test_temporary);
  ADD ("/sign-in/clear/off", "tls=off", test_never_in_clear);
  ADD ("/sign-in/clear/opportunistic", "tls=opportunistic\nauth=plain", test_never_in_clear);
  ADD ("/sign-in/no-other-mechanism", NULL, test_no_other_mechanism);
  ADD ("/sign-in/open-file", NULL, test_open_file);
  ADD ("/sign-in/retry", NULL, test_retry_by_hand);
#undef ADD
  return g_test_run ();
}
