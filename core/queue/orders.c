/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person orders for many messages. Done in steps, each in the transaction of whatever else
 * arrived meanwhile, so that an order for a million messages delays no mail. */
#include "queue/rows.h"
#include "queue/store-private.h"

#define MESSAGES_PER_STEP 200
#define ROWS_PER_STEP 500

/* ── Deleting ─────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrJob job;
  gint64 *ids; /* owned; NULL: all up to @up_to */
  guint n, next, step_end;
  gint64 up_to;
  PrStoreDone done;
  gpointer user_data;
} DeleteJob;

static int
delete_one (PrWriter *writer, gint64 id)
{
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[PR_SQL_SELECT_FILE];
  g_autofree char *spool = NULL;
  guint64 size;
  int code;

  pr_sql_bind_int (s, 1, id);
  if (!pr_sql_next (s, &code))
    return code;

  size = (guint64) sqlite3_column_int64 (s, 0);
  spool = pr_sql_dup_text (s, 1);
  sqlite3_reset (s);

  return pr_writer_delete_message (writer, id, 0, size, spool);
}

static int
run_delete (PrJob *job, PrWriter *writer)
{
  DeleteJob *self = (DeleteJob *) job;
  int code = SQLITE_OK;

  self->step_end = MIN (self->next + MESSAGES_PER_STEP, self->n);
  for (guint i = self->next; i < self->step_end && code == SQLITE_OK; i++)
    code = delete_one (writer, self->ids[i]);
  job->again = self->step_end < self->n;

  return code;
}

static void
on_delete_stepped (PrJob *job)
{
  DeleteJob *self = (DeleteJob *) job;

  self->next = self->step_end;
}

static int
run_delete_all (PrJob *job, PrWriter *writer)
{
  DeleteJob *self = (DeleteJob *) job;
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[PR_SQL_SELECT_IDS];
  gint64 ids[MESSAGES_PER_STEP];
  guint n = 0;
  int code;

  pr_sql_bind_int (s, 1, 0);
  pr_sql_bind_int (s, 2, MESSAGES_PER_STEP);
  while (pr_sql_next (s, &code))
    {
      ids[n] = sqlite3_column_int64 (s, 0);
      if (ids[n] <= self->up_to)
        n++;
    }
  for (guint i = 0; i < n && code == SQLITE_OK; i++)
    code = delete_one (writer, ids[i]);
  job->again = n == MESSAGES_PER_STEP;

  return code;
}

static void
reply_delete (PrJob *job, const GError *error)
{
  DeleteJob *self = (DeleteJob *) job;

  if (self->done != NULL)
    self->done (error, self->user_data);
}

static void
free_delete (PrJob *job)
{
  g_free (((DeleteJob *) job)->ids);
  pr_job_free (job);
}

static const PrJobClass delete_class = {
  .run = run_delete,
  .stepped = on_delete_stepped,
  .reply = reply_delete,
  .free = free_delete,
};

static const PrJobClass delete_all_class = {
  .run = run_delete_all,
  .reply = reply_delete,
  .free = free_delete,
};

static DeleteJob *
new_delete (PrStore *store, const PrJobClass *klass, PrStoreDone done, gpointer user_data)
{
  DeleteJob *job = g_new0 (DeleteJob, 1);

  pr_store_init_job (store, &job->job, klass);
  job->job.cost_octets = 512 * MESSAGES_PER_STEP;
  job->done = done;
  job->user_data = user_data;

  return job;
}

void
pr_store_delete (PrStore *self, const gint64 *ids, guint n, PrStoreDone done, gpointer user_data)
{
  DeleteJob *job;

  g_return_if_fail (self != NULL && (ids != NULL || n == 0));

  job = new_delete (self, &delete_class, done, user_data);
  job->ids = g_memdup2 (ids, n * sizeof *ids);
  job->n = n;
  pr_store_submit (self, &job->job);
}

void
pr_store_delete_all (PrStore *self, PrStoreDone done, gpointer user_data)
{
  DeleteJob *job;

  g_return_if_fail (self != NULL);

  job = new_delete (self, &delete_all_class, done, user_data);
  job->up_to = self->ids.last; /* what comes from now on is not meant */
  pr_store_submit (self, &job->job);
}

/* ── Replacing ────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrJob job;
  PrMessage *message; /* owned */
  PrStoreDone done;
  gpointer user_data;
} ReplaceJob;

static int
run_replace (PrJob *job, PrWriter *writer)
{
  const PrMessage *message = ((ReplaceJob *) job)->message;
  PrDatabase *db = pr_writer_get_database (writer);
  sqlite3_stmt *states = db->statements[PR_SQL_SELECT_STATES];
  sqlite3_stmt *recipients = db->statements[PR_SQL_DELETE_RECIPIENTS];
  guint n = 0;
  int code;

  pr_sql_bind_int (states, 1, message->id);
  for (; pr_sql_next (states, &code); n++)
    pr_writer_count (writer, (PrRecipientState) sqlite3_column_int (states, 0), -1);
  if (code != SQLITE_OK || n == 0) /* gone: a replacement must not bring it back */
    return code;

  pr_sql_bind_int (recipients, 1, message->id);
  code = pr_sql_run (recipients);
  if (code == SQLITE_OK)
    code = pr_rows_insert_recipients (db, message);
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    pr_writer_count (writer, message->progress[i].state, 1);
  pr_writer_get_draft (writer)->revision++;

  return code;
}

static void
reply_replace (PrJob *job, const GError *error)
{
  ReplaceJob *self = (ReplaceJob *) job;

  if (self->done != NULL)
    self->done (error, self->user_data);
}

static void
free_replace (PrJob *job)
{
  pr_message_unref (((ReplaceJob *) job)->message);
  pr_job_free (job);
}

static const PrJobClass replace_class = {
  .run = run_replace,
  .reply = reply_replace,
  .free = free_replace,
};

void
pr_store_replace (PrStore *self, PrMessage *message, PrStoreDone done, gpointer user_data)
{
  ReplaceJob *job;

  g_return_if_fail (self != NULL && message != NULL);

  job = g_new0 (ReplaceJob, 1);
  pr_store_init_job (self, &job->job, &replace_class);
  job->job.cost_octets = 256 * (gsize) message->envelope->recipients->len;
  job->message = pr_message_ref (message);
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}

/* ── Changing all ─────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  gint64 message, index;
} Place;

typedef struct
{
  PrJob job;
  PrRecipientState from, to;
  gint64 due_us;
  gint64 up_to;
  Place after, step_end;
  PrStoreDone done;
  gpointer user_data;
} UpdateAllJob;

static int
find_places (UpdateAllJob *self, PrDatabase *db, GArray *places)
{
  sqlite3_stmt *s =
    db->statements[self->from == PR_RECIPIENT_QUEUED ? PR_SQL_SELECT_QUEUED : PR_SQL_SELECT_OTHERS];
  int code;

  pr_sql_bind_int (s, 1, self->after.message);
  pr_sql_bind_int (s, 2, self->after.index);
  pr_sql_bind_int (s, 3, ROWS_PER_STEP);
  if (self->from != PR_RECIPIENT_QUEUED)
    pr_sql_bind_int (s, 4, self->from);
  while (pr_sql_next (s, &code))
    {
      Place place = { sqlite3_column_int64 (s, 0), sqlite3_column_int64 (s, 1) };

      if (place.message <= self->up_to)
        g_array_append_val (places, place);
    }

  return code;
}

static int
update_place (UpdateAllJob *self, PrWriter *writer, const Place *place)
{
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[PR_SQL_UPDATE_STATE];

  pr_writer_count (writer, self->from, -1);
  pr_writer_count (writer, self->to, 1);
  pr_sql_bind_int (s, 1, place->message);
  pr_sql_bind_int (s, 2, place->index);
  pr_sql_bind_int (s, 3, self->to);
  if (self->due_us == 0)
    sqlite3_bind_null (s, 4);
  else
    pr_sql_bind_int (s, 4, self->due_us);

  return pr_sql_run (s);
}

static int
run_update_all (PrJob *job, PrWriter *writer)
{
  UpdateAllJob *self = (UpdateAllJob *) job;
  g_autoptr (GArray) places = g_array_sized_new (FALSE, FALSE, sizeof (Place), ROWS_PER_STEP);
  int code = find_places (self, pr_writer_get_database (writer), places);

  for (guint i = 0; i < places->len && code == SQLITE_OK; i++)
    code = update_place (self, writer, &g_array_index (places, Place, i));
  if (places->len > 0)
    {
      self->step_end = g_array_index (places, Place, places->len - 1);
      pr_writer_get_draft (writer)->revision++;
    }
  job->again = places->len == ROWS_PER_STEP;

  return code;
}

static void
on_update_stepped (PrJob *job)
{
  UpdateAllJob *self = (UpdateAllJob *) job;

  self->after = self->step_end;
}

static void
reply_update_all (PrJob *job, const GError *error)
{
  UpdateAllJob *self = (UpdateAllJob *) job;

  if (self->done != NULL)
    self->done (error, self->user_data);
}

static const PrJobClass update_all_class = {
  .run = run_update_all,
  .stepped = on_update_stepped,
  .reply = reply_update_all,
  .free = pr_job_free,
};

void
pr_store_update_all (PrStore *self, PrRecipientState from, PrRecipientState to, gint64 due_us,
                     PrStoreDone done, gpointer user_data)
{
  UpdateAllJob *job;

  g_return_if_fail (self != NULL);

  job = g_new0 (UpdateAllJob, 1);
  pr_store_init_job (self, &job->job, &update_all_class);
  job->job.cost_octets = 256 * ROWS_PER_STEP;
  job->from = from;
  job->to = to;
  job->due_us = due_us;
  job->up_to = self->ids.last;
  job->after = (Place){ -1, -1 };
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}
