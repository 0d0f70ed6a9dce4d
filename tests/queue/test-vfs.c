/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log is written in large pieces, and nobody can tell by what is in it. */

#include "queue/vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

typedef struct
{
  char *folder, *path, *log;
  sqlite3 *ours;
} Fixture;

static int
run (sqlite3 *handle, const char *sql)
{
  return sqlite3_exec (handle, sql, NULL, NULL, NULL);
}

static gint64
ask (sqlite3 *handle, const char *sql)
{
  sqlite3_stmt *s;
  gint64 result;

  g_assert_cmpint (sqlite3_prepare_v2 (handle, sql, -1, &s, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (s), ==, SQLITE_ROW);
  result = sqlite3_column_int64 (s, 0);
  sqlite3_finalize (s);

  return result;
}

static sqlite3 *
open_with (const char *path, const char *vfs)
{
  sqlite3 *handle;

  g_assert_cmpint (sqlite3_open_v2 (path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
                   ==, SQLITE_OK);
  g_assert_cmpint (run (handle, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                "PRAGMA wal_autocheckpoint = 0;"),
                   ==, SQLITE_OK);

  return handle;
}

static void
set_up (Fixture *self, gconstpointer unused)
{
  self->folder = g_dir_make_tmp ("postroom-vfs-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "queue.db", NULL);
  self->log = g_strconcat (self->path, "-wal", NULL);
  g_assert_cmpstr (pr_vfs_get_name (), ==, "postroom");
  self->ours = open_with (self->path, pr_vfs_get_name ());
  g_assert_cmpint (run (self->ours, "CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)"), ==,
                   SQLITE_OK);
}

static void
tear_down (Fixture *self, gconstpointer unused)
{
  sqlite3_close (self->ours);
  g_remove (self->path);
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->log);
}

static void
insert (Fixture *self, guint n, guint octets)
{
  g_autofree char *sql =
    g_strdup_printf ("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %u)"
                     " INSERT INTO t (x) SELECT randomblob(%u) FROM c",
                     n, octets);

  g_assert_cmpint (run (self->ours, sql), ==, SQLITE_OK);
}

/* What is committed is there for a connection that knows nothing of ours. */
static void
test_seen_by_others (Fixture *self, gconstpointer unused)
{
  sqlite3 *other = open_with (self->path, NULL);

  for (guint i = 1; i <= 20; i++)
    {
      insert (self, i, 3000);
      g_assert_cmpint (ask (other, "SELECT count(*) FROM t"), ==, i * (i + 1) / 2);
    }
  g_assert_cmpint (run (other, "PRAGMA integrity_check"), ==, SQLITE_OK);
  g_assert_cmpint (run (other, "INSERT INTO t (x) VALUES ('theirs')"), ==, SQLITE_OK);
  g_assert_cmpint (ask (self->ours, "SELECT count(*) FROM t WHERE x = 'theirs'"), ==, 1);
  sqlite3_close (other);
}

/* A commit is in the file, not only in the kernel's or our memory of it. */
static void
test_in_the_file (Fixture *self, gconstpointer unused)
{
  g_autofree char *copy = g_strconcat (self->path, "-copy", NULL);
  g_autofree char *copy_log = g_strconcat (copy, "-wal", NULL);
  g_autofree char *data = NULL, *log = NULL;
  gsize data_len, log_len;
  sqlite3 *other;

  insert (self, 50, 5000);
  g_assert_true (g_file_get_contents (self->path, &data, &data_len, NULL));
  g_assert_true (g_file_get_contents (self->log, &log, &log_len, NULL));
  g_assert_cmpuint (log_len, >, 250000);
  g_assert_true (g_file_set_contents (copy, data, (gssize) data_len, NULL));
  g_assert_true (g_file_set_contents (copy_log, log, (gssize) log_len, NULL));

  other = open_with (copy, NULL);
  g_assert_cmpint (ask (other, "SELECT count(*) FROM t WHERE length(x) = 5000"), ==, 50);
  sqlite3_close (other);
  g_remove (copy);
}

/* Pages that leave a small cache before the commit come back from the log. */
static void
test_spilled (Fixture *self, gconstpointer unused)
{
  g_assert_cmpint (run (self->ours, "PRAGMA cache_size = 10; BEGIN"), ==, SQLITE_OK);
  insert (self, 300, 3000);
  g_assert_cmpint (run (self->ours, "UPDATE t SET x = randomblob(2000) WHERE id % 3 = 0"), ==,
                   SQLITE_OK);
  g_assert_cmpint (ask (self->ours, "SELECT sum(length(x)) FROM t"), ==, 100 * 2000 + 200 * 3000);
  g_assert_cmpint (run (self->ours, "ROLLBACK"), ==, SQLITE_OK);
  g_assert_cmpint (ask (self->ours, "SELECT count(*) FROM t"), ==, 0);

  g_assert_cmpint (run (self->ours, "BEGIN"), ==, SQLITE_OK);
  insert (self, 300, 3000);
  g_assert_cmpint (run (self->ours, "COMMIT"), ==, SQLITE_OK);
  g_assert_cmpint (
    sqlite3_wal_checkpoint_v2 (self->ours, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), ==,
    SQLITE_OK);
  g_assert_cmpint (ask (self->ours, "SELECT count(*) FROM t WHERE length(x) = 3000"), ==, 300);
}

/* A page larger than what is gathered at once. */
static void
test_large_pages (Fixture *self, gconstpointer unused)
{
  g_autofree char *path = g_strconcat (self->path, "-large", NULL);
  sqlite3 *handle;

  g_assert_cmpint (
    sqlite3_open_v2 (path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, pr_vfs_get_name ()),
    ==, SQLITE_OK);
  g_assert_cmpint (run (handle, "PRAGMA page_size = 65536; PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = FULL; CREATE TABLE t (x);"
                                "INSERT INTO t VALUES (randomblob(1000000))"),
                   ==, SQLITE_OK);
  g_assert_cmpint (ask (handle, "SELECT length(x) FROM t"), ==, 1000000);
  sqlite3_close (handle);
  g_remove (path);
}

/* A log that cannot be written: the commit says so, and all is well when it can be again. */
static void
test_no_space (Fixture *self, gconstpointer unused)
{
  struct rlimit limit, small;
  GStatBuf before;

  insert (self, 5, 1000);
  g_assert_cmpint (g_stat (self->log, &before), ==, 0);
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = (rlim_t) before.st_size;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_cmpint (run (self->ours, "INSERT INTO t (x) VALUES (randomblob(100000))"), !=,
                   SQLITE_OK);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);

  g_assert_cmpint (ask (self->ours, "SELECT count(*) FROM t"), ==, 5);
  insert (self, 5, 1000);
  g_assert_cmpint (ask (self->ours, "SELECT count(*) FROM t"), ==, 10);
  g_assert_cmpint (run (self->ours, "PRAGMA integrity_check"), ==, SQLITE_OK);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *self, gconstpointer unused);
  } tests[] = {
    { "/vfs/seen-by-others", test_seen_by_others },
    { "/vfs/in-the-file", test_in_the_file },
    { "/vfs/spilled", test_spilled },
    { "/vfs/large-pages", test_large_pages },
    { "/vfs/no-space", test_no_space },
  };

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);

  return g_test_run ();
}
