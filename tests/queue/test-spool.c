/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies of any size on their way in, and back. */
#include <unistd.h>

#include "queue-util.h"
#include "queue/spool.h"

typedef struct
{
  char *home;
  PrStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->store = open_store (f->home);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->store != NULL)
    pr_store_close (f->store);
  remove_tree (f->home);
  g_free (f->home);
}

/* Octet @offset of the body with which all tests here work. */
static char
octet_at (guint64 offset)
{
  return (char) ('a' + (offset * 7 + offset / 251) % 26);
}

static void
fill (char *buffer, guint64 offset, gsize len)
{
  for (gsize i = 0; i < len; i++)
    buffer[i] = octet_at (offset + i);
}

/* Regular files below @path. */
static guint
count_files (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  if (dir == NULL)
    return g_file_test (path, G_FILE_TEST_IS_REGULAR);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *entry = g_build_filename (path, name, NULL);

      n += count_files (entry);
    }

  return n;
}

static guint
count_bodies (Fixture *f)
{
  g_autofree char *path = g_build_filename (f->home, "body", NULL);

  return count_files (path);
}

/* Removal is the pool's, some time after the commit. */
static void
wait_for_bodies (Fixture *f, guint n)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;

  while (count_bodies (f) != n)
    {
      if (g_get_monotonic_time () > until)
        g_error ("waited a minute for %u files below body, there are %u", n, count_bodies (f));
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
}

static void
on_writable (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* Appends in steps of @step, and waits when told to, as a connection does. */
static PrMessage *
spool_message (Fixture *f, guint64 size, gsize step)
{
  PrMessage *message = make_message (f->store, "a@x.org", "b@y.org", "out", NULL);
  gboolean writable = TRUE;
  PrSpool *spool = pr_spool_new (f->store, message->id, on_writable, &writable);
  g_autofree char *buffer = g_malloc (step);

  for (guint64 offset = 0; offset < size; offset += step)
    {
      gsize n = (gsize) MIN (step, size - offset);

      fill (buffer, offset, n);
      writable = pr_spool_append (spool, buffer, n);
      wait_for (&writable, "room in the spool");
    }
  g_assert_cmpuint (pr_spool_get_size (spool), ==, size);
  pr_spool_finish (spool, message);
  g_assert_cmpuint (message->size_octets, ==, size);

  return message;
}

static void
assert_body (Fixture *f, PrMessage *message, guint64 size, gsize step)
{
  for (guint64 offset = 0; offset <= size; offset += step)
    {
      gsize n = (gsize) MIN (step, size - offset);
      g_auto (Answer) answer = { 0 };
      const char *data;
      gsize len;

      pr_store_read_body (f->store, message, offset, step, on_body, &answer);
      wait_for (&answer.done, "a piece of the body");
      g_assert_no_error (answer.error);
      data = g_bytes_get_data (answer.chunk, &len);
      g_assert_cmpuint (len, ==, n);
      g_assert_cmpint (answer.last, ==, offset + step >= size);
      for (gsize i = 0; i < len; i++)
        if (data[i] != octet_at (offset + i))
          g_error ("octet %" G_GUINT64_FORMAT " is wrong", offset + i);
    }
}

static void
test_sizes (Fixture *f, gconstpointer data)
{
  static const struct
  {
    guint64 size;
    gsize step;
    gboolean file;
  } cases[] = {
    { 0, 1, FALSE },
    { 1, 1, FALSE },
    { PR_BODY_INLINE_MAX, 1000, FALSE },
    { PR_BODY_INLINE_MAX, PR_BODY_INLINE_MAX, FALSE },
    { PR_BODY_INLINE_MAX + 1, 1000, TRUE },
    { PR_BODY_INLINE_MAX + 1, PR_BODY_INLINE_MAX + 1, TRUE },
    { 1000 * 1000, 4093, TRUE },
    { 3 * 1024 * 1024, 64 * 1024, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PrMessage) message = spool_message (f, cases[i].size, cases[i].step);
      g_autoptr (PrMessage) stored = NULL;

      g_assert_cmpint (message->spool != NULL, ==, cases[i].file);
      g_assert_cmpint (message->body != NULL, !=, cases[i].file);
      put (f->store, message);
      g_assert_cmpuint (count_bodies (f), ==, cases[i].file);
      stored = get (f->store, message->id);
      g_assert_cmpstr (stored->spool, ==, message->spool);
      assert_body (f, message, cases[i].size, 100 * 1000);
      assert_body (f, stored, cases[i].size, 100 * 1000);
      record (f->store, message, 0, TRUE);
      wait_for_bodies (f, 0);
    }
}

/* What is known only at the end, on top: exactly in memory, with blanks behind it in a file. */
static void
check_reserve (Fixture *f, gsize len, const char *start)
{
  PrMessage *message = make_message (f->store, "a@x.org", "b@y.org", "out", NULL);
  PrSpool *spool = pr_spool_new (f->store, message->id, NULL, NULL);
  g_autofree char *text = g_malloc (len);
  g_auto (Answer) answer = { 0 };
  const char *data;
  gsize size;

  fill (text, 0, len);
  pr_spool_reserve (spool, 20);
  pr_spool_append (spool, text, len);
  pr_spool_fill (spool, "X: hello\r\n");
  pr_spool_finish (spool, message);
  put (f->store, message);

  pr_store_read_body (f->store, message, 0, len + 100, on_body, &answer);
  wait_for (&answer.done, "the body");
  g_assert_no_error (answer.error);
  data = g_bytes_get_data (answer.chunk, &size);
  g_assert_cmpuint (size, ==, message->size_octets);
  g_assert_cmpuint (size, ==, strlen (start) + len);
  g_assert_cmpmem (data, strlen (start), start, strlen (start));
  g_assert_cmpmem (data + strlen (start), len, text, len);
  pr_message_unref (message);
}

static void
test_reserve (Fixture *f, gconstpointer data)
{
  check_reserve (f, 0, "X: hello\r\n");
  check_reserve (f, 1000, "X: hello\r\n");
  check_reserve (f, 500 * 1000, "X: hello          \r\n");
}

/* One append may be larger than all that is allowed to wait. */
static void
test_one_append (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = spool_message (f, 5 * 1024 * 1024, 5 * 1024 * 1024);

  put (f->store, message);
  assert_body (f, message, 5 * 1024 * 1024, 1024 * 1024);
}

static void
test_survives (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = spool_message (f, 500 * 1000, 10 * 1000);
  g_autoptr (PrMessage) stored = NULL;

  put (f->store, message);
  pr_store_close (f->store);
  f->store = open_store (f->home);
  stored = get (f->store, message->id);
  assert_body (f, stored, 500 * 1000, 100 * 1000);
}

/* A client that goes away in the middle, at any point, leaves nothing. */
static void
test_discard (Fixture *f, gconstpointer data)
{
  g_autofree char *buffer = g_strnfill (100 * 1000, 'x');

  for (guint n = 0; n < 12; n++)
    {
      gboolean writable = TRUE;
      g_autoptr (PrSpool) spool =
        pr_spool_new (f->store, pr_id_next (pr_store_get_ids (f->store)), on_writable, &writable);

      for (guint i = 0; i < n; i++)
        pr_spool_append (spool, buffer, 100 * 1000);
    }
  wait_for_bodies (f, 0);
}

/* The message was refused after its last octet: finished, never put. */
static void
test_unput (Fixture *f, gconstpointer data)
{
  PrMessage *message = spool_message (f, 500 * 1000, 10 * 1000);

  pr_message_unref (message);
  wait_for_bodies (f, 0);

  /* Also when the message outlives the store. */
  message = spool_message (f, 500 * 1000, 10 * 1000);
  pr_store_close (g_steal_pointer (&f->store));
  pr_message_unref (message);
  g_assert_cmpuint (count_bodies (f), ==, 0);
}

/* A put that fails takes its file along. */
static void
test_failed_put (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) there = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) message = spool_message (f, 500 * 1000, 10 * 1000);
  g_auto (Answer) answer = { 0 };

  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  message->id = there->id;
  pr_store_put (f->store, message, NULL, on_done, &answer);
  wait_for (&answer.done, "a put that fails");
  g_assert_error (answer.error, PR_ERROR, PR_ERROR_TEMPORARY);
  wait_for_bodies (f, 0);
}

/* The folder cannot take the file: the put says so, what was appended meanwhile is let go. */
static void
test_no_folder (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->home, "body", NULL);
  g_autoptr (PrMessage) message = NULL;
  g_auto (Answer) answer = { 0 };

  g_assert_cmpint (g_rmdir (path), ==, 0);
  message = spool_message (f, 2 * 1024 * 1024, 10 * 1000);
  pr_store_put (f->store, message, NULL, on_done, &answer);
  wait_for (&answer.done, "a put without a folder");
  g_assert_error (answer.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

/* A report with a large original: its file is safe before the record that makes it is. */
static void
test_report (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) report = spool_message (f, 300 * 1000, 10 * 1000);
  g_autoptr (PrMessage) other = spool_message (f, 200 * 1000, 10 * 1000);
  g_autoptr (PrMessage) stored = NULL;
  PrMessage *reports[] = { report, other };
  g_auto (Answer) answer = { 0 };
  guint index = 0;

  pr_store_record (f->store, message, &index, 1, reports, 2, TRUE, on_done, &answer);
  wait_for (&answer.done, "a record with files");
  g_assert_no_error (answer.error);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 2);
  stored = get (f->store, report->id);
  assert_body (f, stored, 300 * 1000, 100 * 1000);
}

static char *
make_body_path (Fixture *f, const char *name)
{
  return g_build_filename (f->home, "body", name, NULL);
}

/* At start files without a row go, but only those whose name is ours. */
static void
test_sweep (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) kept = spool_message (f, 200 * 1000, 10 * 1000);
  g_autofree char *orphan_name = g_strdup (kept->spool);
  g_autofree char *orphan = NULL, *foreign = NULL, *misplaced = NULL, *folder = NULL;
  char text[PR_ID_LEN + 1];

  put (f->store, kept);
  pr_store_close (g_steal_pointer (&f->store));

  pr_id_format (kept->id + 16 * 256, text); /* the same folder */
  memcpy (orphan_name + 3, text, PR_ID_LEN);
  orphan = make_body_path (f, orphan_name);
  orphan_name[0] = orphan_name[0] == '0' ? '1' : '0';
  misplaced = make_body_path (f, orphan_name);
  folder = g_path_get_dirname (misplaced);
  foreign = make_body_path (f, "notes.txt");
  g_mkdir (folder, 0700);
  g_assert_true (g_file_set_contents (orphan, "x", 1, NULL));
  g_assert_true (g_file_set_contents (misplaced, "x", 1, NULL));
  g_assert_true (g_file_set_contents (foreign, "x", 1, NULL));

  f->store = open_store (f->home);
  g_assert_false (g_file_test (orphan, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (misplaced, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (foreign, G_FILE_TEST_EXISTS));
  assert_body (f, kept, 200 * 1000, 100 * 1000);
}

/* Those who read a file themselves learn where it lies; a file of their own that a crash leaves is
 * swept like any other. */
static void
test_paths (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) small = put_new (f->store, "a@x.org", "b@y.org", "out", "x");
  g_autoptr (PrMessage) large = spool_message (f, 200 * 1000, 10 * 1000);
  g_autofree char *own = pr_store_new_spool_path (f->store);
  g_autofree char *folder = g_path_get_dirname (own);
  g_autofree char *path = NULL;
  GStatBuf info;

  put (f->store, large);
  g_assert_null (pr_store_get_spool_path (f->store, small));
  path = pr_store_get_spool_path (f->store, large);
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_size, ==, 200 * 1000);

  g_assert_false (g_file_test (own, G_FILE_TEST_EXISTS));
  g_mkdir (folder, 0700);
  g_assert_true (g_file_set_contents (own, "x", 1, NULL));
  pr_store_close (f->store);
  f->store = open_store (f->home);
  g_assert_false (g_file_test (own, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* A row whose file is gone fails in words, once. */
static void
test_missing (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = spool_message (f, 200 * 1000, 10 * 1000);
  g_autoptr (PrMessage) stored = NULL;
  g_autofree char *path = make_body_path (f, message->spool);
  g_auto (Answer) body = { 0 }, events = { 0 };
  PrEventFilter filter = { .message = message->id };

  put (f->store, message);
  g_assert_cmpint (g_remove (path), ==, 0);
  pr_store_read_body (f->store, message, 0, 100, on_body, &body);
  wait_for (&body.done, "a body whose file is missing");
  g_assert_error (body.error, PR_ERROR, PR_ERROR_PERMANENT);

  for (guint i = 0; i < 2; i++)
    {
      pr_store_close (f->store);
      f->store = open_store (f->home);
    }
  stored = get (f->store, message->id);
  g_assert_cmpint (stored->progress[0].state, ==, PR_RECIPIENT_FAILED);
  g_assert_nonnull (strstr (stored->progress[0].last_reply, "missing"));
  g_assert_cmpuint (get_counts (f->store).n_failed, ==, 1);
  g_assert_cmpuint (get_counts (f->store).n_queued, ==, 0);
  pr_store_events (f->store, &filter, 10, on_events, &events);
  wait_for (&events.done, "events");
  g_assert_cmpuint (events.n, ==, 1);
  g_assert_true (g_str_has_prefix (events.texts->str, "failed:"));
}

/* Half a file must not be delivered as a whole message. */
static void
test_cut (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = spool_message (f, 200 * 1000, 10 * 1000);
  g_autofree char *path = make_body_path (f, message->spool);
  g_auto (Answer) body = { 0 };

  put (f->store, message);
  g_assert_cmpint (truncate (path, 50 * 1000), ==, 0);
  pr_store_read_body (f->store, message, 0, 1024 * 1024, on_body, &body);
  wait_for (&body.done, "a body that was cut");
  g_assert_error (body.error, PR_ERROR, PR_ERROR_PERMANENT);
}

static guint64
get_resident_octets (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  line = strstr (text, "VmRSS:");
  return line != NULL ? g_ascii_strtoull (line + 6, NULL, 10) * 1024 : 0;
}

/* 100 MiB in and out again in flat memory. */
static void
test_large (Fixture *f, gconstpointer data)
{
  const guint64 size = 100 * 1024 * 1024;
  guint64 before = get_resident_octets ();
  g_autoptr (PrMessage) message = spool_message (f, size, 60 * 1000);

  put (f->store, message);
  assert_body (f, message, size, 256 * 1024);
  g_test_message ("grew by %" G_GINT64_FORMAT " KiB",
                  ((gint64) get_resident_octets () - (gint64) before) / 1024);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  g_assert_cmpuint (get_resident_octets (), <, before + 8 * 1024 * 1024);
#endif
}

/* Spool files that belong to no database are somebody's mail. */
static void
test_no_database (Fixture *f, gconstpointer data)
{
  g_autoptr (PrMessage) message = spool_message (f, 200 * 1000, 10 * 1000);
  g_autofree char *database = g_build_filename (f->home, "queue.db", NULL);
  g_autoptr (GError) error = NULL;

  put (f->store, message);
  pr_store_close (g_steal_pointer (&f->store));
  g_assert_cmpint (g_remove (database), ==, 0);
  g_assert_null (pr_store_open (f->home, NULL, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_DAMAGED);
  g_assert_cmpuint (count_bodies (f), ==, 1);
  g_assert_false (g_file_test (database, G_FILE_TEST_EXISTS));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/spool/sizes", test_sizes);
  ADD ("/spool/reserve", test_reserve);
  ADD ("/spool/one-append", test_one_append);
  ADD ("/spool/survives", test_survives);
  ADD ("/spool/discard", test_discard);
  ADD ("/spool/unput", test_unput);
  ADD ("/spool/failed-put", test_failed_put);
  ADD ("/spool/no-folder", test_no_folder);
  ADD ("/spool/report", test_report);
  ADD ("/spool/sweep", test_sweep);
  ADD ("/spool/paths", test_paths);
  ADD ("/spool/missing", test_missing);
  ADD ("/spool/cut", test_cut);
  ADD ("/spool/large", test_large);
  ADD ("/spool/no-database", test_no_database);

  return g_test_run ();
}
