/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at the queue, a page at a time.
 *
 * By age without a filter a page costs what it shows plus a walk to its offset, from the nearer
 * end; by bucket, or by a state other than queued, what matches. Text, and orders by sender, size
 * or due time, look at every message that the rest of the filter leaves, within the reader's time
 * limit: a million take seconds, and cost arriving mail nothing. */
#include "queue/reader.h"
#include "queue/rows.h"
#include "queue/schema.h"
#include "queue/search.h"
#include "queue/store-private.h"

#define MAX_LIST 1000
#define MAX_IDS 10000

typedef struct
{
  char *text; /* owned, nullable */
  char *hop;  /* owned, nullable */
  int state;
  gint64 after;
  PrStoreOrder order;
  gboolean descending;
} Filter;

typedef struct
{
  gint64 n_messages, n_held, n_failed, revision;
} Snapshot;

static void
copy_filter (Filter *out, const PrStoreFilter *filter)
{
  *out = (Filter){ .state = -1 };
  if (filter == NULL)
    return;

  out->text = pr_search_dup (filter->text);
  out->hop = g_strdup (filter->hop);
  out->state = filter->state;
  out->after = filter->after;
  out->order = filter->order;
  out->descending = filter->descending;
}

static void
clear_filter (Filter *filter)
{
  g_free (filter->text);
  g_free (filter->hop);
}

static int
read_snapshot (sqlite3 *handle, Snapshot *out)
{
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2 (
    handle, "SELECT messages, held, failed, revision FROM counter WHERE one = 1", -1, &s, NULL);

  *out = (Snapshot){ 0 };
  if (code == SQLITE_OK && pr_sql_next (s, &code))
    *out = (Snapshot){ sqlite3_column_int64 (s, 0), sqlite3_column_int64 (s, 1),
                       sqlite3_column_int64 (s, 2), sqlite3_column_int64 (s, 3) };
  sqlite3_finalize (s);

  return code;
}

/* A message in the queue has a recipient that is queued, held or failed; without the last two
 * "queued" filters nothing, and need not look. */
static gboolean
matches_all (const Filter *filter, const Snapshot *snapshot)
{
  return filter->text == NULL && filter->hop == NULL && filter->after == 0 &&
         (filter->state < 0 || (filter->state == PR_RECIPIENT_QUEUED && snapshot->n_held == 0 &&
                                snapshot->n_failed == 0));
}

/* All buckets of one route: "ROUTE", "ROUTE/" and "ROUTE/domain", with or without the tab that
 * pins; '0' comes behind '/'. */
#define BELOW(name) "hop >= " name " || '/' AND hop < " name " || '0'"
#define PINNED "char (9) || ?1"
#define OF_ROUTE "hop = ?1 OR " BELOW ("?1") " OR hop = " PINNED " OR " BELOW (PINNED)

/* Recipients that match by bucket, or by a state other than queued, come from their own indexes:
 * the messages, which are far larger, are then looked at for nothing but what the rest asks of
 * them. */
static gboolean
is_narrow (const Filter *filter)
{
  return filter->hop != NULL || filter->state > 0;
}

static void
append_candidates (GString *sql, const Filter *filter)
{
  static const char queued[] =
    "SELECT message AS id FROM recipient INDEXED BY recipient_due WHERE state = 0 AND ";
  static const char others[] =
    "SELECT message AS id FROM recipient INDEXED BY recipient_other WHERE state <> 0";

  if (filter->hop != NULL && filter->state <= PR_RECIPIENT_QUEUED)
    g_string_append_printf (
      sql, "%shop = ?1 UNION %s" BELOW ("?1") " UNION %shop = " PINNED " UNION %s" BELOW (PINNED),
      queued, queued, queued, queued);
  if (filter->hop != NULL && filter->state < 0)
    g_string_append (sql, " UNION ");
  if (filter->state != PR_RECIPIENT_QUEUED)
    g_string_append_printf (sql, "SELECT DISTINCT id FROM (%s%s%s)", others,
                            filter->state > 0 ? " AND state = ?2" : "",
                            filter->hop != NULL ? " AND (" OF_ROUTE ")" : "");
}

/* FROM and WHERE: what matches, as m. ?1: hop, ?2: state, ?5: after. */
static void
append_source (GString *sql, const Filter *filter)
{
  gboolean needs_message =
    filter->text != NULL || filter->order == PR_ORDER_SENDER || filter->order == PR_ORDER_SIZE;

  if (is_narrow (filter))
    {
      g_string_append (sql, " FROM (");
      append_candidates (sql, filter);
      g_string_append (sql, needs_message ? ") c CROSS JOIN message m ON m.id = c.id" : ") m");
    }
  else
    g_string_append (sql, " FROM message m");

  g_string_append (sql, " WHERE TRUE");
  if (filter->after != 0)
    g_string_append (sql, " AND m.id > ?5");
  if (filter->state == PR_RECIPIENT_QUEUED && filter->hop == NULL)
    g_string_append (sql, " AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
                          " AND r.state = 0)");
  if (filter->text != NULL)
    g_string_append (sql, " AND (found (m.sender) OR found_id (m.id) OR EXISTS (SELECT 1"
                          " FROM recipient r WHERE r.message = m.id AND found (r.address)))");
}

static void
append_order (GString *sql, const Filter *filter, gboolean descending)
{
  const char *direction = descending ? " DESC" : "";

  switch (filter->order)
    {
    case PR_ORDER_SENDER: g_string_append_printf (sql, " ORDER BY m.sender%s,", direction); break;
    case PR_ORDER_SIZE: g_string_append_printf (sql, " ORDER BY m.size%s,", direction); break;
    case PR_ORDER_DUE:
      g_string_append_printf (sql,
                              " ORDER BY (SELECT min (r.due) FROM recipient r WHERE"
                              " r.message = m.id AND r.state = 0)%s,",
                              direction);
      break;
    case PR_ORDER_RECEIVED:
    default: g_string_append (sql, " ORDER BY"); break;
    }
  g_string_append_printf (sql, " m.id%s", direction);
}

static int
prepare (sqlite3 *handle, const char *sql, const Filter *filter, sqlite3_stmt **out)
{
  int code = pr_search_set (handle, filter->text);

  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2 (handle, sql, -1, out, NULL);
  if (code == SQLITE_OK)
    {
      pr_sql_bind_text (*out, 1, filter->hop);
      pr_sql_bind_int (*out, 2, filter->state);
      pr_sql_bind_int (*out, 5, filter->after);
    }

  return code;
}

static int
read_ids (sqlite3 *handle, const GString *sql, const Filter *filter, gint64 first, gint64 second,
          GArray *ids)
{
  sqlite3_stmt *s = NULL;
  int code = prepare (handle, sql->str, filter, &s);

  if (code != SQLITE_OK)
    return code;

  pr_sql_bind_int (s, 3, first);
  pr_sql_bind_int (s, 4, second);
  while (pr_sql_next (s, &code))
    {
      gint64 id = sqlite3_column_int64 (s, 0);

      g_array_append_val (ids, id);
    }
  sqlite3_finalize (s);

  return code;
}

/* ── A page ───────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrReaderJob base;
  Filter filter;
  guint64 offset;
  guint limit;
  GPtrArray *messages; /* owned, of PrMessage, owned */
  gint64 n_matching;
  Snapshot snapshot;
  PrStoreListDone done;
  gpointer user_data;
} ListJob;

static int
count_matching (ListJob *self, sqlite3 *handle)
{
  g_autoptr (GString) sql = g_string_new ("SELECT count (*)");
  g_autoptr (GArray) result = g_array_new (FALSE, FALSE, sizeof (gint64));
  int code;

  self->n_matching = self->snapshot.n_messages;
  if (self->filter.after != 0) /* the rest of a list that was counted: a count would cost more */
    return SQLITE_OK;
  if (matches_all (&self->filter, &self->snapshot))
    return SQLITE_OK;

  append_source (sql, &self->filter);
  code = read_ids (handle, sql, &self->filter, 0, 0, result);
  if (code == SQLITE_OK && result->len > 0)
    self->n_matching = g_array_index (result, gint64, 0);

  return code;
}

static void
reverse (GArray *ids)
{
  for (guint i = 0; i < ids->len / 2; i++)
    {
      gint64 *a = &g_array_index (ids, gint64, i);
      gint64 *b = &g_array_index (ids, gint64, ids->len - 1 - i);
      gint64 other = *a;

      *a = *b;
      *b = other;
    }
}

static int
read_page (ListJob *self, sqlite3 *handle, GArray *ids)
{
  g_autoptr (GString) sql = g_string_new ("SELECT m.id");
  gint64 offset = (gint64) MIN (self->offset, (guint64) self->n_matching);
  gint64 limit = MIN ((gint64) self->limit, self->n_matching - offset);
  gboolean from_end = self->filter.after == 0 && offset > (self->n_matching - limit) / 2;
  int code;

  if (limit == 0)
    return SQLITE_OK;

  if (matches_all (&self->filter, &self->snapshot))
    g_string_append (sql, " FROM message m");
  else
    append_source (sql, &self->filter);
  append_order (sql, &self->filter, self->filter.descending != from_end);
  g_string_append (sql, " LIMIT ?3 OFFSET ?4");
  if (from_end)
    offset = self->n_matching - limit - offset;
  code = read_ids (handle, sql, &self->filter, limit, offset, ids);
  if (from_end)
    reverse (ids);

  return code;
}

static int
load_messages (ListJob *self, sqlite3 *handle, const GArray *ids)
{
  sqlite3_stmt *messages = NULL, *recipients = NULL;
  int code =
    sqlite3_prepare_v2 (handle, pr_schema_get_sql (PR_SQL_SELECT_MESSAGE), -1, &messages, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_prepare_v2 (handle, pr_schema_get_sql (PR_SQL_SELECT_RECIPIENTS), -1,
                               &recipients, NULL);
  for (guint i = 0; i < ids->len && code == SQLITE_OK; i++)
    {
      PrMessage *message;

      code = pr_rows_load (messages, recipients, g_array_index (ids, gint64, i), &message);
      if (message != NULL)
        g_ptr_array_add (self->messages, message);
    }
  sqlite3_finalize (messages);
  sqlite3_finalize (recipients);

  return code;
}

static int
read_list (PrReaderJob *job, sqlite3 *handle)
{
  ListJob *self = (ListJob *) job;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  int code = read_snapshot (handle, &self->snapshot);

  g_ptr_array_set_size (self->messages, 0);
  if (code == SQLITE_OK)
    code = count_matching (self, handle);
  if (code == SQLITE_OK)
    code = read_page (self, handle, ids);
  if (code == SQLITE_OK)
    code = load_messages (self, handle, ids);

  return code;
}

static void
reply_list (PrJob *job, const GError *error)
{
  ListJob *self = (ListJob *) job;

  if (error != NULL)
    self->done (NULL, 0, 0, error, self->user_data);
  else
    self->done (self->messages, self->filter.after != 0 ? 0 : (guint64) self->n_matching,
                (guint64) self->snapshot.revision, NULL, self->user_data);
}

static void
free_list (PrJob *job)
{
  ListJob *self = (ListJob *) job;

  g_ptr_array_unref (self->messages);
  clear_filter (&self->filter);
  pr_job_free (job);
}

static void
unref_message (gpointer message)
{
  pr_message_unref (message);
}

static const PrJobClass list_class = { .reply = reply_list, .free = free_list };

void
pr_store_list (PrStore *self, const PrStoreFilter *filter, guint64 offset, guint limit,
               PrStoreListDone done, gpointer user_data)
{
  ListJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (ListJob, 1);
  pr_store_init_job (self, &job->base.job, &list_class);
  job->base.read = read_list;
  copy_filter (&job->filter, filter);
  job->offset = offset;
  job->limit = MIN (limit, MAX_LIST);
  job->messages = g_ptr_array_new_with_free_func (unref_message);
  job->done = done;
  job->user_data = user_data;
  pr_reader_push (self->reader, &job->base);
}

/* ── Ids ──────────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrReaderJob base;
  Filter filter;
  gint64 after;
  guint limit;
  GArray *ids; /* owned */
  PrStoreIdsDone done;
  gpointer user_data;
} IdsJob;

static int
read_list_ids (PrReaderJob *job, sqlite3 *handle)
{
  IdsJob *self = (IdsJob *) job;
  g_autoptr (GString) sql = g_string_new ("SELECT m.id");
  Snapshot snapshot;
  int code = read_snapshot (handle, &snapshot);

  if (code != SQLITE_OK)
    return code;

  g_array_set_size (self->ids, 0);
  if (matches_all (&self->filter, &snapshot))
    g_string_append (sql, " FROM message m WHERE TRUE");
  else
    append_source (sql, &self->filter);
  g_string_append (sql, " AND m.id > ?3 ORDER BY m.id LIMIT ?4");

  return read_ids (handle, sql, &self->filter, self->after, self->limit, self->ids);
}

static void
reply_ids (PrJob *job, const GError *error)
{
  IdsJob *self = (IdsJob *) job;

  self->done ((const gint64 *) self->ids->data, error == NULL ? self->ids->len : 0, error,
              self->user_data);
}

static void
free_ids (PrJob *job)
{
  IdsJob *self = (IdsJob *) job;

  g_array_unref (self->ids);
  clear_filter (&self->filter);
  pr_job_free (job);
}

static const PrJobClass ids_class = { .reply = reply_ids, .free = free_ids };

void
pr_store_list_ids (PrStore *self, const PrStoreFilter *filter, gint64 after, guint limit,
                   PrStoreIdsDone done, gpointer user_data)
{
  IdsJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (IdsJob, 1);
  pr_store_init_job (self, &job->base.job, &ids_class);
  job->base.read = read_list_ids;
  copy_filter (&job->filter, filter);
  job->after = after;
  job->limit = MIN (limit, MAX_IDS);
  job->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  job->done = done;
  job->user_data = user_data;
  pr_reader_push (self->reader, &job->base);
}
