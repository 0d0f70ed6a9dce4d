/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A delivery's way from the open socket to the first message: encryption as its route demands.
 *
 *   implicit:  connected ─► securing ─► greeting ─► open
 *   required:  connected ─► greeting ─► STARTTLS ─► securing ─► EHLO ─► open
 *   opportunistic: the same where STARTTLS is offered; a handshake that fails: connected once more,
 *                  to the same address, and no word of TLS
 */
#include "relay/delivery-private.h"

#include "common/error.h"

static void
start_handshake (PrDelivery *self)
{
  self->state = PR_DELIVERY_SECURING;
  pr_channel_start_tls_client (self->channel, pr_way_get_tls (self->way), self->host_name, NULL);
}

/* For people: what protects the mail, and if it does not, why. */
static char *
describe_tls (const PrDelivery *self)
{
  const PrTlsFacts *facts = pr_channel_get_tls (self->channel);

  if (facts->verified)
    return g_strdup (facts->text);
  return g_strdup_printf ("%s (not verified%s%s)", facts->text, facts->fault != NULL ? ": " : "",
                          facts->fault != NULL ? facts->fault : "");
}

void
pr_entry_begin (PrDelivery *self)
{
  self->state = PR_DELIVERY_GREETING;
  if (self->route->tls == PR_TLS_IMPLICIT)
    start_handshake (self);
}

/* The server is not used: what it lacks is told as its failure. */
static void
refuse (PrDelivery *self, const char *why)
{
  g_autofree char *text = g_strdup_printf ("%s: %s", self->label, why);

  self->unreachable = FALSE;
  pr_reach_note_failure (self, text, NULL);
  pr_reach_next (self);
}

PrEntry
pr_entry_go_on (PrDelivery *self)
{
  const PrCapabilities *capabilities = pr_client_get_capabilities (self->client);
  gboolean offered = (capabilities->extensions & PR_EXT_STARTTLS) != 0;

  if (pr_channel_is_secure (self->channel) || self->route->tls == PR_TLS_OFF || self->plain)
    return PR_ENTRY_OPEN;
  if (offered)
    {
      self->state = PR_DELIVERY_SECURING;
      pr_client_start_tls (self->client, self->out);
      return PR_ENTRY_UNDER_WAY;
    }
  if (self->route->tls == PR_TLS_OPPORTUNISTIC)
    return PR_ENTRY_OPEN;
  refuse (self, "The server offers no encryption (STARTTLS), and this route demands it");
  return PR_ENTRY_REFUSED;
}

void
pr_entry_secure (PrDelivery *self)
{
  start_handshake (self);
}

void
pr_entry_note_secured (PrDelivery *self)
{
  g_free (self->tls);
  self->tls = describe_tls (self);
  self->state = PR_DELIVERY_GREETING;
  pr_client_secured (self->client, self->out);
}

gboolean
pr_entry_fall_back (PrDelivery *self)
{
  if (self->state != PR_DELIVERY_SECURING || self->route->tls != PR_TLS_OPPORTUNISTIC)
    return FALSE;
  g_free (self->tls);
  self->tls =
    g_strdup_printf ("none, because the handshake failed: %s", self->broken_error->message);
  self->plain = TRUE;
  pr_reach_again (self);
  return TRUE;
}
