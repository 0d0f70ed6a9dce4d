/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *             ┌──────────── next address ────────────┐
 *             ▼                                      │ refused, timed out, not greeted
 *   finding ─► (waiting) ─► connecting ─► entering ──┴─► sending ⇄ idle ─► quitting ─► ended
 *      │ none left                                          │ broke
 *      └────────► ended, the hop failed                     └─► ended
 *
 * Only an ended delivery is freed, and on a later turn: any callback may end it.
 */
#include "relay/delivery-private.h"

#include "common/error.h"
#include "relay/hop.h"

#define QUIT_MS 2000         /* RFC 5321 §4.1.1.10: the reply to QUIT is worth a moment */
#define DATA_MS (2 * 60000)  /* §4.5.3.2.5 */
#define PIECE_MS (3 * 60000) /* §4.5.3.2.5: data block */
#define FAIR_MESSAGES 10     /* then others that wait for a connection have their turn */
#define OUT_KEPT (16 * 1024) /* an idle connection keeps no larger buffer */
#define MAX_IDLE 32

static PrDelivery *
from_live (PrLive *live)
{
  return (PrDelivery *) ((char *) live - G_STRUCT_OFFSET (PrDelivery, live));
}

/* ── Ends ─────────────────────────────────────────────────────────────────────────────────── */

static void
on_burial (gpointer user_data)
{
  pr_delivery_bury (user_data);
}

static void
set_idle (PrDelivery *self, gboolean idle)
{
  if ((self->state == PR_DELIVERY_IDLE) == idle)
    return;
  self->state = idle ? PR_DELIVERY_IDLE : PR_DELIVERY_SENDING;
  if (idle)
    {
      g_queue_push_tail_link (&self->runner->idle, &self->idle_link);
      self->hop->n_idle++;
    }
  else
    {
      g_queue_unlink (&self->runner->idle, &self->idle_link);
      self->hop->n_idle--;
    }
}

gboolean
pr_delivery_is_opening (const PrDelivery *self)
{
  return self->state < PR_DELIVERY_SENDING;
}

static void
set_opened (PrDelivery *self)
{
  if (pr_delivery_is_opening (self))
    self->hop->n_opening--;
  self->state = PR_DELIVERY_SENDING;
}

static void
leave_hop (PrDelivery *self)
{
  if (self->hop == NULL)
    return;
  if (pr_delivery_is_opening (self))
    self->hop->n_opening--;
  else if (self->state == PR_DELIVERY_IDLE)
    set_idle (self, FALSE);
  pr_hop_remove_delivery (self->hop, self);
  self->hop = NULL;
}

static void
leave_quitting (PrDelivery *self)
{
  if (self->state == PR_DELIVERY_QUITTING)
    g_queue_unlink (&self->runner->quitting, &self->idle_link);
}

void
pr_delivery_end (PrDelivery *self)
{
  PrRunner *runner = self->runner;
  PrHop *hop = self->hop;

  if (self->state == PR_DELIVERY_ENDED)
    return;
  pr_reach_release (self);
  leave_hop (self);
  leave_quitting (self);
  self->state = PR_DELIVERY_ENDED;
  g_clear_pointer (&self->channel, pr_channel_free);
  g_clear_pointer (&self->targets, pr_targets_free); /* no name may be answered any more */
  pr_live_leave (&self->live);
  runner->n_connections--;
  g_queue_push_tail (&runner->graveyard, self);
  if (!pr_timer_is_running (&runner->burial_timer))
    pr_timer_start (&runner->burial_timer, runner->loop, 0, on_burial, runner);
  if (hop != NULL)
    pr_hop_pump (hop);
  pr_runner_note_free_slot (runner);
}

void
pr_delivery_quit (PrDelivery *self)
{
  PrHop *hop = self->hop;

  leave_hop (self);
  self->state = PR_DELIVERY_QUITTING;
  g_queue_push_tail_link (&self->runner->quitting, &self->idle_link);
  pr_client_quit (self->client, self->out);
  pr_channel_write (self->channel, self->out->str, self->out->len);
  g_string_truncate (self->out, 0);
  pr_channel_set_deadline (self->channel, QUIT_MS);
  pr_hop_pump (hop);
}

static void
free_delivery (PrDelivery *self)
{
  g_clear_pointer (&self->channel, pr_channel_free);
  g_clear_pointer (&self->client, pr_client_free);
  g_clear_pointer (&self->targets, pr_targets_free);
  pr_sending_clear (self);
  for (guint i = 0; i < self->room; i++)
    pr_reply_clear (&self->replies[i]);
  g_free (self->replies);
  g_free (self->recipients);
  g_free (self->pointers);
  pr_reply_clear (&self->failure);
  pr_reply_clear (&self->proof_failure);
  pr_reply_clear (&self->broken_reply);
  pr_reply_clear (&self->sign_in_refusal);
  g_clear_error (&self->broken_error);
  g_string_free (self->out, TRUE);
  g_free (self->label);
  g_free (self->tls);
  pr_way_unref (self->way);
  pr_config_unref (self->config);
  g_free (self);
}

void
pr_delivery_bury (PrRunner *runner)
{
  PrDelivery *self;

  while ((self = g_queue_pop_head (&runner->graveyard)) != NULL)
    free_delivery (self);
  pr_runner_check_stopped (runner);
}

void
pr_delivery_kill (PrDelivery *self)
{
  if (self->host != NULL && self->state == PR_DELIVERY_WAITING)
    g_queue_remove (&self->host->waiting, self);
  leave_hop (self);
  leave_quitting (self);
  self->state = PR_DELIVERY_ENDED;
  pr_live_leave (&self->live);
  free_delivery (self);
}

/* ── The channel ──────────────────────────────────────────────────────────────────────────── */

static guint64
deadline_ms (const PrDelivery *self)
{
  guint64 reply_ms = self->route->reply_timeout_s * 1000;

  if (self->prepare != NULL && self->prepared == NULL)
    return 0; /* it is we who are busy */
  switch (pr_client_get_wait (self->client))
    {
    case PR_WAIT_NOTHING: return self->runner->idle_ms;
    case PR_WAIT_GREETING:
    case PR_WAIT_REPLY: return reply_ms;
    case PR_WAIT_DATA: return MIN (DATA_MS, reply_ms);
    case PR_WAIT_BODY: return MIN (PIECE_MS, reply_ms);
    case PR_WAIT_DOT: return 2 * reply_ms;
    default: g_assert_not_reached ();
    }
}

static void
flush (PrDelivery *self)
{
  if (self->out->len > 0 && !self->closed)
    pr_channel_write (self->channel, self->out->str, self->out->len);
  g_string_truncate (self->out, 0);
  if (self->out->allocated_len > OUT_KEPT && self->feed == NULL)
    {
      g_string_free (self->out, TRUE);
      self->out = g_string_new (NULL);
    }
}

static gboolean
must_leave (const PrDelivery *self)
{
  const PrRunner *runner = self->runner;
  guint said = pr_client_get_capabilities (self->client)->max_transactions;
  gboolean others_wait = runner->slot_waiters.length > 0 || self->host->waiting.length > 0;

  return self->leaving || self->config != runner->config || runner->stopping ||
         self->n_messages >= self->route->max_messages_per_connection ||
         (said != 0 && self->n_messages >= said) ||
         (others_wait && self->n_messages >= FAIR_MESSAGES);
}

static void
rest (PrDelivery *self)
{
  const PrRunner *runner = self->runner;

  if (runner->slot_waiters.length > 0 || self->host->waiting.length > 0 ||
      runner->idle.length >= MAX_IDLE || runner->paused || self->waives)
    pr_delivery_quit (self);
  else
    set_idle (self, TRUE);
}

static void
go_on (PrDelivery *self)
{
  if (must_leave (self))
    pr_delivery_quit (self);
  else if (!pr_sending_next (self))
    {
      if (self->waives) /* what is left had no other way */
        pr_hop_fail (self->hop, &self->proof_failure, self->label, FALSE);
      rest (self);
    }
}

static void
note_entry (PrDelivery *self, PrEntry entry)
{
  if (entry != PR_ENTRY_OPEN)
    return;
  self->host->failed_until_us = 0;
  if (!self->runner->network_available)
    self->hop->reachable = TRUE;
  set_opened (self);
  go_on (self);
}

/* It failed while it was being opened: the next address; later: what it had is settled. */
static void
note_broken (PrDelivery *self)
{
  if (pr_delivery_is_opening (self))
    {
      gboolean is_tls = self->broken_error->code == PR_ERROR_TLS;
      gboolean said = self->broken_reply.code != 0 && !is_tls;
      g_autofree char *text = g_strdup_printf ("%s: %s%s", self->label, self->broken_error->message,
                                               is_tls && self->demand == PR_DEMAND_STS
                                                 ? "; its domain's policy (MTA-STS) demands more"
                                                 : "");

      if (pr_entry_fall_back (self))
        return;
      self->unreachable = FALSE;
      pr_reach_note_failure (self, text, said ? &self->broken_reply : NULL);
      pr_reach_next (self);
      return;
    }
  if (self->broken_reply.code == 421 && self->n_messages == 0)
    pr_host_note_failure (self->host);
  if (self->work != NULL)
    pr_sending_break (self);
  pr_delivery_end (self);
}

void
pr_delivery_settle (PrDelivery *self)
{
  while (!self->said_failed && self->hop != NULL)
    {
      if (self->said_ready)
        {
          self->said_ready = FALSE;
          note_entry (self, pr_entry_go_on (self));
        }
      else if (self->said_signed_in)
        {
          self->said_signed_in = FALSE;
          note_entry (self, pr_entry_note_signed_in (self));
        }
      else if (self->said_wants_tls)
        {
          self->said_wants_tls = FALSE;
          pr_entry_secure (self);
        }
      else if (self->said_wants_body)
        {
          self->said_wants_body = FALSE;
          pr_sending_body (self);
        }
      else if (self->said_finished)
        {
          self->said_finished = FALSE;
          pr_sending_finish (self);
          go_on (self);
        }
      else
        break;
    }
  if (self->state == PR_DELIVERY_ENDED || self->client == NULL)
    return; /* or it is on its way to another address */
  flush (self);
  if (self->said_failed)
    note_broken (self);
  else if (self->state != PR_DELIVERY_QUITTING)
    pr_channel_set_deadline (self->channel, deadline_ms (self));
}

static void
on_connected (gpointer owner)
{
  PrDelivery *self = owner;

  self->unreachable = FALSE;
  self->client = pr_client_new (self->config->hostname, self->route->via == PR_VIA_LMTP,
                                &pr_sending_handler, self);
  pr_entry_begin (self);
  pr_channel_set_deadline (self->channel, deadline_ms (self));
}

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  PrDelivery *self = owner;

  pr_client_feed (self->client, data, len, self->out);
  pr_delivery_settle (self);
  return len;
}

static void
on_drained (gpointer owner)
{
  pr_sending_more (owner);
}

static void
on_secured (gpointer owner)
{
  PrDelivery *self = owner;

  pr_entry_note_secured (self);
  pr_delivery_settle (self);
}

static void
note_unconnected (PrDelivery *self, const char *why)
{
  g_autofree char *text = g_strdup_printf ("Could not connect to %s: %s", self->label, why);

  pr_reach_note_failure (self, text, NULL);
  pr_reach_next (self);
}

static void
on_closed (gpointer owner, const GError *error)
{
  PrDelivery *self = owner;

  self->closed = TRUE;
  if (self->state == PR_DELIVERY_CONNECTING)
    {
      self->unreachable = self->unreachable && pr_reach_is_unreachable (self, error);
      note_unconnected (self, error != NULL ? error->message : "Closed");
      return;
    }
  if (self->state == PR_DELIVERY_QUITTING || self->state == PR_DELIVERY_IDLE)
    {
      pr_delivery_end (self);
      return;
    }
  pr_client_close (self->client, error);
  pr_delivery_settle (self);
}

static void
on_timed_out (gpointer owner)
{
  PrDelivery *self = owner;
  g_autoptr (GError) error = NULL;

  if (self->state == PR_DELIVERY_IDLE)
    pr_delivery_quit (self);
  else if (self->state == PR_DELIVERY_QUITTING)
    pr_delivery_end (self);
  else if (self->state == PR_DELIVERY_CONNECTING)
    {
      self->unreachable = FALSE;
      note_unconnected (self, "No answer");
    }
  else
    {
      error =
        g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "No answer within %" G_GUINT64_FORMAT " seconds",
                     deadline_ms (self) / 1000);
      pr_client_close (self->client, error);
      pr_delivery_settle (self);
    }
}

static const PrChannelHandler channel_handler = {
  .connected = on_connected,
  .received = on_received,
  .drained = on_drained,
  .closed = on_closed,
  .timed_out = on_timed_out,
  .secured = on_secured,
};

void
pr_delivery_connect (PrDelivery *self)
{
  self->state = PR_DELIVERY_CONNECTING;
  self->channel =
    pr_channel_new_connect (self->runner->loop, self->address, &channel_handler, self);
  pr_channel_set_deadline (self->channel, self->route->connect_timeout_s * 1000);
}

/* ── For people ───────────────────────────────────────────────────────────────────────────── */

static const char *const state_words[] = {
  [PR_DELIVERY_FINDING] = "looking for the host",
  [PR_DELIVERY_WAITING] = "waiting for a free connection",
  [PR_DELIVERY_CONNECTING] = "connecting",
  [PR_DELIVERY_GREETING] = "being greeted",
  [PR_DELIVERY_SECURING] = "agreeing on encryption",
  [PR_DELIVERY_SIGNING_IN] = "signing in",
  [PR_DELIVERY_SENDING] = "sending a message",
  [PR_DELIVERY_IDLE] = "waiting for more",
  [PR_DELIVERY_QUITTING] = "saying goodbye",
  [PR_DELIVERY_ENDED] = "ended",
};

static void
on_describe (PrLive *live, PrLiveFacts *out)
{
  PrDelivery *self = from_live (live);

  *out = (PrLiveFacts){
    .peer = self->label != NULL ? self->label : self->hop->name,
    .state = state_words[self->state],
    .route = self->route->name,
    .tls = self->tls,
    .user = self->signed_in ? self->route->username : NULL,
    .octets_in = self->channel != NULL ? pr_channel_get_octets_in (self->channel) : 0,
    .octets_out = self->channel != NULL ? pr_channel_get_octets_out (self->channel) : 0,
    .n_messages = self->n_messages,
  };
}

static void
on_disconnect (PrLive *live)
{
  PrDelivery *self = from_live (live);

  self->leaving = TRUE;
  if (self->state == PR_DELIVERY_IDLE)
    pr_delivery_quit (self);
  else if (self->state != PR_DELIVERY_QUITTING)
    pr_delivery_cancel (self);
}

/* ── For the hop and the runner ───────────────────────────────────────────────────────────── */

void
pr_delivery_open (PrHop *hop)
{
  PrRunner *runner = hop->runner;
  PrDelivery *self = g_new0 (PrDelivery, 1);

  self->runner = runner;
  self->hop = hop;
  self->config = pr_config_ref (runner->config);
  self->route = hop->route;
  self->way = pr_way_ref (pr_way_get (runner, self->route));
  self->unreachable = TRUE;
  self->idle_link.data = self;
  self->out = g_string_new (NULL);
  self->live.outbound = TRUE;
  self->live.describe = on_describe;
  self->live.disconnect = on_disconnect;
  pr_live_enter (&self->live, runner->lives);
  runner->n_connections++;
  hop->n_opening++;
  g_queue_push_tail (&hop->deliveries, self);
  pr_reach_start (self);
}

gboolean
pr_delivery_is_idle (const PrDelivery *self)
{
  return self->state == PR_DELIVERY_IDLE;
}

void
pr_delivery_use (PrDelivery *self)
{
  set_idle (self, FALSE);
  go_on (self);
  pr_delivery_settle (self);
}

gboolean
pr_delivery_cancel (PrDelivery *self)
{
  if (self->state == PR_DELIVERY_SENDING && self->work != NULL && pr_client_dot_sent (self->client))
    return FALSE;
  if (self->work != NULL)
    pr_sending_return (self);
  pr_delivery_end (self);
  return TRUE;
}

void
pr_delivery_evict_idle (PrRunner *runner)
{
  if (runner->idle.head != NULL)
    pr_delivery_quit (runner->idle.head->data);
}
