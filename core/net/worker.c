/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/worker.h"

#include "common/sync.h"

#define N_THREADS 2

struct _PrWorker
{
  GMainContext *context;
  GThreadPool *threads;
  GAsyncQueue *ended; /* of Task: to be told */
  GSource *source;    /* tells them */
  guint n_open;
};

typedef struct
{
  PrWorkerFunc func, done;
  gpointer data;
  GDestroyNotify free_data;
} Task;

static void
free_task (Task *task)
{
  if (task->free_data != NULL)
    task->free_data (task->data);
  g_free (task);
}

static void
run (gpointer data, gpointer user_data)
{
  PrWorker *self = user_data;
  Task *task = data;

  PR_HAPPENS_AFTER (task);
  task->func (task->data);
  PR_HAPPENS_BEFORE (task);
  g_async_queue_push (self->ended, task);
  g_source_set_ready_time (self->source, 0);
  PR_HAPPENS_BEFORE (self);
}

static gboolean
on_ended (gpointer user_data)
{
  PrWorker *self = user_data;
  Task *task;

  g_source_set_ready_time (self->source, -1);
  while ((task = g_async_queue_try_pop (self->ended)) != NULL)
    {
      PR_HAPPENS_AFTER (task);
      self->n_open--;
      task->done (task->data);
      free_task (task);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

PrWorker *
pr_worker_new (GMainContext *context)
{
  PrWorker *self = g_new0 (PrWorker, 1);

  self->context = g_main_context_ref (context);
  self->ended = g_async_queue_new ();
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "postroom-worker");
  g_source_set_callback (self->source, on_ended, self, NULL);
  g_source_set_ready_time (self->source, -1);
  g_source_attach (self->source, context);
  return self;
}

void
pr_worker_free (PrWorker *self)
{
  Task *task;

  if (self == NULL)
    return;
  if (self->threads != NULL)
    g_thread_pool_free (self->threads, FALSE, TRUE);
  PR_HAPPENS_AFTER (self);
  while ((task = g_async_queue_try_pop (self->ended)) != NULL)
    free_task (task);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_async_queue_unref (self->ended);
  g_main_context_unref (self->context);
  g_free (self);
}

void
pr_worker_run (PrWorker *self, PrWorkerFunc func, PrWorkerFunc done, gpointer data,
               GDestroyNotify free_data)
{
  Task *task = g_new0 (Task, 1);

  task->func = func;
  task->done = done;
  task->data = data;
  task->free_data = free_data;
  self->n_open++;
  if (self->threads == NULL) /* most relays never need them */
    self->threads = g_thread_pool_new (run, self, N_THREADS, FALSE, NULL);
  PR_HAPPENS_BEFORE (task);
  g_thread_pool_push (self->threads, g_steal_pointer (&task), NULL);
}

guint
pr_worker_count (const PrWorker *self)
{
  return self->n_open;
}
