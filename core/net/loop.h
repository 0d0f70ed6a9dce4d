/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrLoop: all of our descriptors and timers as two sources of one GMainContext.
 *
 * GMainContext polls each source each turn, so its cost grows with idle connections (10,000 of
 * them made a message 33 to 54 times dearer). A loop therefore owns one epoll instance as a
 * single GSource (elsewhere: one source for each watch, behind the same calls; right for few
 * connections only) and one timer wheel as another. Dispatch is level-triggered and bounded, at
 * G_PRIORITY_DEFAULT, so that it takes turns with control, names and the store. One thread only.
 */
typedef struct _PrLoop PrLoop;

PrLoop *pr_loop_new (GMainContext *context); /* keeps a reference */
/* All watches and timers must have been stopped; channels that finish on their own are closed. */
void pr_loop_free (PrLoop *self);
GMainContext *pr_loop_get_context (PrLoop *self); /* borrowed */
/* Monotonic milliseconds, the clock of the timers. */
gint64 pr_loop_now_ms (PrLoop *self);
/* One buffer for whoever reads right now; what is in it is lost at the next callback. */
#define PR_LOOP_BUFFER_SIZE (64 * 1024)
char *pr_loop_get_buffer (PrLoop *self);
/* A step of a TLS handshake costs up to 3 ms: a turn takes 8 of them, so that a burst of new
 * clients does not hold up those at work. FALSE: on another turn. */
gboolean pr_loop_may_shake_hands (PrLoop *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrLoop, pr_loop_free)

typedef enum
{
  PR_IO_IN = 1 << 0,
  PR_IO_OUT = 1 << 1,
  /* Error or hang-up: reported whatever is wanted, on each turn until the watch is stopped. */
  PR_IO_HUP = 1 << 2,
} PrIo;

typedef struct _PrWatch PrWatch;
typedef void (*PrWatchFunc) (PrWatch *watch, PrIo ready, gpointer user_data);

/* Embed it; zero-initialised is stopped. The struct may be freed inside its own callback after
 * pr_watch_stop: an event still queued for it is dropped. */
struct _PrWatch
{
  PrLoop *loop; /* borrowed; NULL when stopped */
  int fd;       /* not owned */
  PrIo wants;
  PrWatchFunc func;
  gpointer user_data;
  gpointer reserved; /* the poller's own */
};

/* FALSE, and stopped, where the system cannot watch @fd (no memory, not a socket or pipe). */
gboolean pr_watch_start (PrWatch *self, PrLoop *loop, int fd, PrIo wants, PrWatchFunc func,
                         gpointer user_data);
void pr_watch_set (PrWatch *self, PrIo wants); /* no system call when nothing changes */
void pr_watch_stop (PrWatch *self);            /* before the fd is closed; twice is harmless */

typedef struct _PrTimer PrTimer;
typedef void (*PrTimerFunc) (gpointer user_data);

/* Embed it; zero-initialised is stopped. Starting, moving and stopping cost O(1). Fires once, on
 * a later turn, never early, up to 10 ms late plus what the loop is busy with. May be freed in its
 * callback. Delays beyond ten years are taken for ten years. */
struct _PrTimer
{
  PrLoop *loop; /* borrowed; NULL when stopped */
  PrTimer *next, *prev;
  gint64 deadline_ms;
  PrTimerFunc func;
  gpointer user_data;
  gpointer reserved;
};

void pr_timer_start (PrTimer *self, PrLoop *loop, guint64 delay_ms, PrTimerFunc func,
                     gpointer user_data); /* restarts when running */
void pr_timer_stop (PrTimer *self);
gboolean pr_timer_is_running (const PrTimer *self);

G_END_DECLS
