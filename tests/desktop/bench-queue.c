/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How soon a queue is open, and how smoothly it scrolls. Not a test: it asserts nothing about time.
 *
 *   tests/desktop/on-desktop build/tests/desktop/bench-queue HOME
 *
 * HOME is of a service that runs. The window opens on the queue and is scrolled by a page in each
 * frame, from the first row to the last. A frame's time is all that the toolkit does for it. Other
 * work on the machine changes CPU time, of the window's main thread, least. */

#include <locale.h>
#include <stdio.h>
#include <time.h>
#include <adwaita.h>

#include "ui/queue-model.h"
#include "ui/queue-page.h"
#include "ui/window.h"

#define N_FRAMES 300

typedef struct
{
  GtkWidget *window; /* borrowed */
  PrQueueModel *model;
  GtkAdjustment *adjustment;
  gint64 start_us, open_us, end_us;
  gint64 open_cpu_us, frame_cpu_us, longest_cpu_us, sum_cpu_us;
  guint n_frames;
  gboolean done;
} Bench;

static gint64
cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* (nullable) (transfer none): the first of @type at or below @widget. */
static GtkWidget *
find (GtkWidget *widget, GType type)
{
  GtkWidget *found = G_TYPE_CHECK_INSTANCE_TYPE (widget, type) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); found == NULL && child != NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find (child, type);
  return found;
}

static gboolean
is_known (PrQueueModel *model, guint position)
{
  g_autoptr (PrQueueItem) item = g_list_model_get_item (G_LIST_MODEL (model), position);

  return item != NULL && pr_queue_item_get_id (item) != NULL;
}

static void
on_before_paint (GdkFrameClock *clock, gpointer user_data)
{
  Bench *self = user_data;

  self->frame_cpu_us = cpu_us ();
}

/* Each frame asks for the next one. */
static void
on_after_paint (GdkFrameClock *clock, gpointer user_data)
{
  Bench *self = user_data;
  gint64 now_us = g_get_monotonic_time ();
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  double lower = gtk_adjustment_get_lower (self->adjustment);
  double way = gtk_adjustment_get_upper (self->adjustment) - lower -
               gtk_adjustment_get_page_size (self->adjustment);

  gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
  if (self->open_us == 0)
    {
      if (n > 0 && is_known (self->model, 0))
        {
          self->open_us = now_us;
          self->open_cpu_us = cpu_us ();
        }
      return;
    }
  if (self->n_frames < N_FRAMES)
    {
      gint64 spent_us = cpu_us () - self->frame_cpu_us;

      self->longest_cpu_us = MAX (self->longest_cpu_us, spent_us);
      self->sum_cpu_us += spent_us;
      self->n_frames++;
      gtk_adjustment_set_value (self->adjustment, lower + way * self->n_frames / N_FRAMES);
      self->end_us = now_us;
    }
  else if (is_known (self->model, n - 1))
    {
      self->end_us = now_us - self->end_us;
      self->done = TRUE;
    }
}

int
main (int argc, char *argv[])
{
  g_autoptr (PrHome) home = NULL;
  g_autoptr (PrService) service = NULL;
  Bench bench = { 0 };
  GtkWidget *page;
  GdkFrameClock *clock;

  if (argc != 2)
    {
      fprintf (stderr, "Usage: bench-queue HOME\n");
      return 2;
    }

  setlocale (LC_ALL, "C.UTF-8");
  adw_init ();
  home = pr_home_new (argv[1]);
  service = pr_service_new (home);
  bench.start_us = g_get_monotonic_time ();
  bench.window = GTK_WIDGET (pr_window_new (NULL, service));
  pr_window_show (PR_WINDOW (bench.window), "queue", NULL);
  page = find (bench.window, PR_TYPE_QUEUE_PAGE);
  g_object_get (page, "model", &bench.model, NULL);
  bench.adjustment =
    gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (find (page, GTK_TYPE_COLUMN_VIEW)));
  gtk_window_present (GTK_WINDOW (bench.window));
  pr_service_connect (service);
  clock = gtk_widget_get_frame_clock (bench.window);
  g_signal_connect (clock, "before-paint", G_CALLBACK (on_before_paint), &bench);
  g_signal_connect_after (clock, "after-paint", G_CALLBACK (on_after_paint), &bench);
  gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
  while (!bench.done)
    g_main_context_iteration (NULL, TRUE);

  printf ("%u messages: open after %.3f s (%.3f s of CPU); scrolled through in %u frames of %.1f ms"
          " of CPU, the longest %.1f ms; the last row known after %.3f s\n",
          g_list_model_get_n_items (G_LIST_MODEL (bench.model)),
          (double) (bench.open_us - bench.start_us) / 1e6, (double) bench.open_cpu_us / 1e6,
          bench.n_frames, (double) bench.sum_cpu_us / bench.n_frames / 1e3,
          (double) bench.longest_cpu_us / 1e3, (double) bench.end_us / 1e6);
  g_object_unref (bench.model);
  return 0;
}
