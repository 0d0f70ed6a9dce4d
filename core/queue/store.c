/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's frame: opening and closing, and the way of a job there and back.
 *
 *   owner: pr_store_put … ──► asked ──(once a turn)──► writer's thread ──► done ──► reply
 *                              │                          pool, reader ────┘
 *                              └── what needs nobody ──► ready ────────────────────► reply
 *
 * The operations themselves: arrive.c (put), leave.c (record, due, bodies), orders.c (people),
 * list.c and events.c (looking).
 */
#include "queue/store-private.h"

#include <errno.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "common/sync.h"
#include "queue/files.h"
#include "queue/rows.h"
#include "queue/spool-private.h"
#include "queue/sweep.h"

#define MAX_WAITING_EVENTS 65536

typedef struct
{
  GSource base;
  PrStore *store; /* borrowed */
} StoreSource;

static void
hand_over (PrStore *self)
{
  if (self->asked.head != NULL || self->events.head != NULL)
    self->n_waiting_events = pr_writer_push (self->writer, &self->asked, &self->events);
}

static void
reply_all (PrStore *self, PrJobList *jobs)
{
  PrJob *job;

  while ((job = pr_job_list_pop (jobs)) != NULL)
    {
      self->n_outstanding--;
      job->klass->reply (job, job->error);
      job->klass->free (job);
    }
}

static void
give_answers (PrStore *self)
{
  PrJobList jobs = self->ready;

  self->ready = (PrJobList){ 0 };
  pr_lock (&self->lock);
  pr_job_list_append (&jobs, &self->done);
  pr_unlock (&self->lock);
  reply_all (self, &jobs);
}

/* Called once for each turn of the loop, before it sleeps: what all connections asked in the turn
 * goes to the writer with one lock and one wake. */
static gboolean
on_prepare (GSource *source, int *timeout)
{
  PrStore *self = ((StoreSource *) source)->store;

  hand_over (self);
  *timeout = -1;
  return self->ready.head != NULL;
}

static gboolean
on_check (GSource *source)
{
  return ((StoreSource *) source)->store->ready.head != NULL;
}

static gboolean
on_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* First: an answer that comes from here on must wake the loop again. */
  g_source_set_ready_time (source, -1);
  give_answers (((StoreSource *) source)->store);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
  .prepare = on_prepare,
  .check = on_check,
  .dispatch = on_dispatch,
};

static void
on_writer_answer (PrJobList *jobs, gpointer user_data)
{
  pr_store_answer (user_data, jobs);
}

static void
on_writer_pressure (gboolean on, gpointer user_data)
{
  PrStore *self = user_data;

  pr_reader_set_pressure (self->reader, on);
}

static void
attach_source (PrStore *self)
{
  self->source = g_source_new (&source_funcs, sizeof (StoreSource));
  ((StoreSource *) self->source)->store = self;
  g_source_set_static_name (self->source, "queue-store");
  g_source_attach (self->source, self->context);
}

static gboolean
make_home (PrStore *self, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (self->home);

  if (!g_file_test (self->home, G_FILE_TEST_IS_DIR) && g_mkdir_with_parents (self->home, 0700) != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be created: %s", self->home,
                   g_strerror (errno));
      return FALSE;
    }
  pr_files_sync_folder (parent); /* may belong to somebody else */

  self->lock_fd = pr_files_lock (self->home, error);
  return self->lock_fd >= 0;
}

static gboolean
open_all (PrStore *self, GError **error)
{
  g_autofree char *database = g_build_filename (self->home, "queue.db", NULL);
  const PrWriterOptions options = {
    .home = self->home,
    .body_path = self->body_path,
    .pool = self->pool = pr_pool_new (error),
    .answer = on_writer_answer,
    .pressure = on_writer_pressure,
    .user_data = self,
  };

  if (self->pool == NULL || !make_home (self, error) ||
      !pr_sweep_check (database, self->body_path, error))
    return FALSE;

  self->reader = pr_reader_new (database, on_writer_answer, self);
  self->writer = pr_writer_new (&options, error);
  if (self->writer == NULL)
    return FALSE;

  self->ids.last = pr_writer_get_counter (self->writer)->last_message;
  self->last_event = pr_writer_get_counter (self->writer)->last_event;
  return TRUE;
}

static void
free_store (PrStore *self)
{
  g_clear_pointer (&self->writer, pr_writer_free);
  g_clear_pointer (&self->reader, pr_reader_free);
  if (self->pool != NULL)
    pr_pool_close (self->pool);
  g_clear_pointer (&self->pool, pr_pool_unref);
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  pr_event_list_clear (&self->events);
  pr_body_budget_unref (self->budget);
  if (self->lock_fd >= 0)
    g_close (self->lock_fd, NULL);
  g_main_context_unref (self->context);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self->body_path);
  g_free (self->home);
  g_free (self);
}

PrStore *
pr_store_open (const char *home, GMainContext *context, GError **error)
{
  PrStore *self;

  g_return_val_if_fail (home != NULL, NULL);

  self = g_new0 (PrStore, 1);
  self->home = g_strdup (home);
  self->body_path = g_build_filename (home, "body", NULL);
  self->context =
    context != NULL ? g_main_context_ref (context) : g_main_context_ref_thread_default ();
  self->lock_fd = -1;
  self->budget = pr_body_budget_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  if (!open_all (self, error))
    {
      free_store (self);
      return NULL;
    }

  attach_source (self);
  return self;
}

/* Waits for a batch of answers and gives it: callbacks may ask for more, which is done as well. */
static void
drain (PrStore *self)
{
  while (self->n_outstanding > 0)
    {
      hand_over (self);
      pr_lock (&self->lock);
      while (self->done.head == NULL && self->ready.head == NULL)
        pr_wait_until (&self->cond, &self->lock, G_MAXINT64);
      pr_unlock (&self->lock);
      give_answers (self);
    }
}

void
pr_store_close (PrStore *self)
{
  g_return_if_fail (self != NULL);

  pr_lock (&self->lock);
  self->closing = TRUE;
  pr_unlock (&self->lock);
  pr_reader_stop (self->reader);
  pr_writer_hurry (self->writer);
  drain (self);
  hand_over (self); /* events */
  free_store (self);
}

PrIdSource *
pr_store_get_ids (PrStore *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return &self->ids;
}

guint64
pr_store_get_free_space (PrStore *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return pr_writer_get_free_space (self->writer);
}

void
pr_store_get_counts (PrStore *self, PrStoreCounts *out)
{
  g_return_if_fail (self != NULL && out != NULL);

  pr_writer_get_counts (self->writer, out);
  pr_lock (&self->lock);
  out->n_dropped_events = self->n_dropped_events;
  pr_unlock (&self->lock);
}

void
pr_store_set_retention (PrStore *self, guint64 keep_s, guint64 max_octets)
{
  g_return_if_fail (self != NULL);

  pr_writer_set_retention (self->writer, keep_s, max_octets);
}

/* ── Jobs ─────────────────────────────────────────────────────────────────────────────────── */

void
pr_store_init_job (PrStore *self, PrJob *job, const PrJobClass *klass)
{
  job->klass = klass;
  job->store = self;
  self->n_outstanding++;
}

void
pr_store_submit (PrStore *self, PrJob *job)
{
  pr_job_list_push (&self->asked, job);
}

void
pr_store_answer_later (PrStore *self, PrJob *job)
{
  pr_job_list_push (&self->ready, job);
}

void
pr_store_answer (PrStore *self, PrJobList *jobs)
{
  gboolean was_empty;

  pr_lock (&self->lock);
  was_empty = self->done.head == NULL;
  pr_job_list_append (&self->done, jobs);
  if (self->closing)
    g_cond_signal (&self->cond);
  else if (was_empty)
    g_source_set_ready_time (self->source, 0);
  pr_unlock (&self->lock);
}

void
pr_job_free (PrJob *job)
{
  g_clear_error (&job->error);
  g_free (job);
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

PrEvent *
pr_store_stamp_event (PrStore *self, const PrEvent *event)
{
  g_autofree char *peer = NULL, *sender = NULL, *address = NULL, *text = NULL, *tls = NULL;
  gint64 now = g_get_real_time ();
  PrEvent clean = *event;

  clean.peer = pr_event_clean_text (event->peer, &peer);
  clean.sender = pr_event_clean_text (event->sender, &sender);
  clean.address = pr_event_clean_text (event->address, &address);
  clean.text = pr_event_clean_text (event->text, &text);
  clean.tls = pr_event_clean_text (event->tls, &tls);
  self->last_event = MAX (now, self->last_event + 1);
  clean.id = self->last_event;
  if (clean.time_us == 0)
    clean.time_us = now;

  return pr_event_dup (&clean);
}

static gboolean
is_connection_event (PrEventKind kind)
{
  return kind == PR_EVENT_CONNECTED || kind == PR_EVENT_DISCONNECTED;
}

gint64
pr_store_add_event (PrStore *self, const PrEvent *event)
{
  PrEvent *copy;
  guint n;

  g_return_val_if_fail (self != NULL && event != NULL, 0);

  n = self->n_waiting_events + self->events.n;
  if (n >= MAX_WAITING_EVENTS)
    n = self->n_waiting_events = pr_writer_push (self->writer, &self->asked, &self->events);
  if (n >= 2 * MAX_WAITING_EVENTS || (n >= MAX_WAITING_EVENTS && is_connection_event (event->kind)))
    {
      pr_lock (&self->lock);
      self->n_dropped_events++;
      pr_unlock (&self->lock);
      return 0;
    }

  copy = pr_store_stamp_event (self, event);
  pr_event_list_push (&self->events, copy);
  return copy->id;
}
