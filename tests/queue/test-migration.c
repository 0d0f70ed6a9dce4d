/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found at start: a new home, each older schema, a newer one, damage of every kind. What
 * cannot be opened is named, and not one octet of it changes. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include "queue-util.h"

typedef struct
{
  char *home, *database;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->database = g_build_filename (f->home, "queue.db", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  remove_tree (f->home);
  g_free (f->database);
  g_free (f->home);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Name and content of every file below @path but the lock, which opening makes. */
static void
describe (const char *path, GChecksum *sum)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!g_str_equal (name, "lock"))
      g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *content = NULL;
      gsize len = 0;

      g_checksum_update (sum, names->pdata[i], -1);
      if (g_file_get_contents (names->pdata[i], &content, &len, NULL))
        g_checksum_update (sum, (const guchar *) content, (gssize) len);
      describe (names->pdata[i], sum);
    }
}

static char *
get_state (const char *home)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  describe (home, sum);
  return g_strdup (g_checksum_get_string (sum));
}

/* Fails to open, with @code and words that name the file, and changes nothing. */
static void
assert_refused (Fixture *f, PrError code)
{
  g_autofree char *before = get_state (f->home), *after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_store_open (f->home, NULL, &error));
  g_assert_error (error, PR_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, f->home));
  g_test_message ("%s", error->message);
  after = get_state (f->home);
  g_assert_cmpstr (before, ==, after);
}

/* A queue with one message and a body file folder, closed properly. */
static void
make_queue (Fixture *f)
{
  PrStore *store = open_store (f->home);
  g_autoptr (PrMessage) message = put_new (store, "a@x.org", "b@y.org", "out", "body");

  pr_store_close (store);
}

static void
run_sql (const char *database, const char *sql)
{
  sqlite3 *handle = NULL;

  g_assert_cmpint (sqlite3_open (database, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
}

static void
write_at (const char *path, gint64 offset, const char *data, gsize len)
{
  int fd = g_open (path, O_RDWR, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, data, len, offset), ==, (gssize) len);
  g_close (fd, NULL);
}

static void
test_new (Fixture *f, gconstpointer data)
{
  g_autofree char *deep = g_build_filename (f->home, "a", "b", NULL);
  g_autofree char *made = g_build_filename (deep, "queue.db", NULL);
  PrStore *store = open_store (deep);
  GStatBuf info;

  g_assert_cmpuint (get_counts (store).n_messages, ==, 0);
  pr_store_close (store);
  g_assert_cmpint (g_stat (made, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
  g_assert_cmpint (g_stat (deep, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0700);
}

/* The start of a first start was interrupted. */
static void
test_half_made (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_strconcat (f->database, ".new", NULL);

  g_assert_true (g_file_set_contents (path, "half a database", -1, NULL));
  pr_store_close (open_store (f->home));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_locked (Fixture *f, gconstpointer data)
{
  PrStore *store = open_store (f->home);
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_store_open (f->home, NULL, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, f->home));
  pr_store_close (store);
  pr_store_close (open_store (f->home)); /* given back */
}

static void
test_no_home (Fixture *f, gconstpointer data)
{
  g_autofree char *file = g_build_filename (f->home, "file", NULL);
  g_autofree char *below = g_build_filename (file, "home", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  g_assert_null (pr_store_open (below, NULL, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_PERMANENT);
}

static void
test_newer (Fixture *f, gconstpointer data)
{
  make_queue (f);
  run_sql (f->database, "PRAGMA user_version = 999");
  assert_refused (f, PR_ERROR_NEWER);
}

/* Known only from the log: a newer version was killed right after it had migrated. */
static void
test_newer_in_log (Fixture *f, gconstpointer data)
{
  g_autofree char *wal = g_strconcat (f->database, "-wal", NULL);
  g_autofree char *database = NULL, *log = NULL;
  gsize database_len, log_len;
  sqlite3 *handle = NULL;
  g_autoptr (GError) error = NULL;

  make_queue (f);
  g_assert_cmpint (sqlite3_open (f->database, &handle), ==, SQLITE_OK);
  sqlite3_exec (handle, "PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 999", NULL, NULL,
                NULL);
  g_assert_true (g_file_get_contents (f->database, &database, &database_len, NULL));
  g_assert_true (g_file_get_contents (wal, &log, &log_len, NULL));
  sqlite3_close (handle);
  g_assert_true (g_file_set_contents (f->database, database, (gssize) database_len, NULL));
  g_assert_true (g_file_set_contents (wal, log, (gssize) log_len, NULL));

  g_assert_null (pr_store_open (f->home, NULL, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_NEWER);
  {
    g_autofree char *database_after = NULL, *log_after = NULL;
    gsize len;

    g_assert_true (g_file_get_contents (f->database, &database_after, &len, NULL));
    g_assert_cmpmem (database_after, len, database, database_len);
    g_assert_true (g_file_get_contents (wal, &log_after, &len, NULL));
    g_assert_cmpmem (log_after, len, log, log_len);
  }
}

static const struct
{
  const char *name;
  const char *content;
  gssize len;
} garbage[] = {
  { "empty", "", 0 },
  { "short", "SQLite format 3", 15 },
  { "words",
    "These are the words of somebody's diary, and there are more than a hundred octets of "
    "them, so that a header could hide in here.",
    -1 },
};

static void
test_garbage (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++)
    {
      g_assert_true (g_file_set_contents (f->database, garbage[i].content, garbage[i].len, NULL));
      assert_refused (f, PR_ERROR_DAMAGED);
    }
}

static void
test_foreign (Fixture *f, gconstpointer data)
{
  run_sql (f->database, "CREATE TABLE contacts (name TEXT)");
  assert_refused (f, PR_ERROR_DAMAGED);
}

static void
test_cut (Fixture *f, gconstpointer data)
{
  make_queue (f);
  g_assert_cmpint (truncate (f->database, 3 * 4096), ==, 0);
  assert_refused (f, PR_ERROR_DAMAGED);
  g_assert_cmpint (truncate (f->database, 4096), ==, 0);
  assert_refused (f, PR_ERROR_DAMAGED);
  g_assert_cmpint (truncate (f->database, 50), ==, 0);
  assert_refused (f, PR_ERROR_DAMAGED);
}

/* The list of tables is overwritten; the header is whole. */
static void
test_schema_overwritten (Fixture *f, gconstpointer data)
{
  g_autofree char *noise = g_strnfill (3900, 0x5a);

  make_queue (f);
  write_at (f->database, 100, noise, 3900);
  assert_refused (f, PR_ERROR_DAMAGED);
}

static void
test_table_missing (Fixture *f, gconstpointer data)
{
  make_queue (f);
  run_sql (f->database, "DROP TABLE counter");
  assert_refused (f, PR_ERROR_DAMAGED);
}

static void
test_counter_missing (Fixture *f, gconstpointer data)
{
  make_queue (f);
  run_sql (f->database, "DELETE FROM counter");
  assert_refused (f, PR_ERROR_DAMAGED);
}

static void
test_database_missing (Fixture *f, gconstpointer data)
{
  g_autofree char *wal = g_strconcat (f->database, "-wal", NULL);

  make_queue (f);
  g_assert_cmpint (g_remove (f->database), ==, 0);
  g_assert_true (g_file_set_contents (wal, "some of the mail", -1, NULL));
  assert_refused (f, PR_ERROR_DAMAGED);
}

static void
on_logged (const GError *error, gpointer user_data)
{
  on_done (error, user_data);
}

/* Damage that is met while running: refused in words, and the next start says so too or goes on;
 * never a crash. */
static void
test_damage_later (Fixture *f, gconstpointer data)
{
  g_autofree char *noise = g_strnfill (4096, 0x5a);
  PrStore *store = open_store (f->home);
  GStatBuf info;
  guint n_refused = 0;

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  for (guint i = 0; i < 50; i++)
    pr_message_unref (put_new (store, "a@x.org", "b@y.org", "out", "body"));
  pr_store_close (store);
  g_assert_cmpint (g_stat (f->database, &info), ==, 0);
  /* Every page but the first, which holds the tables' names. */
  for (gint64 offset = 4096; offset < info.st_size; offset += 4096)
    write_at (f->database, offset, noise, 4096);

  {
    g_autoptr (GError) error = NULL;

    store = pr_store_open (f->home, NULL, &error);
    if (store == NULL)
      {
        g_assert_error (error, PR_ERROR, PR_ERROR_DAMAGED);
        return;
      }
  }
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (PrMessage) message = make_message (store, "a@x.org", "b@y.org", "out", "x");
      g_auto (Answer) answer = { 0 };

      pr_store_put (store, message, NULL, on_logged, &answer);
      wait_for (&answer.done, "a put into a damaged queue");
      n_refused += g_error_matches (answer.error, PR_ERROR, PR_ERROR_TEMPORARY);
    }
  g_assert_cmpuint (n_refused, ==, 3);
  pr_store_close (store);
}

/* Only the pages of one table are damaged, so that opening succeeds. */
static void
test_message_damaged (Fixture *f, gconstpointer data)
{
  g_autofree char *noise = g_strnfill (4096, 0x5a);
  g_autoptr (PrMessage) message = NULL;
  g_auto (Answer) answer = { 0 }, again = { 0 };
  sqlite3 *handle = NULL;
  sqlite3_stmt *s = NULL;
  PrStore *store;
  gint64 page;

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  make_queue (f);
  sqlite3_open (f->database, &handle);
  sqlite3_prepare_v2 (handle, "SELECT rootpage FROM sqlite_schema WHERE name = 'message'", -1, &s,
                      NULL);
  g_assert_cmpint (sqlite3_step (s), ==, SQLITE_ROW);
  page = sqlite3_column_int64 (s, 0);
  sqlite3_finalize (s);
  sqlite3_close (handle);
  write_at (f->database, (page - 1) * 4096, noise, 4096);

  store = open_store (f->home);
  pr_store_get (store, 12345, on_message, &answer);
  wait_for (&answer.done, "a get from a damaged table");
  g_assert_error (answer.error, PR_ERROR, PR_ERROR_TEMPORARY);
  message = make_message (store, "a@x.org", "b@y.org", "out", "x");
  pr_store_put (store, message, NULL, on_done, &again);
  wait_for (&again.done, "a put into a damaged table");
  g_assert_error (again.error, PR_ERROR, PR_ERROR_TEMPORARY);
  pr_store_close (store);
}

/* An old queue, as each version wrote it: opened, brought up to date, and all there. */
static void
test_old (Fixture *f, gconstpointer data)
{
  const char *name = data;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", name, NULL);
  g_autofree char *content = NULL, *body = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (PrMessage) message = NULL;
  g_auto (Answer) ids = { 0 }, events = { 0 };
  PrStoreCounts counts;
  PrStore *store;
  gsize len;

  g_file_get_contents (path, &content, &len, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (f->database, content, (gssize) len, NULL));

  store = open_store (f->home);
  counts = get_counts (store);
  g_assert_cmpuint (counts.n_messages, ==, 2);
  g_assert_cmpuint (counts.n_queued, ==, 2);
  g_assert_cmpuint (counts.n_held, ==, 1);
  pr_store_list_ids (store, NULL, 0, 10, on_ids, &ids);
  wait_for (&ids.done, "ids");
  g_assert_cmpuint (ids.ids->len, ==, 2);
  message = get (store, g_array_index (ids.ids, gint64, 0));
  g_assert_cmpstr (message->envelope->sender, ==, "sender@example.org");
  g_assert_cmpuint (message->envelope->recipients->len, ==, 2);
  g_assert_cmpstr (pr_envelope_recipient (message->envelope, 1)->address, ==, "two@example.net");
  g_assert_cmpint (message->progress[1].state, ==, PR_RECIPIENT_HELD);
  g_assert_cmpstr (message->progress[0].last_reply, ==, "450 4.2.1 Try later");
  body = read_body (store, message, 0, 1000, TRUE);
  g_assert_cmpstr (body, ==, "Subject: kept\r\n\r\nStill here.\r\n");
  pr_store_events (store, &(PrEventFilter){ .message = message->id }, 10, on_events, &events);
  wait_for (&events.done, "events");
  g_assert_cmpstr (events.texts->str, ==, "deferred:450 4.2.1 Try later accepted: ");
  pr_store_close (store);
}

/* Makes the database of test_old: "test-migration --make FILE", once for each new version. */
static int
make_old (const char *path)
{
  g_autofree char *home = make_home ();
  g_autofree char *database = g_build_filename (home, "queue.db", NULL);
  PrStore *store = open_store (home);
  g_autoptr (PrMessage) first =
    make_message (store, "sender@example.org", "one@example.net;two@example.net", "smarthost",
                  "Subject: kept\r\n\r\nStill here.\r\n");
  g_autoptr (PrMessage) second =
    make_message (store, "", "three@example.net", "direct/example.net", "Subject: two\r\n\r\n");
  g_autofree char *content = NULL;
  gsize len;

  first->progress[1].state = PR_RECIPIENT_HELD;
  put (store, first);
  put (store, second);
  first->progress[0].attempts = 2;
  first->progress[0].last_reply = g_strdup ("450 4.2.1 Try later");
  pr_store_add_event (store, &(PrEvent){ .kind = PR_EVENT_ACCEPTED, .message = first->id });
  pr_store_add_event (store, &(PrEvent){ .kind = PR_EVENT_DEFERRED,
                                         .message = first->id,
                                         .code = 450,
                                         .text = "450 4.2.1 Try later" });
  record (store, first, 0, FALSE);
  pr_store_close (store);
  g_assert_true (g_file_get_contents (database, &content, &len, NULL));
  g_assert_true (g_file_set_contents (path, content, (gssize) len, NULL));
  remove_tree (home);

  return 0;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  if (argc == 3 && g_str_equal (argv[1], "--make"))
    return make_old (argv[2]);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/open/new", test_new);
  ADD ("/open/half-made", test_half_made);
  ADD ("/open/locked", test_locked);
  ADD ("/open/no-home", test_no_home);
  ADD ("/open/newer", test_newer);
  ADD ("/open/newer-in-log", test_newer_in_log);
  ADD ("/open/garbage", test_garbage);
  ADD ("/open/foreign", test_foreign);
  ADD ("/open/cut", test_cut);
  ADD ("/open/schema-overwritten", test_schema_overwritten);
  ADD ("/open/table-missing", test_table_missing);
  ADD ("/open/counter-missing", test_counter_missing);
  ADD ("/open/database-missing", test_database_missing);
  ADD ("/open/damage-later", test_damage_later);
  ADD ("/open/message-damaged", test_message_damaged);
  g_test_add ("/open/old/v1", Fixture, "queue-v1.db", set_up, test_old, tear_down);
  g_test_add ("/open/old/v2", Fixture, "queue-v2.db", set_up, test_old, tear_down);
  g_test_add ("/open/old/v3", Fixture, "queue-v3.db", set_up, test_old, tear_down);

  return g_test_run ();
}
