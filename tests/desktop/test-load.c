/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window while mail passes through as fast as it is taken: how long it is busy in one go, what
 * a frame costs, and what looking on costs the service. Says what it measures; judges only by
 * bounds that a window which freezes breaks on any machine. POSTROOM_MESSAGES: for each page
 * (2,000). Needs a display. */

#include <locale.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <adwaita.h>

#include "control/client.h"
#include "daemon.h"
#include "ui/pages.h"
#include "ui/window.h"
#include "wait.h"

#define USUAL_MESSAGES 2000
#define FROZEN_US (2 * G_USEC_PER_SEC) /* of CPU, in one go */
#define MAX_RATIO 4                    /* of the service's CPU with and without a window */

static const char config[] = "[server]\nhostname=relay.test\n"
                             "[listener main]\nlisten=127.0.0.1:0\ntls=off\n"
                             "[route away]\nvia=discard\n";

/* What was measured, in microseconds of this thread's CPU time, but for wall_us. */
static struct
{
  GArray *frames; /* of gint64 */
  gint64 frame_began_us;
  gint64 turn_began_us, wall_began_us;
  gint64 longest_turn_us, longest_wall_us;
} measured;

/* ── Measuring ────────────────────────────────────────────────────────────────────────────── */

static gint64
get_cpu_us (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* Between two of its calls the loop is busy and answers to nobody. */
static int
on_poll (GPollFD *fds, guint n, int timeout_ms)
{
  gint64 busy_us = get_cpu_us () - measured.turn_began_us;
  gint64 wall_us = g_get_monotonic_time () - measured.wall_began_us;
  int ready;

  measured.longest_turn_us = MAX (measured.longest_turn_us, busy_us);
  measured.longest_wall_us = MAX (measured.longest_wall_us, wall_us);
  ready = g_poll (fds, n, timeout_ms);
  measured.turn_began_us = get_cpu_us ();
  measured.wall_began_us = g_get_monotonic_time ();
  return ready;
}

static void
on_before_paint (void)
{
  measured.frame_began_us = get_cpu_us ();
}

static void
on_after_paint (void)
{
  gint64 cost_us = get_cpu_us () - measured.frame_began_us;

  g_array_append_val (measured.frames, cost_us);
}

static void
begin_measuring (void)
{
  g_array_set_size (measured.frames, 0);
  measured.longest_turn_us = measured.longest_wall_us = 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const gint64 *one = a, *two = b;

  return (*one > *two) - (*one < *two);
}

/* @share: of 100; 0 without frames. */
static double
get_frame_ms (guint share)
{
  GArray *frames = measured.frames;

  if (frames->len == 0)
    return 0;

  g_array_sort (frames, compare);
  return (double) g_array_index (frames, gint64, (frames->len - 1) * share / 100) / 1000;
}

/* User and system time of all its threads. */
static gint64
get_service_cpu_us (Daemon *daemon)
{
  g_autofree char *path =
    g_strdup_printf ("/proc/%s/stat", g_subprocess_get_identifier (daemon->process));
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  fields = g_strsplit (strrchr (text, ')') + 2, " ", -1);
  g_assert_cmpuint (g_strv_length (fields), >, 13);
  return (g_ascii_strtoll (fields[11], NULL, 10) + g_ascii_strtoll (fields[12], NULL, 10)) *
         G_USEC_PER_SEC / sysconf (_SC_CLK_TCK);
}

/* ── The load ─────────────────────────────────────────────────────────────────────────────── */

static guint
count_messages (void)
{
  const char *text = g_getenv ("POSTROOM_MESSAGES");
  guint64 n = text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0;

  return n > 0 && n <= G_MAXINT ? (guint) n : USUAL_MESSAGES;
}

/* "127.0.0.1:34567": its port. */
static char *
find_port (Daemon *daemon)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = pr_client_connect_sync (daemon->home, &error);
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) status = NULL;
  g_autofree const char **addresses = NULL;

  g_assert_no_error (error);
  answer = pr_client_call_sync (connection, "Service1", "GetStatus", NULL, "(a{sv})", &error);
  g_assert_no_error (error);
  status = g_variant_get_child_value (answer, 0);
  g_assert_true (g_variant_lookup (status, "addresses", "^a&s", &addresses));
  return g_strdup (strrchr (addresses[0], ':') + 1);
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, &error));
  g_assert_no_error (error);
  *(gboolean *) user_data = TRUE;
}

/* Sends mail while the loop turns; microseconds of the service's CPU for each. */
static double
send_mail (Daemon *daemon, const char *what)
{
  guint n = count_messages ();
  g_autofree char *port = find_port (daemon);
  g_autofree char *messages = g_strdup_printf ("--messages=%u", n);
  g_autofree char *place = g_strconcat ("--port=", port, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) load = NULL;
  gint64 cpu_us = get_service_cpu_us (daemon);
  gint64 began_us = g_get_monotonic_time ();
  gboolean sent = FALSE;
  double each_us;

  load = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE, &error, g_getenv ("BENCH_LOAD"),
                           place, messages, "--sessions=10", NULL);
  g_assert_no_error (error);
  begin_measuring ();
  g_subprocess_wait_check_async (load, NULL, on_sent, &sent);
  while (!sent) /* bench-load itself gives up when nothing moves for a minute */
    g_main_context_iteration (NULL, TRUE);
  each_us = (double) (get_service_cpu_us (daemon) - cpu_us) / n;
  g_test_message ("%s: %.0f messages/s, %.0f µs of the service's CPU for each", what,
                  (double) n * G_USEC_PER_SEC / (double) (g_get_monotonic_time () - began_us),
                  each_us);
  return each_us;
}

/* ── The window ───────────────────────────────────────────────────────────────────────────── */

static void
look_on (Daemon *daemon, PrWindow *window, const char *page, double alone_us)
{
  double each_us, opened_ms;

  begin_measuring ();
  pr_window_show (window, page, NULL);
  gtk_widget_queue_draw (GTK_WIDGET (window));
  wait_for (NULL, measured.frames->len > 0, "the page to be drawn");
  opened_ms = (double) measured.longest_turn_us / 1000;
  each_us = send_mail (daemon, page);
  g_test_message ("%s: %+.0f %% for the service; %u frames, CPU of the usual one %.1f ms, of the "
                  "99th of 100 %.1f ms, of the worst %.1f ms; busy in one go for at most %.1f ms "
                  "of CPU, %.1f ms by the clock; opening it: %.1f ms",
                  page, 100 * (each_us / alone_us - 1), measured.frames->len, get_frame_ms (50),
                  get_frame_ms (99), get_frame_ms (100), (double) measured.longest_turn_us / 1000,
                  (double) measured.longest_wall_us / 1000, opened_ms);
  g_assert_cmpint (measured.longest_turn_us, <, FROZEN_US);
  g_assert_cmpfloat (each_us, <, MAX_RATIO * MAX (alone_us, 10));
}

static void
test_load (void)
{
  Daemon daemon = { 0 };
  g_autoptr (PrService) service = NULL;
  PrWindow *window;
  GdkFrameClock *clock;
  double alone_us;

  if (g_getenv ("BENCH_LOAD") == NULL)
    {
      g_test_skip ("there is no load generator on this system");
      return;
    }
  daemon_set_up (&daemon, config);
  daemon_start (&daemon);
  send_mail (&daemon, "to begin with");
  alone_us = send_mail (&daemon, "without a window");

  service = pr_service_new (daemon.home);
  window = pr_window_new (NULL, service);
  pr_service_connect (service);
  gtk_window_present (GTK_WINDOW (window));
  wait_for (NULL, pr_service_get_status (service) != NULL, "the service");
  clock = gtk_widget_get_frame_clock (GTK_WIDGET (window));
  g_signal_connect (clock, "before-paint", G_CALLBACK (on_before_paint), NULL);
  g_signal_connect (clock, "after-paint", G_CALLBACK (on_after_paint), NULL);
  for (guint i = 0; i < pr_n_pages; i++)
    look_on (&daemon, window, pr_pages[i].name, alone_us);

  gtk_window_destroy (GTK_WINDOW (window));
  daemon_tear_down (&daemon);
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  adw_init ();
  measured.frames = g_array_new (FALSE, FALSE, sizeof (gint64));
  measured.turn_began_us = get_cpu_us ();
  measured.wall_began_us = g_get_monotonic_time ();
  g_main_context_set_poll_func (NULL, on_poll);
  g_test_add_func ("/desktop/load", test_load);

  return g_test_run ();
}
