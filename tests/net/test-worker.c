/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sync.h"
#include "net/worker.h"
#include "wait.h"

/* What a task is told and tells. */
typedef struct
{
  GMutex lock;
  GCond opened;
  gboolean open;      /* the door that func waits at */
  GThread *ran_in;    /* NULL until it ran */
  gboolean told_here; /* done was called by the owner's thread */
  guint n_freed;
} Task;

static GThread *owner;

static void
on_run (gpointer data)
{
  Task *task = data;

  pr_lock (&task->lock);
  while (!task->open)
    pr_wait_until (&task->opened, &task->lock, g_get_monotonic_time () + G_USEC_PER_SEC);
  task->ran_in = g_thread_self ();
  pr_unlock (&task->lock);
}

static void
on_done (gpointer data)
{
  Task *task = data;

  task->told_here = g_thread_self () == owner;
}

static void
on_free (gpointer data)
{
  Task *task = data;

  task->n_freed++;
}

static void
open_door (Task *task)
{
  pr_lock (&task->lock);
  task->open = TRUE;
  g_cond_broadcast (&task->opened);
  pr_unlock (&task->lock);
}

static void
test_runs_elsewhere_and_tells_here (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PrWorker) worker = pr_worker_new (context);
  Task task = { .open = TRUE };

  owner = g_thread_self ();
  pr_worker_run (worker, on_run, on_done, &task, on_free);
  g_assert_cmpuint (pr_worker_count (worker), ==, 1);
  g_assert_cmpuint (task.n_freed, ==, 0); /* never before it returns */
  wait_for (context, task.n_freed == 1, "the task to be told");
  g_assert_true (task.ran_in != NULL && task.ran_in != owner);
  g_assert_true (task.told_here);
  g_assert_cmpuint (pr_worker_count (worker), ==, 0);
}

/* One task that takes long does not hold up another: there are two threads. */
static void
test_two_at_once (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PrWorker) worker = pr_worker_new (context);
  Task slow = { 0 }, quick = { .open = TRUE };

  pr_worker_run (worker, on_run, on_done, &slow, on_free);
  pr_worker_run (worker, on_run, on_done, &quick, on_free);
  wait_for (context, quick.n_freed == 1, "the quick task");
  g_assert_cmpuint (slow.n_freed, ==, 0);
  open_door (&slow);
  wait_for (context, slow.n_freed == 1, "the slow task");
}

static void
test_end_tells_nobody (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  PrWorker *worker = pr_worker_new (context);
  Task task = { .open = TRUE };

  pr_worker_run (worker, on_run, on_done, &task, on_free);
  pr_worker_free (worker);
  g_assert_false (task.told_here);
  g_assert_cmpuint (task.n_freed, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/worker/runs-elsewhere-and-tells-here", test_runs_elsewhere_and_tells_here);
  g_test_add_func ("/worker/two-at-once", test_two_at_once);
  g_test_add_func ("/worker/end-tells-nobody", test_end_tells_nobody);
  return g_test_run ();
}
