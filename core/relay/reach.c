/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A delivery's first half of life: which host and address to try next, whether that host may have
 * one more connection, and what it means when none answers. */
#include "relay/delivery-private.h"

#include "common/error.h"
#include "relay/bucket.h"
#include "relay/hop.h"

#define CAP_US (60 * G_GINT64_CONSTANT (1000000))

/* Its connection to the host no longer counts; who waits for one goes on. */
void
pr_reach_release (PrDelivery *self)
{
  PrHost *host = self->host;
  PrDelivery *waiter;

  self->host = NULL;
  if (host == NULL)
    return;
  if (self->state == PR_DELIVERY_WAITING)
    {
      g_queue_remove (&host->waiting, self);
      self->runner->n_connections++; /* as if it had not waited: end() takes it off */
      return;
    }
  host->n_connections--;
  waiter = g_queue_pop_head (&host->waiting);
  if (waiter != NULL)
    {
      host->n_connections++;
      waiter->runner->n_connections++;
      pr_delivery_connect (waiter);
    }
}

/* No route at all is our own network's fault; for IPv6 alone it says nothing. */
gboolean
pr_reach_is_unreachable (const PrDelivery *self, const GError *error)
{
  return g_error_matches (error, PR_ERROR, PR_ERROR_NETWORK) &&
         g_socket_address_get_family (self->address) == G_SOCKET_FAMILY_IPV4;
}

/* The text for people; @reply: (nullable): what the host said, whose code counts if it is 4yz. */
void
pr_reach_note_failure (PrDelivery *self, const char *text, const PrReply *reply)
{
  gboolean temporary = reply != NULL && pr_reply_is_temporary (reply);

  if (self->host != NULL)
    pr_host_note_failure (self->host);
  if (temporary)
    pr_reply_copy (&self->failure, reply);
  else
    pr_reply_set (&self->failure, 0, "4.4.1", text);
}

/* TRUE: mail that waives what no host could prove goes by a delivery of its own (RFC 8689 §3);
 * what the other mail is told is kept for the end. */
static gboolean
go_on_for_waivers (PrDelivery *self, const PrReply *reply)
{
  if (self->waives || !(self->proof_failed || pr_targets_are_distrusted (self->targets)) ||
      !pr_hop_has_waiver (self->hop))
    return FALSE;
  self->waives = TRUE;
  pr_reply_copy (&self->proof_failure, reply);
  pr_reply_clear (&self->failure);
  self->failure = (PrReply){ 0 };
  pr_reach_release (self);
  pr_targets_free (self->targets);
  pr_reach_start (self);
  return TRUE;
}

/* No host answered. Where others of this hop do well, it is only one connection too many. */
static void
give_up (PrDelivery *self, const PrReply *names_failure)
{
  PrHop *hop = self->hop;
  PrRunner *runner = self->runner;
  gboolean offline = !runner->network_available && !hop->reachable;
  gboolean network = !pr_route_is_local (self->route) &&
                     (offline || (self->unreachable && self->failure.text != NULL));
  gboolean crowded = hop->deliveries.length > hop->n_opening;
  const PrReply *reply = self->failure.text != NULL ? &self->failure : names_failure;
  PrReply copy = { 0 };

  if (go_on_for_waivers (self, reply))
    return;
  pr_reply_copy (&copy, reply);
  if (network && pr_reply_is_permanent (&copy)) /* what is not found offline may well exist */
    pr_reply_set (&copy, 0, "4.4.3", names_failure->text);
  if (crowded)
    {
      hop->cap = hop->deliveries.length - hop->n_opening;
      hop->cap_until_us = g_get_monotonic_time () + CAP_US;
    }
  else
    pr_hop_fail (hop, &copy, self->label, network);
  pr_reply_clear (&copy);
  pr_delivery_end (self);
}

static void
on_target (const PrTarget *target, const PrReply *failure, gpointer user_data)
{
  PrDelivery *self = user_data;
  PrHost *host;

  if (self->state == PR_DELIVERY_ENDED) /* stopped while names were looked up, not yet buried */
    return;
  if (target == NULL)
    {
      give_up (self, failure);
      return;
    }
  g_free (self->label);
  self->label = g_strdup (target->label);
  self->address = target->address;
  self->host_name = target->host;
  /* RFC 8689 §4.2.1: by DNSSEC or by a policy. */
  self->host_is_proven = target->proven || target->demand == PR_DEMAND_STS;
  self->demand = target->demand;
  self->tls_name = target->tls_name;
  self->tlsa = target->tlsa;
  self->domain = target->domain;
  self->policy_is_tested = target->policy_is_tested;
  self->policy_names_it = target->policy_names_it;
  self->policy_lack = target->policy_lack;
  self->plain = FALSE;
  g_clear_pointer (&self->tls, g_free);
  host = pr_hosts_get (self->runner->hosts, self->route->name, target->label);
  if (host != self->host)
    {
      pr_reach_release (self);
      self->host = host;
      if (host->n_connections >= self->route->max_connections)
        {
          self->state = PR_DELIVERY_WAITING; /* without a socket it does not count */
          g_queue_push_tail (&host->waiting, self);
          self->runner->n_connections--;
          pr_runner_note_free_slot (self->runner);
          return;
        }
      host->n_connections++;
    }
  pr_delivery_connect (self);
}

/* What the last address said is forgotten but for its failure. */
static void
forget_connection (PrDelivery *self)
{
  g_clear_pointer (&self->channel, pr_channel_free);
  g_clear_pointer (&self->client, pr_client_free);
  g_clear_error (&self->broken_error);
  pr_reply_clear (&self->broken_reply);
  self->broken_reply = (PrReply){ 0 };
  self->said_ready = self->said_wants_tls = self->said_signed_in = self->said_failed = FALSE;
  self->signed_in = FALSE;
  pr_reply_clear (&self->sign_in_refusal);
  self->sign_in_refusal = (PrReply){ 0 };
  self->closed = FALSE;
  g_string_truncate (self->out, 0);
}

void
pr_reach_again (PrDelivery *self)
{
  forget_connection (self);
  pr_delivery_connect (self);
}

void
pr_reach_next (PrDelivery *self)
{
  forget_connection (self);
  self->state = PR_DELIVERY_FINDING;
  pr_targets_next (self->targets);
}

void
pr_reach_start (PrDelivery *self)
{
  PrRunner *runner = self->runner;
  gboolean looks_for_proof = self->route->tls != PR_TLS_OFF && !self->waives;
  PrTargetsOptions options = {
    .resolver = runner->resolver,
    .dnssec = looks_for_proof && self->route->dane ? runner->dnssec : NULL,
    .sts = looks_for_proof && self->route->mta_sts ? runner->sts : NULL,
    .hosts = runner->hosts,
    .config = self->config,
    .route = self->route,
    .domain = pr_bucket_domain (self->hop->name),
    .mx_port = runner->mx_port,
  };

  self->targets = pr_targets_new (&options, on_target, self);
  pr_targets_next (self->targets);
}
