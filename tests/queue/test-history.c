/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pr_store_history and pr_store_devices: what the tally counts. */

#include "queue-util.h"
#include "queue/tally.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

typedef struct
{
  char *home;
  PrStore *store;
} Fixture;

typedef struct
{
  gboolean done;
  GString *text; /* owned */
} Rows;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->home = make_home ();
  f->store = open_store (f->home);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_store_close (f->store);
  remove_tree (f->home);
  g_free (f->home);
}

static void
on_history (const PrStoreHour *hours, guint n, const GError *error, gpointer user_data)
{
  Rows *rows = user_data;

  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpint (hours[i].begin_us % HOUR_US, ==, 0);
      g_string_append_printf (rows->text, "%d:%d/%d/%d/%d/%d ", (int) (hours[i].begin_us / HOUR_US),
                              (int) hours[i].n_received, (int) hours[i].n_delivered,
                              (int) hours[i].n_deferred, (int) hours[i].n_failed,
                              (int) hours[i].n_refused);
    }
  rows->done = TRUE;
}

static void
on_devices (const PrStoreDevice *devices, guint n, const GError *error, gpointer user_data)
{
  Rows *rows = user_data;

  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (rows->text, "%s(%s)=%d@%d ", devices[i].client, devices[i].user,
                            (int) devices[i].n_messages, (int) devices[i].seen_us);
  rows->done = TRUE;
}

/* (transfer full) */
static char *
get_history (PrStore *store, gint64 from_hour)
{
  Rows rows = { FALSE, g_string_new (NULL) };

  pr_store_history (store, from_hour * HOUR_US, on_history, &rows);
  wait_for (&rows.done, "the history");
  return g_string_free (rows.text, FALSE);
}

/* (transfer full) */
static char *
get_devices (PrStore *store, guint limit)
{
  Rows rows = { FALSE, g_string_new (NULL) };

  pr_store_devices (store, limit, on_devices, &rows);
  wait_for (&rows.done, "the devices");
  return g_string_free (rows.text, FALSE);
}

static void
add (PrStore *store, gint64 hour, PrEventKind kind)
{
  pr_store_add_event (store, &(PrEvent){ .kind = kind, .time_us = hour * HOUR_US + 5 });
}

static void
send_mail (PrStore *store, const char *client, const char *user, gint64 seen_us)
{
  g_autoptr (PrMessage) message = make_message (store, "a@x.org", "b@y.org", "out", "x");

  g_free (message->client);
  g_free (message->user);
  message->client = g_strdup (client);
  message->user = g_strdup (user);
  message->received_us = seen_us;
  put (store, message);
}

static void
test_hours (Fixture *f, gconstpointer data)
{
  g_autofree char *none = get_history (f->store, 0), *all = NULL, *late = NULL;

  g_assert_cmpstr (none, ==, "");
  add (f->store, 500000, PR_EVENT_ACCEPTED);
  add (f->store, 500000, PR_EVENT_DELIVERED);
  add (f->store, 500000, PR_EVENT_CONNECTED); /* nothing to be counted */
  add (f->store, 500002, PR_EVENT_DEFERRED);
  add (f->store, 500002, PR_EVENT_FAILED);
  add (f->store, 500000, PR_EVENT_DELIVERED); /* the clock went back */
  send_mail (f->store, "192.0.2.1", NULL, 1); /* what was added before is written with it */
  add (f->store, 500002, PR_EVENT_REFUSED);
  send_mail (f->store, "192.0.2.1", NULL, 2);

  all = get_history (f->store, 0);
  g_assert_cmpstr (all, ==, "500000:1/2/0/0/0 500002:0/0/1/1/1 ");
  late = get_history (f->store, 500001);
  g_assert_cmpstr (late, ==, "500002:0/0/1/1/1 ");
}

static void
test_old_hours_go (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  add (f->store, 500000, PR_EVENT_ACCEPTED);
  add (f->store, 500001, PR_EVENT_ACCEPTED);
  add (f->store, 500001 + PR_TALLY_KEEP_HOURS, PR_EVENT_ACCEPTED);
  send_mail (f->store, NULL, NULL, 1);
  text = get_history (f->store, 0);
  g_assert_cmpstr (text, ==, "500001:1/0/0/0/0 500769:1/0/0/0/0 ");
}

static void
test_devices (Fixture *f, gconstpointer data)
{
  g_autofree char *all = NULL, *one = NULL, *again = NULL;

  send_mail (f->store, "192.0.2.1", NULL, 10);
  send_mail (f->store, "192.0.2.2", "scanner", 20);
  send_mail (f->store, "192.0.2.1", NULL, 30);
  send_mail (f->store, "192.0.2.1", "me", 25);
  send_mail (f->store, "192.0.2.1", NULL, 5); /* never earlier */
  send_mail (f->store, NULL, NULL, 50);       /* our own */
  all = get_devices (f->store, 10);
  g_assert_cmpstr (all, ==, "192.0.2.1()=3@30 192.0.2.1(me)=1@25 192.0.2.2(scanner)=1@20 ");
  one = get_devices (f->store, 1);
  g_assert_cmpstr (one, ==, "192.0.2.1()=3@30 ");

  pr_store_close (f->store);
  f->store = open_store (f->home);
  again = get_devices (f->store, 10);
  g_assert_cmpstr (again, ==, all);
}

/* The table stays small, whoever comes; its rows outlive a restart of the tally. */
static void
test_tally (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->home, "tally.db", NULL);
  g_autoptr (GError) error = NULL;
  PrDatabase db;
  PrTally tally;
  sqlite3_stmt *s;
  int code;

  g_assert_true (pr_database_open (&db, path, &error));
  g_assert_no_error (error);
  s = db.statements[PR_SQL_COUNT_DEVICES];
  pr_tally_init (&tally);
  for (guint i = 0; i < 3 * PR_TALLY_MAX_DEVICES; i++)
    {
      g_autofree char *client = g_strdup_printf ("192.0.2.1-%u", i);

      pr_tally_device (&tally, client, NULL, i);
      if (i % 7 == 0)
        g_assert_cmpint (pr_tally_write (&tally, &db), ==, SQLITE_OK);
    }
  g_assert_cmpint (pr_tally_write (&tally, &db), ==, SQLITE_OK);
  g_assert_true (pr_sql_next (s, &code));
  g_assert_cmpint (sqlite3_column_int64 (s, 0), <=, PR_TALLY_MAX_DEVICES);
  g_assert_cmpint (sqlite3_column_int64 (s, 0), ==, tally.n_devices);
  sqlite3_reset (s);

  /* What was rolled back was not. */
  pr_tally_device (&tally, "198.51.100.1", NULL, 1);
  g_assert_cmpint (pr_tally_event (&tally, &db, &(PrEvent){ .kind = PR_EVENT_FAILED }), ==,
                   SQLITE_OK);
  pr_tally_forget (&tally);
  g_assert_cmpint (pr_tally_write (&tally, &db), ==, SQLITE_OK);
  g_assert_cmpint (tally.failed, ==, 0);
  pr_tally_clear (&tally);
  pr_database_close (&db);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/history/hours", test_hours);
  ADD ("/history/old-hours-go", test_old_hours_go);
  ADD ("/history/devices", test_devices);
  ADD ("/history/tally", test_tally);

  return g_test_run ();
}
