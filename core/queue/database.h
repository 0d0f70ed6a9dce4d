/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* The schema this program writes. Each step is a case in database.c, and a database of each
 * version lies in tests/data.
 *   1  the first
 *   2  values by name
 *   3  counts by hour, and devices */
#define PR_DATABASE_VERSION 3

#define PR_DATABASE_BUSY_TIMEOUT_MS 10000 /* another program looks into the file */

/* Every statement of the writer, prepared once. Their text is the table in database.c. */
typedef enum
{
  PR_SQL_BEGIN,
  PR_SQL_BEGIN_WRITE,
  PR_SQL_COMMIT,
  PR_SQL_ROLLBACK,
  PR_SQL_SELECT_COUNTER,
  PR_SQL_UPDATE_COUNTER,
  PR_SQL_INSERT_MESSAGE,
  PR_SQL_INSERT_RECIPIENT,
  PR_SQL_SELECT_MESSAGE,
  PR_SQL_SELECT_RECIPIENTS,
  PR_SQL_SELECT_BODY,
  PR_SQL_SELECT_STATE,
  PR_SQL_SELECT_STATES,
  PR_SQL_UPDATE_RECIPIENT,
  PR_SQL_DELETE_RECIPIENTS,
  PR_SQL_DELETE_ONLY,
  PR_SQL_DELETE_MESSAGE,
  PR_SQL_SELECT_FILE,
  PR_SQL_SELECT_FIRST_HOP,
  PR_SQL_SELECT_NEXT_HOP,
  PR_SQL_SELECT_DUE,
  PR_SQL_SELECT_IDS,
  PR_SQL_SELECT_QUEUED,
  PR_SQL_SELECT_OTHERS,
  PR_SQL_UPDATE_STATE,
  PR_SQL_INSERT_EVENT,
  PR_SQL_SELECT_OLDEST_EVENT,
  PR_SQL_DELETE_EVENTS,
  PR_SQL_PUT_VALUE,
  PR_SQL_DELETE_VALUE,
  PR_SQL_SELECT_VALUES,
  PR_SQL_ADD_HOUR,
  PR_SQL_DELETE_HOURS,
  PR_SQL_UPDATE_DEVICE,
  PR_SQL_INSERT_DEVICE,
  PR_SQL_COUNT_DEVICES,
  PR_SQL_DELETE_DEVICES,
  PR_N_SQL,
} PrSql;

/* What would need a scan to count is counted in one row, in the transaction that changes it. */
typedef struct
{
  gint64 last_message, last_event; /* the highest ids ever given */
  gint64 revision;                 /* of the queue */
  gint64 n_messages, n_queued, n_held, n_failed, octets;
  gint64 n_events, event_octets; /* octets: about */
} PrCounter;

typedef struct
{
  sqlite3 *handle; /* owned */
  sqlite3_stmt *statements[PR_N_SQL];
} PrDatabase;

/* Opens or creates @path and brings it to PR_DATABASE_VERSION. Errors: NEWER, DAMAGED (nothing was
 * changed), PERMANENT (cannot be created). Blocking. */
gboolean pr_database_open (PrDatabase *self, const char *path, GError **error);
/* A second connection that only reads; none of the statements above. */
gboolean pr_database_open_reader (PrDatabase *self, const char *path, GError **error);
void pr_database_close (PrDatabase *self);

int pr_database_get_counter (PrDatabase *self, PrCounter *out);
int pr_database_set_counter (PrDatabase *self, const PrCounter *counter);

/* TRUE when the fault is the disk's or the file's, not that of one operation. */
gboolean pr_database_is_storage_fault (int code);
/* What a person reads about an SQLite code. */
void pr_database_set_error (PrDatabase *self, int code, GError **error);

/* Runs a statement without rows: SQLITE_OK or what went wrong. Always resets. */
int pr_sql_run (sqlite3_stmt *statement);
/* Next row: TRUE. Else FALSE, the statement is reset, and @code is SQLITE_OK or what went wrong. */
gboolean pr_sql_next (sqlite3_stmt *statement, int *code);
/* @text lives until the statement was reset; NULL binds NULL. */
void pr_sql_bind_text (sqlite3_stmt *statement, int index, const char *text);
/* A copy; NULL for NULL. (transfer full) */
char *pr_sql_dup_text (sqlite3_stmt *statement, int column);
#define pr_sql_bind_int sqlite3_bind_int64

G_END_DECLS
