/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders of people. A message in hand is first taken back from where it can be; what is changed is
 * in hand itself until it is recorded, so that nothing sends by what was true before. */
#include "relay/order.h"

#include "relay/bucket.h"
#include "relay/delivery.h"
#include "relay/hop.h"
#include "relay/record.h"

#define WALK_STEP 256

#define NOTHING_TO_RETRY "Nothing of it waits for another try"
#define NOTHING_TO_HOLD "Nothing of it is waiting to be sent"
#define NOTHING_TO_RELEASE "Nothing of it is held"
#define NOTHING_TO_FAIL "Nothing of it waits any more"
#define NOTHING_TO_MOVE "All of it is delivered"
#define GIVEN_UP "A person gave this message up"

/* One order for some messages. */
typedef struct
{
  PrRunner *runner; /* borrowed */
  PrOrder order;
  char *pin;    /* owned, nullable: moves there */
  guint n_open; /* messages whose end is awaited, and one while the order is given */
  guint n_done;
  const char *why; /* static */
  PrOrderDone done;
  gpointer user_data;
} Batch;

/* One message of it. */
typedef struct
{
  Batch *batch;
  gint64 id;
} Item;

static void
close_one (Batch *batch)
{
  if (--batch->n_open > 0)
    return;
  if (batch->done != NULL)
    batch->done (batch->n_done, batch->n_done == 0 || batch->why != NULL ? batch->why : NULL,
                 batch->user_data);
  g_free (batch->pin);
  g_free (batch);
}

static void
refuse (Batch *batch, const char *why)
{
  batch->why = why;
  close_one (batch);
}

static void
on_recorded (gpointer user_data)
{
  Batch *batch = user_data;

  batch->n_done++;
  close_one (batch);
}

static void
add_event (PrRunner *runner, PrEventKind kind, const PrMessage *message, const char *text)
{
  PrEvent event = {
    .kind = kind,
    .message = message->id,
    .sender = message->envelope->sender,
    .text = text,
  };

  pr_journal_add (runner->journal, &event);
}

/* ── Taking back ──────────────────────────────────────────────────────────────────────────── */

/* FALSE: there is nothing more to be had. */
static gboolean
recall_one (PrParcel *parcel)
{
  for (PrWork *work = parcel->works; work != NULL; work = work->sibling)
    {
      if (work->state == PR_WORK_WAITING)
        {
          pr_hop_forget_waiting (work->hop, work);
          return TRUE;
        }
      if (work->state == PR_WORK_SENDING && work->delivery != NULL &&
          pr_delivery_cancel (work->delivery))
        return TRUE;
    }
  return FALSE;
}

void
pr_order_recall (PrRunner *runner, gint64 id, gboolean doomed)
{
  PrParcel *parcel = pr_hand_find (runner->hand, id);

  if (parcel == NULL)
    return;
  parcel->recalled = TRUE;
  parcel->doomed = parcel->doomed || doomed;
  while (parcel != NULL && recall_one (parcel))
    parcel = pr_hand_find (runner->hand, id); /* gone with its last work */
  if (parcel != NULL)
    parcel->recalled = FALSE;
}

/* ── Deleting ─────────────────────────────────────────────────────────────────────────────── */

static void
on_deleted (const GError *error, gpointer user_data)
{
  Item *item = user_data;
  PrRunner *runner = item->batch->runner;

  runner->n_store_calls--;
  g_hash_table_remove (runner->deleting, &item->id);
  if (error == NULL)
    on_recorded (item->batch);
  else
    refuse (item->batch, "The queue could not be written");
  g_free (item);
}

static void
delete_now (Batch *batch, gint64 id)
{
  PrRunner *runner = batch->runner;
  Item *item = g_new0 (Item, 1);

  item->batch = batch;
  item->id = id;
  g_hash_table_add (runner->deleting, g_memdup2 (&id, sizeof id));
  runner->n_store_calls++;
  pr_store_delete (runner->store, &item->id, 1, on_deleted, item);
}

void
pr_order_delete_now (PrRunner *runner, gint64 id)
{
  Batch *batch = g_new0 (Batch, 1);

  batch->runner = runner;
  batch->n_open = 1;
  delete_now (batch, id);
}

static void
delete_message (Batch *batch, PrMessage *message)
{
  PrRunner *runner = batch->runner;

  add_event (runner, PR_EVENT_DELETED, message, NULL);
  pr_order_recall (runner, message->id, TRUE);
  if (pr_hand_find (runner->hand, message->id) == NULL)
    delete_now (batch, message->id);
  else /* when its last work ends */
    on_recorded (batch);
}

/* ── Changing ─────────────────────────────────────────────────────────────────────────────── */

/* A password that was refused is tried once more, too. */
static void
try_again (PrRunner *runner, PrHop *hop)
{
  if (hop->route != NULL && pr_runner_get_sign_in_need (runner, hop->route->name) != NULL)
    pr_runner_renew_way (runner, hop->route->name);
  pr_hop_unblock (hop);
}

/* FALSE, and maybe why: nothing changes. */
static gboolean
retry (Batch *batch, PrMessage *message, guint index, const char **why)
{
  PrProgress *progress = &message->progress[index];

  *why = NOTHING_TO_RETRY;
  if (progress->state != PR_RECIPIENT_QUEUED && progress->state != PR_RECIPIENT_FAILED)
    return FALSE;
  progress->state = PR_RECIPIENT_QUEUED;
  progress->due_us = g_get_real_time ();
  try_again (batch->runner, pr_hop_get (batch->runner, progress->hop));
  return TRUE;
}

static gboolean
hold (Batch *batch, PrMessage *message, guint index, const char **why)
{
  PrProgress *progress = &message->progress[index];

  *why = NOTHING_TO_HOLD;
  if (progress->state != PR_RECIPIENT_QUEUED)
    return FALSE;
  progress->state = PR_RECIPIENT_HELD;
  return TRUE;
}

static gboolean
release (Batch *batch, PrMessage *message, guint index, const char **why)
{
  PrProgress *progress = &message->progress[index];
  PrBucket bucket;

  *why = NOTHING_TO_RELEASE;
  if (progress->state != PR_RECIPIENT_HELD)
    return FALSE;
  bucket = pr_bucket_find (batch->runner->config,
                           pr_envelope_recipient (message->envelope, index)->address,
                           message->envelope->sender, progress->hop);
  *why = bucket.held;
  if (bucket.held != NULL)
    return FALSE;
  g_free (progress->hop);
  progress->hop = pr_bucket_name (&bucket);
  progress->state = PR_RECIPIENT_QUEUED;
  progress->due_us = g_get_real_time ();
  return TRUE;
}

/* What it changes, the outcome of an attempt does. */
static gboolean
give_up (Batch *batch, PrMessage *message, guint index, const char **why)
{
  PrRecipientState state = message->progress[index].state;

  *why = NOTHING_TO_FAIL;
  return state == PR_RECIPIENT_QUEUED || state == PR_RECIPIENT_HELD;
}

static gboolean
move (Batch *batch, PrMessage *message, guint index, const char **why)
{
  PrProgress *progress = &message->progress[index];
  PrBucket bucket;

  *why = NOTHING_TO_MOVE;
  if (progress->state == PR_RECIPIENT_DELIVERED)
    return FALSE;
  bucket = pr_bucket_find (batch->runner->config,
                           pr_envelope_recipient (message->envelope, index)->address,
                           message->envelope->sender, batch->pin);
  g_free (progress->hop);
  progress->hop = pr_bucket_name (&bucket);
  progress->state = bucket.held != NULL ? PR_RECIPIENT_HELD : PR_RECIPIENT_QUEUED;
  progress->due_us = g_get_real_time ();
  if (bucket.held != NULL)
    {
      g_free (progress->last_reply);
      progress->last_reply = g_strdup (bucket.held);
    }
  return TRUE;
}

typedef gboolean (*Change) (Batch *batch, PrMessage *message, guint index, const char **why);

static const struct
{
  Change change;
  PrEventKind event;
} changes[] = {
  [PR_ORDER_RETRY] = { retry, PR_EVENT_RETRIED },
  [PR_ORDER_HOLD] = { hold, PR_EVENT_HELD },
  [PR_ORDER_RELEASE] = { release, PR_EVENT_RELEASED },
  [PR_ORDER_FAIL] = { give_up, PR_EVENT_EDITED },
  [PR_ORDER_MOVE] = { move, PR_EVENT_EDITED },
};

static const char *
words_of (const Batch *batch)
{
  switch (batch->order)
    {
    case PR_ORDER_HOLD: return "By a person's order";
    case PR_ORDER_FAIL: return "Given up by a person's order";
    case PR_ORDER_MOVE: return "Moved to another route by a person's order";
    case PR_ORDER_RETRY:
    case PR_ORDER_RELEASE:
    case PR_ORDER_DELETE:
    default: return NULL;
    }
}

static void
record (Batch *batch, PrWork *work)
{
  static const PrRecordFacts facts = { .uncounted = TRUE };
  PrReply reply = { 0 };

  work->recorded = on_recorded;
  work->recorded_data = batch;
  if (batch->order != PR_ORDER_FAIL)
    {
      pr_record_progress (batch->runner, work);
      return;
    }
  pr_reply_set (&reply, 554, "5.3.0", GIVEN_UP); /* RFC 3463 §3.4: no better code */
  pr_record_results (batch->runner, work, &reply, TRUE, &facts);
  pr_reply_clear (&reply);
}

static void
change_message (Batch *batch, PrMessage *message)
{
  PrRunner *runner = batch->runner;
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint));
  const char *why = NULL;
  gboolean in_hand = FALSE;
  PrWork *work;

  if (batch->order != PR_ORDER_RETRY && batch->order != PR_ORDER_RELEASE)
    pr_order_recall (runner, message->id, FALSE);
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    if (pr_hand_has (runner->hand, message->id, i))
      in_hand = TRUE;
    else if (changes[batch->order].change (batch, message, i, &why))
      g_array_append_val (indexes, i);

  if (indexes->len == 0)
    {
      refuse (batch, in_hand ? PR_ORDER_TOO_LATE : why);
      return;
    }
  add_event (runner, changes[batch->order].event, message, words_of (batch));
  work = pr_hop_hold_in_hand (
    pr_hop_get (runner, message->progress[g_array_index (indexes, guint, 0)].hop), message,
    &g_array_index (indexes, guint, 0), indexes->len);
  record (batch, work);
}

static void
carry_out (Batch *batch, PrMessage *message)
{
  g_autoptr (PrMessage) kept = pr_message_ref (message);

  if (batch->order == PR_ORDER_DELETE)
    delete_message (batch, kept);
  else
    change_message (batch, kept);
}

static void
on_message (PrMessage *message, const GError *error, gpointer user_data)
{
  Item *item = user_data;
  Batch *batch = item->batch;
  PrParcel *parcel = pr_hand_find (batch->runner->hand, item->id);

  batch->runner->n_store_calls--;
  g_free (item);
  if (parcel != NULL)
    carry_out (batch, parcel->message);
  else if (message == NULL)
    refuse (batch, error != NULL ? "The queue could not be read" : PR_ORDER_NO_SUCH_MESSAGE);
  else if (g_hash_table_contains (batch->runner->deleting, &message->id))
    refuse (batch, PR_ORDER_CHANGING);
  else
    carry_out (batch, message);
}

/* The store answers in order: asked now, it answers when that is on the disk. */
static gboolean
is_recording (const PrParcel *parcel)
{
  for (const PrWork *work = parcel->works; work != NULL; work = work->sibling)
    if (work->state == PR_WORK_RECORDING)
      return TRUE;
  return FALSE;
}

static void
give_order (Batch *batch, gint64 id)
{
  PrRunner *runner = batch->runner;
  PrParcel *parcel = pr_hand_find (runner->hand, id);
  Item *item;

  batch->n_open++;
  if (parcel != NULL && !is_recording (parcel))
    {
      carry_out (batch, parcel->message);
      return;
    }
  item = g_new0 (Item, 1);
  item->batch = batch;
  item->id = id;
  runner->n_store_calls++;
  pr_store_get (runner->store, id, on_message, item);
}

static void
order (PrRunner *self, PrOrder what, char *pin, const gint64 *ids, guint n, PrOrderDone done,
       gpointer user_data)
{
  Batch *batch = g_new0 (Batch, 1);

  batch->runner = self;
  batch->order = what;
  batch->pin = pin;
  batch->n_open = 1;
  batch->done = done;
  batch->user_data = user_data;
  for (guint i = 0; i < n; i++)
    give_order (batch, ids[i]);
  close_one (batch);
}

void
pr_runner_order (PrRunner *self, PrOrder what, const gint64 *ids, guint n, PrOrderDone done,
                 gpointer user_data)
{
  g_return_if_fail (what != PR_ORDER_MOVE);

  order (self, what, NULL, ids, n, done, user_data);
}

void
pr_runner_move (PrRunner *self, const char *route, const gint64 *ids, guint n, PrOrderDone done,
                gpointer user_data)
{
  order (self, PR_ORDER_MOVE, route != NULL ? pr_bucket_pin (route) : NULL, ids, n, done,
         user_data);
}

/* ── For all ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrRunner *runner; /* borrowed */
  PrOrder order;
  guint n_messages;
  PrOrderDone done;
  gpointer user_data;
} ForAll;

static void
on_all_done (const GError *error, gpointer user_data)
{
  ForAll *all = user_data;
  PrRunner *runner = all->runner;

  runner->n_store_calls--;
  runner->n_quiet--;
  pr_runner_look_again (runner);
  pr_runner_read_hops (runner);
  if (all->done != NULL)
    all->done (error == NULL ? all->n_messages : 0,
               error != NULL ? "The queue could not be written" : NULL, all->user_data);
  g_free (all);
}

/* The hand is emptied as far as it can be and takes nothing while the store changes all rows. */
void
pr_runner_order_all (PrRunner *self, PrOrder order, PrOrderDone done, gpointer user_data)
{
  static const PrRecipientState from[] = {
    [PR_ORDER_RETRY] = PR_RECIPIENT_QUEUED,
    [PR_ORDER_HOLD] = PR_RECIPIENT_QUEUED,
    [PR_ORDER_RELEASE] = PR_RECIPIENT_HELD,
  };
  PrRecipientState to = order == PR_ORDER_HOLD ? PR_RECIPIENT_HELD : PR_RECIPIENT_QUEUED;
  ForAll *all = g_new0 (ForAll, 1);
  PrStoreCounts counts;

  pr_store_get_counts (self->store, &counts);
  all->runner = self;
  all->order = order;
  all->n_messages = (guint) MIN (counts.n_messages, G_MAXUINT);
  if (order == PR_ORDER_RELEASE)
    all->n_messages = (guint) MIN (counts.n_messages, counts.n_held);
  else if (order != PR_ORDER_DELETE)
    all->n_messages = (guint) MIN (counts.n_messages, counts.n_queued);
  all->done = done;
  all->user_data = user_data;

  self->n_quiet++;
  self->n_store_calls++;
  pr_runner_take_back (self);
  if (order == PR_ORDER_RETRY)
    pr_runner_unblock_hops (self);
  if (order == PR_ORDER_DELETE)
    pr_store_delete_all (self->store, on_all_done, all);
  else
    pr_store_update_all (self->store, from[order], to, g_get_real_time (), on_all_done, all);
}

/* ── A route appeared ─────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrRunner *runner; /* borrowed */
  gint64 after;     /* the last id that was looked at */
} Walk;

static void walk_on (Walk *walk);

static void
on_step (guint n_done, const char *why, gpointer user_data)
{
  walk_on (user_data);
}

static void
on_ids (const gint64 *ids, guint n, const GError *error, gpointer user_data)
{
  Walk *walk = user_data;
  PrRunner *runner = walk->runner;

  runner->n_store_calls--;
  if (error == NULL && n == 0 && runner->walk_again)
    {
      walk_on (walk);
      return;
    }
  if (error != NULL || n == 0 || runner->stopping)
    {
      runner->walking = FALSE;
      g_free (walk);
      return;
    }
  walk->after = ids[n - 1];
  pr_runner_order (runner, PR_ORDER_RELEASE, ids, n, on_step, walk);
}

static void
walk_on (Walk *walk)
{
  PrStoreFilter filter = { .hop = "", .state = PR_RECIPIENT_HELD };

  if (walk->runner->walk_again)
    walk->after = 0;
  walk->runner->walk_again = FALSE;
  walk->runner->n_store_calls++;
  pr_store_list_ids (walk->runner->store, &filter, walk->after, WALK_STEP, on_ids, walk);
}

void
pr_order_release_routed (PrRunner *runner)
{
  PrStoreCounts counts;
  Walk *walk;

  pr_store_get_counts (runner->store, &counts);
  if (counts.n_held == 0)
    return;
  if (runner->walking)
    {
      runner->walk_again = TRUE;
      return;
    }
  runner->walking = TRUE;
  walk = g_new0 (Walk, 1);
  walk->runner = runner;
  walk_on (walk);
}
