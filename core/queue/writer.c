/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer's thread.
 *
 *            jobs, events                                    answers
 *   owner ───────────────► [waiting] ──► one transaction ──► owner, one wake for the batch
 *                              ▲              │ disk fault
 *                              │              ▼
 *                              └──────── [kept] records, tried again with a back-off
 *
 * A batch is all that waits, up to 512 jobs or 4 MiB; batch.c says what it goes through.
 * Nobody waits for a record, so that one alone stays a moment for company: with a single client
 * each message then costs one flush of the disk, not two. What a crash takes with it is sent again,
 * as is what was delivered a moment before it anyway.
 */
#include "queue/writer.h"

#include "common/error.h"
#include "common/sync.h"
#include "queue/files.h"
#include "queue/sweep.h"
#include "queue/writer-private.h"

#define MAX_BATCH_JOBS 512
#define MAX_BATCH_OCTETS (4 * 1024 * 1024)
#define MAX_BATCH_EVENTS 1024
#define RECORD_DELAY_US (20 * 1000)         /* records alone wait so long for company */
#define EVENT_DELAY_US (1 * G_USEC_PER_SEC) /* an event alone waits so long for company */
#define SPACE_INTERVAL_US (1 * G_USEC_PER_SEC)
#define PAGE_OCTETS 4096

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
  if (self->waiting.head == NULL)
    self->urgent = FALSE;
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

  if (self->waiting.head != NULL)
    at = self->urgent || self->hurried ? 0 : MIN (at, self->records_since_us + RECORD_DELAY_US);
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
  while (!(finished = is_finished (self)) && !self->wants_space && !self->wants_tidy &&
         g_get_monotonic_time () < get_next_wake (self))
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
          /* Who only looks does not keep the history from being tidied. */
          if (pr_batch_run (self))
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
  pr_tally_init (&self->tally);
  self->checkpoint_at = PR_WRITER_CHECKPOINT_PAGES;
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

  sqlite3_wal_hook (self->db.handle, pr_batch_on_log, self);
  pr_database_get_counter (&self->db, &self->counter);
  self->draft = self->counter;
  code = pr_sweep_run (self, options->body_path);
  if (code != SQLITE_OK)
    {
      pr_database_set_error (&self->db, code, error);
      return NULL;
    }

  /* As much as the log grows before it begins anew: records need no more. */
  pr_reserve_init (&self->reserve, options->home, PR_WRITER_CHECKPOINT_PAGES * PAGE_OCTETS);
  pr_reserve_take (&self->reserve);
  pr_batch_publish (self);
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
  pr_tally_clear (&self->tally);
  pr_reserve_clear (&self->reserve);
  g_free (self->path);
  g_free (self);
}

guint
pr_writer_push (PrWriter *self, PrJobList *jobs, PrEventList *events)
{
  gboolean first;
  guint n;

  pr_lock (&self->lock);
  first = self->events.head == NULL;
  if (first)
    self->events_since_us = g_get_monotonic_time ();
  if (self->waiting.head == NULL && jobs->head != NULL)
    {
      self->records_since_us = g_get_monotonic_time ();
      first = TRUE;
    }
  for (PrJob *job = jobs->head; job != NULL; job = job->next)
    if (!(job->klass->flags & PR_JOB_KEEPS))
      self->urgent = TRUE;
  pr_job_list_append (&self->waiting, jobs);
  pr_event_list_append (&self->events, events);
  if (self->asleep && (first || self->urgent))
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
