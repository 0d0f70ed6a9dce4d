/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threads for spool files. */
#include "queue/pool.h"

#include "common/sync.h"

#define N_THREADS 4

struct _PrPool
{
  gatomicrefcount refs;
  GMutex lock;
  GThreadPool *threads; /* owned; NULL when closed; under the lock */
};

typedef struct
{
  PrPoolFunc func;
  gpointer data;
} Task;

static void
run_task (gpointer data, gpointer user_data)
{
  g_autofree Task *task = data;

  PR_HAPPENS_AFTER (task);
  task->func (task->data);
}

PrPool *
pr_pool_new (GError **error)
{
  PrPool *self = g_new0 (PrPool, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  /* Exclusive: a thread that cannot be had is known now, not when mail waits for it. */
  self->threads = g_thread_pool_new (run_task, NULL, N_THREADS, TRUE, error);
  if (self->threads == NULL)
    {
      pr_pool_unref (self);
      return NULL;
    }

  return self;
}

PrPool *
pr_pool_ref (PrPool *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
pr_pool_unref (PrPool *self)
{
  PR_HAPPENS_BEFORE (self);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  PR_HAPPENS_AFTER (self);
  pr_pool_close (self);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
pr_pool_push (PrPool *self, PrPoolFunc func, gpointer data)
{
  Task *task;

  pr_lock (&self->lock);
  if (self->threads == NULL)
    {
      pr_unlock (&self->lock);
      func (data);
      return;
    }

  task = g_new (Task, 1);
  task->func = func;
  task->data = data;
  PR_HAPPENS_BEFORE (task);
  g_thread_pool_push (self->threads, task, NULL);
  pr_unlock (&self->lock);
}

void
pr_pool_close (PrPool *self)
{
  GThreadPool *threads;

  /* What a task pushes from now on runs inside that task, so nothing is left behind. */
  pr_lock (&self->lock);
  threads = g_steal_pointer (&self->threads);
  pr_unlock (&self->lock);
  if (threads != NULL)
    g_thread_pool_free (threads, FALSE, TRUE);
}
