/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A delivery's second half: one work after another over its connection. The client's handlers
 * only note what was said; pr_delivery_settle() acts on it when the client has returned. */
#include "relay/delivery-private.h"

#include "common/error.h"
#include "relay/bucket.h"
#include "relay/convert.h"
#include "relay/hop.h"
#include "relay/record.h"

#define MAX_RECIPIENTS 100  /* RFC 5321 §4.5.3.1.8: what every server takes */
#define MAX_STALE 2         /* a work survives so many connections that broke without an answer */
#define REWRITE_GROWTH 1024 /* octets that new header fields may take */
#define MAX_BREAKS 3        /* in a row: then the hop is left alone */

static void
on_ready (gpointer owner)
{
  ((PrDelivery *) owner)->said_ready = TRUE;
}

static void
on_wants_tls (gpointer owner)
{
  ((PrDelivery *) owner)->said_wants_tls = TRUE;
}

static void
on_signed_in (gpointer owner, const PrReply *refusal)
{
  PrDelivery *self = owner;

  self->said_signed_in = TRUE;
  if (refusal != NULL)
    pr_reply_copy (&self->sign_in_refusal, refusal);
}

static void
on_wants_body (gpointer owner)
{
  ((PrDelivery *) owner)->said_wants_body = TRUE;
}

static void
on_result (gpointer owner, guint index, const PrReply *reply, const char *stage)
{
  PrDelivery *self = owner;

  if (self->work != NULL && index < self->work->n_indexes)
    pr_reply_copy (&self->replies[index], reply);
}

static void
on_finished (gpointer owner)
{
  ((PrDelivery *) owner)->said_finished = TRUE;
}

static void
on_failed (gpointer owner, const GError *error, const PrReply *reply)
{
  PrDelivery *self = owner;

  self->said_failed = TRUE;
  g_clear_error (&self->broken_error);
  self->broken_error = g_error_copy (error);
  if (reply != NULL)
    pr_reply_copy (&self->broken_reply, reply);
}

static void
on_trace (gpointer owner, gboolean outgoing, const char *line, gsize len)
{
  pr_transcript_add (&((PrDelivery *) owner)->live.transcript, outgoing, line, len);
}

const PrClientHandler pr_sending_handler = {
  .ready = on_ready,
  .wants_tls = on_wants_tls,
  .signed_in = on_signed_in,
  .wants_body = on_wants_body,
  .result = on_result,
  .finished = on_finished,
  .failed = on_failed,
  .trace = on_trace,
};

/* ── Beginning ────────────────────────────────────────────────────────────────────────────── */

static void
make_room (PrDelivery *self, guint n)
{
  if (n <= self->room)
    return;
  self->pointers = g_renew (const PrRecipient *, self->pointers, n);
  self->recipients = g_renew (PrRecipient, self->recipients, n);
  self->replies = g_renew (PrReply, self->replies, n);
  for (guint i = 0; i < n; i++)
    self->pointers[i] = &self->recipients[i];
  for (guint i = self->room; i < n; i++)
    self->replies[i] = (PrReply){ 0 };
  self->room = n;
}

/* The recipients as the hop is told them: mail for postmaster goes to a person. */
static void
address_recipients (PrDelivery *self, PrMessage *message)
{
  for (guint i = 0; i < self->work->n_indexes; i++)
    {
      guint index = self->work->indexes[i];
      const PrRecipient *recipient = pr_envelope_recipient (message->envelope, index);
      PrBucket bucket = pr_bucket_find (self->config, recipient->address, message->envelope->sender,
                                        message->progress[index].hop);

      self->recipients[i] = *recipient;
      self->recipients[i].address = (char *) bucket.address; /* read only from here on */
    }
}

static guint
max_recipients (const PrDelivery *self)
{
  guint said = pr_client_get_capabilities (self->client)->max_recipients;
  const PrProvider *provider = self->route->provider;

  if (said == 0 && provider != NULL)
    said = provider->max_recipients;
  return said != 0 ? MIN (said, MAX_RECIPIENTS) : MAX_RECIPIENTS;
}

static void
send_transaction (PrDelivery *self)
{
  const PrMessage *message = self->work->parcel->message;
  const PrEnvelope *envelope = message->envelope;
  const char *address = self->route->rewrite_sender;
  PrTransaction transaction = {
    .sender = envelope->sender,
    .recipients = self->pointers,
    .n_recipients = self->work->n_indexes,
    .size_octets = message->size_octets,
    .body = envelope->body,
    .smtputf8 = envelope->smtputf8,
    .ret = envelope->ret,
    .envid = envelope->envid,
    .requires_tls = envelope->requires_tls,
  };

  if (self->prepared != NULL)
    {
      transaction.size_octets = self->prepared->size_octets;
      transaction.body = self->prepared->body;
      transaction.smtputf8 = self->prepared->smtputf8;
    }
  if (address != NULL)
    {
      transaction.sender = pr_rewrite_envelope (envelope->sender, address);
      transaction.size_octets += REWRITE_GROWTH;
    }
  pr_client_send (self->client, &transaction, self->out);
}

static void
answer_all (PrDelivery *self, const PrReply *reply)
{
  for (guint i = 0; i < self->work->n_indexes; i++)
    pr_reply_copy (&self->replies[i], reply);
  self->said_finished = TRUE;
}

static void
on_prepared (const PrPrepared *result, const GError *error, gpointer user_data)
{
  PrDelivery *self = user_data;

  self->prepared = result;
  if (error != NULL)
    {
      PrReply reply = { 0 };

      pr_reply_set (&reply, 0, "4.3.0", error->message);
      answer_all (self, &reply);
      pr_reply_clear (&reply);
    }
  else if (result->refusal != NULL)
    answer_all (self, result->refusal);
  else
    send_transaction (self);
  pr_delivery_settle (self);
}

/* A message that may not go over this connection (REQUIRETLS): another host may do, else it
 * fails. */
static void
turn_away (PrDelivery *self, const PrReply *refusal)
{
  if (!pr_targets_has_more (self->targets) || self->work->n_broken >= MAX_STALE)
    {
      answer_all (self, refusal);
      return;
    }
  self->work->n_broken++;
  pr_host_note_failure (self->host); /* the others are preferred for a while */
  pr_sending_return (self);
  pr_delivery_quit (self);
}

/* The server says itself how large a message may be, as a rule; where it does not, what is known
 * of its provider spares the way there. */
static gboolean
is_too_large (const PrDelivery *self, const PrMessage *message, PrReply *refusal)
{
  const PrProvider *provider = self->route->provider;
  g_autofree char *text = NULL;

  if (provider == NULL || provider->max_size_octets == 0 ||
      (pr_client_get_capabilities (self->client)->extensions & PR_EXT_SIZE) != 0 ||
      message->size_octets <= provider->max_size_octets)
    return FALSE;
  text = g_strdup_printf ("The message is larger than %s takes (%" G_GUINT64_FORMAT " MB)",
                          provider->name, provider->max_size_octets / 1000000);
  pr_reply_set (refusal, 552, "5.3.4", text);
  return TRUE;
}

gboolean
pr_sending_next (PrDelivery *self)
{
  PrWork *work = self->waives ? pr_hop_next_waiver (self->hop, max_recipients (self))
                              : pr_hop_next_work (self->hop, max_recipients (self));
  PrExtensions extensions = pr_client_get_capabilities (self->client)->extensions;
  PrMessage *message;
  PrReply refusal = { 0 };

  if (work == NULL)
    return FALSE;
  message = work->parcel->message;
  self->work = work;
  work->delivery = self;
  self->state = PR_DELIVERY_SENDING;
  self->octets_before = pr_channel_get_octets_in (self->channel);
  make_room (self, work->n_indexes);
  address_recipients (self, message);

  if (message->envelope->requires_tls && !pr_entry_is_safe (self, &refusal))
    turn_away (self, &refusal);
  else if (is_too_large (self, message, &refusal))
    answer_all (self, &refusal);
  else if (pr_convert_is_due (message->envelope, extensions))
    {
      self->prepare = pr_prepare_conversion (self->runner, message, extensions, on_prepared, self);
      pr_prepare_start (self->prepare);
    }
  else
    send_transaction (self);
  pr_reply_clear (&refusal);
  return TRUE;
}

/* ── The body ─────────────────────────────────────────────────────────────────────────────── */

static void
give_body (PrDelivery *self, const char *data, gsize len, gboolean last)
{
  g_autoptr (GString) rewritten = NULL;

  if (self->rewrite == NULL)
    {
      pr_client_give_body (self->client, data, len, last, self->out);
      return;
    }
  rewritten = g_string_sized_new (len + REWRITE_GROWTH);
  pr_rewrite_feed (self->rewrite, data, len, last, rewritten);
  pr_client_give_body (self->client, rewritten->str, rewritten->len, last, self->out);
}

static void
give_whole_body (PrDelivery *self, GBytes *bytes)
{
  gsize len;
  const char *data = g_bytes_get_data (bytes, &len);

  give_body (self, data, len, TRUE);
}

static void
on_piece (const char *data, gsize len, gboolean last, const GError *error, gpointer user_data)
{
  PrDelivery *self = user_data;

  if (error != NULL)
    {
      g_clear_pointer (&self->feed, pr_feed_free);
      pr_client_close (self->client, error);
      pr_delivery_settle (self);
      return;
    }
  give_body (self, data, len, last);
  if (last)
    g_clear_pointer (&self->feed, pr_feed_free);
  pr_delivery_settle (self);
  if (self->feed != NULL && pr_channel_get_unsent (self->channel) == 0)
    pr_feed_want (self->feed);
}

void
pr_sending_body (PrDelivery *self)
{
  PrRunner *runner = self->runner;
  PrMessage *message = self->work->parcel->message;
  GBytes *bytes = self->prepared != NULL ? self->prepared->bytes : message->body;

  if (self->route->rewrite_sender != NULL)
    self->rewrite = pr_rewrite_new (self->route->rewrite_sender);
  if (bytes != NULL)
    {
      give_whole_body (self, bytes);
      return;
    }
  if (self->prepared != NULL && self->prepared->fd >= 0)
    {
      int fd = self->prepared->fd;

      self->prepared = NULL;
      self->feed = pr_feed_new_from_file (runner->worker, fd, g_steal_pointer (&self->prepare),
                                          (GDestroyNotify) pr_prepare_free, on_piece, self);
    }
  else
    self->feed = pr_feed_new (runner->store, message, &runner->n_store_calls, on_piece, self);
  pr_feed_want (self->feed);
}

void
pr_sending_more (PrDelivery *self)
{
  if (self->feed != NULL)
    pr_feed_want (self->feed);
}

/* ── Answers ──────────────────────────────────────────────────────────────────────────────── */

void
pr_sending_clear (PrDelivery *self)
{
  g_clear_pointer (&self->feed, pr_feed_free);
  g_clear_pointer (&self->rewrite, pr_rewrite_free);
  g_clear_pointer (&self->prepare, pr_prepare_free);
  self->prepared = NULL;
  self->work = NULL;
  self->said_wants_body = FALSE;
}

static PrRecordFacts
facts_of (const PrDelivery *self)
{
  return (PrRecordFacts){
    .peer = self->label,
    .session = self->live.id,
    .tls = self->tls,
    .hop_is_last = self->route->via == PR_VIA_LMTP,
    .hop_does_dsn = (pr_client_get_capabilities (self->client)->extensions & PR_EXT_DSN) != 0,
  };
}

static void
clear_replies (PrDelivery *self, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      pr_reply_clear (&self->replies[i]);
      self->replies[i] = (PrReply){ 0 };
    }
}

/* The first @n answers become history. */
static void
record (PrDelivery *self, PrWork *work, guint n)
{
  PrRecordFacts facts = facts_of (self);

  work->delivery = NULL;
  pr_record_results (self->runner, work, self->replies, FALSE, &facts);
  clear_replies (self, n);
}

/* Moves recipients that are not @done to the end, with their replies, keeping the order of each
 * half; how many are done. */
static guint
partition (PrDelivery *self, gboolean (*done) (const PrDelivery *self, guint i))
{
  PrWork *work = self->work;
  guint n = work->n_indexes, n_done = 0;

  for (guint i = 0; i < n; i++)
    if (done (self, i))
      {
        guint index = work->indexes[i];
        PrReply reply = self->replies[i];

        for (guint j = i; j > n_done; j--)
          {
            work->indexes[j] = work->indexes[j - 1];
            self->replies[j] = self->replies[j - 1];
          }
        work->indexes[n_done] = index;
        self->replies[n_done] = reply;
        n_done++;
      }
  return n_done;
}

static gboolean
is_answered (const PrDelivery *self, guint i)
{
  return self->replies[i].code != 0;
}

/* RFC 5321 §4.5.3.1.10: 452 (or 552 from older servers) for too many recipients; the others of the
 * transaction went, so these go next, without waiting. */
static gboolean
is_not_too_many (const PrDelivery *self, guint i)
{
  const PrReply *reply = &self->replies[i];

  return !(reply->code == 452 && reply->status[1] == 5 && reply->status[2] == 3) &&
         !(reply->code == 452 && reply->status[0] == 0);
}

static gboolean
any_delivered (const PrDelivery *self)
{
  for (guint i = 0; i < self->work->n_indexes; i++)
    if (pr_reply_is_positive (&self->replies[i]))
      return TRUE;
  return FALSE;
}

/* An answer that concerns the whole route, not its message alone. */
static gboolean
find_warning (const PrDelivery *self, guint n, PrReply *reply, PrAdvice *advice)
{
  for (guint i = 0; i < n; i++)
    {
      pr_provider_advise (self->route->provider, &self->replies[i], advice);
      if (advice->kind == PR_ADVICE_SLOW_DOWN || advice->kind == PR_ADVICE_SIGN_IN)
        {
          pr_reply_copy (reply, &self->replies[i]);
          return TRUE;
        }
    }
  return FALSE;
}

static void
heed (PrDelivery *self, const PrReply *reply, const PrAdvice *advice)
{
  if (advice->kind == PR_ADVICE_SLOW_DOWN)
    pr_hop_slow_down (self->hop, reply, advice, self->label);
  else
    pr_entry_need_sign_in (self, reply, advice);
}

/* RFC 4954 §6: 530, on a connection that was let in and has sent mail: the token ended meanwhile,
 * or the server forgot. The message is not at fault, and a new sign-in decides. */
static gboolean
is_let_in_no_more (const PrDelivery *self)
{
  for (guint i = 0; i < self->work->n_indexes; i++)
    if (self->replies[i].code != 530)
      return FALSE;
  return self->signed_in && self->n_messages > 0 && self->work->n_broken < MAX_STALE;
}

static void
sign_in_again (PrDelivery *self)
{
  PrWork *work = self->work;

  work->n_broken++;
  self->leaving = TRUE;
  clear_replies (self, work->n_indexes);
  pr_sending_clear (self);
  pr_hop_return_work (self->hop, work);
}

void
pr_sending_finish (PrDelivery *self)
{
  PrHop *hop = self->hop;
  PrWork *work = self->work;
  guint n = work->n_indexes, n_done = n;
  PrReply warning = { 0 };
  PrAdvice advice;
  gboolean warned;

  if (is_let_in_no_more (self))
    {
      sign_in_again (self);
      return;
    }
  if (n > 1 && any_delivered (self))
    n_done = partition (self, is_not_too_many);
  if (n_done < n)
    pr_hop_return_work (hop, pr_hand_split (self->runner->hand, work, n_done));
  self->n_messages++;
  pr_sending_clear (self);
  warned = find_warning (self, n_done, &warning, &advice);
  if (!warned)
    pr_hop_note_success (hop, self->label);
  record (self, work, n_done);
  clear_replies (self, n);
  if (warned)
    heed (self, &warning, &advice);
  pr_reply_clear (&warning);
}

/* ── Breaking ─────────────────────────────────────────────────────────────────────────────── */

static void
set_broken_reply (PrDelivery *self, PrReply *reply, gboolean may_double)
{
  g_autofree char *text = NULL;

  /* Any other class, a 250 that nothing asked for above all, is no word on the message. */
  if (!may_double && self->broken_reply.code >= 400 && self->broken_reply.code < 500)
    {
      pr_reply_copy (reply, &self->broken_reply);
      return;
    }
  text = g_strdup_printf ("%s: %s%s", self->label, self->broken_error->message,
                          may_double ? ". The message may have arrived; it may arrive twice" : "");
  pr_reply_set (reply, 0, "4.4.2", text);
}

static void
defer_rest (PrDelivery *self, PrWork *work, gboolean may_double)
{
  PrRecordFacts facts = facts_of (self);
  PrReply reply = { 0 };

  set_broken_reply (self, &reply, may_double);
  work->delivery = NULL;
  pr_record_results (self->runner, work, &reply, TRUE, &facts);
  pr_reply_clear (&reply);
}

/* The hop as a whole is in trouble; @work shares its fate with what waits. */
static void
fail_hop (PrDelivery *self, PrWork *work, gboolean network)
{
  PrReply reply = { 0 };

  set_broken_reply (self, &reply, FALSE);
  if (work != NULL)
    pr_hop_return_work (self->hop, work);
  pr_hop_fail (self->hop, &reply, self->label, network);
  pr_reply_clear (&reply);
}

/* What the provider says with the connection's end is about more than the connection. */
static gboolean
is_advised (PrDelivery *self)
{
  PrAdvice advice;

  return pr_reply_is_temporary (&self->broken_reply) &&
         pr_provider_advise (self->route->provider, &self->broken_reply, &advice) &&
         advice.kind != PR_ADVICE_RETRY;
}

static gboolean
is_our_network (const PrDelivery *self)
{
  return !self->runner->network_available && !self->hop->reachable &&
         !pr_route_is_local (self->route);
}

static void
break_as_advised (PrDelivery *self, PrWork *work)
{
  PrReply reply = { 0 };
  PrAdvice advice;

  pr_reply_copy (&reply, &self->broken_reply);
  pr_provider_advise (self->route->provider, &reply, &advice);
  defer_rest (self, work, FALSE);
  if (advice.kind == PR_ADVICE_SLOW_DOWN || advice.kind == PR_ADVICE_SIGN_IN)
    heed (self, &reply, &advice);
  pr_reply_clear (&reply);
}

void
pr_sending_break (PrDelivery *self)
{
  PrHop *hop = self->hop;
  PrWork *work = self->work;
  gboolean may_double = pr_client_dot_sent (self->client);
  gboolean silent = pr_channel_get_octets_in (self->channel) == self->octets_before;
  gboolean stale = self->n_messages > 0 && !may_double &&
                   (silent || self->broken_reply.code == 421); /* had enough of this connection */
  guint n = work->n_indexes, n_done = partition (self, is_answered);

  pr_sending_clear (self);
  if (n_done == n)
    {
      record (self, work, n);
      return;
    }
  if (n_done > 0)
    {
      PrWork *rest = pr_hand_split (self->runner->hand, work, n_done);

      record (self, work, n_done);
      work = rest;
    }

  if (may_double)
    defer_rest (self, work, TRUE);
  else if (is_advised (self))
    break_as_advised (self, work);
  else if ((stale || (self->broken_reply.code == 421 && pr_targets_has_more (self->targets))) &&
           work->n_broken < MAX_STALE)
    {
      work->n_broken++;
      pr_hop_return_work (hop, work);
    }
  else if (is_our_network (self))
    fail_hop (self, work, TRUE);
  else if (self->broken_reply.code == 421)
    fail_hop (self, work, FALSE);
  else
    {
      defer_rest (self, work, FALSE);
      if (++hop->n_breaks >= MAX_BREAKS)
        fail_hop (self, NULL, FALSE);
    }
}

void
pr_sending_return (PrDelivery *self)
{
  PrWork *work = self->work;

  clear_replies (self, work->n_indexes);
  pr_sending_clear (self);
  pr_hop_return_work (self->hop, work);
}
