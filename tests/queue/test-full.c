/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk that is full: new mail is refused at once and in words, reading goes on, and a delivery
 * that cannot be recorded is recorded later, not forgotten. On a small tmpfs of its own. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "queue-util.h"
#include "queue/spool.h"

#ifdef __linux__
#include <sys/mount.h>
#endif

#define DISK_OPTIONS "size=6m"

typedef struct
{
  char *home, *filler;
  PrStore *store;
  gboolean mounted;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->filler = g_build_filename (f->home, "filler", NULL);
#ifdef __linux__
  f->mounted = mount ("none", f->home, "tmpfs", 0, DISK_OPTIONS) == 0;
#endif
  if (!f->mounted)
    {
      g_test_skip ("a small tmpfs cannot be mounted; this needs root");
      return;
    }
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  f->store = open_store (f->home);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->store != NULL)
    pr_store_close (f->store);
#ifdef __linux__
  if (f->mounted)
    g_assert_cmpint (umount2 (f->home, MNT_DETACH), ==, 0);
#endif
  remove_tree (f->home);
  g_free (f->filler);
  g_free (f->home);
}

static void
fill_disk (Fixture *f)
{
  g_autofree char *zeros = g_malloc0 (4096);
  int fd = g_open (f->filler, O_WRONLY | O_CREAT | O_APPEND, 0600);

  g_assert_cmpint (fd, >=, 0);
  while (write (fd, zeros, 4096) > 0)
    ;
  g_assert_cmpint (errno, ==, ENOSPC);
  g_close (fd, NULL);
}

static void
make_room (Fixture *f)
{
  g_assert_cmpint (g_remove (f->filler), ==, 0);
}

static void
put_refused (Fixture *f, PrMessage *message)
{
  g_auto (Answer) answer = { 0 };

  pr_store_put (f->store, message, NULL, on_done, &answer);
  wait_for (&answer.done, "a put on a full disk");
  g_assert_error (answer.error, PR_ERROR, PR_ERROR_TEMPORARY);
}

static void
test_put (Fixture *f, gconstpointer data)
{
  g_autofree char *body = g_strnfill (10 * 1000, 'x'), *read = NULL;
  g_autoptr (PrMessage) there = NULL, refused = NULL, stored = NULL, after = NULL;
  g_auto (Answer) due = { 0 };

  if (!f->mounted)
    return;

  there = put_new (f->store, "a@x.org", "b@y.org", "out", body);
  fill_disk (f);
  for (guint i = 0; i < 20; i++) /* in and out of the back-off */
    {
      refused = make_message (f->store, "a@x.org", "b@y.org", "out", body);
      put_refused (f, refused);
      g_clear_pointer (&refused, pr_message_unref);
      g_usleep (20000);
    }
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1);

  ask_due (f->store, "out", G_MAXINT64, 10, &due);
  g_assert_cmpuint (due.due->len, ==, 1);
  stored = get (f->store, there->id);
  read = read_body (f->store, stored, 0, 20 * 1000, TRUE);
  g_assert_cmpstr (read, ==, body);

  make_room (f);
  for (guint i = 0;; i++) /* until the back-off is over */
    {
      g_auto (Answer) answer = { 0 };

      after = make_message (f->store, "a@x.org", "b@y.org", "out", body);
      pr_store_put (f->store, after, NULL, on_done, &answer);
      wait_for (&answer.done, "a put with room again");
      if (answer.error == NULL)
        break;
      g_assert_cmpuint (i, <, 1000);
      g_clear_pointer (&after, pr_message_unref);
      g_usleep (20000);
    }
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 2);
}

/* Room is kept for what happened to mail; new mail does not get it. */
static void
test_reserve (Fixture *f, gconstpointer data)
{
  g_autofree char *body = g_strnfill (10 * 1000, 'x');
  g_autoptr (PrMessage) message = NULL, gone = NULL, after = NULL;
  g_auto (Answer) recorded = { 0 };
  guint index = 0;

  if (!f->mounted)
    return;

  message = put_new (f->store, "a@x.org", "b@y.org", "out", body);
  fill_disk (f);
  pr_store_record (f->store, message, &index, 1, NULL, 0, TRUE, on_done, &recorded);
  wait_for (&recorded.done, "a record on a full disk");
  g_assert_no_error (recorded.error);
  gone = get (f->store, message->id);
  g_assert_null (gone);

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (PrMessage) refused = make_message (f->store, "a@x.org", "b@y.org", "out", body);

      put_refused (f, refused);
    }

  make_room (f);
  after = put_new (f->store, "a@x.org", "b@y.org", "out", body);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1);
}

/* What stands where the reserve should be is left alone, and there is none. */
static void
do_without_reserve (Fixture *f)
{
  g_autofree char *path = g_build_filename (f->home, "reserve", NULL);

  pr_store_close (f->store);
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  f->store = open_store (f->home);
}

static void
test_record (Fixture *f, gconstpointer data)
{
  g_autofree char *body = g_strnfill (10 * 1000, 'x');
  g_autoptr (PrMessage) first = NULL, second = NULL, gone = NULL;
  g_auto (Answer) recorded = { 0 }, left = { 0 };
  guint index = 0;

  if (!f->mounted)
    return;

  do_without_reserve (f);
  first = put_new (f->store, "a@x.org", "b@y.org", "out", body);
  second = put_new (f->store, "a@x.org", "b@y.org", "out", body);
  fill_disk (f);
  first->progress[0].attempts = 1;
  pr_store_record (f->store, first, &index, 1, NULL, 0, FALSE, on_done, &recorded);
  pr_store_record (f->store, second, &index, 1, NULL, 0, TRUE, on_done, &left);
  for (guint i = 0; i < 50; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (10000);
    }
  g_assert_false (recorded.done || left.done); /* not lost, not yet told */

  make_room (f);
  wait_for (&left.done, "a record that was kept");
  g_assert_true (recorded.done);
  g_assert_no_error (recorded.error);
  g_assert_no_error (left.error);
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 1);
  gone = get (f->store, second->id);
  g_assert_null (gone);
}

/* The end comes before there is room: told as it is, and not for ever. */
static void
test_close (Fixture *f, gconstpointer data)
{
  g_autofree char *body = g_strnfill (10 * 1000, 'x');
  g_autoptr (PrMessage) message = NULL, stored = NULL;
  g_auto (Answer) answer = { 0 };
  guint index = 0;

  if (!f->mounted)
    return;

  do_without_reserve (f);
  message = put_new (f->store, "a@x.org", "b@y.org", "out", body);
  fill_disk (f);
  pr_store_record (f->store, message, &index, 1, NULL, 0, TRUE, on_done, &answer);
  pr_store_close (g_steal_pointer (&f->store));
  g_assert_true (answer.done);
  g_assert_error (answer.error, PR_ERROR, PR_ERROR_TEMPORARY);

  make_room (f);
  f->store = open_store (f->home);
  stored = get (f->store, message->id);
  g_assert_nonnull (stored);
}

/* A spool file that does not fit is refused and leaves nothing. */
static void
test_spool (Fixture *f, gconstpointer data)
{
  g_autofree char *piece = g_strnfill (100 * 1000, 'x'), *path = NULL;
  g_autoptr (PrMessage) message = NULL;
  PrSpool *spool;

  if (!f->mounted)
    return;

  message = make_message (f->store, "a@x.org", "b@y.org", "out", NULL);
  spool = pr_spool_new (f->store, message->id, NULL, NULL);
  for (guint i = 0; i < 100; i++) /* 10 MB into 6 */
    pr_spool_append (spool, piece, 100 * 1000);
  pr_spool_finish (spool, message);
  path = g_build_filename (f->home, "body", message->spool, NULL);
  put_refused (f, message);
  for (guint i = 0; g_file_test (path, G_FILE_TEST_EXISTS); i++)
    {
      g_assert_cmpuint (i, <, 6000);
      g_usleep (10000);
    }
  g_assert_cmpuint (get_counts (f->store).n_messages, ==, 0);
}

static void
test_free_space (Fixture *f, gconstpointer data)
{
  guint64 before;
  gint64 until = g_get_monotonic_time () + WAIT_US;

  if (!f->mounted)
    return;

  before = pr_store_get_free_space (f->store);
  g_assert_cmpuint (before, >, 0);
  g_assert_cmpuint (before, <=, 6 * 1024 * 1024);
  fill_disk (f);
  /* Nothing is asked of the store but this. */
  while (pr_store_get_free_space (f->store) > 0)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (10000);
    }
}

/* A home that has no room for a new queue. */
static void
test_open (Fixture *f, gconstpointer data)
{
  g_autofree char *home = g_build_filename (f->home, "second", NULL);
  g_autofree char *database = g_build_filename (home, "queue.db", NULL);
  g_autoptr (GError) error = NULL;

  if (!f->mounted)
    return;

  g_assert_cmpint (g_mkdir (home, 0700), ==, 0);
  fill_disk (f);
  g_assert_null (pr_store_open (home, NULL, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_PERMANENT);
  g_assert_false (g_file_test (database, G_FILE_TEST_EXISTS));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/full/put", test_put);
  ADD ("/full/reserve", test_reserve);
  ADD ("/full/record", test_record);
  ADD ("/full/close", test_close);
  ADD ("/full/spool", test_spool);
  ADD ("/full/free-space", test_free_space);
  ADD ("/full/open", test_open);

  return g_test_run ();
}
