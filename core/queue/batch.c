/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one batch goes through: a transaction, its answers, and what is done when it fails.
 *
 * When a job itself is at fault the batch is rolled back and each job runs in a transaction of its
 * own, so that none takes others down. When the disk is at fault, puts and orders are refused at
 * once, reads are answered all the same, and records are kept: mail that was delivered must not be
 * sent again. They are tried in the room that was kept for them, and until that is whole again no
 * new mail comes in.
 */
#include <string.h>
#include <glib/gstdio.h>

#include "common/sync.h"
#include "queue/rows.h"
#include "queue/writer-private.h"

#define MIN_BACK_OFF_US (G_USEC_PER_SEC / 10)
#define MAX_BACK_OFF_US (10 * G_USEC_PER_SEC)
#define HURRIED_TRIES 3

/* The log, in pages of 4 KiB: begins anew from 8 MiB; from 32 MiB readers are asked to stop, so
 * that it stays below 64 MiB. */
#define CHECKPOINT_STEP 1000
#define PRESSURE_PAGES 8000
#define PRESSURE_WAIT_MS 500

/* ── Transactions ─────────────────────────────────────────────────────────────────────────── */

static int
run_sql (PrWriter *self, PrSql which)
{
  return pr_sql_run (self->db.statements[which]);
}

static void
roll_back (PrWriter *self)
{
  self->draft = self->counter;
  pr_tally_forget (&self->tally);
  g_ptr_array_set_size (self->unlinks, 0);
  /* Some faults have rolled back already. */
  if (!sqlite3_get_autocommit (self->db.handle))
    run_sql (self, PR_SQL_ROLLBACK);
}

int
pr_writer_insert_event (PrWriter *self, PrEvent *event)
{
  int code;

  if (event->id == 0)
    {
      gint64 now = g_get_real_time ();

      event->id = MAX (now, self->draft.last_event + 1);
      event->time_us = now;
    }
  self->draft.n_events++;
  self->draft.event_octets += (gint64) pr_event_get_octets (event);
  self->draft.last_event = MAX (self->draft.last_event, event->id);

  code = pr_tally_event (&self->tally, &self->db, event);
  return code == SQLITE_OK ? pr_rows_insert_event (&self->db, event) : code;
}

static int
insert_events (PrWriter *self)
{
  int code = SQLITE_OK;

  for (PrEventNode *n = self->taken.head; n != NULL && code == SQLITE_OK; n = n->next)
    code = pr_writer_insert_event (self, n->event);

  /* Under full load it is never idle: the size is kept here, at twice the pace of growth. */
  if (code == SQLITE_OK && self->taken.n > 0 && self->keeping.max_octets > 0 &&
      self->draft.event_octets > (gint64) self->keeping.max_octets)
    code = pr_writer_forget_events (self, G_MAXINT64, 2 * (gint64) self->taken.n);

  return code;
}

static void
remove_file (gpointer data)
{
  g_autofree char *path = data;

  g_remove (path);
}

void
pr_batch_publish (PrWriter *self)
{
  const PrCounter *c = &self->counter;

  pr_lock (&self->lock);
  self->counts.n_messages = (guint64) MAX (c->n_messages, 0);
  self->counts.n_queued = (guint64) MAX (c->n_queued, 0);
  self->counts.n_held = (guint64) MAX (c->n_held, 0);
  self->counts.n_failed = (guint64) MAX (c->n_failed, 0);
  self->counts.size_octets = (guint64) MAX (c->octets, 0);
  self->counts.revision = (guint64) c->revision;
  pr_unlock (&self->lock);
}

static gboolean
has_changed_queue (const PrCounter *a, const PrCounter *b)
{
  return a->revision != b->revision;
}

static int
commit (PrWriter *self)
{
  int code = pr_tally_write (&self->tally, &self->db);

  if (code != SQLITE_OK)
    return code;
  if (memcmp (&self->draft, &self->counter, sizeof self->draft) != 0)
    {
      if (has_changed_queue (&self->draft, &self->counter))
        self->draft.revision = self->counter.revision + 1;
      code = pr_database_set_counter (&self->db, &self->draft);
    }
  if (code == SQLITE_OK)
    code = run_sql (self, PR_SQL_COMMIT);
  if (code != SQLITE_OK)
    return code;

  self->counter = self->draft;
  pr_batch_publish (self);
  /* Only now: a file must not go before the row that names it. */
  for (guint i = 0; i < self->unlinks->len; i++)
    pr_pool_push (self->options.pool, remove_file,
                  g_build_filename (self->options.body_path, self->unlinks->pdata[i], NULL));
  g_ptr_array_set_size (self->unlinks, 0);

  return SQLITE_OK;
}

/* All of @jobs and the events taken, in one transaction. */
static int
run_transaction (PrWriter *self, PrJob *jobs, gboolean writes)
{
  int code = run_sql (self, writes ? PR_SQL_BEGIN_WRITE : PR_SQL_BEGIN);

  for (PrJob *job = jobs; job != NULL && code == SQLITE_OK; job = job->next)
    {
      job->again = FALSE;
      code = job->klass->run (job, self);
    }
  if (code == SQLITE_OK)
    code = insert_events (self);
  if (code == SQLITE_OK)
    code = commit (self);
  if (code != SQLITE_OK)
    roll_back (self);

  return code;
}

/* ── The log ──────────────────────────────────────────────────────────────────────────────── */

int
pr_batch_on_log (gpointer user_data, sqlite3 *handle, const char *name, int pages)
{
  PrWriter *self = user_data;

  if (pages < self->log_pages) /* it began anew */
    self->checkpoint_at = PR_WRITER_CHECKPOINT_PAGES;
  self->log_pages = pages;

  return SQLITE_OK;
}

/* Only this thread ever checkpoints: a second one kept the log from being used anew while the
 * writer was busy, and it grew to 5.4 GB. */
static void
tend_log (PrWriter *self)
{
  if (self->log_pages < self->checkpoint_at)
    return;

  self->checkpoint_at = self->log_pages + CHECKPOINT_STEP;
  if (self->log_pages < PRESSURE_PAGES)
    {
      sqlite3_wal_checkpoint_v2 (self->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
      return;
    }

  self->options.pressure (TRUE, self->options.user_data);
  sqlite3_busy_timeout (self->db.handle, PRESSURE_WAIT_MS);
  sqlite3_wal_checkpoint_v2 (self->db.handle, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
  sqlite3_busy_timeout (self->db.handle, PR_DATABASE_BUSY_TIMEOUT_MS);
  self->options.pressure (FALSE, self->options.user_data);
}

/* ── Batches ──────────────────────────────────────────────────────────────────────────────── */

static gboolean
batch_writes (PrWriter *self)
{
  if (self->taken.head != NULL)
    return TRUE;
  for (PrJob *job = self->batch.head; job != NULL; job = job->next)
    if (!(job->klass->flags & PR_JOB_READS))
      return TRUE;

  return FALSE;
}

/* The batch is through: what wants another step goes to the end of the line, the rest is
 * answered in order. */
static void
answer_batch (PrWriter *self)
{
  PrJobList again = { 0 }, done = { 0 };
  PrJob *job;

  while ((job = pr_job_list_pop (&self->batch)) != NULL)
    {
      gboolean goes_on = job->again && job->error == NULL;

      if (goes_on && job->klass->stepped != NULL)
        job->klass->stepped (job);
      pr_job_list_push (goes_on ? &again : &done, job);
    }

  if (done.head != NULL)
    self->options.answer (&done, self->options.user_data);
  if (again.head != NULL)
    {
      pr_lock (&self->lock);
      pr_job_list_append (&self->waiting, &again);
      self->urgent = TRUE;
      pr_unlock (&self->lock);
    }
}

/* The events of a failed batch wait in front of those that came since. */
static void
give_back_events (PrWriter *self)
{
  pr_lock (&self->lock);
  pr_event_list_append (&self->taken, &self->events);
  pr_event_list_append (&self->events, &self->taken);
  pr_unlock (&self->lock);
}

static void
back_off (PrWriter *self, int code)
{
  g_autoptr (GError) error = NULL;

  if (self->back_off_us == 0 && !pr_reserve_is_needed (&self->reserve))
    {
      pr_database_set_error (&self->db, code, &error);
      g_warning ("%s New mail is refused until it can be written again.", error->message);
    }
  self->fault = code;
  self->back_off_us = CLAMP (self->back_off_us * 2, MIN_BACK_OFF_US, MAX_BACK_OFF_US);
  if (self->in_hurry)
    {
      self->back_off_us = MIN_BACK_OFF_US;
      self->n_tries++;
    }
  self->retry_at_us = g_get_monotonic_time () + self->back_off_us;
}

/* A job that will not be done now. */
static void
refuse (PrWriter *self, PrJob *job, int code)
{
  job->again = FALSE;
  g_clear_error (&job->error);
  pr_database_set_error (&self->db, code, &job->error);
}

/* The disk is at fault: see the diagram. */
static void
divide_batch (PrWriter *self)
{
  PrJobList done = { 0 };
  PrJob *job;

  give_back_events (self);
  while ((job = pr_job_list_pop (&self->batch)) != NULL)
    {
      if ((job->klass->flags & PR_JOB_KEEPS) && self->n_tries < HURRIED_TRIES)
        {
          pr_job_list_push (&self->kept, job);
          continue;
        }

      if (job->klass->flags & PR_JOB_READS)
        {
          int code = run_transaction (self, job, FALSE);

          if (code != SQLITE_OK)
            refuse (self, job, code);
        }
      else
        refuse (self, job, self->fault);
      pr_job_list_push (&done, job);
    }

  if (done.head != NULL)
    self->options.answer (&done, self->options.user_data);
}

static void
survive_fault (PrWriter *self, int code)
{
  back_off (self, code);
  if (pr_reserve_release (&self->reserve))
    self->retry_at_us = g_get_monotonic_time ();
  divide_batch (self);
}

/* There is room for what happened to mail, and for nothing else. */
static void
refuse_mail (PrWriter *self)
{
  PrJobList all = self->batch, refused = { 0 };
  PrJob *job;

  self->batch = (PrJobList){ 0 };
  while ((job = pr_job_list_pop (&all)) != NULL)
    if (job->klass->flags & PR_JOB_BRINGS)
      {
        refuse (self, job, SQLITE_FULL);
        pr_job_list_push (&refused, job);
      }
    else
      pr_job_list_push (&self->batch, job);

  if (refused.head != NULL)
    self->options.answer (&refused, self->options.user_data);
}

/* The room for records was let go of. Not before they were written in it is it taken again: it
 * would be gone at once. */
static void
keep_room (PrWriter *self)
{
  if (self->back_off_us == 0 && pr_reserve_take (&self->reserve))
    g_message ("The queue can be written again.");
  else
    refuse_mail (self);
}

/* One job is at fault: each alone, so that only it fails. */
static void
run_singly (PrWriter *self)
{
  PrEventList events = self->taken;
  PrJobList all = self->batch;
  PrJob *job;
  int code = SQLITE_OK;

  self->taken = (PrEventList){ 0 };
  while ((job = pr_job_list_pop (&all)) != NULL)
    {
      self->batch = (PrJobList){ job, job };
      code = run_transaction (self, job, !(job->klass->flags & PR_JOB_READS));
      if (pr_database_is_storage_fault (code))
        break;
      if (code != SQLITE_OK)
        {
          refuse (self, job, code);
          g_warning ("The queue refused one operation. %s", job->error->message);
        }
      answer_batch (self);
    }

  self->taken = events;
  if (!pr_database_is_storage_fault (code) && events.head != NULL)
    code = run_transaction (self, NULL, TRUE);
  if (pr_database_is_storage_fault (code))
    {
      pr_job_list_append (&self->batch, &all);
      survive_fault (self, code);
    }
  pr_event_list_clear (&self->taken);
}

gboolean
pr_batch_run (PrWriter *self)
{
  gboolean writes = batch_writes (self);
  int code;

  if (writes && self->back_off_us != 0 && g_get_monotonic_time () < self->retry_at_us)
    {
      divide_batch (self);
      return TRUE;
    }

  if (writes && pr_reserve_is_needed (&self->reserve))
    keep_room (self);
  code = run_transaction (self, self->batch.head, writes);
  if (code == SQLITE_OK)
    {
      pr_event_list_clear (&self->taken);
      if (writes && self->back_off_us != 0)
        {
          if (!pr_reserve_is_needed (&self->reserve))
            g_message ("The queue can be written again.");
          self->back_off_us = 0;
        }
      answer_batch (self);
    }
  else if (pr_database_is_storage_fault (code))
    survive_fault (self, code);
  else
    run_singly (self);

  tend_log (self);
  return writes;
}

/* ── For jobs ─────────────────────────────────────────────────────────────────────────────── */

PrDatabase *
pr_writer_get_database (PrWriter *self)
{
  return &self->db;
}

PrCounter *
pr_writer_get_draft (PrWriter *self)
{
  return &self->draft;
}

void
pr_writer_unlink_later (PrWriter *self, const char *spool)
{
  g_ptr_array_add (self->unlinks, g_strdup (spool));
}

PrTally *
pr_writer_get_tally (PrWriter *self)
{
  return &self->tally;
}

void
pr_writer_count (PrWriter *self, PrRecipientState state, gint64 n)
{
  switch (state)
    {
    case PR_RECIPIENT_QUEUED: self->draft.n_queued += n; break;
    case PR_RECIPIENT_HELD: self->draft.n_held += n; break;
    case PR_RECIPIENT_FAILED: self->draft.n_failed += n; break;
    case PR_RECIPIENT_DELIVERED:
    default: break;
    }
}

int
pr_writer_forget_events (PrWriter *self, gint64 before_id, gint64 limit)
{
  sqlite3_stmt *s = self->db.statements[PR_SQL_DELETE_EVENTS];
  gint64 n;
  int code;

  pr_sql_bind_int (s, 1, before_id);
  pr_sql_bind_int (s, 2, limit);
  code = pr_sql_run (s);
  if (code != SQLITE_OK)
    return code;

  /* Their share of the octets, on average: to read each before it goes would cost more than to
   * be exact is worth. */
  n = MIN (sqlite3_changes (self->db.handle), self->draft.n_events);
  if (n > 0)
    self->draft.event_octets -= self->draft.event_octets / self->draft.n_events * n;
  self->draft.n_events -= n;
  if (self->draft.n_events == 0)
    self->draft.event_octets = 0;

  return SQLITE_OK;
}

int
pr_writer_run_now (PrWriter *self, PrJob *job)
{
  int code = run_transaction (self, job, TRUE);

  tend_log (self);
  return code;
}
