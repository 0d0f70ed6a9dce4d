/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes before mail: encryption, and who signs in.
 *
 * A listener with TLS looks at the first octet before it greets, for a client may begin TLS at
 * once:
 *
 *   LOOKING ──nothing, or plain text──► TALKING ──STARTTLS──► SECURING ──► TALKING, from the start
 *      └──ClientHello──► SECURING ──► TALKING
 */

#include <string.h>

#include "guard/users.h"
#include "server/connection-private.h"

#define HANDSHAKE_MS 15000
/* How long a client has to begin TLS before it is greeted in plain text. */
#define LOOK_NEAR_MS 25
#define LOOK_FAR_MS 100

/* ── Encryption ───────────────────────────────────────────────────────────────────────────── */

/* What is shown to this client; NULL: TLS is off, or not available. */
PrTlsServer *
pr_connection_get_tls (PrConnection *self)
{
  return self->port->tls == PR_TLS_OFF
           ? NULL
           : pr_certificates_get (self->server->certificates, self->port->name);
}

void
pr_connection_begin_tls (PrConnection *self)
{
  self->stage = STAGE_SECURING;
  pr_channel_set_deadline (self->channel, HANDSHAKE_MS);
  pr_channel_start_tls_server (self->channel, pr_connection_get_tls (self));
}

/* What the client said in plain text does not count any more (RFC 3207 §4.2). */
static void
begin_again (PrConnection *self)
{
  g_autoptr (GString) out = g_string_new (NULL);

  g_clear_pointer (&self->session, pr_session_free);
  self->session = pr_session_new (&self->port->options, &pr_connection_session_handler, self);
  pr_session_set_secure (self->session);
  self->stage = STAGE_TALKING;
  self->phase = PR_SESSION_CLOSING; /* as at the start: the deadline is another now */
  pr_connection_settle (self, out);
}

void
pr_connection_on_secured (gpointer owner)
{
  PrConnection *self = owner;
  g_autofree char *line = NULL;

  self->tls = g_strdup (pr_channel_get_tls (self->channel)->text);
  line = g_strdup_printf ("(%s)", self->tls);
  pr_transcript_add (&self->live.transcript, TRUE, line, strlen (line));

  if (self->stage == STAGE_SECURING)
    begin_again (self);
  else
    {
      pr_session_set_secure (self->session);
      pr_connection_greet (self, PR_ACCEPT);
    }
}

void
pr_connection_look (PrConnection *self, PrTlsServer *tls)
{
  gboolean implicit = self->port->tls == PR_TLS_IMPLICIT;
  guint delay_ms = pr_ip_is_loopback (&self->ip) ? LOOK_NEAR_MS : LOOK_FAR_MS;

  self->stage = STAGE_LOOKING;
  pr_channel_detect_tls (self->channel, tls, implicit);
  pr_channel_set_deadline (self->channel, implicit ? HANDSHAKE_MS : delay_ms);
}

/* The time to look is over. TRUE: the connection goes on. */
gboolean
pr_connection_look_no_longer (PrConnection *self)
{
  if (self->port->tls == PR_TLS_IMPLICIT || self->handshake_is_timed)
    return FALSE;

  if (pr_channel_is_securing (self->channel))
    {
      self->handshake_is_timed = TRUE;
      pr_channel_set_deadline (self->channel, HANDSHAKE_MS);
    }
  else
    {
      pr_channel_detect_tls (self->channel, NULL, FALSE);
      pr_connection_greet (self, PR_ACCEPT);
    }
  return TRUE;
}

gboolean
pr_connection_on_starttls (gpointer owner)
{
  return pr_connection_get_tls (owner) != NULL;
}

/* ── Signing in ───────────────────────────────────────────────────────────────────────────── */

PrAuthOffer
pr_connection_on_auth_offer (gpointer owner)
{
  PrConnection *self = owner;
  gboolean secure = pr_channel_is_secure (self->channel);
  PrUserPath path = { .client = &self->ip, .is_secure = secure, .has_binding = secure };

  return pr_users_get_offer (self->server->config, self->port->listener, &path);
}

char *
pr_connection_on_find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  PrConnection *self = owner;

  return pr_users_find_secret (self->server->config, pr_sign_ins_get_key (self->server->sign_ins),
                               mechanism, user);
}

GBytes *
pr_connection_on_get_binding (gpointer owner, const char *type)
{
  PrConnection *self = owner;

  return pr_channel_is_secure (self->channel) ? pr_channel_get_binding (self->channel, type) : NULL;
}

static void
on_signed_in (gpointer user_data, PrVerdict verdict)
{
  PrConnection *self = user_data;

  self->signing_in = FALSE;
  self->told = verdict.kind != PR_VERDICT_ACCEPT;
  pr_connection_answer (self, verdict);
}

PrVerdict
pr_connection_on_auth (gpointer owner, const char *user, PrSaslCheck *check, gboolean is_proven)
{
  PrConnection *self = owner;
  PrVerdict verdict = pr_sign_in_begin (&self->sign_in, self->server->sign_ins, &self->ip,
                                        self->live.id, user, check, is_proven, on_signed_in, self);

  self->signing_in = verdict.kind == PR_VERDICT_PENDING;
  return verdict;
}
