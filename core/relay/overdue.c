/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   the hop waits ──► some ids ──► each message of them ──► more ids … ──► none is old enough
 *
 * One message at a time, the oldest first; the order in which all go stays what it was.
 */
#include "relay/overdue.h"

#include "common/units.h"
#include "config/providers.h"
#include "relay/hop.h"
#include "relay/pacer.h"
#include "relay/record.h"
#include "relay/schedule.h"

#define IDS_AT_ONCE 256
#define WHAT_HELPS                                                                                 \
  "Send fewer messages by this account, or raise limit= of the route where the provider allows "   \
  "more."

struct _PrOverdue
{
  PrHop *hop;  /* borrowed: it lives as long as this */
  GArray *ids; /* owned, of gint64 */
  guint next;  /* of them */
  gint64 after;
  guint64 n_messages, n_recipients; /* that wait and go earlier */
};

static void
end (PrOverdue *self)
{
  PrHop *hop = self->hop;

  hop->overdue = NULL;
  hop->overdue_us = g_get_monotonic_time ();
  g_array_unref (self->ids);
  g_free (self);
  pr_runner_check_stopped (hop->runner);
}

/* ── Words ────────────────────────────────────────────────────────────────────────────────── */

static gint64
give_up_us (const PrOverdue *self, const PrMessage *message)
{
  return message->received_us + (gint64) self->hop->runner->config->give_up_s * G_USEC_PER_SEC;
}

/* 0: not before it is given up. What else is sent by this account makes it later. */
static gint64
guess_time (const PrOverdue *self, const PrMessage *message)
{
  const PrRateLimit *limit = &self->hop->paced_limit;
  guint64 n_ahead = limit->per_recipient ? self->n_recipients : self->n_messages;
  gint64 left_us = give_up_us (self, message) - self->hop->paced_until_us;
  gint64 window_us = (gint64) limit->window_s * G_USEC_PER_SEC;
  guint64 n_windows = n_ahead / MAX (limit->number, 1);

  if (left_us <= 0 || n_windows > (guint64) (left_us / MAX (window_us, 1)))
    return 0;
  return self->hop->paced_until_us + (gint64) n_windows * window_us;
}

static void
explain (const PrOverdue *self, const PrMessage *message, gboolean over, PrReply *reply)
{
  const PrRouteConfig *route = self->hop->route;
  const char *who = route->provider != NULL ? route->provider->name : "this route";
  g_autofree char *limit = pr_rate_limit_describe (&self->hop->paced_limit);
  gint64 time_us = over ? 0 : guess_time (self, message);
  g_autofree char *date = time_us != 0 ? pr_date_format (time_us) : NULL;
  g_autofree char *text = NULL;

  if (over)
    text = g_strdup_printf ("%s takes %s, and more than that waited", who, limit);
  else if (date == NULL)
    text = g_strdup_printf ("Waits, because %s takes %s: so much goes before this message that "
                            "its turn may not come in time",
                            who, limit);
  else
    text = g_strdup_printf ("Waits, because %s takes %s, until about %s", who, limit, date);
  pr_reply_set (reply, 0, "4.4.5", text); /* RFC 3463 §3.5: congestion */
}

/* ── One message ──────────────────────────────────────────────────────────────────────────── */

static gboolean
is_waiting (const PrOverdue *self, const PrMessage *message, guint index)
{
  const PrProgress *progress = &message->progress[index];

  return progress->state == PR_RECIPIENT_QUEUED && g_str_equal (progress->hop, self->hop->name);
}

static void
tell (PrOverdue *self, PrWork *work, gboolean over)
{
  const PrMessage *message = work->parcel->message;
  PrReply reply = { 0 };
  PrRecordFacts facts = {
    .due_us = MAX (message->progress[work->indexes[0]].due_us, 1), /* it keeps its place */
    .words = over ? WHAT_HELPS : NULL,
    .uncounted = TRUE,
    .quiet = TRUE,
  };

  explain (self, message, over, &reply);
  pr_record_results (self->hop->runner, work, &reply, TRUE, &facts);
  pr_reply_clear (&reply);
}

static void
tell_in_hand (PrOverdue *self, PrParcel *parcel, gboolean over)
{
  for (PrWork *work = parcel->works; work != NULL; work = work->sibling)
    {
      gboolean wanted = over;

      if (work->hop != self->hop || work->state != PR_WORK_WAITING)
        continue;
      for (guint i = 0; i < work->n_indexes; i++)
        wanted |= !parcel->message->progress[work->indexes[i]].warned;
      if (!wanted)
        continue;
      pr_work_queue_remove (&self->hop->works, work);
      tell (self, work, over);
    }
}

static void
tell_in_store (PrOverdue *self, PrMessage *message, gboolean over)
{
  PrHand *hand = self->hop->runner->hand;
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < message->envelope->recipients->len; i++)
    if (is_waiting (self, message, i) && (over || !message->progress[i].warned) &&
        !pr_hand_has (hand, message->id, i))
      g_array_append_val (indexes, i);
  if (indexes->len > 0)
    tell (self,
          pr_hop_hold_in_hand (self->hop, message, (const guint *) indexes->data, indexes->len),
          over);
}

/* FALSE: it is too young, and so is all that follows. */
static gboolean
look_at (PrOverdue *self, PrMessage *message)
{
  PrRunner *runner = self->hop->runner;
  PrParcel *parcel = pr_hand_find (runner->hand, message->id);
  gint64 now_us = g_get_real_time ();
  gboolean over = pr_schedule_is_over (runner->config, message->received_us, now_us);
  guint n = 0;

  if (!over && !pr_schedule_is_late (runner->config, message->received_us, now_us))
    return FALSE;
  if ((parcel != NULL && parcel->doomed) || g_hash_table_contains (runner->deleting, &message->id))
    return TRUE;
  if (parcel != NULL)
    message = parcel->message;
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    n += is_waiting (self, message, i);
  if (parcel != NULL)
    tell_in_hand (self, parcel, over);
  tell_in_store (self, message, over);
  if (n > 0 && !over)
    {
      self->n_messages++;
      self->n_recipients += n;
    }
  return TRUE;
}

/* ── The walk ─────────────────────────────────────────────────────────────────────────────── */

static void step (PrOverdue *self);

static gboolean
may_go_on (const PrOverdue *self)
{
  const PrHop *hop = self->hop;

  return hop->pacer != NULL && pr_hop_may_send (hop) && !pr_hop_is_blocked (hop);
}

static void
on_message (PrMessage *message, const GError *error, gpointer user_data)
{
  PrOverdue *self = user_data;

  self->hop->runner->n_store_calls--;
  if (error != NULL || !may_go_on (self) || (message != NULL && !look_at (self, message)))
    end (self);
  else
    step (self);
}

static void
on_ids (const gint64 *ids, guint n, const GError *error, gpointer user_data)
{
  PrOverdue *self = user_data;

  self->hop->runner->n_store_calls--;
  if (error != NULL || n == 0 || !may_go_on (self))
    {
      end (self);
      return;
    }
  self->next = 0;
  self->after = ids[n - 1];
  g_array_set_size (self->ids, 0);
  g_array_append_vals (self->ids, ids, n);
  step (self);
}

static void
step (PrOverdue *self)
{
  PrRunner *runner = self->hop->runner;
  PrStoreFilter filter = {
    .hop = self->hop->name,
    .state = PR_RECIPIENT_QUEUED,
    .after = self->after,
  };

  runner->n_store_calls++;
  if (self->next < self->ids->len)
    pr_store_get (runner->store, g_array_index (self->ids, gint64, self->next++), on_message, self);
  else
    pr_store_list_ids (runner->store, &filter, self->after, IDS_AT_ONCE, on_ids, self);
}

static void
on_timer (gpointer user_data)
{
  PrHop *hop = user_data;
  PrOverdue *self;

  if (hop->overdue != NULL || hop->pacer == NULL || !pr_hop_may_send (hop) ||
      pr_hop_is_blocked (hop) || !pr_pacer_is_waiting (hop, NULL) || hop->pace_words == NULL)
    return;
  self = g_new0 (PrOverdue, 1);
  self->hop = hop;
  self->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  hop->overdue = self;
  step (self);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

void
pr_overdue_note_wait (PrHop *hop)
{
  gint64 next_us = hop->overdue_us + (gint64) hop->runner->overdue_ms * 1000;
  gint64 left_us = hop->overdue_us != 0 ? next_us - g_get_monotonic_time () : 0;

  if (hop->overdue == NULL && !pr_timer_is_running (&hop->overdue_timer))
    pr_timer_start (&hop->overdue_timer, hop->runner->loop, (guint64) MAX (left_us, 0) / 1000 + 1,
                    on_timer, hop);
}

void
pr_overdue_leave (PrHop *hop)
{
  pr_timer_stop (&hop->overdue_timer);
}
