/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking into the history, newest first. A range of time is a range of ids; one message's events
 * come from an index; anything else is found by walking back from the newest, within the reader's
 * time limit. */
#include "queue/reader.h"
#include "queue/rows.h"
#include "queue/search.h"
#include "queue/store-private.h"

#define MAX_EVENTS 10000

typedef struct
{
  PrReaderJob base;
  PrEventFilter filter; /* text owned */
  guint limit;
  GPtrArray *events; /* owned, of PrEvent, each one block */
  PrStoreEventsDone done;
  gpointer user_data;
} EventsJob;

static char *
build_sql (const PrEventFilter *filter)
{
  GString *sql = g_string_new ("SELECT " PR_EVENT_COLUMNS " FROM event WHERE id < ?1 AND id > ?2");

  if (filter->message != 0)
    g_string_append (sql, " AND message = ?3");
  if (filter->session != 0)
    g_string_append (sql, " AND session = ?4");
  if (filter->kinds != 0)
    g_string_append (sql, " AND (1 << kind) & ?5");
  if (filter->from_us != 0)
    g_string_append (sql, " AND id >= ?6 AND id - skew >= ?6"); /* id is never before the time */
  if (filter->to_us != 0)
    g_string_append (sql, " AND id - skew <= ?7");
  if (filter->text != NULL)
    g_string_append (sql, " AND (found (address) OR found (sender) OR found (peer)"
                          " OR found (text))");
  g_string_append (sql, " ORDER BY id DESC LIMIT ?8");

  return g_string_free (sql, FALSE);
}

static int
read_events (PrReaderJob *job, sqlite3 *handle)
{
  EventsJob *self = (EventsJob *) job;
  const PrEventFilter *f = &self->filter;
  g_autofree char *sql = build_sql (f);
  sqlite3_stmt *s = NULL;
  int code = pr_search_set (handle, f->text);

  g_ptr_array_set_size (self->events, 0);
  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2 (handle, sql, -1, &s, NULL);
  if (code != SQLITE_OK)
    return code;

  pr_sql_bind_int (s, 1, f->before_id != 0 ? f->before_id : G_MAXINT64);
  pr_sql_bind_int (s, 2, f->after_id);
  pr_sql_bind_int (s, 3, f->message);
  pr_sql_bind_int (s, 4, (gint64) f->session);
  pr_sql_bind_int (s, 5, (gint64) f->kinds);
  pr_sql_bind_int (s, 6, f->from_us);
  pr_sql_bind_int (s, 7, f->to_us);
  pr_sql_bind_int (s, 8, self->limit);
  while (pr_sql_next (s, &code))
    g_ptr_array_add (self->events, pr_rows_load_event (s));
  sqlite3_finalize (s);

  return code;
}

static void
reply_events (PrJob *job, const GError *error)
{
  EventsJob *self = (EventsJob *) job;
  guint n = error == NULL ? self->events->len : 0;
  g_autofree PrEvent *events = g_new (PrEvent, n);

  for (guint i = 0; i < n; i++)
    events[i] = *(PrEvent *) self->events->pdata[i];
  self->done (events, n, error, self->user_data);
}

static void
free_events (PrJob *job)
{
  EventsJob *self = (EventsJob *) job;

  g_ptr_array_unref (self->events);
  g_free ((char *) self->filter.text);
  pr_job_free (job);
}

static const PrJobClass events_class = { .reply = reply_events, .free = free_events };

/* Stands behind the events that were added before: when it is answered, they are in the database.
 */
typedef struct
{
  PrJob job;
  EventsJob *question; /* borrowed: it follows */
} BehindJob;

static int
run_behind (PrJob *job, PrWriter *writer)
{
  return SQLITE_OK;
}

/* Even where nothing can be written what was written can be read. */
static void
reply_behind (PrJob *job, const GError *error)
{
  pr_reader_push (job->store->reader, &((BehindJob *) job)->question->base);
}

static const PrJobClass behind_class = {
  .run = run_behind,
  .reply = reply_behind,
  .free = pr_job_free,
  .flags = PR_JOB_READS, /* the events that stand before it are what is written */
};

void
pr_store_events (PrStore *self, const PrEventFilter *filter, guint limit, PrStoreEventsDone done,
                 gpointer user_data)
{
  EventsJob *job;
  BehindJob *behind;

  g_return_if_fail (self != NULL && filter != NULL && done != NULL);

  job = g_new0 (EventsJob, 1);
  pr_store_init_job (self, &job->base.job, &events_class);
  job->base.read = read_events;
  job->filter = *filter;
  job->filter.text = pr_search_dup (filter->text);
  job->limit = MIN (limit, MAX_EVENTS);
  job->events = g_ptr_array_new_with_free_func (g_free);
  job->done = done;
  job->user_data = user_data;

  behind = g_new0 (BehindJob, 1);
  pr_store_init_job (self, &behind->job, &behind_class);
  behind->question = job;
  pr_store_submit (self, &behind->job);
}
