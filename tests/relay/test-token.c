/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner signs in with tokens: which one, and what becomes of mail when it is refused. */
#include <glib/gstdio.h>
#include <string.h>

#include "config/secrets.h"
#include "pki.h"
#include "relay/world.h"

typedef struct
{
  World *world;
  FakeHop *hop;
  PrWeb *web;
  PrOauth *oauth;
  char *ca_file, *credentials;
  guint n_kept;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (Pair) pair = pair_new (&(PairOptions){ .name = "127.0.0.1", .is_authority = TRUE });
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", TRUE); /* no secret service */
  f->world = world_new ("[server]\nhostname=relay.test\n");
  f->hop = fake_hop_new (f->world->loop, "127.0.0.1", 0, FALSE);
  f->ca_file = g_build_filename (f->world->home, "ca.pem", NULL);
  g_file_set_contents (f->ca_file, g_bytes_get_data (pair->certificate, NULL),
                       (gssize) g_bytes_get_size (pair->certificate), &error);
  g_assert_no_error (error);
  f->credentials = g_build_filename (f->world->home, "credentials", NULL);
  f->web = pr_web_new (f->world->context);
  f->oauth = pr_oauth_new (f->world->loop, f->web, f->credentials);
  pr_runner_set_credentials (f->world->runner, f->credentials);
  pr_runner_set_oauth (f->world->runner, f->oauth);
  fake_hop_set_tls (f->hop, tls, FALSE);
}

/* A loop outlives what has timers in it, so the tokens go before the world. */
static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_oauth_unlisten (f->oauth, f->world->runner->oauth_token);
  f->world->runner->oauth = NULL;
  fake_hop_free (f->hop);
  pr_oauth_free (f->oauth);
  pr_web_free (f->web);
  g_free (f->ca_file);
  g_free (f->credentials);
  world_free (f->world);
}

static void
start (Fixture *f, const char *auth)
{
  g_autofree char *text =
    g_strdup_printf ("[server]\nhostname=relay.test\n[route out]\nhosts=127.0.0.1:%u\nca-file=%s\n"
                     "username=me@a.example\nclient-id=id\noauth-authorize=http://127.0.0.1:1/\n"
                     "oauth-token=http://127.0.0.1:1/\nauth=%s\n[retry]\nschedule=1s;1s;2s\n",
                     fake_hop_get_port (f->hop), f->ca_file, auth);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "test.conf", &faults);

  g_assert_nonnull (config);
  pr_oauth_set_config (f->oauth, config);
  world_set_config (f->world, text);
  pr_runner_start (f->world->runner);
}

static void
on_kept (const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_no_error (error);
  f->n_kept++;
}

static void
sign_in (Fixture *f, const char *access)
{
  PrToken *token = pr_token_new ();
  guint n = f->n_kept;

  token->access = g_strdup (access);
  token->obtained_s = g_get_real_time () / G_USEC_PER_SEC;
  token->expires_s = token->obtained_s + 3600;
  pr_oauth_adopt (f->oauth, "out", token, on_kept, f);
  world_wait (f->world, f->n_kept > n, "the token to be kept");
}

/* The hop takes this token by this mechanism and no other. */
static void
accept_only (Fixture *f, const char *mechanism, const char *token)
{
  gboolean xoauth2 = g_str_equal (mechanism, "XOAUTH2");
  g_autofree char *text = xoauth2
                            ? g_strdup_printf ("user=me@a.example\001auth=Bearer %s\001\001", token)
                            : g_strdup_printf ("n,a=me@a.example,\001host=127.0.0.1\001port=%u\001"
                                               "auth=Bearer %s\001\001",
                                               fake_hop_get_port (f->hop), token);
  g_autofree char *encoded = g_base64_encode ((const guchar *) text, strlen (text));
  g_autofree char *command = g_strdup_printf ("AUTH %s %s", mechanism, encoded);

  fake_hop_forget_answers (f->hop);
  fake_hop_answer (f->hop, "AUTH", "535 5.7.8 Token refused", -1);
  fake_hop_answer (f->hop, command, "235 2.7.0 Welcome", -1);
}

static void
put (Fixture *f)
{
  world_put (f->world, "me@a.example", "you@b.example");
}

static void
wait_sent (Fixture *f)
{
  world_wait (f->world, world_count_messages (f->world) == 0, "the message to leave");
}

static void
wait_needed (Fixture *f)
{
  world_wait (f->world, pr_runner_get_sign_in_need (f->world->runner, "out") != NULL,
              "the need of a sign-in to be told");
}

typedef struct
{
  const char *auth, *offered, *mechanism;
} Choice;

static const Choice choices[] = {
  { "xoauth2", "XOAUTH2 OAUTHBEARER", "XOAUTH2" },
  { "oauthbearer", "XOAUTH2 OAUTHBEARER", "OAUTHBEARER" },
  { "auto", "PLAIN LOGIN XOAUTH2 OAUTHBEARER", "OAUTHBEARER" },
  { "auto", "PLAIN XOAUTH2", "XOAUTH2" },
};

static void
test_accepted (Fixture *f, gconstpointer data)
{
  const Choice *choice = data;
  g_autofree char *ehlo = g_strdup_printf ("PIPELINING\nAUTH %s", choice->offered);

  fake_hop_set_ehlo (f->hop, ehlo);
  accept_only (f, choice->mechanism, "right");
  start (f, choice->auth);
  sign_in (f, "right");
  put (f);
  wait_sent (f);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
}

/* Mail waits for a person without a connection, and flows by itself when somebody signed in. */
static void
test_nobody (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->hop, "AUTH XOAUTH2");
  accept_only (f, "XOAUTH2", "right");
  start (f, "auto");
  put (f);
  wait_needed (f);
  g_assert_nonnull (
    strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "route sign-in out"));
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 1);
  g_assert_cmpuint (fake_hop_count_connections (f->hop), ==, 0);
  sign_in (f, "right");
  wait_sent (f);
  g_assert_null (pr_runner_get_sign_in_need (f->world->runner, "out"));
}

/* A refused token that nobody can replace: held, nothing bounced, one event. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->hop, "AUTH XOAUTH2");
  accept_only (f, "XOAUTH2", "right");
  start (f, "xoauth2");
  sign_in (f, "wrong");
  put (f);
  wait_needed (f);
  g_assert_nonnull (strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "Token refused"));
  g_assert_null (strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "wrong"));
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 1);
  g_assert_cmpuint (world_count_events (f->world, "bounced"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "deferred"), ==, 0);
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, 1);
  sign_in (f, "right");
  wait_sent (f);
}

/* What the server says of the token in JSON (RFC 7628 §3.2.2) is told to people. */
static void
test_status (Fixture *f, gconstpointer data)
{
  g_autofree char *json = g_base64_encode ((const guchar *) "{\"status\":\"invalid_token\"}", 26);
  g_autofree char *challenge = g_strconcat ("334 ", json, NULL);

  fake_hop_set_ehlo (f->hop, "AUTH OAUTHBEARER");
  fake_hop_answer (f->hop, "AUTH", challenge, -1);
  fake_hop_answer (f->hop, "AQ==", "535 5.7.8 No", -1);
  start (f, "auto");
  sign_in (f, "wrong");
  put (f);
  wait_needed (f);
  g_assert_nonnull (strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "invalid_token"));
}

static void
on_unkept (const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_nonnull (error);
  f->n_kept++;
}

/* A token that the disk does not take sends mail all the same; an event tells of it. */
static void
test_unkept (Fixture *f, gconstpointer data)
{
  PrToken *token = pr_token_new ();

  fake_hop_set_ehlo (f->hop, "AUTH XOAUTH2");
  accept_only (f, "XOAUTH2", "right");
  start (f, "xoauth2");
  g_assert_cmpint (g_mkdir (f->credentials, 0700), ==, 0);
  token->access = g_strdup ("right");
  token->obtained_s = g_get_real_time () / G_USEC_PER_SEC;
  pr_oauth_adopt (f->oauth, "out", token, on_unkept, f);
  world_wait (f->world, f->n_kept == 1, "the disk to say no");
  put (f);
  wait_sent (f);
  g_assert_cmpuint (world_count_events (f->world, "sign-in-unkept"), ==, 1);
  g_assert_null (strstr (world_last_event (f->world, "sign-in-unkept"), "right"));
  g_assert_cmpint (g_rmdir (f->credentials), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)
  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      g_autofree char *path = g_strdup_printf ("/token/accepted/%zu", i);

      ADD (path, &choices[i], test_accepted);
    }
  ADD ("/token/nobody", NULL, test_nobody);
  ADD ("/token/refused", NULL, test_refused);
  ADD ("/token/status", NULL, test_status);
  ADD ("/token/unkept", NULL, test_unkept);
#undef ADD
  return g_test_run ();
}
