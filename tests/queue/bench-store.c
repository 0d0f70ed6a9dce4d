/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a message costs the store. Not a test: it asserts nothing about time.
 *
 *   bench-store [--home=DIR] [--seconds=N] [--producers=N] [--size=OCTETS] [--count=N]
 * [life|insert|tx|list]
 *
 * life    each producer has one message outstanding: put with one event; when that is safe, the
 *         delivery is recorded with one event, and the next message put. The answer's callback is
 *         where a session would say 250.
 * insert  --count messages stay; then listings, what is due, and deleting all of it.
 * tx      one message at a time, each in a transaction of its own: what group commit is measured
 *         against.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sys/resource.h>

#include "queue-util.h"

static char *home_option;
static int seconds = 3, n_producers = 50, size_octets = 4096, count = 100000;

static const GOptionEntry options[] = {
  { "home", 0, 0, G_OPTION_ARG_FILENAME, &home_option, "where the queue lies", "DIR" },
  { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "how long", "N" },
  { "producers", 0, 0, G_OPTION_ARG_INT, &n_producers, "messages outstanding", "N" },
  { "size", 0, 0, G_OPTION_ARG_INT, &size_octets, "of a body", "OCTETS" },
  { "count", 0, 0, G_OPTION_ARG_INT, &count, "messages that stay", "N" },
  { NULL },
};

#define MAX_LATENCIES (5 * 1000 * 1000)

typedef struct
{
  PrStore *store;
  GBytes *body;
  gint64 stop_us;
  guint64 n_put, n_done;
  guint n_running, n_recording;
  guint64 limit;
  gboolean delivers;
  guint n_hops;
  GArray *latencies; /* of gint64 */
} Bench;

typedef struct
{
  Bench *bench;
  PrMessage *message;
  gint64 asked_us;
} Producer;

static double
get_cpu_us (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static guint64
get_proc_number (const char *path, const char *key)
{
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (at = strstr (text, key)) == NULL)
    return 0;
  return g_ascii_strtoull (at + strlen (key), NULL, 10);
}

static void produce (Producer *self);

static void
on_recorded (const GError *error, gpointer user_data)
{
  Bench *bench = user_data;

  g_assert_no_error (error);
  bench->n_recording--;
}

/* Recorded with whatever else is on its way; nobody waits for it. */
static void
deliver (Bench *bench, PrMessage *message)
{
  PrEvent event = { .kind = PR_EVENT_DELIVERED,
                    .message = message->id,
                    .peer = "smtp.example.org:587",
                    .address = "recipient@example.net",
                    .route = "smarthost",
                    .code = 250,
                    .text = "2.0.0 Ok: queued as 4X5Yz6Qq" };
  guint index = 0;

  message->progress[0].state = PR_RECIPIENT_DELIVERED;
  pr_store_add_event (bench->store, &event);
  bench->n_recording++;
  pr_store_record (bench->store, message, &index, 1, NULL, 0, TRUE, on_recorded, bench);
}

static void
on_stored (const GError *error, gpointer user_data)
{
  Producer *self = user_data;
  Bench *bench = self->bench;
  gint64 latency = g_get_monotonic_time () - self->asked_us;

  g_assert_no_error (error);
  if (bench->latencies->len < MAX_LATENCIES)
    g_array_append_val (bench->latencies, latency);
  bench->n_done++;
  if (bench->delivers)
    deliver (bench, self->message);
  produce (self);
}

static void
produce (Producer *self)
{
  Bench *bench = self->bench;
  PrEvent event = {
    .kind = PR_EVENT_ACCEPTED, .session = 7, .peer = "192.0.2.7", .sender = "sender@example.org"
  };
  char hop[32];

  g_clear_pointer (&self->message, pr_message_unref);
  if (bench->limit > 0 ? bench->n_put == bench->limit : g_get_monotonic_time () >= bench->stop_us)
    {
      bench->n_running--;
      return;
    }

  g_snprintf (hop, sizeof hop, "smarthost/%u", (guint) (bench->n_put % bench->n_hops));
  self->message =
    make_message (bench->store, "sender@example.org", "recipient@example.net", hop, NULL);
  self->message->body = g_bytes_ref (bench->body);
  self->message->client = g_strdup ("192.0.2.7");
  event.message = self->message->id;
  event.size_octets = g_bytes_get_size (bench->body);
  self->asked_us = g_get_monotonic_time ();
  bench->n_put++;
  pr_store_put (bench->store, self->message, &event, on_stored, self);
}

static int
compare_int64 (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static double
get_percentile (GArray *values, double part)
{
  return values->len > 0
           ? (double) g_array_index (values, gint64, (guint) (part * (values->len - 1))) / 1e3
           : 0;
}

static void
run (Bench *bench, guint producers, const char *name)
{
  g_autofree Producer *all = g_new0 (Producer, producers);
  double cpu = get_cpu_us (), n;
  gint64 start = g_get_monotonic_time ();
  guint64 written = get_proc_number ("/proc/self/io", "\nwrite_bytes: ");
  double took;

  bench->n_put = bench->n_done = 0;
  bench->stop_us = start + seconds * G_USEC_PER_SEC;
  bench->n_running = producers;
  g_array_set_size (bench->latencies, 0);
  for (guint i = 0; i < producers; i++)
    {
      all[i].bench = bench;
      produce (&all[i]);
    }
  while (bench->n_running > 0 || bench->n_recording > 0)
    g_main_context_iteration (NULL, TRUE);

  took = (double) (g_get_monotonic_time () - start) / 1e6;
  cpu = get_cpu_us () - cpu;
  n = (double) MAX (bench->n_done, 1);
  written = get_proc_number ("/proc/self/io", "\nwrite_bytes: ") - written;
  g_array_sort (bench->latencies, compare_int64);
  printf ("%-7s %6d octets %4u at once: %8.0f/s %7.1f us CPU %8.0f octets written; commit p50 %.2f "
          "p99 %.2f p99.9 %.2f ms\n",
          name, size_octets, producers, n / took, cpu / n, (double) written / n,
          get_percentile (bench->latencies, 0.5), get_percentile (bench->latencies, 0.99),
          get_percentile (bench->latencies, 0.999));
}

static void
list_page (Bench *bench, const char *name, const PrStoreFilter *filter, guint64 offset)
{
  g_auto (Answer) answer = { 0 };
  gint64 start = g_get_monotonic_time ();

  pr_store_list (bench->store, filter, offset, 100, on_list, &answer);
  wait_for (&answer.done, "a page");
  printf ("list    %-24s %8.1f ms, %u of %" G_GUINT64_FORMAT "%s%s\n", name,
          (double) (g_get_monotonic_time () - start) / 1e3,
          answer.messages != NULL ? answer.messages->len : 0, answer.n_matching,
          answer.error != NULL ? ": " : "", answer.error != NULL ? answer.error->message : "");
}

static void
look (Bench *bench)
{
  PrStoreFilter filter = { .state = -1 };
  g_auto (Answer) due = { 0 };
  gint64 start;

  list_page (bench, "first page", &filter, 0);
  list_page (bench, "in the middle", &filter, (guint64) count / 2);
  list_page (bench, "near the end", &filter, (guint64) count - 100);
  filter.descending = TRUE;
  list_page (bench, "newest first", &filter, 0);
  filter.order = PR_ORDER_SENDER;
  list_page (bench, "by sender", &filter, 0);
  filter.order = PR_ORDER_SIZE;
  list_page (bench, "by size", &filter, 0);
  filter.order = PR_ORDER_DUE;
  list_page (bench, "by due time", &filter, 0);
  filter = (PrStoreFilter){ .state = -1, .hop = "smarthost/0" };
  list_page (bench, "one bucket", &filter, 0);
  filter = (PrStoreFilter){ .state = PR_RECIPIENT_HELD };
  list_page (bench, "held", &filter, 0);
  filter = (PrStoreFilter){ .state = -1, .text = "nobody" };
  list_page (bench, "text that is nowhere", &filter, 0);

  for (guint i = 0; i < 2; i++)
    {
      start = g_get_monotonic_time ();
      ask_due (bench->store, "smarthost/0", G_MAXINT64, 100, &due);
      printf ("due     100 of a bucket: %.2f ms\n",
              (double) (g_get_monotonic_time () - start) / 1e3);
    }
}

static void
delete_all (Bench *bench)
{
  g_auto (Answer) answer = { 0 };
  gint64 start = g_get_monotonic_time ();

  pr_store_delete_all (bench->store, on_done, &answer);
  while (!answer.done)
    g_main_context_iteration (NULL, TRUE);
  printf ("delete  %.0f/s\n", count / ((double) (g_get_monotonic_time () - start) / 1e6));
}

static void
run_insert (Bench *bench, const char *home)
{
  g_autofree char *wal = g_build_filename (home, "queue.db-wal", NULL);
  gint64 start;
  GStatBuf info = { 0 };

  bench->limit = (guint64) count;
  bench->n_hops = 1000;
  run (bench, (guint) n_producers, "insert");
  g_stat (wal, &info);
  printf ("log     %.1f MB; resident %.1f MB\n", (double) info.st_size / 1e6,
          (double) get_proc_number ("/proc/self/status", "VmRSS:") / 1e3);
  start = g_get_monotonic_time ();
  pr_store_close (bench->store);
  printf ("close   %.1f ms\n", (double) (g_get_monotonic_time () - start) / 1e3);
  start = g_get_monotonic_time ();
  bench->store = open_store (home);
  printf ("open    %.1f ms\n", (double) (g_get_monotonic_time () - start) / 1e3);
  look (bench);
  delete_all (bench);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GOptionContext) context = g_option_context_new ("[life|insert|tx]");
  g_autoptr (GError) error = NULL;
  g_autofree char *home = NULL, *filling = NULL;
  const char *mode;
  Bench bench = { .n_hops = 1 };

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 64;
    }

  mode = argc > 1 ? argv[1] : "life";
  home = home_option != NULL ? g_strdup (home_option) : make_home ();
  filling = g_strnfill ((gsize) size_octets, 'x');
  bench.body = g_bytes_new (filling, (gsize) size_octets);
  bench.latencies = g_array_new (FALSE, FALSE, sizeof (gint64));
  bench.store = open_store (home);
  bench.delivers = !g_str_equal (mode, "insert");
  if (g_str_equal (mode, "insert"))
    run_insert (&bench, home);
  else
    run (&bench, g_str_equal (mode, "tx") ? 1 : (guint) n_producers, mode);

  pr_store_close (bench.store);
  g_array_unref (bench.latencies);
  g_bytes_unref (bench.body);
  if (home_option == NULL)
    remove_tree (home);

  return 0;
}
