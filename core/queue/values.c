/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small things that outlive a restart, by name. */
#include "queue/store-private.h"

typedef struct
{
  PrJob job;
  char *name, *value; /* owned; value NULL: forget it */
  PrStoreDone done;
  gpointer user_data;
} SetJob;

static int
run_set (PrJob *job, PrWriter *writer)
{
  SetJob *self = (SetJob *) job;
  PrSql which = self->value != NULL ? PR_SQL_PUT_VALUE : PR_SQL_DELETE_VALUE;
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[which];

  pr_sql_bind_text (s, 1, self->name);
  if (self->value != NULL)
    pr_sql_bind_text (s, 2, self->value);

  return pr_sql_run (s);
}

static void
reply_set (PrJob *job, const GError *error)
{
  SetJob *self = (SetJob *) job;

  if (self->done != NULL)
    self->done (error, self->user_data);
}

static void
free_set (PrJob *job)
{
  SetJob *self = (SetJob *) job;

  g_free (self->name);
  g_free (self->value);
  pr_job_free (job);
}

static const PrJobClass set_class = {
  .run = run_set,
  .reply = reply_set,
  .free = free_set,
};

void
pr_store_set_value (PrStore *self, const char *name, const char *value, PrStoreDone done,
                    gpointer user_data)
{
  SetJob *job;

  g_return_if_fail (self != NULL && name != NULL);

  job = g_new0 (SetJob, 1);
  pr_store_init_job (self, &job->job, &set_class);
  job->name = g_strdup (name);
  job->value = g_strdup (value);
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrJob job;
  char *prefix; /* owned */
  guint limit;
  GArray *values; /* owned, of PrStoreValue whose strings are owned */
  PrStoreValuesDone done;
  gpointer user_data;
} ValuesJob;

static void
clear_value (gpointer data)
{
  PrStoreValue *value = data;

  g_free ((char *) value->name);
  g_free ((char *) value->value);
}

static int
run_values (PrJob *job, PrWriter *writer)
{
  ValuesJob *self = (ValuesJob *) job;
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[PR_SQL_SELECT_VALUES];
  int code;

  g_array_set_size (self->values, 0);
  pr_sql_bind_text (s, 1, self->prefix);
  pr_sql_bind_int (s, 2, self->limit);
  while (pr_sql_next (s, &code))
    {
      PrStoreValue value = { pr_sql_dup_text (s, 0), pr_sql_dup_text (s, 1) };

      if (!g_str_has_prefix (value.name, self->prefix))
        {
          clear_value (&value);
          sqlite3_reset (s);
          break;
        }
      g_array_append_val (self->values, value);
    }

  return code;
}

static void
reply_values (PrJob *job, const GError *error)
{
  ValuesJob *self = (ValuesJob *) job;

  self->done ((const PrStoreValue *) (gpointer) self->values->data,
              error == NULL ? self->values->len : 0, error, self->user_data);
}

static void
free_values (PrJob *job)
{
  ValuesJob *self = (ValuesJob *) job;

  g_array_unref (self->values);
  g_free (self->prefix);
  pr_job_free (job);
}

static const PrJobClass values_class = {
  .run = run_values,
  .reply = reply_values,
  .free = free_values,
  .flags = PR_JOB_READS,
};

void
pr_store_list_values (PrStore *self, const char *prefix, guint limit, PrStoreValuesDone done,
                      gpointer user_data)
{
  ValuesJob *job;

  g_return_if_fail (self != NULL && prefix != NULL && done != NULL);

  job = g_new0 (ValuesJob, 1);
  pr_store_init_job (self, &job->job, &values_class);
  job->prefix = g_strdup (prefix);
  job->limit = limit;
  job->values = g_array_new (FALSE, FALSE, sizeof (PrStoreValue));
  g_array_set_clear_func (job->values, clear_value);
  job->done = done;
  job->user_data = user_data;
  pr_store_submit (self, &job->job);
}
