/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-load: sends mail as fast as it is taken and prints one JSON document.
 *
 * Exit codes: 0 every message was accepted; 1 some were not, or nothing moved any more. */

#include "session.h"
#include "sockets.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MAX_EVENTS 256
#define TICK_MS 1000
#define LOOPBACK_SOURCES 0x7f000201u /* 127.0.2.1 and up */
#define IDLE_AT_ONCE 500             /* connections begun and not yet ready */

typedef struct
{
  PrBenchPlan plan;
  gint port;
  gint64 run;
  gint64 n_messages;
  gint64 size;
  gint sessions;
  gint idle;
  gint sources;
  double seconds;
  gint stall_seconds;
  gboolean no_pipelining;
  gboolean resume;
  gboolean stalled;
  char *host;
  char *tls;
} Options;

typedef struct
{
  PrBenchLoad load;
  int signal_fd;
  gboolean interrupted;
  gboolean stalled;
  guint64 seen_progress;
  gint64 progress_us;
} Run;

static gint64
cpu_us (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

static void
watch_progress (Run *self)
{
  PrBenchLoad *load = &self->load;
  guint64 progress = load->n_accepted + load->n_refused + load->n_broken;
  gint64 now_us = g_get_monotonic_time ();

  if (progress != self->seen_progress || self->progress_us == 0)
    {
      self->seen_progress = progress;
      self->progress_us = now_us;
    }
  else if (now_us - self->progress_us > load->plan->stall_us)
    self->stalled = TRUE;
}

static void
turn (Run *self)
{
  struct epoll_event events[MAX_EVENTS];
  int n = epoll_wait (self->load.epoll_fd, events, MAX_EVENTS, TICK_MS);

  for (int i = 0; i < n; i++)
    if (events[i].data.ptr == self)
      self->interrupted = TRUE;
    else
      pr_bench_session_on_event (events[i].data.ptr, events[i].events);
}

static void
run_load (Run *self)
{
  while (self->load.sessions.length > 0 && !self->interrupted && !self->stalled)
    {
      turn (self);
      watch_progress (self);
    }
}

static guint32
source_of (guint i, guint n_sources)
{
  /* 200 addresses of each 127.0.x.0/24 */
  guint k = n_sources > 0 ? i % n_sources : 0;

  return n_sources > 0 ? LOOPBACK_SOURCES + (k / 200) * 256 + k % 200 : 0;
}

/* Opens the idle sessions a few at a time, says how many there are, and holds them until
 * it is told to end. */
static void
run_idle (Run *self, const Options *options)
{
  PrBenchLoad *load = &self->load;
  guint wanted = (guint) options->idle;
  guint started = 0;
  guint n_ready;

  while (load->n_idle + load->n_broken < wanted && !self->interrupted && !self->stalled)
    {
      while (started < wanted && started - load->n_idle - load->n_broken < IDLE_AT_ONCE)
        {
          guint32 source = source_of (started++, (guint) options->sources);

          if (options->stalled)
            pr_bench_session_start_stalled (load, source);
          else
            pr_bench_session_start_idle (load, source);
        }
      turn (self);
    }
  n_ready = load->n_idle;
  printf ("{\"idle\": %u, \"broken\": %" G_GUINT64_FORMAT "}\n", n_ready, load->n_broken);
  fflush (stdout);
  while (!self->interrupted)
    turn (self);
}

static void
report (Run *self, gint64 cpu)
{
  static const struct
  {
    const char *name;
    double share;
  } ranks[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
  PrBenchLoad *load = &self->load;
  double seconds = (double) (load->last_us - load->first_us) / 1e6;
  g_autofree char *fault = g_strescape (load->first_fault, NULL);

  printf ("{\"run\": %" G_GUINT64_FORMAT ", \"sent\": %" G_GUINT64_FORMAT
          ", \"accepted\": %" G_GUINT64_FORMAT ", \"refused\": %" G_GUINT64_FORMAT
          ", \"broken\": %" G_GUINT64_FORMAT ", \"idle\": %u, \"stalled\": %s"
          ", \"first-us\": %" G_GINT64_FORMAT ", \"last-us\": %" G_GINT64_FORMAT,
          load->plan->run, load->next_seq, load->n_accepted, load->n_refused, load->n_broken,
          load->n_idle, self->stalled ? "true" : "false", load->first_us, load->last_us);
  printf (", \"seconds\": %.6f, \"per-second\": %.1f, \"cpu-us-per-message\": %.2f", seconds,
          seconds > 0 ? (double) load->n_accepted / seconds : 0.0,
          load->n_accepted > 0 ? (double) cpu / (double) load->n_accepted : 0.0);
  if (load->tls != NULL)
    printf (", \"resumed\": %" G_GUINT64_FORMAT, pr_bench_tls_get_n_resumed (load->tls));
  printf (", \"latency-ms\": {");
  for (gsize i = 0; i < G_N_ELEMENTS (ranks); i++)
    printf ("\"%s\": %.3f, ", ranks[i].name,
            (double) pr_bench_latency_percentile (&load->latency, ranks[i].share) / 1e3);
  printf ("\"max\": %.3f}, \"first-fault\": \"%s\"}\n", (double) load->latency.max_us / 1e3, fault);
}

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  PrBenchPlan *plan = &options->plan;
  const GOptionEntry entries[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING, &options->host, "IPv4 address (127.0.0.1)", "HOST" },
    { "port", 'p', 0, G_OPTION_ARG_INT, &options->port, "port", "PORT" },
    { "run", 'r', 0, G_OPTION_ARG_INT64, &options->run, "number of this run", "N" },
    { "messages", 'm', 0, G_OPTION_ARG_INT64, &options->n_messages, "how many in all", "N" },
    { "seconds", 't', 0, G_OPTION_ARG_DOUBLE, &options->seconds, "for how long", "S" },
    { "size", 'z', 0, G_OPTION_ARG_INT64, &options->size, "octets of a message (4096)", "N" },
    { "sessions", 'n', 0, G_OPTION_ARG_INT, &options->sessions, "sessions at once (1)", "N" },
    { "sources", 0, 0, G_OPTION_ARG_INT, &options->sources, "come from N addresses", "N" },
    { "no-pipelining", 0, 0, G_OPTION_ARG_NONE, &options->no_pipelining, "wait for replies", NULL },
    { "reconnect", 0, 0, G_OPTION_ARG_NONE, &plan->reconnect, "a connection per message", NULL },
    { "tls", 0, 0, G_OPTION_ARG_STRING, &options->tls, "encrypted", "starttls | implicit" },
    { "resume", 0, 0, G_OPTION_ARG_NONE, &options->resume, "by a session before", NULL },
    { "handshakes", 0, 0, G_OPTION_ARG_NONE, &plan->handshakes, "no mail, only greetings", NULL },
    { "stalled", 0, 0, G_OPTION_ARG_NONE, &options->stalled, "idle ones stop in TLS", NULL },
    { "idle", 'i', 0, G_OPTION_ARG_INT, &options->idle, "only hold N idle connections", "N" },
    { "stall", 0, 0, G_OPTION_ARG_INT, &options->stall_seconds, "give up after (60)", "S" },
    { "spoil", 0, 0, G_OPTION_ARG_INT64, &plan->spoil_seq, "damage message SEQ", "SEQ" },
    { "repeat", 0, 0, G_OPTION_ARG_INT64, &plan->repeat_seq, "send SEQ twice", "SEQ" },
    { "omit", 0, 0, G_OPTION_ARG_INT64, &plan->omit_seq, "do not send SEQ", "SEQ" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- send mail to a server");

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  plan->host = options->host != NULL ? options->host : "127.0.0.1";
  plan->port = (guint16) options->port;
  plan->run = (guint64) options->run;
  plan->n_messages = (guint64) options->n_messages;
  plan->duration_us = (gint64) (options->seconds * 1e6);
  plan->stall_us = options->stall_seconds * G_USEC_PER_SEC;
  plan->pipelining = !options->no_pipelining;
  if (g_strcmp0 (options->tls, "starttls") == 0)
    plan->security = PR_BENCH_STARTTLS;
  else if (options->tls != NULL)
    plan->security = PR_BENCH_IMPLICIT;
  return TRUE;
}

static int
watch_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGTERM);
  sigaddset (&set, SIGINT);
  sigprocmask (SIG_BLOCK, &set, NULL);
  return signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
main (int argc, char *argv[])
{
  Options options = {
    .plan = { .spoil_seq = -1, .repeat_seq = -1, .omit_seq = -1 },
    .run = 1,
    .size = 4096,
    .sessions = 1,
    .stall_seconds = 60,
  };
  g_autoptr (GError) error = NULL;
  g_autofree Run *self = g_new0 (Run, 1);
  PrBenchLoad *load = &self->load;
  gint64 cpu;

  if (!parse_options (&options, &argc, &argv, &error))
    {
      fprintf (stderr, "bench-load: %s\n", error->message);
      return 1;
    }
  pr_bench_raise_descriptors ((guint) MAX (options.idle, options.sessions) + 64);
  load->plan = &options.plan;
  load->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  load->corpus = pr_bench_corpus_new (load->plan->run, (gsize) MAX (options.size, 1));
  if (load->plan->security != PR_BENCH_PLAIN)
    load->tls = pr_bench_tls_new (options.resume);
  self->signal_fd = watch_signals ();
  pr_bench_watch (load->epoll_fd, EPOLL_CTL_ADD, self->signal_fd, EPOLLIN, self);

  cpu = cpu_us ();
  if (options.idle > 0)
    run_idle (self, &options);
  else
    {
      for (gint i = 0; i < options.sessions; i++)
        pr_bench_session_start (load, source_of ((guint) i, (guint) options.sources));
      run_load (self);
    }
  report (self, cpu_us () - cpu);
  pr_bench_session_end_all (load);
  pr_bench_corpus_free (load->corpus);
  g_clear_pointer (&load->tls, pr_bench_tls_free);
  g_free (options.tls);
  g_free (options.host);
  return self->stalled || (self->interrupted && options.idle == 0) || load->n_refused > 0 ||
         load->n_broken > 0;
}
