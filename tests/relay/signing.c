/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "signing.h"

#include <string.h>

#include "pki.h"

void
signing_set_up (Signing *self)
{
  g_autoptr (Pair) authority =
    pair_new (&(PairOptions){ .name = "Test authority", .is_authority = TRUE });
  g_autoptr (Pair) pair = pair_new (&(PairOptions){ .name = "127.0.0.1", .issuer = authority });
  g_autoptr (GError) error = NULL;
  g_autoptr (PrTlsServer) tls =
    pr_tls_server_new (pair->certificate, pair->key, PR_TLS_1_2, &error);

  g_assert_no_error (error);
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
  self->world = world_new ("[server]\nhostname=relay.test\n");
  self->hop = fake_hop_new (self->world->loop, "127.0.0.1", 0, FALSE);
  self->ca_file = g_build_filename (self->world->home, "ca.pem", NULL);
  g_file_set_contents (self->ca_file, g_bytes_get_data (authority->certificate, NULL),
                       (gssize) g_bytes_get_size (authority->certificate), &error);
  g_assert_no_error (error);
  self->credentials = g_build_filename (self->world->home, "credentials", NULL);
  pr_runner_set_credentials (self->world->runner, self->credentials);
  fake_hop_set_tls (self->hop, tls, FALSE);
}

void
signing_use_tokens (Signing *self)
{
  self->web = pr_web_new (self->world->context);
  self->oauth = pr_oauth_new (self->world->loop, self->web, self->credentials);
  pr_runner_set_oauth (self->world->runner, self->oauth);
}

/* A loop outlives what has timers in it, so the tokens go before the world. */
static void
end_tokens (Signing *self)
{
  if (self->oauth == NULL)
    return;
  pr_oauth_unlisten (self->oauth, self->world->runner->oauth_token);
  self->world->runner->oauth = NULL;
  pr_oauth_free (self->oauth);
  pr_web_free (self->web);
}

void
signing_tear_down (Signing *self)
{
  end_tokens (self);
  fake_hop_free (self->hop);
  g_free (self->ca_file);
  g_free (self->credentials);
  world_free (self->world);
}

void
signing_start (Signing *self, const char *keys)
{
  g_autofree char *text = g_strdup_printf (
    "[server]\nhostname=relay.test\n"
    "[route out]\nvia=smarthost\nhosts=127.0.0.1:%u\nca-file=%s\nusername=me@a.example\n%s\n"
    "[retry]\nschedule=1s;1s;2s\n",
    fake_hop_get_port (self->hop), self->ca_file, keys);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse (text, strlen (text), "test.conf", &faults);

  g_assert_nonnull (config);
  if (self->oauth != NULL)
    pr_oauth_set_config (self->oauth, config);
  world_set_config (self->world, text);
  if (!self->world->runner->started)
    pr_runner_start (self->world->runner);
}

gint64
signing_put (Signing *self)
{
  return world_put (self->world, "me@a.example", "you@b.example");
}

void
signing_wait_sent (Signing *self)
{
  world_wait (self->world, world_count_messages (self->world) == 0, "the message to leave");
}

void
signing_wait_needed (Signing *self)
{
  world_wait (self->world, world_count_events (self->world, "sign-in-needed") == 1,
              "the need of a sign-in to be told");
}
