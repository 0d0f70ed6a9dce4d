/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A delivery's way from the open socket to the first message: encryption as its route demands, then
 * the sign-in.
 *
 *   implicit:  connected ─► securing ─► greeting ─► open
 *   required:  connected ─► greeting ─► STARTTLS ─► securing ─► EHLO ─► open
 *   opportunistic: the same where STARTTLS is offered; a handshake that fails: connected once more,
 *                  to the same address, and no word of TLS
 *
 * A sign-in that is refused for good holds the mail of its route (way.h).
 */
#include "relay/delivery-private.h"

#include <string.h>

#include "common/error.h"
#include "relay/hop.h"

static void
start_handshake (PrDelivery *self)
{
  const char *const names[] = { self->host_name, self->domain, NULL }; /* RFC 7672 §3.2.2 */

  self->state = PR_DELIVERY_SECURING;
  pr_channel_start_tls_client (self->channel, pr_way_get_tls (self->way, self->demand),
                               self->tls_name, self->tlsa, names);
}

static const char *
name_proof (const PrDelivery *self)
{
  if (self->route->pin != NULL)
    return " by its fingerprint";
  switch (self->demand)
    {
    case PR_DEMAND_DANE: return " by DANE";
    case PR_DEMAND_STS: return " by MTA-STS policy";
    case PR_DEMAND_NONE:
    case PR_DEMAND_ENCRYPT:
    default: return "";
    }
}

/* What there is to say of a policy that demands nothing yet (RFC 8461 §5), or cannot be had. */
static void
append_policy (const PrDelivery *self, const PrTlsFacts *facts, GString *text)
{
  const char *fault = NULL;

  if (self->policy_lack != NULL)
    g_string_append_printf (text, "; the MTA-STS policy of its domain cannot be had: %s",
                            self->policy_lack);
  if (!self->policy_is_tested)
    return;
  if (!self->policy_names_it)
    fault = "it names other servers";
  else if (facts == NULL)
    fault = "it demands encryption";
  else if (!facts->verified)
    fault = "it demands a certificate that can be verified";
  if (fault != NULL)
    g_string_append_printf (
      text, "; the MTA-STS policy of its domain, which is being tested, would refuse this: %s",
      fault);
}

/* For people: what protects the mail, and if it does not, why. */
static char *
describe_tls (const PrDelivery *self)
{
  const PrTlsFacts *facts = pr_channel_get_tls (self->channel);
  g_autoptr (GString) text = g_string_new (facts->text);

  if (facts->verified)
    g_string_append_printf (text, ", verified%s", name_proof (self));
  else
    g_string_append_printf (text, " (not verified%s%s)", facts->fault != NULL ? ": " : "",
                            facts->fault != NULL ? facts->fault : "");
  append_policy (self, facts, text);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* A connection stays in plain text. */
static void
note_plain (PrDelivery *self)
{
  g_autoptr (GString) text = g_string_new (self->tls != NULL ? self->tls : "none");
  gsize len = text->len;

  append_policy (self, NULL, text);
  if (text->len == len)
    return;
  g_free (self->tls);
  self->tls = g_string_free (g_steal_pointer (&text), FALSE);
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

/* ── Encryption ───────────────────────────────────────────────────────────────────────────── */

static PrEntry
secure (PrDelivery *self)
{
  const PrCapabilities *capabilities = pr_client_get_capabilities (self->client);
  gboolean offered = (capabilities->extensions & PR_EXT_STARTTLS) != 0;

  if (pr_channel_is_secure (self->channel) || self->route->tls == PR_TLS_OFF)
    return PR_ENTRY_OPEN;
  if (offered && !self->plain)
    {
      self->state = PR_DELIVERY_SECURING;
      pr_client_start_tls (self->client, self->out);
      return PR_ENTRY_UNDER_WAY;
    }
  if (self->plain || (self->demand == PR_DEMAND_NONE && self->route->tls == PR_TLS_OPPORTUNISTIC))
    {
      note_plain (self);
      return PR_ENTRY_OPEN;
    }
  self->proof_failed |= self->demand != PR_DEMAND_NONE;
  refuse (self,
          self->demand == PR_DEMAND_NONE
            ? "The server offers no encryption (STARTTLS), and this route demands it"
          : self->demand == PR_DEMAND_STS
            ? "The server offers no encryption (STARTTLS), and the policy of its domain demands it "
              "(MTA-STS); somebody may be in between"
            : "The server offers no encryption (STARTTLS), and its domain promises it (DANE); "
              "somebody may be in between");
  return PR_ENTRY_REFUSED;
}

/* ── Sign-in ──────────────────────────────────────────────────────────────────────────────── */

static gboolean
wants_token (const PrRouteConfig *route)
{
  return strcmp (route->auth, "xoauth2") == 0 || strcmp (route->auth, "oauthbearer") == 0;
}

static PrSaslMechanisms
choose (const PrDelivery *self, gboolean has_binding)
{
  const PrTlsFacts *facts = pr_channel_get_tls (self->channel);

  /* Whoever stands between could have taken the place of a server that is not verified. */
  return pr_sasl_choose (pr_client_get_capabilities (self->client)->mechanisms, self->route->auth,
                         facts != NULL && facts->verified,
                         self->token_serial != 0 || wants_token (self->route), has_binding);
}

static PrEntry
refuse_mechanisms (PrDelivery *self)
{
  PrSaslMechanisms offered = pr_client_get_capabilities (self->client)->mechanisms;
  g_autofree char *names = pr_sasl_mechanisms_to_string (offered);
  g_autofree char *why =
    g_strdup_printf ("No way to sign in is left: the server offers %s; this route has auth=%s, and "
                     "passwords go over verified encryption only",
                     offered != 0 ? names : "none that is known", self->route->auth);

  refuse (self, why);
  return PR_ENTRY_REFUSED;
}

/* No host of this route is asked again before a person has done something. */
static PrEntry
hold_route (PrDelivery *self, const char *why)
{
  g_autofree char *text = g_strdup_printf (
    "Sign-in needed: %s; set the password anew with: postroomctl route password %s", why,
    self->route->name);

  pr_way_need_sign_in (self->way, text, self->label);
  pr_delivery_quit (self);
  return PR_ENTRY_REFUSED;
}

void
pr_entry_need_sign_in (PrDelivery *self, const PrReply *reply, const PrAdvice *advice)
{
  g_autofree char *said = pr_reply_to_string (reply);
  g_autofree char *text = g_strdup_printf (
    "Sign-in needed: %s (%s said: %s; once that is done: postroomctl route %s %s)", advice->words,
    self->label, said, wants_token (self->route) ? "sign-in" : "password", self->route->name);

  pr_way_need_sign_in (self->way, text, self->label);
}

/* A sign-in that was refused, where the provider is known to mean something by it. FALSE: it is
 * not, or for its code alone. */
static gboolean
heed_refusal (PrDelivery *self)
{
  const PrReply *reply = &self->sign_in_refusal;
  g_autofree char *why = NULL;
  PrAdvice advice;

  if (!pr_provider_advise (self->route->provider, reply, &advice) ||
      (advice.kind == PR_ADVICE_RETRY && pr_reply_is_temporary (reply)))
    return FALSE;
  if (advice.kind == PR_ADVICE_RETRY)
    {
      why = g_strdup_printf ("The sign-in was put off: %s", advice.words);
      refuse (self, why);
      return TRUE;
    }
  if (advice.kind == PR_ADVICE_SLOW_DOWN)
    pr_hop_slow_down (self->hop, reply, &advice, self->label);
  else
    pr_entry_need_sign_in (self, reply, &advice);
  pr_delivery_quit (self);
  return TRUE;
}

static PrEntry
sign_in (PrDelivery *self)
{
  /* Before TLS 1.3 the one that every server with -PLUS knows (RFC 5802 §6.1). */
  g_autoptr (GBytes) unique = pr_channel_get_binding (self->channel, "tls-unique");
  g_autoptr (GBytes) exporter =
    unique == NULL ? pr_channel_get_binding (self->channel, "tls-exporter") : NULL;
  PrSaslMechanisms mechanism = choose (self, unique != NULL || exporter != NULL);
  PrSaslCredentials credentials = {
    .user = self->route->username,
    .secret = pr_way_get_secret (self->way),
    .host = self->host_name,
    .exporter = exporter,
    .unique = unique,
  };
  g_autoptr (GError) error = NULL;
  PrSaslClient *sasl;

  if (mechanism == 0)
    return refuse_mechanisms (self);
  if (G_IS_INET_SOCKET_ADDRESS (self->address))
    credentials.port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (self->address));
  sasl = pr_sasl_client_new (mechanism, &credentials, &error);
  if (sasl == NULL)
    return hold_route (self, error->message);
  self->state = PR_DELIVERY_SIGNING_IN;
  pr_client_sign_in (self->client, mechanism, g_steal_pointer (&sasl), self->out);
  return PR_ENTRY_UNDER_WAY;
}

PrEntry
pr_entry_note_signed_in (PrDelivery *self)
{
  g_autofree char *said = NULL;
  g_autofree char *why = NULL;

  if (self->sign_in_refusal.code == 0)
    {
      self->signed_in = TRUE;
      pr_way_accept_token (self->way, self->token_serial);
      return PR_ENTRY_OPEN;
    }
  if (heed_refusal (self))
    return PR_ENTRY_REFUSED;
  said = pr_reply_to_string (&self->sign_in_refusal);
  /* RFC 4954 §4 and §6: 454 and 432 pass; 535, 534, 530, 538 do not. */
  if (!pr_reply_is_permanent (&self->sign_in_refusal))
    {
      why = g_strdup_printf ("The sign-in was put off: %s", said);
      refuse (self, why);
      return PR_ENTRY_REFUSED;
    }
  if (self->token_serial != 0)
    {
      pr_way_refuse_token (self->way, self->token_serial, said);
      pr_delivery_quit (self);
      return PR_ENTRY_REFUSED;
    }
  why = g_strdup_printf ("%s did not accept %s (%s)", self->label, self->route->username, said);
  return hold_route (self, why);
}

/* ── The way ──────────────────────────────────────────────────────────────────────────────── */

PrEntry
pr_entry_go_on (PrDelivery *self)
{
  PrEntry entry = secure (self);

  if (entry != PR_ENTRY_OPEN || self->route->username == NULL)
    return entry;
  self->token_serial = pr_way_get_token_serial (self->way);
  return sign_in (self);
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

/* RFC 8689 §4.2.1. What goes into a mailbox of this very machine is at its end. */
gboolean
pr_entry_is_safe (const PrDelivery *self, PrReply *refusal)
{
  const PrTlsFacts *facts = pr_channel_get_tls (self->channel);
  gboolean lmtp = self->route->via == PR_VIA_LMTP;
  const char *status = "5.7.30", *lack;
  g_autofree char *text = NULL;

  if (lmtp && pr_route_is_local (self->route))
    return TRUE;
  if (facts == NULL)
    {
      status = "5.7.10";
      lack = "offers no encryption";
    }
  else if (!facts->verified)
    lack = "cannot prove who it is";
  else if (!self->host_is_proven)
    lack = "is not proven to be a server of the recipient's domain (by DNSSEC or MTA-STS)";
  else if (!lmtp && !(pr_client_get_capabilities (self->client)->extensions & PR_EXT_REQUIRETLS))
    lack = "does not promise to keep it encrypted";
  else
    return TRUE;

  text = g_strdup_printf (
    "The sender demands encryption all the way (REQUIRETLS), and %s %s. Send the message again "
    "without this demand, or by another way",
    self->label, lack);
  pr_reply_set (refusal, 550, status, text);
  return FALSE;
}

gboolean
pr_entry_fall_back (PrDelivery *self)
{
  if (self->state != PR_DELIVERY_SECURING || self->route->tls != PR_TLS_OPPORTUNISTIC)
    return FALSE;
  if (self->demand != PR_DEMAND_NONE) /* RFC 7672 §2.2: never in plain text */
    {
      self->proof_failed = TRUE;
      return FALSE;
    }
  g_free (self->tls);
  self->tls =
    g_strdup_printf ("none, because the handshake failed: %s", self->broken_error->message);
  self->plain = TRUE;
  pr_reach_again (self);
  return TRUE;
}
