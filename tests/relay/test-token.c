/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner signs in with tokens: which one, and what becomes of mail when it is refused. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/module.h"
#include "config/secrets.h"
#include "signing.h"

typedef Signing Fixture;

static guint n_kept; /* sign-ins that were answered */

static void
set_up (Fixture *f, gconstpointer data)
{
  signing_set_up (f);
  signing_use_tokens (f);
  n_kept = 0;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  signing_tear_down (f);
}

static void
start (Fixture *f, const char *auth)
{
  g_autofree char *keys = g_strdup_printf ("client-id=id\noauth-authorize=http://127.0.0.1:1/\n"
                                           "oauth-token=http://127.0.0.1:1/\nauth=%s",
                                           auth);

  signing_start (f, keys);
}

static void
on_kept (const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  n_kept++;
}

static void
sign_in (Fixture *f, const char *access)
{
  PrToken *token = pr_token_new ();
  guint n = n_kept;

  token->access = g_strdup (access);
  token->obtained_s = g_get_real_time () / G_USEC_PER_SEC;
  token->expires_s = token->obtained_s + 3600;
  pr_oauth_adopt (f->oauth, "out", token, on_kept, NULL);
  world_wait (f->world, n_kept > n, "the token to be kept");
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
  signing_put (f);
  signing_wait_sent (f);
  g_assert_true (fake_hop_get_mail (f->hop, 0)->secure);
}

/* Mail waits for a person without a connection, and flows by itself when somebody signed in. */
static void
test_nobody (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->hop, "AUTH XOAUTH2");
  accept_only (f, "XOAUTH2", "right");
  start (f, "auto");
  signing_put (f);
  signing_wait_needed (f);
  g_assert_nonnull (
    strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "route sign-in out"));
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 1);
  g_assert_cmpuint (fake_hop_count_connections (f->hop), ==, 0);
  sign_in (f, "right");
  signing_wait_sent (f);
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
  signing_put (f);
  signing_wait_needed (f);
  g_assert_nonnull (strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "Token refused"));
  g_assert_null (strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "wrong"));
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 1);
  g_assert_cmpuint (world_count_events (f->world, "bounced"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "deferred"), ==, 0);
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, 1);
  sign_in (f, "right");
  signing_wait_sent (f);
}

/* The token ends while its connection is open: the next message signs in anew, and is sent. */
static void
test_ends_on_the_way (Fixture *f, gconstpointer data)
{
  fake_hop_set_ehlo (f->hop, "PIPELINING\nAUTH XOAUTH2");
  accept_only (f, "XOAUTH2", "first");
  start (f, "auto");
  f->world->runner->idle_ms = 60000;
  sign_in (f, "first");
  signing_put (f);
  signing_wait_sent (f);
  accept_only (f, "XOAUTH2", "second");
  fake_hop_answer (f->hop, "MAIL", "530 5.7.0 Authentication required", 1);
  sign_in (f, "second");
  signing_put (f);
  world_wait (f->world, fake_hop_count_mail (f->hop) == 2, "the second message");
  g_assert_cmpuint (fake_hop_count (f->hop, "MAIL"), ==, 3);
  g_assert_cmpuint (fake_hop_count (f->hop, "AUTH"), ==, 2);
  g_assert_cmpuint (fake_hop_count_connections (f->hop), ==, 2);
  g_assert_cmpuint (world_count_events (f->world, "sign-in-needed"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "failed"), ==, 0);
  g_assert_cmpuint (world_count_events (f->world, "deferred"), ==, 0);
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
  signing_put (f);
  signing_wait_needed (f);
  g_assert_nonnull (strstr (pr_runner_get_sign_in_need (f->world->runner, "out"), "invalid_token"));
}

static void
on_unkept (const GError *error, gpointer user_data)
{
  g_assert_nonnull (error);
  n_kept++;
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
  pr_oauth_adopt (f->oauth, "out", token, on_unkept, NULL);
  world_wait (f->world, n_kept == 1, "the disk to say no");
  signing_put (f);
  signing_wait_sent (f);
  g_assert_cmpuint (world_count_events (f->world, "sign-in-unkept"), ==, 1);
  g_assert_null (strstr (world_last_event (f->world, "sign-in-unkept"), "right"));
  g_assert_cmpint (g_rmdir (f->credentials), ==, 0);
}

static void
on_stopped (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* A provider that thinks about a token: what it answers must not get lost at the end. */
static void
test_stop_waits (Fixture *f, gconstpointer data)
{
  g_autoptr (GSocketListener) provider = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (provider, NULL, NULL);
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "..", "app", NULL);
  g_autofree char *keys = g_strdup_printf ("client-id=id\noauth-authorize=http://127.0.0.1:1/\n"
                                           "oauth-token=http://127.0.0.1:%u/\nauth=xoauth2",
                                           port);
  g_autoptr (PrToken) token = pr_token_new ();
  gboolean stopped = FALSE;
  char *text;

  pr_module_set_folder (modules);
  token->refresh = g_strdup ("refresh");
  token->client_id = g_strdup ("id");
  text = pr_token_to_text (token);
  pr_secrets_set (f->credentials, "out", PR_SECRET_TOKEN, text, NULL);
  pr_secret_free (text);
  signing_start (f, keys);
  signing_put (f);
  world_wait (f->world, pr_oauth_is_asking (f->oauth), "a question to the provider");
  pr_runner_stop (f->world->runner, 3600 * 1000, on_stopped, &stopped);
  world_idle (f->world, 50);
  g_assert_false (stopped);
  g_socket_listener_close (provider);
  world_wait (f->world, stopped, "the end");
  g_assert_false (pr_oauth_is_asking (f->oauth));
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
  ADD ("/token/ends-on-the-way", NULL, test_ends_on_the_way);
  ADD ("/token/status", NULL, test_status);
  ADD ("/token/unkept", NULL, test_unkept);
  ADD ("/token/stop-waits", NULL, test_stop_waits);
#undef ADD
  return g_test_run ();
}
