/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/record.h"

#include "relay/hop.h"
#include "relay/notices.h"
#include "relay/order.h"
#include "relay/outcome.h"
#include "relay/pacer.h"

/* A store that cannot record (a full disk, as a rule) is asked again after so long. */
#define RECORD_AGAIN_MS 2000

/* Where its recipients wait now that they are out of hand. */
static void
note_dues (PrRunner *runner, const PrMessage *message, const PrWork *work)
{
  for (guint i = 0; i < work->n_indexes; i++)
    {
      const PrProgress *progress = &message->progress[work->indexes[i]];

      if (progress->state == PR_RECIPIENT_QUEUED)
        pr_hop_note_due (pr_hop_get (runner, progress->hop), progress->due_us);
    }
}

static void
let_go (PrWork *work)
{
  PrRunner *runner = work->owner;
  PrParcel *parcel = work->parcel;
  g_autoptr (PrMessage) message = pr_message_ref (parcel->message);
  g_autoptr (GPtrArray) reports = g_steal_pointer (&work->reports);
  gboolean doomed = parcel->doomed && !work->leaves;
  void (*recorded) (gpointer) = work->recorded;
  gpointer recorded_data = work->recorded_data;

  if (doomed && work->sibling == NULL && parcel->works == work)
    pr_order_delete_now (runner, message->id);
  else if (!doomed && !work->leaves)
    note_dues (runner, message, work);
  pr_hop_release_work (work->hop, work);
  if (recorded != NULL)
    recorded (recorded_data);

  for (guint i = 0; reports != NULL && i < reports->len; i++)
    pr_runner_take (runner, g_ptr_array_index (reports, i));
}

static void
on_record_timer (gpointer user_data)
{
  pr_record_retry (user_data);
}

static void
on_recorded (const GError *error, gpointer user_data)
{
  PrWork *work = user_data;
  PrRunner *runner = work->owner;

  runner->n_store_calls--;
  if (error == NULL)
    {
      runner->record_fails = FALSE;
      let_go (work);
      return;
    }
  if (!runner->record_fails)
    g_warning ("Outcomes of deliveries cannot be recorded, trying until they can: %s",
               error->message);
  runner->record_fails = TRUE;
  g_queue_push_tail (&runner->unrecorded, work);
  if (!pr_timer_is_running (&runner->record_timer))
    pr_timer_start (&runner->record_timer, runner->loop, RECORD_AGAIN_MS, on_record_timer, runner);
}

static void
commit (PrWork *work)
{
  PrRunner *runner = work->owner;
  PrMessage *message = work->parcel->message;
  guint n_reports = work->reports != NULL ? work->reports->len : 0;

  work->leaves = pr_outcome_leaves (runner->config, message);
  runner->n_store_calls++;
  pr_store_record (runner->store, message, work->indexes, work->n_indexes,
                   n_reports > 0 ? (PrMessage *const *) work->reports->pdata : NULL, n_reports,
                   work->leaves, on_recorded, work);
}

void
pr_record_retry (PrRunner *runner)
{
  GQueue again = runner->unrecorded;
  PrWork *work;

  g_queue_init (&runner->unrecorded);
  while ((work = g_queue_pop_head (&again)) != NULL)
    commit (work);
}

static void
add_event (PrRunner *runner, const PrWork *work, guint index, PrEventKind kind,
           const PrReply *reply, const char *words, const PrRecordFacts *facts)
{
  const PrMessage *message = work->parcel->message;
  g_autofree char *explained =
    words != NULL ? g_strdup_printf ("%s (%s)", reply->text, words) : NULL;
  PrEvent event = {
    .kind = kind,
    .message = message->id,
    .session = facts->session,
    .peer = facts->peer,
    .sender = message->envelope->sender,
    .address = pr_envelope_recipient (message->envelope, index)->address,
    .route = work->hop->route != NULL ? work->hop->route->name : NULL,
    .code = reply->code,
    .text = explained != NULL ? explained : reply->text,
    .size_octets = message->size_octets,
    .tls = facts->tls,
  };

  pr_journal_add (runner->journal, &event);
}

/* What failed by its age is told so, in our own words; everything else in the hop's. */
static void
add_notice (PrNotices *notices, const PrMessage *message, guint index, PrReportKind kind,
            const PrReply *reply, const char *words)
{
  PrReply own = { 0 };

  if (kind == PR_REPORT_FAILED && !pr_reply_is_permanent (reply) &&
      pr_reply_from_string (&own, message->progress[index].last_reply))
    pr_notices_add (notices, kind, index, &own, words);
  else
    pr_notices_add (notices, kind, index, reply, words);
  pr_reply_clear (&own);
}

static void
count (PrRunner *runner, const PrMessage *message, PrEventKind kind)
{
  if (kind == PR_EVENT_DELIVERED)
    {
      runner->totals.n_delivered++;
      runner->totals.n_octets_out += message->size_octets;
    }
  else if (kind == PR_EVENT_FAILED)
    runner->totals.n_failed++;
  else if (kind == PR_EVENT_DEFERRED)
    runner->totals.n_deferred++;
}

/* What the provider counts: it took the message, or nobody knows whether it did. */
static guint
count_sent (const PrWork *work, const PrReply *replies, gboolean same)
{
  guint n = 0;

  for (guint i = 0; i < work->n_indexes; i++)
    {
      const PrReply *reply = &replies[same ? 0 : i];

      n += pr_reply_is_positive (reply) || reply->code == 0;
    }
  return n;
}

void
pr_record_results (PrRunner *runner, PrWork *work, const PrReply *replies, gboolean same,
                   const PrRecordFacts *facts)
{
  PrMessage *message = work->parcel->message;
  PrNotices *notices = NULL;
  PrAttempt attempt = {
    .config = runner->config,
    .provider = work->hop->route != NULL ? work->hop->route->provider : NULL,
    .now_us = g_get_real_time (),
    .due_us = facts->due_us,
    .words = facts->words,
    .uncounted = facts->uncounted,
    .hop_is_last = facts->hop_is_last,
    .hop_does_dsn = facts->hop_does_dsn,
  };

  pr_pacer_settle (work, count_sent (work, replies, same));
  work->owner = runner;
  work->state = PR_WORK_RECORDING;
  if (!pr_reply_is_positive (&replies[0]))
    attempt.random = g_random_int ();
  for (guint i = 0; i < work->n_indexes; i++)
    {
      const PrReply *reply = &replies[same ? 0 : i];
      guint index = work->indexes[i];
      PrOutcome outcome = pr_outcome_apply (&attempt, message, index, reply);

      count (runner, message, outcome.event);
      if (!facts->quiet || outcome.event != PR_EVENT_DEFERRED)
        add_event (runner, work, index, outcome.event, reply, outcome.words, facts);
      if (outcome.owes_report && notices == NULL)
        notices = pr_notices_new (runner, work, facts->peer, commit);
      if (outcome.owes_report)
        add_notice (notices, message, index, outcome.report, reply, outcome.words);
    }

  if (notices == NULL)
    commit (work);
  else
    pr_notices_run (notices);
}

void
pr_record_progress (PrRunner *runner, PrWork *work)
{
  work->owner = runner;
  work->state = PR_WORK_RECORDING;
  commit (work);
}
