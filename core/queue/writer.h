/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/database.h"
#include "queue/job.h"
#include "queue/pool.h"
#include "queue/tally.h"

G_BEGIN_DECLS

/**
 * PrWriter: the thread that owns the only connection that writes. It takes what waits into one
 * transaction, commits, answers; keeps the log short; and tidies when nothing waits.
 */

/* Called in the writer's thread with jobs that ended, in order. Takes them. */
typedef void (*PrWriterAnswer) (PrJobList *jobs, gpointer user_data);
/* Called in the writer's thread when readers keep the log from being used anew. */
typedef void (*PrWriterPressure) (gboolean on, gpointer user_data);

typedef struct
{
  const char *home, *body_path; /* borrowed: live as long as the writer */
  PrPool *pool;                 /* borrowed */
  PrWriterAnswer answer;
  PrWriterPressure pressure;
  gpointer user_data;
} PrWriterOptions;

/* Opens the database (pr_database_open's errors) and starts the thread. Blocking. */
PrWriter *pr_writer_new (const PrWriterOptions *options, GError **error);
/* Commits what was pushed, answers it, ends the thread, closes the database. */
void pr_writer_free (PrWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrWriter, pr_writer_free)

/* Any thread. Takes both lists; returns how many events wait now. */
guint pr_writer_push (PrWriter *self, PrJobList *jobs, PrEventList *events);
/* The end is near: what cannot be recorded after some tries is answered with an error. */
void pr_writer_hurry (PrWriter *self);
void pr_writer_get_counts (PrWriter *self, PrStoreCounts *out);
guint64 pr_writer_get_free_space (PrWriter *self);
void pr_writer_set_retention (PrWriter *self, guint64 keep_s, guint64 max_octets);
/* The counters at start: before the first push only. */
const PrCounter *pr_writer_get_counter (PrWriter *self);

/* ── For jobs, in the writer's thread ─────────────────────────────────────────────────────── */

PrDatabase *pr_writer_get_database (PrWriter *self);
/* The counters of the running transaction: a rollback takes them back. */
PrCounter *pr_writer_get_draft (PrWriter *self);
/* What the running transaction adds to it: a rollback forgets it. */
PrTally *pr_writer_get_tally (PrWriter *self);
/* Removes a spool file below the body folder when, and only when, the transaction commits. */
void pr_writer_unlink_later (PrWriter *self, const char *spool);
/* n recipients more (or fewer) in this state. */
void pr_writer_count (PrWriter *self, PrRecipientState state, gint64 n);
/* With recipients, counted. */
int pr_writer_insert_message (PrWriter *self, const PrMessage *message);
/* With recipients and spool file, uncounted; fine when it is not there. @n_recipients: 0: unknown.
 */
int pr_writer_delete_message (PrWriter *self, gint64 id, guint n_recipients, guint64 size_octets,
                              const char *spool);
/* Without id: it gets the next one. */
int pr_writer_insert_event (PrWriter *self, PrEvent *event);
/* Deletes the oldest events below @before_id, at most @limit. */
int pr_writer_forget_events (PrWriter *self, gint64 before_id, gint64 limit);
/* Runs a job that nobody waits for in a transaction of its own, between batches. */
int pr_writer_run_now (PrWriter *self, PrJob *job);

G_END_DECLS
