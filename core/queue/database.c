/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to queue.db: checks before anything is touched, settings, prepared statements.
 *
 * A new database is made under another name and renamed, so that queue.db is never a file that is
 * half made: one that is empty, cut or foreign is damaged mail, and is left as it is. */
#include "queue/database.h"

#include <errno.h>
#include <string.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "queue/files.h"
#include "queue/schema.h"
#include "queue/vfs.h"

#define APPLICATION_ID 0x50725131 /* "PrQ1", in the file's header */
#define HEADER_LEN 100            /* sqlite.org/fileformat.html §1.3 */

/* Checkpoints are the writer's own (writer.c), so that no reader can make the log grow. */
static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 0;"
                               "PRAGMA journal_size_limit = 16777216;"
                               "PRAGMA cache_size = -8192;"
                               "PRAGMA mmap_size = 0;"
                               /* Debian's default writes each freed page once more, as zeros. */
                               "PRAGMA secure_delete = OFF;"
                               "PRAGMA foreign_keys = OFF;"
                               "PRAGMA temp_store = MEMORY;";

static void
init_library (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      sqlite3_config (SQLITE_CONFIG_MEMSTATUS, 0); /* a lock for each allocation */
      g_once_init_leave (&once, 1);
    }
}

static guint32
read_be32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

static gboolean
set_damaged (const char *path, const char *why, GError **error)
{
  g_set_error (error, PR_ERROR, PR_ERROR_DAMAGED,
               "%s is damaged: %s. Nothing was changed. Keep a copy of its folder; then put a "
               "backup in its place, or move queue.db, queue.db-wal and body away to start with "
               "an empty queue.",
               path, why);
  return FALSE;
}

static gboolean
set_newer (const char *path, guint32 version, GError **error)
{
  g_set_error (error, PR_ERROR, PR_ERROR_NEWER,
               "%s was written by a newer version of Postroom (schema %u, this one knows %d). "
               "Nothing was changed. Install the newer version again.",
               path, version, PR_DATABASE_VERSION);
  return FALSE;
}

static guint64
get_file_size (const char *path)
{
  GStatBuf info;

  return g_stat (path, &info) == 0 && info.st_size > 0 ? (guint64) info.st_size : 0;
}

/* Looks at the file by hand: opening it with SQLite may already write beside it. */
static gboolean
check_header (const char *path, GError **error)
{
  guint8 header[HEADER_LEN] = { 0 };
  g_autofree char *wal = g_strconcat (path, "-wal", NULL);
  guint64 size = get_file_size (path), page;
  FILE *file = g_fopen (path, "rb");
  gsize n;

  if (file == NULL)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be opened: %s", path,
                   g_strerror (errno));
      return FALSE;
    }

  n = fread (header, 1, sizeof header, file);
  fclose (file);
  if (n < sizeof header)
    return set_damaged (path, "it is too short to be a database", error);
  if (memcmp (header, "SQLite format 3", 16) != 0)
    return set_damaged (path, "it does not begin like a database", error);
  if (read_be32 (header + 68) != APPLICATION_ID)
    return set_damaged (path, "it is a database, but not one of Postroom", error);
  if (read_be32 (header + 60) > PR_DATABASE_VERSION)
    return set_newer (path, read_be32 (header + 60), error);

  /* With a log beside it the file may rightly be shorter than it says. */
  page = (guint64) header[16] << 8 | header[17];
  if (page == 1)
    page = 65536;
  if (get_file_size (wal) == 0 && read_be32 (header + 24) == read_be32 (header + 92) &&
      size < page * read_be32 (header + 28))
    return set_damaged (path, "it was cut short", error);

  return TRUE;
}

gboolean
pr_database_is_storage_fault (int code)
{
  switch (code & 0xff)
    {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT: return TRUE;
    default: return FALSE;
    }
}

void
pr_database_set_error (PrDatabase *self, int code, GError **error)
{
  switch (code & 0xff)
    {
    case SQLITE_FULL:
      g_set_error_literal (error, PR_ERROR, PR_ERROR_TEMPORARY,
                           "The disk that holds the queue is full.");
      break;
    case SQLITE_IOERR:
      g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY,
                   "The disk that holds the queue reports an error (%s, code %d).",
                   sqlite3_errstr (code), code);
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY,
                   "The queue's database is damaged (%s). Stop Postroom and keep a copy of it.",
                   sqlite3_errstr (code));
      break;
    default:
      g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "The queue's database: %s (code %d).",
                   sqlite3_errstr (code), code);
      break;
    }
}

static gboolean
fail_open (PrDatabase *self, const char *path, int code, GError **error)
{
  switch (code & 0xff)
    {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a statement that does not fit the tables */
    case SQLITE_MISMATCH:
    case SQLITE_SCHEMA:
      set_damaged (path,
                   sqlite3_errcode (self->handle) != SQLITE_OK ? sqlite3_errmsg (self->handle)
                                                               : sqlite3_errstr (code),
                   error);
      break;
    default:
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be opened: %s", path,
                   self->handle != NULL ? sqlite3_errmsg (self->handle) : sqlite3_errstr (code));
      break;
    }

  pr_database_close (self);
  return FALSE;
}

static int
connect_to (PrDatabase *self, const char *path, int flags)
{
  int code = sqlite3_open_v2 (path, &self->handle, flags | SQLITE_OPEN_NOMUTEX, pr_vfs_get_name ());

  if (code != SQLITE_OK)
    return code;

  sqlite3_extended_result_codes (self->handle, 1);
  sqlite3_busy_timeout (self->handle, PR_DATABASE_BUSY_TIMEOUT_MS);
  return SQLITE_OK;
}

static int
query_int (sqlite3 *handle, const char *sql, int *out)
{
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2 (handle, sql, -1, &statement, NULL);

  if (code != SQLITE_OK)
    return code;
  if (pr_sql_next (statement, &code))
    *out = sqlite3_column_int (statement, 0);
  sqlite3_finalize (statement);
  return code;
}

static int
prepare_all (PrDatabase *self)
{
  for (guint i = 0; i < PR_N_SQL; i++)
    {
      int code = sqlite3_prepare_v3 (self->handle, pr_schema_get_sql ((PrSql) i), -1,
                                     SQLITE_PREPARE_PERSISTENT, &self->statements[i], NULL);

      if (code != SQLITE_OK)
        return code;
    }

  return SQLITE_OK;
}

/* Under another name, then renamed: see above. */
static gboolean
create (const char *path, GError **error)
{
  g_autofree char *new_path = g_strconcat (path, ".new", NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *sql =
    g_strdup_printf ("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;"
                     "PRAGMA synchronous = FULL; PRAGMA application_id = %d;",
                     APPLICATION_ID);
  PrDatabase db = { 0 };
  int code;

  g_unlink (new_path);
  code = connect_to (&db, new_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (code == SQLITE_OK)
    code = sqlite3_exec (db.handle, sql, NULL, NULL, NULL);
  if (code == SQLITE_OK)
    code = pr_schema_migrate (db.handle, 0);
  if (code == SQLITE_OK)
    code = sqlite3_exec (db.handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
  if (code != SQLITE_OK)
    {
      fail_open (&db, new_path, code, error);
      g_unlink (new_path);
      return FALSE;
    }

  pr_database_close (&db);
  g_chmod (new_path, 0600);
  if (g_rename (new_path, path) != 0 || pr_files_sync_folder (folder) != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "%s cannot be created: %s", path,
                   g_strerror (errno));
      return FALSE;
    }

  return TRUE;
}

/* Everything is where this version, or its migration, will look for it. */
static int
validate (PrDatabase *self, int *version)
{
  PrCounter counter;
  int n_tables = 0;
  int code = query_int (self->handle, "PRAGMA user_version", version);

  if (code == SQLITE_OK)
    code = query_int (self->handle, "SELECT count (*) FROM sqlite_schema", &n_tables);
  if (code == SQLITE_OK && *version < 1)
    code = SQLITE_MISMATCH;
  if (code == SQLITE_OK && *version == PR_DATABASE_VERSION)
    code = prepare_all (self);
  if (code == SQLITE_OK && *version == PR_DATABASE_VERSION)
    code = pr_database_get_counter (self, &counter);

  return code;
}

/* Looks inside without a trace: opening it in earnest makes files beside it. */
static gboolean
check_content (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *uri = g_filename_to_uri (absolute, NULL, NULL);
  g_autofree char *immutable = g_strconcat (uri, "?immutable=1", NULL);
  PrDatabase db = { 0 };
  int version = 0;
  int code = connect_to (&db, immutable, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);

  if (code == SQLITE_OK)
    code = validate (&db, &version);
  if (code != SQLITE_OK)
    return fail_open (&db, path, code, error);

  pr_database_close (&db);
  return TRUE;
}

gboolean
pr_database_open (PrDatabase *self, const char *path, GError **error)
{
  g_autofree char *wal = g_strconcat (path, "-wal", NULL);
  gboolean exists = g_file_test (path, G_FILE_TEST_EXISTS), has_log = get_file_size (wal) > 0;
  int code, version = 0;

  init_library ();
  if (!exists && has_log)
    return set_damaged (path, "it is missing, but its log is there", error);
  if (!exists && !create (path, error))
    return FALSE;
  if (exists && !check_header (path, error))
    return FALSE;
  if (exists && !has_log && !check_content (path, error))
    return FALSE;

  code = connect_to (self, path, SQLITE_OPEN_READWRITE);
  if (code == SQLITE_OK) /* until it proved sound, closing it must not write either */
    code = sqlite3_db_config (self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if (code == SQLITE_OK)
    code = validate (self, &version);
  if (code == SQLITE_OK && version > PR_DATABASE_VERSION) /* known from the log only */
    {
      pr_database_close (self);
      return set_newer (path, (guint32) version, error);
    }

  if (code == SQLITE_OK && version < PR_DATABASE_VERSION)
    code = pr_schema_migrate (self->handle, version);
  if (code == SQLITE_OK && version < PR_DATABASE_VERSION)
    code = prepare_all (self);
  if (code == SQLITE_OK)
    code = sqlite3_exec (self->handle, settings, NULL, NULL, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_db_config (self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);

  return code == SQLITE_OK ? TRUE : fail_open (self, path, code, error);
}

gboolean
pr_database_open_reader (PrDatabase *self, const char *path, GError **error)
{
  int code = connect_to (self, path, SQLITE_OPEN_READONLY);

  if (code == SQLITE_OK)
    code = sqlite3_exec (self->handle, "PRAGMA cache_size = -2048", NULL, NULL, NULL);

  return code == SQLITE_OK ? TRUE : fail_open (self, path, code, error);
}

void
pr_database_close (PrDatabase *self)
{
  for (guint i = 0; i < PR_N_SQL; i++)
    g_clear_pointer (&self->statements[i], sqlite3_finalize);
  g_clear_pointer (&self->handle, sqlite3_close);
}

int
pr_database_get_counter (PrDatabase *self, PrCounter *out)
{
  sqlite3_stmt *s = self->statements[PR_SQL_SELECT_COUNTER];
  gint64 *const fields[] = { &out->last_message, &out->last_event, &out->revision,
                             &out->n_messages,   &out->n_queued,   &out->n_held,
                             &out->n_failed,     &out->octets,     &out->n_events,
                             &out->event_octets };
  int code;

  if (!pr_sql_next (s, &code))
    return code == SQLITE_OK ? SQLITE_CORRUPT : code;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    *fields[i] = sqlite3_column_int64 (s, (int) i);
  sqlite3_reset (s);

  return SQLITE_OK;
}

int
pr_database_set_counter (PrDatabase *self, const PrCounter *counter)
{
  sqlite3_stmt *s = self->statements[PR_SQL_UPDATE_COUNTER];
  const gint64 fields[] = { counter->last_message, counter->last_event, counter->revision,
                            counter->n_messages,   counter->n_queued,   counter->n_held,
                            counter->n_failed,     counter->octets,     counter->n_events,
                            counter->event_octets };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    pr_sql_bind_int (s, (int) i + 1, fields[i]);

  return pr_sql_run (s);
}

int
pr_sql_run (sqlite3_stmt *statement)
{
  int code = sqlite3_step (statement);

  if (code == SQLITE_ROW) /* a pragma that answers */
    code = SQLITE_DONE;
  sqlite3_reset (statement);

  return code == SQLITE_DONE ? SQLITE_OK : code;
}

gboolean
pr_sql_next (sqlite3_stmt *statement, int *code)
{
  *code = sqlite3_step (statement);
  if (*code == SQLITE_ROW)
    {
      *code = SQLITE_OK;
      return TRUE;
    }

  sqlite3_reset (statement);
  if (*code == SQLITE_DONE)
    *code = SQLITE_OK;
  return FALSE;
}

void
pr_sql_bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  if (text == NULL)
    sqlite3_bind_null (statement, index);
  else
    sqlite3_bind_text (statement, index, text, -1, SQLITE_STATIC);
}

char *
pr_sql_dup_text (sqlite3_stmt *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);

  return g_strndup (text, text != NULL ? (gsize) sqlite3_column_bytes (statement, column) : 0);
}
