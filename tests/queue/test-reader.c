/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers and the writer's log: a question never makes mail wait nor the log grow for ever. */
#include <sqlite3.h>

#include "queue-util.h"
#include "queue/reader.h"

#define MAX_LOG_OCTETS (64 * 1024 * 1024)

typedef struct
{
  char *home, *database, *log;
  PrStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->database = g_build_filename (f->home, "queue.db", NULL);
  f->log = g_strconcat (f->database, "-wal", NULL);
  f->store = open_store (f->home);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->store != NULL)
    pr_store_close (f->store);
  remove_tree (f->home);
  g_free (f->log);
  g_free (f->database);
  g_free (f->home);
}

/* ── The reader by itself ─────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrReaderJob base;
  const char *sql;
  gint n_runs; /* atomic */
  gint done;   /* atomic; then error is there */
  GError *error;
} Question;

/* Starts, and by itself never ends. */
static const char endless[] = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
                              " SELECT count (*) FROM c";

static int
ask (PrReaderJob *job, sqlite3 *handle)
{
  Question *self = (Question *) job;

  g_atomic_int_inc (&self->n_runs);
  return sqlite3_exec (handle, self->sql, NULL, NULL, NULL);
}

static void
on_answer (PrJobList *jobs, gpointer user_data)
{
  PrJob *job;

  while ((job = pr_job_list_pop (jobs)) != NULL)
    {
      Question *self = (Question *) job;

      self->error = g_steal_pointer (&job->error);
      g_atomic_int_set (&self->done, TRUE);
    }
}

static void
wait_until_at_least (gint *number, gint least, const char *what)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;

  while (g_atomic_int_get (number) < least)
    {
      if (g_get_monotonic_time () > until)
        g_error ("waited a minute for %s", what);
      g_usleep (500);
    }
}

static void
test_answers (Fixture *f, gconstpointer data)
{
  PrReader *reader = pr_reader_new (f->database, on_answer, NULL);
  Question good = { .base.read = ask, .sql = "SELECT 1" };
  Question bad = { .base.read = ask, .sql = "nonsense" };

  pr_reader_push (reader, &good.base);
  pr_reader_push (reader, &bad.base);
  wait_until_at_least (&bad.done, 1, "an answer");
  g_assert_true (good.done);
  g_assert_no_error (good.error);
  g_assert_error (bad.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_clear_error (&bad.error);
  pr_reader_free (reader);
}

/* Under pressure a question is dropped and asked again; when the reader stops it ends. */
static void
test_pressure (Fixture *f, gconstpointer data)
{
  PrReader *reader = pr_reader_new (f->database, on_answer, NULL);
  Question question = { .base.read = ask, .sql = endless };
  Question late = { .base.read = ask, .sql = "SELECT 1" };

  pr_reader_push (reader, &question.base);
  wait_until_at_least (&question.n_runs, 1, "the question to begin");
  pr_reader_set_pressure (reader, TRUE);
  g_usleep (20000);
  g_assert_cmpint (g_atomic_int_get (&question.n_runs), ==, 1); /* not while it is on */
  pr_reader_set_pressure (reader, FALSE);
  wait_until_at_least (&question.n_runs, 2, "the question to begin again");
  g_assert_false (g_atomic_int_get (&question.done));

  pr_reader_stop (reader);
  wait_until_at_least (&question.done, 1, "the question to end");
  g_assert_error (question.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_clear_error (&question.error);

  pr_reader_push (reader, &late.base); /* answered all the same */
  wait_until_at_least (&late.done, 1, "an answer after the end");
  g_assert_error (late.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_cmpint (late.n_runs, ==, 0);
  g_clear_error (&late.error);
  pr_reader_free (reader);
}

/* A question that takes too long is given up in words. */
static void
test_deadline (Fixture *f, gconstpointer data)
{
  PrReader *reader = pr_reader_new (f->database, on_answer, NULL);
  Question question = { .base.read = ask, .sql = endless };

  pr_reader_push (reader, &question.base);
  wait_until_at_least (&question.done, 1, "the deadline");
  g_assert_error (question.error, PR_ERROR, PR_ERROR_TEMPORARY);
  g_assert_nonnull (strstr (question.error->message, "Narrow"));
  g_clear_error (&question.error);
  pr_reader_free (reader);
}

static void
test_no_database (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->home, "nowhere.db", NULL);
  PrReader *reader = pr_reader_new (path, on_answer, NULL);
  Question question = { .base.read = ask, .sql = "SELECT 1" };

  pr_reader_push (reader, &question.base);
  wait_until_at_least (&question.done, 1, "an answer");
  g_assert_nonnull (question.error);
  g_clear_error (&question.error);
  pr_reader_free (reader);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* ── The log ──────────────────────────────────────────────────────────────────────────────── */

static guint64
get_log_size (Fixture *f)
{
  GStatBuf info;

  return g_stat (f->log, &info) == 0 ? (guint64) info.st_size : 0;
}

typedef struct
{
  PrStore *store;
  guint n_asked, n_answered, limit;
  const char *body;
} Load;

static void put_one (Load *self);

static void
on_put (const GError *error, gpointer user_data)
{
  Load *self = user_data;

  g_assert_no_error (error);
  self->n_answered++;
  if (self->n_asked < self->limit)
    put_one (self);
}

static void
put_one (Load *self)
{
  g_autoptr (PrMessage) message =
    make_message (self->store, "a@x.org", "b@y.org", "out", self->body);

  self->n_asked++;
  pr_store_put (self->store, message, NULL, on_put, self);
}

/* @n messages of 8 KiB, 50 at once; the largest size of the log meanwhile. */
static guint64
write_many (Fixture *f, guint n, void (*each_turn) (Fixture *f))
{
  g_autofree char *body = g_strnfill (8192, 'x');
  Load load = { .store = f->store, .limit = n, .body = body };
  guint64 largest = 0;
  gint64 until = g_get_monotonic_time () + 2 * WAIT_US;

  for (guint i = 0; i < 50; i++)
    put_one (&load);
  while (load.n_answered < n)
    {
      g_main_context_iteration (NULL, TRUE);
      largest = MAX (largest, get_log_size (f));
      if (each_turn != NULL)
        each_turn (f);
      if (g_get_monotonic_time () > until)
        g_error ("waited two minutes for %u puts, got %u", n, load.n_answered);
    }

  return largest;
}

static guint n_pages_asked, n_pages_answered;

static void
on_page (GPtrArray *messages, guint64 n_matching, guint64 revision, const GError *error,
         gpointer user_data)
{
  n_pages_answered++;
}

/* Always some searches under way, each over everything there is. */
static void
keep_searching (Fixture *f)
{
  const PrStoreFilter filter = { .state = -1, .text = "nowhere", .order = PR_ORDER_SENDER };

  while (n_pages_asked < n_pages_answered + 3)
    {
      n_pages_asked++;
      pr_store_list (f->store, &filter, 0, 100, on_page, NULL);
    }
}

static void
test_log_with_searches (Fixture *f, gconstpointer data)
{
  guint64 largest = write_many (f, 15000, keep_searching);

  g_test_message ("%u searches, the log reached %" G_GUINT64_FORMAT " KiB", n_pages_answered,
                  largest / 1024);
  g_assert_cmpuint (n_pages_answered, >, 0);
  g_assert_cmpuint (largest, <, MAX_LOG_OCTETS);
}

/* Another program looks into the database for a while: mail goes on, and when it has gone the log
 * begins anew. */
static void
test_log_with_stranger (Fixture *f, gconstpointer data)
{
  sqlite3 *handle = NULL;
  guint64 held;

  g_assert_cmpint (sqlite3_open_v2 (f->database, &handle, SQLITE_OPEN_READONLY, NULL), ==,
                   SQLITE_OK);
  pr_message_unref (put_new (f->store, "a@x.org", "b@y.org", "out", "x"));
  g_assert_cmpint (sqlite3_exec (handle, "BEGIN; SELECT * FROM message", NULL, NULL, NULL), ==,
                   SQLITE_OK);
  held = write_many (f, 2500, NULL); /* well over the size at which the log would begin anew */
  g_assert_cmpuint (held, >, 16 * 1024 * 1024);
  sqlite3_close (handle);

  write_many (f, 2500, NULL);
  g_assert_cmpuint (write_many (f, 2500, NULL), <=, held + 16 * 1024 * 1024);
}

/* An idle store gives back: the log is emptied. */
static void
test_idle (Fixture *f, gconstpointer data)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;

  write_many (f, 500, NULL);
  g_assert_cmpuint (get_log_size (f), >, 0);
  while (get_log_size (f) > 0)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_main_context_iteration (NULL, FALSE);
      g_usleep (20000);
    }
}

/* Pages of what was deleted go back to the file system when idle. */
static void
test_vacuum (Fixture *f, gconstpointer data)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;
  g_auto (Answer) answer = { 0 };
  GStatBuf info;

  write_many (f, 3000, NULL); /* 36 MB */
  pr_store_delete_all (f->store, on_done, &answer);
  wait_for (&answer.done, "deleting all");
  do
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (50000);
      g_assert_cmpint (g_stat (f->database, &info), ==, 0);
    }
  while (info.st_size > 8 * 1024 * 1024 || get_log_size (f) > 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/reader/answers", test_answers);
  ADD ("/reader/pressure", test_pressure);
  ADD ("/reader/deadline", test_deadline);
  ADD ("/reader/no-database", test_no_database);
  ADD ("/log/searches", test_log_with_searches);
  ADD ("/log/stranger", test_log_with_stranger);
  ADD ("/log/idle", test_idle);
  ADD ("/log/vacuum", test_vacuum);

  return g_test_run ();
}
