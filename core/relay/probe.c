/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   finding ─► connecting ─► greeting ─► STARTTLS ─► securing ─► told
 *      ▲           │   implicit: ──────────────────────▲ │
 *      └───────────┴──── the next address ◄──────────────┘
 *
 * Freed on a turn of its own: a callback of the channel or of the dialogue may end it.
 */
#include "relay/probe.h"

#include <string.h>

#include "common/error.h"
#include "net/channel.h"
#include "relay/targets.h"
#include "smtp/client.h"

#define PATIENCE_MS 20000 /* for all of it: a person waits */
#define SERVER_MS 15000   /* for one address */

struct _PrProbe
{
  PrProbeOptions options; /* config: an owned reference */
  PrProbeFunc func;       /* NULL: it was told */
  gpointer user_data;
  PrTlsClient *tls;   /* owned */
  PrTargets *targets; /* owned */
  PrChannel *channel; /* owned, nullable */
  PrClient *client;   /* owned, nullable */
  GString *out;       /* owned */
  char *label;        /* owned, nullable: of the server */
  char *tls_name;     /* owned, nullable */
  GError *error;      /* owned, nullable: what the last server met */
  PrTimer patience, later;
  gboolean said_ready, said_wants_tls;
  GError *said_failed; /* owned, nullable */
};

/* ── The end ──────────────────────────────────────────────────────────────────────────────── */

static void
on_later (gpointer user_data)
{
  pr_probe_free (user_data);
}

static void
tell (PrProbe *self, const PrProbeFacts *facts)
{
  PrProbeFunc func = g_steal_pointer (&self->func);

  if (func == NULL)
    return;
  if (facts == NULL && self->error == NULL)
    g_set_error (&self->error, PR_ERROR, PR_ERROR_TEMPORARY,
                 "No server of this route answered in "
                 "time");
  pr_timer_stop (&self->patience);
  pr_timer_start (&self->later, self->options.loop, 0, on_later, self);
  func (facts, facts == NULL ? self->error : NULL, self->user_data);
}

static void
on_patience (gpointer user_data)
{
  tell (user_data, NULL);
}

/* This address is of no use. */
static void
fail (PrProbe *self, const char *why)
{
  if (self->func == NULL)
    return;
  g_clear_error (&self->error);
  g_set_error (&self->error, PR_ERROR, PR_ERROR_TEMPORARY, "%s: %s", self->label, why);
  g_clear_pointer (&self->channel, pr_channel_free);
  g_clear_error (&self->said_failed);
  self->said_ready = self->said_wants_tls = FALSE;
  pr_targets_next (self->targets);
}

/* ── The dialogue ─────────────────────────────────────────────────────────────────────────── */

static void
on_ready (gpointer owner)
{
  ((PrProbe *) owner)->said_ready = TRUE;
}

static void
on_wants_tls (gpointer owner)
{
  ((PrProbe *) owner)->said_wants_tls = TRUE;
}

static void
on_failed (gpointer owner, const GError *error, const PrReply *reply)
{
  PrProbe *self = owner;

  if (self->said_failed == NULL)
    self->said_failed = g_error_copy (error);
}

static const PrClientHandler client_handler = {
  .ready = on_ready,
  .wants_tls = on_wants_tls,
  .failed = on_failed,
};

static void
start_handshake (PrProbe *self)
{
  pr_channel_start_tls_client (self->channel, self->tls, self->tls_name, NULL, NULL);
}

/* Acts on what the client said; the last thing a callback does. */
static void
settle (PrProbe *self)
{
  if (self->said_failed == NULL && self->said_ready)
    {
      self->said_ready = FALSE;
      if ((pr_client_get_capabilities (self->client)->extensions & PR_EXT_STARTTLS) == 0)
        {
          fail (self, "The server offers no encryption (STARTTLS), so it has no certificate to "
                      "show");
          return;
        }
      pr_client_start_tls (self->client, self->out);
    }
  if (self->out->len > 0)
    pr_channel_write (self->channel, self->out->str, self->out->len);
  g_string_truncate (self->out, 0);
  if (self->said_failed != NULL)
    {
      g_autoptr (GError) error = g_steal_pointer (&self->said_failed);

      fail (self, error->message);
    }
  else if (self->said_wants_tls)
    {
      self->said_wants_tls = FALSE;
      start_handshake (self);
    }
}

/* ── The channel ──────────────────────────────────────────────────────────────────────────── */

static void
on_connected (gpointer owner)
{
  PrProbe *self = owner;

  if (self->options.route->tls == PR_TLS_IMPLICIT)
    start_handshake (self);
}

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  PrProbe *self = owner;

  if (self->func == NULL || pr_channel_is_secure (self->channel))
    return len;
  pr_client_feed (self->client, data, len, self->out);
  settle (self);
  return len;
}

static void
on_closed (gpointer owner, const GError *error)
{
  fail (owner, error != NULL ? error->message : "The server closed the connection");
}

static void
on_timed_out (gpointer owner)
{
  fail (owner, "The server does not answer");
}

static void
on_secured (gpointer owner)
{
  PrProbe *self = owner;
  const PrTlsFacts *tls = pr_channel_get_tls (self->channel);
  PrProbeFacts facts = { .server = self->label, .fault = tls->fault };

  memcpy (facts.sha256, tls->peer_sha256, sizeof facts.sha256);
  tell (self, &facts);
}

static const PrChannelHandler channel_handler = {
  .connected = on_connected,
  .received = on_received,
  .closed = on_closed,
  .timed_out = on_timed_out,
  .secured = on_secured,
};

static void
on_target (const PrTarget *target, const PrReply *failure, gpointer user_data)
{
  PrProbe *self = user_data;
  gboolean lmtp = self->options.route->via == PR_VIA_LMTP;

  if (target == NULL)
    {
      if (self->error == NULL)
        g_set_error (&self->error, PR_ERROR, PR_ERROR_TEMPORARY, "%s", failure->text);
      tell (self, NULL);
      return;
    }
  g_free (self->label);
  g_free (self->tls_name);
  self->label = g_strdup (target->label);
  self->tls_name = g_strdup (target->tls_name);
  g_clear_pointer (&self->client, pr_client_free);
  self->client = pr_client_new (self->options.config->hostname, lmtp, &client_handler, self);
  self->channel =
    pr_channel_new_connect (self->options.loop, target->address, &channel_handler, self);
  pr_channel_set_deadline (self->channel, SERVER_MS);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

static void
on_start (gpointer user_data)
{
  PrProbe *self = user_data;

  self->tls = pr_tls_client_new (PR_TLS_VERIFY_NONE, NULL, NULL, PR_TLS_1_2, &self->error);
  if (self->tls == NULL)
    tell (self, NULL);
  else
    pr_targets_next (self->targets);
}

PrProbe *
pr_probe_new (const PrProbeOptions *options, PrProbeFunc func, gpointer user_data)
{
  PrProbe *self = g_new0 (PrProbe, 1);
  PrTargetsOptions asked = {
    .resolver = options->resolver,
    .hosts = options->hosts,
    .config = options->config,
    .route = options->route,
  };

  self->options = *options;
  self->options.config = pr_config_ref (options->config);
  self->func = func;
  self->user_data = user_data;
  self->out = g_string_new (NULL);
  self->targets = pr_targets_new (&asked, on_target, self);
  pr_timer_start (&self->patience, options->loop, PATIENCE_MS, on_patience, self);
  pr_timer_start (&self->later, options->loop, 0, on_start, self);
  return self;
}

void
pr_probe_free (PrProbe *self)
{
  pr_timer_stop (&self->patience);
  pr_timer_stop (&self->later);
  pr_targets_free (self->targets);
  g_clear_pointer (&self->channel, pr_channel_free);
  g_clear_pointer (&self->client, pr_client_free);
  g_clear_pointer (&self->tls, pr_tls_client_unref);
  g_clear_error (&self->error);
  g_clear_error (&self->said_failed);
  g_string_free (self->out, TRUE);
  g_free (self->label);
  g_free (self->tls_name);
  pr_config_unref (self->options.config);
  g_free (self);
}
