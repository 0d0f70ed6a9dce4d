/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One epoll instance, itself polled by GLib as a single descriptor: idle watches cost nothing. */
#include "net/poller.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256

typedef struct
{
  GSource source; /* first: it is our base */
  int fd;         /* owned */
  /* What was fetched and is not yet dispatched: events[at..n]. */
  struct epoll_event events[EVENTS_PER_TURN];
  int at, n;
} EpollSource;

static guint32
to_epoll (PrIo wants)
{
  return (wants & PR_IO_IN ? (guint32) EPOLLIN : 0) | (wants & PR_IO_OUT ? (guint32) EPOLLOUT : 0);
}

static PrIo
from_epoll (guint32 events)
{
  PrIo ready = 0;

  if (events & EPOLLIN)
    ready |= PR_IO_IN;
  if (events & EPOLLOUT)
    ready |= PR_IO_OUT;
  if (events & (EPOLLERR | EPOLLHUP))
    ready |= PR_IO_HUP;
  return ready;
}

/* Once, and back to GLib, so that timers, wake-ups and signals get their turn. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  EpollSource *self = (EpollSource *) source;

  self->n = epoll_wait (self->fd, self->events, EVENTS_PER_TURN, 0);
  for (self->at = 0; self->at < self->n;)
    {
      struct epoll_event *event = &self->events[self->at++];
      PrWatch *watch = event->data.ptr;

      if (watch != NULL) /* else it was stopped by a callback before it */
        watch->func (watch, from_epoll (event->events), watch->user_data);
    }
  self->at = self->n = 0;
  return G_SOURCE_CONTINUE;
}

static void
finalize (GSource *source)
{
  close (((EpollSource *) source)->fd);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch, .finalize = finalize };

static gpointer
create (PrLoop *loop)
{
  int fd = epoll_create1 (EPOLL_CLOEXEC);
  GSource *source;

  if (fd < 0)
    return NULL;
  source = g_source_new (&source_funcs, sizeof (EpollSource));
  ((EpollSource *) source)->fd = fd;
  g_source_set_static_name (source, "postroom-epoll");
  /* Nobody runs a loop within a loop here, and GLib need not guard against it: else it takes the
   * descriptor out of its set and puts it back for each dispatch, waking itself both times. */
  g_source_set_can_recurse (source, TRUE);
  g_source_add_unix_fd (source, fd, G_IO_IN);
  g_source_attach (source, pr_loop_get_context (loop));
  return source;
}

static void
destroy (gpointer poller)
{
  g_source_destroy (poller);
  g_source_unref (poller);
}

static gboolean
add (gpointer poller, PrWatch *watch)
{
  EpollSource *self = poller;
  struct epoll_event event = { .events = to_epoll (watch->wants), .data.ptr = watch };

  return epoll_ctl (self->fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

static void
change (gpointer poller, PrWatch *watch)
{
  EpollSource *self = poller;
  struct epoll_event event = { .events = to_epoll (watch->wants), .data.ptr = watch };

  if (epoll_ctl (self->fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
    g_critical ("Cannot change a watch: %s", g_strerror (errno));
}

static void
drop_fetched (EpollSource *self, const PrWatch *watch)
{
  for (int i = self->at; i < self->n; i++)
    if (self->events[i].data.ptr == watch)
      self->events[i].data.ptr = NULL;
}

static void
remove_watch (gpointer poller, PrWatch *watch)
{
  EpollSource *self = poller;

  if (epoll_ctl (self->fd, EPOLL_CTL_DEL, watch->fd, NULL) != 0)
    g_critical ("Cannot stop a watch: %s", g_strerror (errno));
  drop_fetched (self, watch);
}

const PrPoller pr_poller_epoll = { "epoll", create, destroy, add, change, remove_watch };
