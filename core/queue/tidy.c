/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tidying when idle. Each step is one transaction of a few milliseconds, and the writer looks for
 * work between any two of them. A process with nothing to do wakes once an hour, for the age of
 * events. */
#include "queue/tidy.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define IDLE_US (2 * G_USEC_PER_SEC)
#define PAUSE_US (20 * 1000) /* leaves the disk to others */
#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
#define EVENTS_PER_STEP 500
#define PAGES_PER_STEP 128
#define PAGES_KEPT 1024 /* free pages worth keeping: they will be used again soon */

typedef struct
{
  PrJob job;
  gint64 before_id;
} ForgetJob;

static int
run_forget (PrJob *job, PrWriter *writer)
{
  ForgetJob *self = (ForgetJob *) job;

  return pr_writer_forget_events (writer, self->before_id, EVENTS_PER_STEP);
}

static const PrJobClass forget_class = { .run = run_forget };

/* TRUE when it deleted some, and there may be more. */
static gboolean
forget_events (PrWriter *writer, const PrRetention *retention)
{
  PrCounter *counter = pr_writer_get_draft (writer);
  gint64 oldest = G_MININT64, before = 0;
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[PR_SQL_SELECT_OLDEST_EVENT];
  int code;

  if (counter->n_events <= 0)
    return FALSE;

  if (retention->max_octets != 0 && counter->event_octets > (gint64) retention->max_octets)
    before = G_MAXINT64;
  else if (retention->keep_s != 0)
    {
      if (pr_sql_next (s, &code))
        {
          oldest = sqlite3_column_int64 (s, 0);
          sqlite3_reset (s);
        }
      if (code == SQLITE_OK)
        before = g_get_real_time () - (gint64) retention->keep_s * G_USEC_PER_SEC;
      if (oldest >= before)
        before = 0;
    }

  if (before > 0)
    {
      ForgetJob job = { .job.klass = &forget_class, .before_id = before };
      gint64 n = counter->n_events;

      return pr_writer_run_now (writer, &job.job) == SQLITE_OK &&
             pr_writer_get_draft (writer)->n_events < n;
    }

  return FALSE;
}

/* TRUE when there are more pages to give back. */
static gboolean
free_pages (PrWriter *writer)
{
  sqlite3 *handle = pr_writer_get_database (writer)->handle;
  g_autofree char *sql = g_strdup_printf ("PRAGMA incremental_vacuum(%d)", PAGES_PER_STEP);
  sqlite3_stmt *s = NULL;
  int code, n = 0;

  if (sqlite3_prepare_v2 (handle, "PRAGMA freelist_count", -1, &s, NULL) != SQLITE_OK)
    return FALSE;
  if (pr_sql_next (s, &code))
    n = sqlite3_column_int (s, 0);
  sqlite3_finalize (s);

  return n > PAGES_KEPT && sqlite3_exec (handle, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void
release_memory (PrWriter *writer)
{
  sqlite3 *handle = pr_writer_get_database (writer)->handle;

  sqlite3_wal_checkpoint_v2 (handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  sqlite3_db_release_memory (handle);
#ifdef __GLIBC__
  malloc_trim (0);
#endif
}

void
pr_tidy_defer (PrTidy *self)
{
  self->stage = PR_TIDY_EVENTS;
  self->next_us = g_get_monotonic_time () + IDLE_US;
}

void
pr_tidy_step (PrTidy *self, PrWriter *writer, const PrRetention *retention)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->next_us)
    return;

  self->next_us = now + PAUSE_US;
  switch (self->stage)
    {
    case PR_TIDY_EVENTS:
      if (!forget_events (writer, retention))
        self->stage = PR_TIDY_PAGES;
      break;
    case PR_TIDY_PAGES:
      if (!free_pages (writer))
        self->stage = PR_TIDY_LOG;
      break;
    case PR_TIDY_LOG:
      release_memory (writer);
      self->stage = PR_TIDY_DONE;
      self->next_us = retention->keep_s != 0 ? now + HOUR_US : G_MAXINT64;
      break;
    case PR_TIDY_DONE:
    default: self->stage = PR_TIDY_EVENTS; break;
    }
}
