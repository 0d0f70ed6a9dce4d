/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One GSource for each watch: for systems without epoll, and few connections. */
#include "net/poller.h"

typedef struct
{
  GSource source;
  GPollFD poll;
  PrWatch *watch; /* borrowed; the source is destroyed when the watch stops */
} WatchSource;

static gboolean
check (GSource *source)
{
  return ((WatchSource *) source)->poll.revents != 0;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  WatchSource *self = (WatchSource *) source;
  gushort events = self->poll.revents;
  PrIo ready = 0;

  if (events & G_IO_IN)
    ready |= PR_IO_IN;
  if (events & G_IO_OUT)
    ready |= PR_IO_OUT;
  if (events & (G_IO_ERR | G_IO_HUP | G_IO_NVAL))
    ready |= PR_IO_HUP;
  self->watch->func (self->watch, ready, self->watch->user_data);
  return G_SOURCE_CONTINUE; /* without effect where the callback stopped the watch */
}

static GSourceFuncs source_funcs = { .check = check, .dispatch = dispatch };

static gpointer
create (PrLoop *loop)
{
  return loop; /* nothing of its own */
}

static void
destroy (gpointer poller)
{
}

static gushort
to_glib (PrIo wants)
{
  return (gushort) ((wants & PR_IO_IN ? G_IO_IN : 0) | (wants & PR_IO_OUT ? G_IO_OUT : 0));
}

static gboolean
add (gpointer poller, PrWatch *watch)
{
  WatchSource *self = (WatchSource *) g_source_new (&source_funcs, sizeof (WatchSource));

  self->poll.fd = watch->fd;
  self->poll.events = to_glib (watch->wants);
  self->watch = watch;
  g_source_set_static_name (&self->source, "postroom-watch");
  g_source_add_poll (&self->source, &self->poll);
  g_source_attach (&self->source, pr_loop_get_context (poller));
  watch->reserved = self;
  return TRUE;
}

static void
change (gpointer poller, PrWatch *watch)
{
  WatchSource *self = watch->reserved;

  self->poll.events = to_glib (watch->wants);
}

static void
remove_watch (gpointer poller, PrWatch *watch)
{
  WatchSource *self = watch->reserved;

  watch->reserved = NULL;
  g_source_destroy (&self->source);
  g_source_unref (&self->source);
}

const PrPoller pr_poller_glib = { "glib", create, destroy, add, change, remove_watch };
