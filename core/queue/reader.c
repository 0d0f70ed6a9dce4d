/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread that answers listings.
 *
 * A snapshot that is held keeps the writer's log from beginning anew, so a question has a time
 * limit, and when the log has grown the question is dropped and asked again a moment later. */
#include "queue/reader.h"

#include "common/error.h"
#include "common/sync.h"

#define DEADLINE_US (10 * G_USEC_PER_SEC)
#define IDLE_US (5 * G_USEC_PER_SEC) /* then the connection closes */
#define PRESSURE_WAIT_US (2 * G_USEC_PER_SEC)
#define N_TRIES 4
#define STEPS_PER_CHECK 4000 /* of SQLite's virtual machine: well under a millisecond */
#define STOPPING_TEXT "Postroom is stopping."

struct _PrReader
{
  char *path; /* owned */
  PrReaderAnswer answer;
  gpointer user_data;
  GThread *thread; /* owned; NULL before the first question */

  GMutex lock;
  GCond cond;
  PrJobList waiting; /* under the lock */
  gint stopping;     /* atomic; set under the lock */
  gint pressure;     /* atomic; set under the lock */

  /* The thread's own */
  PrDatabase db;
  gint64 deadline_us;
};

static int
on_progress (gpointer user_data)
{
  PrReader *self = user_data;

  return g_atomic_int_get (&self->stopping) || g_atomic_int_get (&self->pressure) ||
         g_get_monotonic_time () > self->deadline_us;
}

static int
read_once (PrReader *self, PrReaderJob *job)
{
  int code = sqlite3_exec (self->db.handle, "BEGIN", NULL, NULL, NULL);

  if (code == SQLITE_OK)
    code = job->read (job, self->db.handle);
  sqlite3_exec (self->db.handle, "COMMIT", NULL, NULL, NULL);

  return code;
}

static void
wait_for_quiet (PrReader *self)
{
  gint64 until = g_get_monotonic_time () + PRESSURE_WAIT_US;

  pr_lock (&self->lock);
  while (g_atomic_int_get (&self->pressure) && !g_atomic_int_get (&self->stopping) &&
         g_get_monotonic_time () < until)
    pr_wait_until (&self->cond, &self->lock, until);
  pr_unlock (&self->lock);
}

static void
answer_question (PrReader *self, PrReaderJob *job)
{
  int code = SQLITE_INTERRUPT;

  if (self->db.handle == NULL && !g_atomic_int_get (&self->stopping))
    {
      if (!pr_database_open_reader (&self->db, self->path, &job->job.error))
        return;
      sqlite3_progress_handler (self->db.handle, STEPS_PER_CHECK, on_progress, self);
    }

  self->deadline_us = g_get_monotonic_time () + DEADLINE_US;
  for (guint i = 0;
       i < N_TRIES && (code & 0xff) == SQLITE_INTERRUPT && !g_atomic_int_get (&self->stopping) &&
       g_get_monotonic_time () < self->deadline_us;
       i++)
    {
      wait_for_quiet (self);
      code = read_once (self, job);
    }

  if ((code & 0xff) == SQLITE_INTERRUPT)
    g_set_error_literal (&job->job.error, PR_ERROR, PR_ERROR_TEMPORARY,
                         g_atomic_int_get (&self->stopping)
                           ? STOPPING_TEXT
                           : "The queue is too large or too busy for this search now. Narrow "
                             "it, or try again.");
  else if (code != SQLITE_OK)
    pr_database_set_error (&self->db, code, &job->job.error);
}

static PrReaderJob *
wait_for_question (PrReader *self)
{
  PrJob *job;

  pr_lock (&self->lock);
  while ((job = pr_job_list_pop (&self->waiting)) == NULL && !g_atomic_int_get (&self->stopping))
    {
      gint64 until = G_MAXINT64;

      if (self->db.handle != NULL)
        until = g_get_monotonic_time () + IDLE_US;
      pr_wait_until (&self->cond, &self->lock, until);
      if (self->waiting.head == NULL && g_get_monotonic_time () >= until)
        pr_database_close (&self->db);
    }
  pr_unlock (&self->lock);

  return (PrReaderJob *) job;
}

static gpointer
run_reader (gpointer data)
{
  PrReader *self = data;
  PrReaderJob *job;

  while ((job = wait_for_question (self)) != NULL)
    {
      PrJobList done = { 0 };

      answer_question (self, job);
      pr_job_list_push (&done, &job->job);
      self->answer (&done, self->user_data);
    }

  pr_database_close (&self->db);
  return NULL;
}

PrReader *
pr_reader_new (const char *path, PrReaderAnswer answer, gpointer user_data)
{
  PrReader *self = g_new0 (PrReader, 1);

  self->path = g_strdup (path);
  self->answer = answer;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);

  return self;
}

void
pr_reader_free (PrReader *self)
{
  pr_reader_stop (self);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

void
pr_reader_push (PrReader *self, PrReaderJob *job)
{
  if (g_atomic_int_get (&self->stopping))
    g_set_error_literal (&job->job.error, PR_ERROR, PR_ERROR_TEMPORARY, STOPPING_TEXT);
  else if (self->thread == NULL)
    self->thread = g_thread_try_new ("queue-reader", run_reader, self, &job->job.error);
  if (job->job.error != NULL)
    {
      PrJobList done = { 0 };

      pr_job_list_push (&done, &job->job);
      self->answer (&done, self->user_data);
      return;
    }

  pr_lock (&self->lock);
  pr_job_list_push (&self->waiting, &job->job);
  g_cond_signal (&self->cond);
  pr_unlock (&self->lock);
}

void
pr_reader_stop (PrReader *self)
{
  pr_lock (&self->lock);
  g_atomic_int_set (&self->stopping, TRUE);
  g_cond_signal (&self->cond);
  pr_unlock (&self->lock);
}

void
pr_reader_set_pressure (PrReader *self, gboolean on)
{
  pr_lock (&self->lock);
  g_atomic_int_set (&self->pressure, on);
  g_cond_signal (&self->cond);
  pr_unlock (&self->lock);
}
