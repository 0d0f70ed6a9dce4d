/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages on their way in: put, and the memory their bodies may take. */
#include "common/error.h"
#include "common/sync.h"
#include "queue/files.h"
#include "queue/rows.h"
#include "queue/spool-private.h"
#include "queue/store-private.h"

typedef struct
{
  PrJob job;
  PrMessage *message; /* owned */
  PrEvent *event;     /* owned, nullable */
  PrStoreDone done;
  gpointer user_data;
} PutJob;

/* ── Memory ───────────────────────────────────────────────────────────────────────────────── */

PrBodyBudget *
pr_body_budget_new (void)
{
  PrBodyBudget *self = g_new0 (PrBodyBudget, 1);

  g_atomic_ref_count_init (&self->refs);
  return self;
}

void
pr_body_budget_unref (PrBodyBudget *self)
{
  if (g_atomic_ref_count_dec (&self->refs))
    g_free (self);
}

static void
release_budget (PrMessage *message)
{
  PrBodyBudget *budget = g_steal_pointer (&message->hold);

  message->release = NULL;
  g_atomic_pointer_add (&budget->octets, -(gssize) message->size_octets);
  pr_body_budget_unref (budget);
}

/* From here until the message is freed, or its body dropped. */
static void
charge_budget (PrStore *self, PrMessage *message)
{
  if (message->body == NULL || message->hold != NULL)
    return;

  g_atomic_ref_count_inc (&self->budget->refs);
  g_atomic_pointer_add (&self->budget->octets, (gssize) message->size_octets);
  message->hold = self->budget;
  message->release = release_budget;
}

/* ── Putting ──────────────────────────────────────────────────────────────────────────────── */

void
pr_store_prepare_message (PrStore *self, PrMessage *message, PrJob *job)
{
  if (pr_spool_is_held (message))
    job->n_files++;
  else if (message->body != NULL)
    {
      message->size_octets = g_bytes_get_size (message->body);
      charge_budget (self, message);
    }
  job->cost_octets += 512 + (message->body != NULL ? message->size_octets : 0);
}

void
pr_store_settle_message (PrStore *self, PrMessage *message, gboolean stored)
{
  if (pr_spool_is_held (message))
    pr_spool_settle (message, stored);
  else if (stored && message->release == release_budget &&
           (gssize) g_atomic_pointer_get (&self->budget->octets) > PR_STORE_BODY_BUDGET)
    {
      release_budget (message);
      g_clear_pointer (&message->body, g_bytes_unref);
    }
}

void
pr_job_file_done (PrJob *job, int error_number)
{
  PrStore *store = job->store;
  PrJobList jobs = { 0 };
  PrEventList none = { 0 };

  if (error_number != 0)
    {
      pr_lock (&store->lock);
      if (job->error == NULL)
        g_set_error (&job->error, PR_ERROR, PR_ERROR_TEMPORARY,
                     "The message cannot be written to disk: %s.", g_strerror (error_number));
      pr_unlock (&store->lock);
    }

  PR_HAPPENS_BEFORE (job);
  if (!g_atomic_int_dec_and_test (&job->n_files))
    return;

  PR_HAPPENS_AFTER (job);
  pr_job_list_push (&jobs, job);
  if (job->error != NULL)
    pr_store_answer (store, &jobs);
  else
    pr_writer_push (store->writer, &jobs, &none);
}

int
pr_writer_insert_message (PrWriter *writer, const PrMessage *message)
{
  PrCounter *draft = pr_writer_get_draft (writer);
  int code = pr_rows_insert (pr_writer_get_database (writer), message);

  if (code != SQLITE_OK)
    return code;

  for (guint i = 0; i < message->envelope->recipients->len; i++)
    pr_writer_count (writer, message->progress[i].state, 1);
  draft->n_messages++;
  draft->octets += (gint64) message->size_octets;
  draft->last_message = MAX (draft->last_message, message->id);
  draft->revision++;

  return SQLITE_OK;
}

static int
run_put (PrJob *job, PrWriter *writer)
{
  PutJob *self = (PutJob *) job;
  int code = pr_writer_insert_message (writer, self->message);

  if (code == SQLITE_OK && self->event != NULL)
    code = pr_writer_insert_event (writer, self->event);
  pr_tally_device (pr_writer_get_tally (writer), self->message->client, self->message->user,
                   self->message->received_us);

  return code;
}

static void
reply_put (PrJob *job, const GError *error)
{
  PutJob *self = (PutJob *) job;

  pr_store_settle_message (job->store, self->message, error == NULL);
  if (self->done != NULL)
    self->done (error, self->user_data);
}

static void
free_put (PrJob *job)
{
  PutJob *self = (PutJob *) job;

  pr_message_unref (self->message);
  g_free (self->event);
  pr_job_free (job);
}

static const PrJobClass put_class = {
  .run = run_put, .reply = reply_put, .free = free_put, .flags = PR_JOB_BRINGS
};

gint64
pr_store_put (PrStore *self, PrMessage *message, const PrEvent *event, PrStoreDone done,
              gpointer user_data)
{
  PutJob *job;

  g_return_val_if_fail (self != NULL && message != NULL, 0);

  job = g_new0 (PutJob, 1);
  pr_store_init_job (self, &job->job, &put_class);
  job->message = pr_message_ref (message);
  job->event = event != NULL ? pr_store_stamp_event (self, event) : NULL;
  job->done = done;
  job->user_data = user_data;
  pr_store_prepare_message (self, message, &job->job);
  if (job->job.n_files > 0)
    pr_spool_flush (message, &job->job);
  else
    pr_store_submit (self, &job->job);

  return job->event != NULL ? job->event->id : 0;
}
