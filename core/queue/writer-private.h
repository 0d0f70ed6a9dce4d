/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/reserve.h"
#include "queue/tally.h"
#include "queue/tidy.h"
#include "queue/writer.h"

G_BEGIN_DECLS

/* Shared by writer.c (the thread and what comes to it) and batch.c (what one batch goes through).
 */
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
  gboolean urgent;         /* somebody waits for what is waiting: not only records */
  gint64 records_since_us; /* monotonic; when the first of what is waiting came */
  gint64 events_since_us;  /* the same for events */
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
  PrReserve reserve;
  PrTally tally;
};

/* When a log of this many pages of 4 KiB is copied into the database for the first time. */
#define PR_WRITER_CHECKPOINT_PAGES 2000

/* Runs and answers self->batch and self->taken. FALSE: nothing was to be written. */
gboolean pr_batch_run (PrWriter *self);
/* What is committed, for all to see. */
void pr_batch_publish (PrWriter *self);
/* SQLite's hook: how long the log is. */
int pr_batch_on_log (gpointer user_data, sqlite3 *handle, const char *name, int pages);

G_END_DECLS
