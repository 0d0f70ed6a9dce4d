/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages on their way out: what is due, bodies, and how each attempt ended. */
#include "common/error.h"
#include "queue/rows.h"
#include "queue/spool-private.h"
#include "queue/store-private.h"

/* ── Recording ────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  guint index;
  PrProgress progress; /* owned copy: the owner goes on changing its own */
} Outcome;

typedef struct
{
  PrJob job;
  PrMessage *message; /* owned */
  Outcome *outcomes;  /* owned */
  guint n_outcomes;
  PrMessage **reports; /* owned */
  guint n_reports;
  gboolean leaves;
  PrStoreDone done;
  gpointer user_data;
} RecordJob;

/* The common case, in one statement instead of two. */
static int
delete_only_recipient (PrWriter *writer, gint64 id, gboolean *done)
{
  PrDatabase *db = pr_writer_get_database (writer);
  sqlite3_stmt *s = db->statements[PR_SQL_DELETE_ONLY];
  int code;

  pr_sql_bind_int (s, 1, id);
  code = pr_sql_run (s);
  *done = code == SQLITE_OK && sqlite3_changes (db->handle) == 1;
  if (*done)
    pr_writer_count (writer, PR_RECIPIENT_QUEUED, -1);

  return code;
}

static int
delete_recipients (PrWriter *writer, gint64 id)
{
  PrDatabase *db = pr_writer_get_database (writer);
  sqlite3_stmt *states = db->statements[PR_SQL_SELECT_STATES];
  sqlite3_stmt *recipients = db->statements[PR_SQL_DELETE_RECIPIENTS];
  int code;

  pr_sql_bind_int (states, 1, id);
  while (pr_sql_next (states, &code))
    pr_writer_count (writer, (PrRecipientState) sqlite3_column_int (states, 0), -1);
  if (code != SQLITE_OK)
    return code;

  pr_sql_bind_int (recipients, 1, id);
  return pr_sql_run (recipients);
}

int
pr_writer_delete_message (PrWriter *writer, gint64 id, guint n_recipients, guint64 size_octets,
                          const char *spool)
{
  PrDatabase *db = pr_writer_get_database (writer);
  PrCounter *draft = pr_writer_get_draft (writer);
  sqlite3_stmt *messages = db->statements[PR_SQL_DELETE_MESSAGE];
  gboolean done = FALSE;
  int code = n_recipients == 1 ? delete_only_recipient (writer, id, &done) : SQLITE_OK;

  if (code == SQLITE_OK && !done)
    code = delete_recipients (writer, id);
  if (code != SQLITE_OK)
    return code;

  pr_sql_bind_int (messages, 1, id);
  code = pr_sql_run (messages);
  if (code != SQLITE_OK || sqlite3_changes (db->handle) == 0)
    return code;

  draft->n_messages--;
  draft->octets -= (gint64) size_octets;
  draft->revision++;
  if (spool != NULL)
    pr_writer_unlink_later (writer, spool);

  return SQLITE_OK;
}

/* @known: FALSE when there is no such recipient any more: a person deleted the message. */
static int
update_outcome (PrWriter *writer, gint64 id, const Outcome *outcome, gboolean *known)
{
  PrDatabase *db = pr_writer_get_database (writer);
  sqlite3_stmt *s = db->statements[PR_SQL_SELECT_STATE];
  int code;

  pr_sql_bind_int (s, 1, id);
  pr_sql_bind_int (s, 2, outcome->index);
  if (!pr_sql_next (s, &code))
    {
      *known = FALSE;
      return code;
    }

  pr_writer_count (writer, (PrRecipientState) sqlite3_column_int (s, 0), -1);
  sqlite3_reset (s);
  pr_writer_count (writer, outcome->progress.state, 1);
  pr_writer_get_draft (writer)->revision++;

  return pr_rows_update (db, id, outcome->index, &outcome->progress);
}

static int
run_record (PrJob *job, PrWriter *writer)
{
  RecordJob *self = (RecordJob *) job;
  const PrMessage *m = self->message;
  gint64 n_messages = pr_writer_get_draft (writer)->n_messages;
  gboolean known = TRUE;
  int code = SQLITE_OK;

  if (self->leaves)
    {
      code = pr_writer_delete_message (writer, m->id, m->envelope->recipients->len, m->size_octets,
                                       m->spool);
      known = pr_writer_get_draft (writer)->n_messages < n_messages;
    }
  else
    for (guint i = 0; i < self->n_outcomes && known && code == SQLITE_OK; i++)
      code = update_outcome (writer, m->id, &self->outcomes[i], &known);

  /* A message that is gone was deleted by a person, or a commit that was reported as failed was on
   * disk after all: in both cases another report would be one too many. */
  for (guint i = 0; i < self->n_reports && known && code == SQLITE_OK; i++)
    code = pr_writer_insert_message (writer, self->reports[i]);

  return code;
}

static void
reply_record (PrJob *job, const GError *error)
{
  RecordJob *self = (RecordJob *) job;

  for (guint i = 0; i < self->n_reports; i++)
    pr_store_settle_message (job->store, self->reports[i], error == NULL);
  if (self->done != NULL)
    self->done (error, self->user_data);
}

static void
free_record (PrJob *job)
{
  RecordJob *self = (RecordJob *) job;

  for (guint i = 0; i < self->n_outcomes; i++)
    {
      g_free (self->outcomes[i].progress.hop);
      g_free (self->outcomes[i].progress.last_reply);
    }
  g_free (self->outcomes);
  for (guint i = 0; i < self->n_reports; i++)
    pr_message_unref (self->reports[i]);
  g_free (self->reports);
  pr_message_unref (self->message);
  pr_job_free (job);
}

static const PrJobClass record_class = {
  .run = run_record,
  .reply = reply_record,
  .free = free_record,
  .flags = PR_JOB_KEEPS,
};

static void
copy_outcomes (RecordJob *job, const PrMessage *message, const guint *indexes, guint n)
{
  job->outcomes = g_new0 (Outcome, n);
  job->n_outcomes = n;
  for (guint i = 0; i < n; i++)
    {
      const PrProgress *p = &message->progress[indexes[i]];

      job->outcomes[i].index = indexes[i];
      job->outcomes[i].progress = *p;
      job->outcomes[i].progress.hop = g_strdup (p->hop);
      job->outcomes[i].progress.last_reply = g_strdup (p->last_reply);
    }
}

void
pr_store_record (PrStore *self, PrMessage *message, const guint *indexes, guint n_indexes,
                 PrMessage *const *reports, guint n_reports, gboolean leaves, PrStoreDone done,
                 gpointer user_data)
{
  RecordJob *job;

  g_return_if_fail (self != NULL && message != NULL);

  job = g_new0 (RecordJob, 1);
  pr_store_init_job (self, &job->job, &record_class);
  job->message = pr_message_ref (message);
  job->leaves = leaves;
  job->done = done;
  job->user_data = user_data;
  job->job.cost_octets = 512 + 256 * (gsize) n_indexes;
  if (!leaves)
    copy_outcomes (job, message, indexes, n_indexes);

  job->reports = g_new0 (PrMessage *, n_reports);
  job->n_reports = n_reports;
  for (guint i = 0; i < n_reports; i++)
    {
      job->reports[i] = pr_message_ref (reports[i]);
      pr_store_prepare_message (self, reports[i], &job->job);
    }

  if (job->job.n_files == 0)
    {
      pr_store_submit (self, &job->job);
      return;
    }
  for (guint i = 0; i < n_reports; i++)
    if (pr_spool_is_held (reports[i]))
      pr_spool_flush (reports[i], &job->job);
}

/* ── Buckets ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrJob job;
  GArray *hops; /* owned, of PrStoreHop; their names owned */
  PrStoreHopsDone done;
  gpointer user_data;
} HopsJob;

static void
clear_hop (gpointer hop)
{
  g_free ((char *) ((PrStoreHop *) hop)->hop);
}

static int
run_hops (PrJob *job, PrWriter *writer)
{
  HopsJob *self = (HopsJob *) job;
  PrDatabase *db = pr_writer_get_database (writer);
  sqlite3_stmt *s = db->statements[PR_SQL_SELECT_FIRST_HOP];
  int code;

  g_array_set_size (self->hops, 0);
  while (pr_sql_next (s, &code))
    {
      PrStoreHop hop = { pr_sql_dup_text (s, 0), sqlite3_column_int64 (s, 1) };

      sqlite3_reset (s);
      g_array_append_val (self->hops, hop);
      s = db->statements[PR_SQL_SELECT_NEXT_HOP];
      pr_sql_bind_text (s, 1, hop.hop);
    }

  return code;
}

static void
reply_hops (PrJob *job, const GError *error)
{
  HopsJob *self = (HopsJob *) job;

  self->done ((const PrStoreHop *) self->hops->data, error == NULL ? self->hops->len : 0, error,
              self->user_data);
}

static void
free_hops (PrJob *job)
{
  g_array_unref (((HopsJob *) job)->hops);
  pr_job_free (job);
}

static const PrJobClass hops_class = {
  .run = run_hops,
  .reply = reply_hops,
  .free = free_hops,
  .flags = PR_JOB_READS,
};

void
pr_store_hops (PrStore *self, PrStoreHopsDone done, gpointer user_data)
{
  HopsJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (HopsJob, 1);
  pr_store_init_job (self, &job->job, &hops_class);
  job->hops = g_array_new (FALSE, FALSE, sizeof (PrStoreHop));
  g_array_set_clear_func (job->hops, clear_hop);
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}

/* ── Due recipients ───────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrJob job;
  char *hop; /* owned */
  gint64 before_us;
  guint limit;
  GArray *due;          /* owned, of PrStoreDue */
  GHashTable *messages; /* owned: id → PrMessage, owned: one for all its recipients */
  gint64 next_due_us;
  PrStoreDueDone done;
  gpointer user_data;
} DueJob;

static void
clear_due (gpointer due)
{
  pr_message_unref (((PrStoreDue *) due)->message);
}

static void
unref_message (gpointer message)
{
  pr_message_unref (message);
}

static int
add_due (DueJob *self, PrDatabase *db, gint64 id, guint index)
{
  PrMessage *message = g_hash_table_lookup (self->messages, &id);
  PrStoreDue due;

  if (message == NULL)
    {
      int code = pr_rows_load (db->statements[PR_SQL_SELECT_MESSAGE],
                               db->statements[PR_SQL_SELECT_RECIPIENTS], id, &message);

      if (message == NULL)
        return code;
      g_hash_table_insert (self->messages, &message->id, message);
    }
  if (index >= message->envelope->recipients->len)
    return SQLITE_OK;

  due.message = pr_message_ref (message);
  due.index = index;
  g_array_append_val (self->due, due);
  return SQLITE_OK;
}

static int
run_due (PrJob *job, PrWriter *writer)
{
  DueJob *self = (DueJob *) job;
  PrDatabase *db = pr_writer_get_database (writer);
  sqlite3_stmt *s = db->statements[PR_SQL_SELECT_DUE];
  int code;

  g_array_set_size (self->due, 0);
  g_hash_table_remove_all (self->messages);
  self->next_due_us = 0;
  pr_sql_bind_text (s, 1, self->hop);
  pr_sql_bind_int (s, 2, (gint64) self->limit + 1);
  while (pr_sql_next (s, &code))
    {
      gint64 due_us = sqlite3_column_int64 (s, 2);

      if (due_us > self->before_us || self->due->len == self->limit)
        {
          self->next_due_us = due_us;
          sqlite3_reset (s);
          break;
        }
      code = add_due (self, db, sqlite3_column_int64 (s, 0), (guint) sqlite3_column_int (s, 1));
      if (code != SQLITE_OK)
        {
          sqlite3_reset (s);
          break;
        }
    }

  return code;
}

static void
reply_due (PrJob *job, const GError *error)
{
  DueJob *self = (DueJob *) job;

  self->done ((const PrStoreDue *) self->due->data, error == NULL ? self->due->len : 0,
              error == NULL ? self->next_due_us : 0, error, self->user_data);
}

static void
free_due (PrJob *job)
{
  DueJob *self = (DueJob *) job;

  g_array_unref (self->due);
  g_hash_table_unref (self->messages);
  g_free (self->hop);
  pr_job_free (job);
}

static const PrJobClass due_class = {
  .run = run_due,
  .reply = reply_due,
  .free = free_due,
  .flags = PR_JOB_READS,
};

void
pr_store_due (PrStore *self, const char *hop, gint64 before_us, guint limit, PrStoreDueDone done,
              gpointer user_data)
{
  DueJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (DueJob, 1);
  pr_store_init_job (self, &job->job, &due_class);
  job->hop = g_strdup (hop != NULL ? hop : "");
  job->before_us = before_us;
  job->limit = limit;
  job->due = g_array_new (FALSE, FALSE, sizeof (PrStoreDue));
  g_array_set_clear_func (job->due, clear_due);
  job->messages = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, unref_message);
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}

/* ── One message ──────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrJob job;
  gint64 id;
  PrMessage *message; /* owned, nullable */
  PrStoreMessageDone done;
  gpointer user_data;
} GetJob;

static int
run_get (PrJob *job, PrWriter *writer)
{
  GetJob *self = (GetJob *) job;
  PrDatabase *db = pr_writer_get_database (writer);

  g_clear_pointer (&self->message, pr_message_unref);
  return pr_rows_load (db->statements[PR_SQL_SELECT_MESSAGE],
                       db->statements[PR_SQL_SELECT_RECIPIENTS], self->id, &self->message);
}

static void
reply_get (PrJob *job, const GError *error)
{
  GetJob *self = (GetJob *) job;

  self->done (error == NULL ? self->message : NULL, error, self->user_data);
}

static void
free_get (PrJob *job)
{
  g_clear_pointer (&((GetJob *) job)->message, pr_message_unref);
  pr_job_free (job);
}

static const PrJobClass get_class = {
  .run = run_get,
  .reply = reply_get,
  .free = free_get,
  .flags = PR_JOB_READS,
};

void
pr_store_get (PrStore *self, gint64 id, PrStoreMessageDone done, gpointer user_data)
{
  GetJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (GetJob, 1);
  pr_store_init_job (self, &job->job, &get_class);
  job->id = id;
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}
