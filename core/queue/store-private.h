/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/job.h"
#include "queue/pool.h"
#include "queue/reader.h"
#include "queue/writer.h"

G_BEGIN_DECLS

/* How much of the bodies is kept in memory until they are delivered. */
#define PR_STORE_BODY_BUDGET (32 * 1024 * 1024)

/* Outlives the store when a message does. */
typedef struct
{
  gatomicrefcount refs;
  gssize octets; /* atomic */
} PrBodyBudget;

struct _PrStore
{
  char *home, *body_path; /* owned */
  int lock_fd;
  GMainContext *context; /* owned */
  GSource *source;       /* owned: brings answers, hands over what was asked in this turn */
  PrPool *pool;          /* owned */
  PrWriter *writer;      /* owned */
  PrReader *reader;      /* owned */
  PrBodyBudget *budget;  /* owned */
  PrIdSource ids;
  gint64 last_event;

  /* Asked in this turn of the loop, not yet handed to the writer: one lock and at most one wake
   * for all of it. */
  PrJobList asked;
  PrEventList events;
  PrJobList ready; /* answers that needed nobody: given on the next turn */
  guint n_outstanding;
  guint n_waiting_events; /* with the writer, when it was last told */

  GMutex lock;
  GCond cond;
  /* Under the lock */
  PrJobList done;
  gboolean closing;
  guint64 n_dropped_events;
};

/* All but pr_store_answer: the owner's thread. */

/* Fills the base and counts the job as outstanding. */
void pr_store_init_job (PrStore *self, PrJob *job, const PrJobClass *klass);
/* To the writer, with what else is asked in this turn. */
void pr_store_submit (PrStore *self, PrJob *job);
/* The job has ended: it is answered on the next turn. */
void pr_store_answer_later (PrStore *self, PrJob *job);
/* Any thread: these jobs have ended. Takes them. */
void pr_store_answer (PrStore *self, PrJobList *jobs);
/* Gives the event its id and time; the copy is the caller's. */
PrEvent *pr_store_stamp_event (PrStore *self, const PrEvent *event);

/* A message on its way to the writer with @job: its body is charged to the budget, or its file
 * counted in n_files. */
void pr_store_prepare_message (PrStore *self, PrMessage *message, PrJob *job);
/* The job has ended: the file stays or goes, the body is dropped when memory is spent. */
void pr_store_settle_message (PrStore *self, PrMessage *message, gboolean stored);

PrBodyBudget *pr_body_budget_new (void);
void pr_body_budget_unref (PrBodyBudget *self);

/* Frees the base of a job that embeds nothing else to free. */
void pr_job_free (PrJob *job);

G_END_DECLS
