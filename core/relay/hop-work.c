/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits for a hop: from the store in hand, to its connections, and back.
 *
 * While the hop is blocked, mail that comes due is told why in small bites and goes back to the
 * store; but where our network or a sign-in is missing, it stays there, and nothing counts. */
#include "relay/hop.h"

#include "relay/bucket.h"
#include "relay/pacer.h"
#include "relay/record.h"

#define SWEEP_RECIPIENTS 256
#define STORE_AGAIN_US (5 * G_GINT64_CONSTANT (1000000))

/* ── It comes in hand ─────────────────────────────────────────────────────────────────────── */

static PrWork *
waiting_work (PrHop *self, gint64 id)
{
  PrParcel *parcel = pr_hand_find (self->runner->hand, id);

  if (parcel != NULL)
    for (PrWork *work = parcel->works; work != NULL; work = work->sibling)
      if (work->hop == self && work->state == PR_WORK_WAITING)
        return work;
  return NULL;
}

PrWork *
pr_hop_hold_in_hand (PrHop *self, PrMessage *message, const guint *indexes, guint n)
{
  self->n_in_hand += n;
  return pr_hand_add (self->runner->hand, message, self, indexes, n);
}

static void
queue_recipient (PrHop *self, PrMessage *message, guint index)
{
  PrWork *work = waiting_work (self, message->id);

  self->n_in_hand++;
  if (work != NULL)
    {
      pr_hand_extend (self->runner->hand, work, index);
      return;
    }
  work = pr_hand_add (self->runner->hand, message, self, &index, 1);
  work->owner = self->runner;
  pr_work_queue_push (&self->works, work);
}

/* Its route changed: it goes to its new bucket by way of the store, so that a queue of any size
 * moves in bounded memory. */
static void
move (PrHop *self, PrMessage *message, guint index, const PrBucket *bucket)
{
  PrProgress *progress = &message->progress[index];

  g_free (progress->hop);
  progress->hop = pr_bucket_name (bucket);
  if (bucket->held != NULL)
    {
      PrEvent event = {
        .kind = PR_EVENT_HELD,
        .message = message->id,
        .sender = message->envelope->sender,
        .address = pr_envelope_recipient (message->envelope, index)->address,
        .route = bucket->route != NULL ? bucket->route->name : NULL,
        .text = bucket->held,
      };

      progress->state = PR_RECIPIENT_HELD;
      g_free (progress->last_reply);
      progress->last_reply = g_strdup (bucket->held);
      pr_journal_add (self->runner->journal, &event);
    }
  pr_record_progress (self->runner, pr_hop_hold_in_hand (self, message, &index, 1));
}

static void
place (PrHop *self, PrMessage *message, guint index)
{
  PrBucket bucket =
    pr_bucket_find (self->runner->config, pr_envelope_recipient (message->envelope, index)->address,
                    message->envelope->sender, message->progress[index].hop);

  if (bucket.held == NULL && pr_bucket_is (&bucket, self->name))
    queue_recipient (self, message, index);
  else
    move (self, message, index, &bucket);
}

void
pr_hop_take (PrHop *self, PrMessage *message, guint index)
{
  if (pr_hand_has (self->runner->hand, message->id, index))
    return;
  if (!pr_hop_may_send (self) || pr_hop_is_blocked (self) || !pr_hop_has_room (self) ||
      message->progress[index].due_us > g_get_real_time ())
    pr_hop_note_due (self, message->progress[index].due_us);
  else
    place (self, message, index);
}

/* ── From the store ───────────────────────────────────────────────────────────────────────── */

static void
take_row (PrHop *self, const PrStoreDue *row)
{
  PrRunner *runner = self->runner;
  PrParcel *parcel = pr_hand_find (runner->hand, row->message->id);
  PrMessage *message = parcel != NULL ? parcel->message : row->message;

  if (pr_hand_has (runner->hand, message->id, row->index) ||
      g_hash_table_contains (runner->deleting, &message->id) ||
      row->index >= message->envelope->recipients->len ||
      message->progress[row->index].state != PR_RECIPIENT_QUEUED)
    return;
  place (self, message, row->index);
}

/* What came due at a blocked hop: told why, and back. */
static void
sweep (PrHop *self)
{
  PrRecordFacts facts = {
    .due_us = self->blocked_until_us,
    .uncounted = TRUE,
    .quiet = TRUE,
  };
  PrWork *work;

  if (self->is_not_its_fault)
    {
      pr_hop_give_back (self);
      return;
    }
  while ((work = self->works.first) != NULL)
    {
      pr_work_queue_remove (&self->works, work);
      pr_record_results (self->runner, work, &self->failure, TRUE, &facts);
    }
  self->sweep_us = g_get_real_time () + PR_HOP_SWEEP_US;
}

static void
on_due (const PrStoreDue *due, guint n, gint64 next_due_us, const GError *error, gpointer user_data)
{
  PrHop *self = user_data;
  PrRunner *runner = self->runner;

  runner->n_store_calls--;
  self->refilling = FALSE;
  if (error != NULL)
    {
      g_warning ("The queue could not be read, trying again: %s", error->message);
      pr_hop_note_due (self, g_get_real_time () + STORE_AGAIN_US);
      return;
    }
  if (pr_runner_is_quiet (runner))
    {
      if (n > 0 || next_due_us != 0)
        pr_hop_note_due (self, n > 0 ? 1 : next_due_us);
      return;
    }

  for (guint i = 0; i < n; i++)
    take_row (self, &due[i]);
  if (next_due_us != 0)
    pr_hop_note_due (self, next_due_us);
  if (pr_hop_is_blocked (self))
    sweep (self);
  pr_hop_update_wake (self);
  pr_hop_pump (self);
}

void
pr_hop_wake (PrHop *self)
{
  PrRunner *runner = self->runner;
  guint window = pr_hop_get_window (self);
  guint batch = pr_hop_is_blocked (self) ? MIN (SWEEP_RECIPIENTS, window) : window;

  self->refilling = TRUE;
  self->more_due_us = 0;
  self->last_used_us = g_get_monotonic_time ();
  pr_hop_update_wake (self);
  runner->n_store_calls++;
  pr_store_due (runner->store, self->name, g_get_real_time (), self->n_in_hand + batch, on_due,
                self);
}

/* ── It leaves ────────────────────────────────────────────────────────────────────────────── */

static void
forget_work (PrHop *self, PrWork *work)
{
  self->n_in_hand -= work->n_indexes;
  pr_hand_remove (self->runner->hand, work);
}

void
pr_hop_release_work (PrHop *self, PrWork *work)
{
  forget_work (self, work);
  if (self->more_due_us != 0)
    pr_hop_update_wake (self);
}

void
pr_hop_forget_waiting (PrHop *self, PrWork *work)
{
  pr_work_queue_remove (&self->works, work);
  forget_work (self, work);
}

static void
give_back_work (PrHop *self, PrWork *work)
{
  for (guint i = 0; i < work->n_indexes; i++)
    pr_hop_note_due (self, work->parcel->message->progress[work->indexes[i]].due_us);
  forget_work (self, work);
}

void
pr_hop_give_back (PrHop *self)
{
  PrWork *work;

  while ((work = self->works.first) != NULL)
    {
      pr_work_queue_remove (&self->works, work);
      give_back_work (self, work);
    }
}

static PrWork *
find_waiver (const PrHop *self)
{
  for (PrWork *work = self->works.first; work != NULL; work = work->next)
    if (work->parcel->message->envelope->waives_tls)
      return work;
  return NULL;
}

static PrWork *
take_work (PrHop *self, PrWork *work, guint max_recipients)
{
  if (work == NULL || !pr_hop_may_send (self) || pr_hop_is_blocked (self))
    return NULL;
  max_recipients = pr_pacer_ask (self, MIN (work->n_indexes, max_recipients));
  if (max_recipients == 0)
    return NULL;
  pr_work_queue_remove (&self->works, work);
  if (work->n_indexes > max_recipients)
    pr_work_queue_push_front (&self->works,
                              pr_hand_split (self->runner->hand, work, max_recipients));
  work->state = PR_WORK_SENDING;
  pr_pacer_take (self, work);
  return work;
}

PrWork *
pr_hop_next_work (PrHop *self, guint max_recipients)
{
  return take_work (self, self->works.first, max_recipients);
}

PrWork *
pr_hop_next_waiver (PrHop *self, guint max_recipients)
{
  return take_work (self, find_waiver (self), max_recipients);
}

gboolean
pr_hop_has_waiver (const PrHop *self)
{
  return find_waiver (self) != NULL;
}

void
pr_hop_return_work (PrHop *self, PrWork *work)
{
  work->state = PR_WORK_WAITING;
  work->delivery = NULL;
  pr_pacer_settle (work, 0);
  if (work->parcel->recalled || work->parcel->doomed)
    forget_work (self, work);
  else if (pr_hop_may_send (self) && !pr_hop_is_blocked (self))
    pr_work_queue_push_front (&self->works, work);
  else
    give_back_work (self, work);
}
