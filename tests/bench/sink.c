/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-sink: an SMTP server that checks and counts what load.c sent and keeps nothing.
 *
 * It prints one JSON document on SIGUSR1 and at its end: on SIGTERM, SIGINT, or when
 * --count messages have arrived. With --state=FILE the counters can be read at any
 * moment from that file (PrBenchShared in tally.h). */

#include "inbox.h"
#include "sockets.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_OCTETS (256 * 1024)
#define MAX_EVENTS 256

typedef struct
{
  int fd;              /* owned */
  PrBenchInbox *inbox; /* owned */
  GList link;          /* in the sink's connections */
} Connection;

typedef struct
{
  int epoll_fd;
  int listen_fd;
  int signal_fd;
  PrBenchTally *tally;
  GString *replies;
  char *buffer;
  gint64 expected;
  gboolean finished;
  GQueue connections; /* owned */
} Sink;

static void
report (Sink *self)
{
  g_autofree char *json = pr_bench_tally_to_json (self->tally, (guint64) self->expected);

  puts (json);
  fflush (stdout);
}

static void
close_connection (Sink *self, Connection *connection)
{
  g_queue_unlink (&self->connections, &connection->link);
  close (connection->fd);
  pr_bench_inbox_free (connection->inbox);
  g_free (connection);
}

/* Replies are short: a peer that does not take them at once is not worth keeping. */
static gboolean
send_replies (Sink *self, int fd)
{
  gsize len = self->replies->len;

  if (len == 0)
    return TRUE;
  return send (fd, self->replies->str, len, MSG_NOSIGNAL) == (gssize) len;
}

static void
on_accept (Sink *self)
{
  int fd;

  while ((fd = accept4 (self->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    {
      Connection *connection = g_new0 (Connection, 1);

      connection->fd = fd;
      connection->inbox = pr_bench_inbox_new (self->tally);
      connection->link.data = connection;
      g_queue_push_tail_link (&self->connections, &connection->link);
      pr_bench_tally_shared (self->tally)->connections++;
      pr_bench_no_delay (fd);
      pr_bench_watch (self->epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
      g_string_assign (self->replies, "220 sink.example ESMTP\r\n");
      if (!send_replies (self, fd))
        close_connection (self, connection);
    }
}

static void
on_readable (Sink *self, Connection *connection)
{
  gssize n = recv (connection->fd, self->buffer, BUFFER_OCTETS, 0);
  gboolean goes_on;

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      close_connection (self, connection);
      return;
    }
  g_string_truncate (self->replies, 0);
  goes_on = pr_bench_inbox_feed (connection->inbox, self->buffer, (gsize) n, self->replies);
  if (!send_replies (self, connection->fd) || !goes_on)
    close_connection (self, connection);
}

static void
on_signal (Sink *self)
{
  struct signalfd_siginfo info;

  if (read (self->signal_fd, &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGUSR1)
    report (self);
  else
    self->finished = TRUE;
}

static gboolean
has_all (Sink *self)
{
  PrBenchShared *shared = pr_bench_tally_shared (self->tally);

  return self->expected > 0 && shared->n_runs > 0 &&
         shared->runs[shared->n_runs - 1].arrived >= (guint64) self->expected;
}

static void
run (Sink *self)
{
  struct epoll_event events[MAX_EVENTS];

  while (!self->finished)
    {
      int n = epoll_wait (self->epoll_fd, events, MAX_EVENTS, -1);

      for (int i = 0; i < n; i++)
        if (events[i].data.ptr == &self->listen_fd)
          on_accept (self);
        else if (events[i].data.ptr == &self->signal_fd)
          on_signal (self);
        else
          on_readable (self, events[i].data.ptr);
      if (has_all (self))
        self->finished = TRUE;
    }
  report (self);
  while (self->connections.head != NULL)
    close_connection (self, self->connections.head->data);
}

static int
watch_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGUSR1);
  sigaddset (&set, SIGTERM);
  sigaddset (&set, SIGINT);
  sigprocmask (SIG_BLOCK, &set, NULL);
  return signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
main (int argc, char *argv[])
{
  Sink self = { 0 };
  g_autofree char *state = NULL;
  gint port = 0;
  const GOptionEntry entries[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &port, "listen on this port of 127.0.0.1", "PORT" },
    { "state", 's', 0, G_OPTION_ARG_FILENAME, &state, "keep the counters in FILE", "FILE" },
    { "count", 'c', 0, G_OPTION_ARG_INT64, &self.expected, "end after N messages", "N" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- count mail from bench-load");
  g_autoptr (GError) error = NULL;
  g_autoptr (PrBenchTally) tally = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) ||
      (self.listen_fd = pr_bench_listen ((guint16) port, &port, &error)) < 0 ||
      (tally = pr_bench_tally_new (state, &error)) == NULL)
    {
      fprintf (stderr, "bench-sink: %s\n", error->message);
      return 1;
    }

  self.tally = tally;
  self.buffer = g_malloc (BUFFER_OCTETS);
  self.replies = g_string_new (NULL);
  self.signal_fd = watch_signals ();
  self.epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  pr_bench_watch (self.epoll_fd, EPOLL_CTL_ADD, self.listen_fd, EPOLLIN, &self.listen_fd);
  pr_bench_watch (self.epoll_fd, EPOLL_CTL_ADD, self.signal_fd, EPOLLIN, &self.signal_fd);
  printf ("{\"port\": %d}\n", port);
  fflush (stdout);
  run (&self);

  g_string_free (self.replies, TRUE);
  g_free (self.buffer);
  return 0;
}
