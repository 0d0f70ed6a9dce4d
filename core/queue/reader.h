/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/database.h"
#include "queue/job.h"

G_BEGIN_DECLS

/**
 * PrReader: the thread that answers listings from a connection of its own, so that no search makes
 * mail wait. It starts with the first question and closes its connection when none comes.
 */
typedef struct _PrReader PrReader;
typedef struct _PrReaderJob PrReaderJob;

/* Embeds a PrJob whose class has no run; @read stands for it, in a read transaction, and may run
 * again from the start. */
struct _PrReaderJob
{
  PrJob job;
  int (*read) (PrReaderJob *self, sqlite3 *handle);
};

typedef void (*PrReaderAnswer) (PrJobList *jobs, gpointer user_data);

/* @answer: called in the reader's thread. */
PrReader *pr_reader_new (const char *path, PrReaderAnswer answer, gpointer user_data);
/* Waits for its thread. What was asked was answered. */
void pr_reader_free (PrReader *self);
void pr_reader_push (PrReader *self, PrReaderJob *job);
/* Answers what is asked and will be with an error, at once. */
void pr_reader_stop (PrReader *self);
/* Any thread: give up the snapshot now, and start over when it is off: the writer's log grows. */
void pr_reader_set_pressure (PrReader *self, gboolean on);

G_END_DECLS
