/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer's thread.
 *
 *            jobs, events                                    answers
 *   owner ───────────────► [waiting] ──► one transaction ──► owner, one wake for the batch
 *                              ▲              │ disk fault
 *                              │              ▼
 *                              └──────── [kept] records, tried again with a back-off
 *
 * A batch is all that waits, up to 512 jobs or 4 MiB. When a job itself is at fault the batch is
 * rolled back and each job runs in a transaction of its own, so that none takes others down. When
 * the disk is at fault, puts and orders are refused at once, reads are answered all the same, and
 * records are kept: mail that was delivered must not be sent again.
 */
#include "queue/writer.h"

#include <string.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "queue/files.h"
#include "queue/rows.h"
#include "queue/sweep.h"
#include "queue/sync.h"
#include "queue/tidy.h"

#define MAX_BATCH_JOBS 512
#define MAX_BATCH_OCTETS (4 * 1024 * 1024)
#define MAX_BATCH_EVENTS 1024
#define EVENT_DELAY_US (1 * G_USEC_PER_SEC) /* an event alone waits so long for company */
#define SPACE_INTERVAL_US (1 * G_USEC_PER_SEC)
#define MIN_BACK_OFF_US (G_USEC_PER_SEC / 10)
#define MAX_BACK_OFF_US (10 * G_USEC_PER_SEC)
#define HURRIED_TRIES 3

/* The log, in pages of 4 KiB: begins anew from 8 MiB; from 32 MiB readers are asked to stop, so
 * that it stays below 64 MiB. */
#define CHECKPOINT_PAGES 2000
#define CHECKPOINT_STEP 1000
#define PRESSURE_PAGES 8000
#define PRESSURE_WAIT_MS 500

struct _PrWriter
{
  PrWriterOptions options;
  char *path; /* owned */
  GThread *thread;

  GMutex lock;
  GCond cond;
  /* Under the lock */
  PrJobList waiting;
  PrEventList events;
  gint64 events_since_us; /* monotonic; when the first of them came */
  gboolean asleep, stopping, hurried, wants_space, wants_tidy;
  PrStoreCounts counts;
  guint64 free_space;
  gint64 space_at_us;
  PrRetention retention;

  /* The thread's own */
  PrDatabase db;
  PrCounter counter, draft; /* committed; of the running transaction */
  GPtrArray *unlinks;       /* owned, of char*: spool names */
  PrJobList batch, kept;
  PrEventList taken;               /* events of the batch */
  gint64 back_off_us, retry_at_us; /* 0: the disk is well */
  int fault;                       /* why there is a back-off */
  guint n_tries;                   /* since hurried */
  int log_pages, checkpoint_at;
  PrRetention keeping; /* copies of what is under the lock */
  gboolean in_hurry;
  PrTidy tidy;
};

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
  g_ptr_array_set_size (self->unlinks, 0);
  /* Some faults have rolled back already. */
  if (!sqlite3_get_autocommit (self->db.handle))
    run_sql (self, PR_SQL_ROLLBACK);
}

int
pr_writer_insert_event (PrWriter *self, PrEvent *event)
{
  if (event->id == 0)
    {
      gint64 now = g_get_real_time ();

      event->id = MAX (now, self->draft.last_event + 1);
      event->time_us = now;
    }
  self->draft.n_events++;
  self->draft.event_octets += (gint64) pr_event_get_octets (event);
  self->draft.last_event = MAX (self->draft.last_event, event->id);

  return pr_rows_insert_event (&self->db, event);
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

static void
publish (PrWriter *self)
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
  int code = SQLITE_OK;

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
  publish (self);
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

static int
on_log (gpointer user_data, sqlite3 *handle, const char *name, int pages)
{
  PrWriter *self = user_data;

  if (pages < self->log_pages) /* it began anew */
    self->checkpoint_at = CHECKPOINT_PAGES;
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

  if (self->back_off_us == 0)
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
  divide_batch (self);
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

static void
run_batch (PrWriter *self)
{
  gboolean writes = batch_writes (self);
  int code;

  if (writes && self->back_off_us != 0 && g_get_monotonic_time () < self->retry_at_us)
    {
      divide_batch (self);
      return;
    }

  code = run_transaction (self, self->batch.head, writes);
  if (code == SQLITE_OK)
    {
      pr_event_list_clear (&self->taken);
      if (writes && self->back_off_us != 0)
        {
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
}

/* ── The thread ───────────────────────────────────────────────────────────────────────────── */

/* Moves the next batch out of the line. Lock held. */
static void
take_jobs (PrWriter *self)
{
  gsize octets = 0;
  guint n = 0;

  for (PrJob *job = self->batch.head; job != NULL; job = job->next)
    n++;
  while (self->waiting.head != NULL && n < MAX_BATCH_JOBS &&
         (n == 0 || octets + self->waiting.head->cost_octets <= MAX_BATCH_OCTETS))
    {
      octets += self->waiting.head->cost_octets;
      n++;
      pr_job_list_push (&self->batch, pr_job_list_pop (&self->waiting));
    }
}

/* Lock held. */
static void
take_events (PrWriter *self)
{
  if (self->events.n <= MAX_BATCH_EVENTS)
    {
      pr_event_list_append (&self->taken, &self->events);
      return;
    }

  for (guint i = 0; i < MAX_BATCH_EVENTS; i++)
    pr_event_list_push (&self->taken, pr_event_list_pop (&self->events));
}

static void
measure_space (PrWriter *self)
{
  gint64 now = g_get_monotonic_time ();
  guint64 octets;

  if (self->space_at_us != 0 && now - self->space_at_us < SPACE_INTERVAL_US)
    return;

  octets = pr_files_free_space (self->options.home);
  pr_lock (&self->lock);
  self->free_space = octets;
  self->space_at_us = now;
  self->wants_space = FALSE;
  pr_unlock (&self->lock);
}

/* When there is something to do though nothing new came; lock held. */
static gint64
get_next_wake (PrWriter *self)
{
  gint64 at = self->tidy.next_us;

  if (self->kept.head != NULL)
    at = MIN (at, self->retry_at_us);
  if (self->events.head != NULL)
    at =
      MIN (at, self->back_off_us != 0 ? self->retry_at_us : self->events_since_us + EVENT_DELAY_US);
  if (self->stopping && self->back_off_us == 0)
    at = 0;

  return at;
}

static gboolean
is_finished (PrWriter *self)
{
  /* On a disk that cannot be written events are given up, deliveries not before some tries. */
  return self->stopping && self->waiting.head == NULL && self->kept.head == NULL &&
         (self->events.head == NULL || self->back_off_us != 0);
}

/* Sleeps until there is a batch to run or tidying to do. FALSE when the thread shall end. */
static gboolean
wait_for_work (PrWriter *self)
{
  gboolean finished;

  pr_lock (&self->lock);
  while (!(finished = is_finished (self)) && self->waiting.head == NULL && !self->wants_space &&
         !self->wants_tidy && g_get_monotonic_time () < get_next_wake (self))
    {
      self->asleep = TRUE;
      pr_wait_until (&self->cond, &self->lock, get_next_wake (self));
      self->asleep = FALSE;
    }

  if (self->wants_tidy)
    pr_tidy_defer (&self->tidy);
  self->wants_tidy = FALSE;
  self->keeping = self->retention;
  self->in_hurry = self->hurried;
  if (!finished)
    {
      gint64 now = g_get_monotonic_time ();
      gboolean well = self->back_off_us == 0 || now >= self->retry_at_us;

      if (well)
        pr_job_list_append (&self->batch, &self->kept);
      take_jobs (self);
      if (well && (self->batch.head != NULL || self->stopping ||
                   (self->events.head != NULL && now >= self->events_since_us + EVENT_DELAY_US)))
        take_events (self);
    }
  pr_unlock (&self->lock);

  return !finished;
}

static gpointer
run_writer (gpointer data)
{
  PrWriter *self = data;

  while (wait_for_work (self))
    {
      if (self->batch.head != NULL || self->taken.head != NULL)
        {
          run_batch (self);
          pr_tidy_defer (&self->tidy);
        }
      else
        pr_tidy_step (&self->tidy, self, &self->keeping);
      measure_space (self);
    }

  return NULL;
}

/* ── From any thread ──────────────────────────────────────────────────────────────────────── */

PrWriter *
pr_writer_new (const PrWriterOptions *options, GError **error)
{
  g_autoptr (PrWriter) self = g_new0 (PrWriter, 1);
  int code;

  self->options = *options;
  self->unlinks = g_ptr_array_new_with_free_func (g_free);
  self->checkpoint_at = CHECKPOINT_PAGES;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->path = g_build_filename (options->home, "queue.db", NULL);
  if (!pr_database_open (&self->db, self->path, error))
    return NULL;

  code = pr_files_make_folder (options->body_path, options->home);
  if (code != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be created: %s",
                   options->body_path, g_strerror (code));
      return NULL;
    }

  sqlite3_wal_hook (self->db.handle, on_log, self);
  pr_database_get_counter (&self->db, &self->counter);
  self->draft = self->counter;
  code = pr_sweep_run (self, options->body_path);
  if (code != SQLITE_OK)
    {
      pr_database_set_error (&self->db, code, error);
      return NULL;
    }

  publish (self);
  measure_space (self);
  pr_tidy_defer (&self->tidy);
  self->thread = g_thread_try_new ("queue-writer", run_writer, self, error);

  return self->thread != NULL ? g_steal_pointer (&self) : NULL;
}

void
pr_writer_free (PrWriter *self)
{
  if (self->thread != NULL)
    {
      pr_lock (&self->lock);
      self->stopping = self->hurried = TRUE;
      g_cond_signal (&self->cond);
      pr_unlock (&self->lock);
      g_thread_join (self->thread);
    }

  pr_database_close (&self->db);
  pr_event_list_clear (&self->events);
  g_ptr_array_unref (self->unlinks);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

guint
pr_writer_push (PrWriter *self, PrJobList *jobs, PrEventList *events)
{
  gboolean wake;
  guint n;

  pr_lock (&self->lock);
  wake = self->asleep && (jobs->head != NULL || self->events.head == NULL);
  pr_job_list_append (&self->waiting, jobs);
  if (self->events.head == NULL)
    self->events_since_us = g_get_monotonic_time ();
  pr_event_list_append (&self->events, events);
  if (wake)
    {
      self->asleep = FALSE;
      g_cond_signal (&self->cond);
    }
  n = self->events.n;
  pr_unlock (&self->lock);

  return n;
}

void
pr_writer_hurry (PrWriter *self)
{
  pr_lock (&self->lock);
  self->hurried = TRUE;
  g_cond_signal (&self->cond);
  pr_unlock (&self->lock);
}

void
pr_writer_get_counts (PrWriter *self, PrStoreCounts *out)
{
  pr_lock (&self->lock);
  *out = self->counts;
  pr_unlock (&self->lock);
}

guint64
pr_writer_get_free_space (PrWriter *self)
{
  guint64 octets;

  pr_lock (&self->lock);
  octets = self->free_space;
  /* Other programs fill the disk while this one is idle: measure anew, for the next asker. */
  if (!self->wants_space && g_get_monotonic_time () - self->space_at_us >= SPACE_INTERVAL_US)
    {
      self->wants_space = TRUE;
      g_cond_signal (&self->cond);
    }
  pr_unlock (&self->lock);

  return octets;
}

void
pr_writer_set_retention (PrWriter *self, guint64 keep_s, guint64 max_octets)
{
  pr_lock (&self->lock);
  self->retention = (PrRetention){ keep_s, max_octets };
  self->wants_tidy = TRUE;
  g_cond_signal (&self->cond);
  pr_unlock (&self->lock);
}

const PrCounter *
pr_writer_get_counter (PrWriter *self)
{
  return &self->counter;
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
