/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An accept loop that outlives a shortage of descriptors.
 *
 *   listening ──reserve reached, EMFILE, ENFILE, ENOBUFS, ENOMEM──► starved
 *       ▲                                                             │
 *       └────── a channel closed, or a second passed, and ────────────┘
 *               a free descriptor below the reserve
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <gio/gnetworking.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/error.h"
#include "net/hook.h"
#include "net/socket.h"

#define BACKLOG 1024
#define ACCEPTS_PER_TURN 32
#define RETRY_MS 1000

struct _PrListener
{
  PrLoop *loop; /* borrowed */
  int fd;       /* owned */
  char address[PR_IP_PORT_TEXT_SIZE];
  PrWatch watch; /* runs unless paused or starved */
  PrTimer retry; /* runs while starved */
  PrHook starved;
  gboolean paused;
  gboolean accepting; /* the loop is on the stack and frees it when done */
  gboolean released;
  PrAcceptFunc func;
  gpointer user_data;
};

static void on_hungry (gpointer user_data);

/* Descriptors from this number on are not for clients. */
static int
first_reserved (void)
{
  struct rlimit limit;
  rlim_t n;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      limit.rlim_cur > G_MAXINT)
    return G_MAXINT;
  n = limit.rlim_cur;
  return (int) (n - MIN (n / 2, PR_DESCRIPTOR_RESERVE));
}

/* Whether a client could get a descriptor now: the lowest free number tells how many are in use.
 * Asked before each accept, since a client that was accepted cannot be put back. */
static gboolean
may_accept (const PrListener *self)
{
  int probe = fcntl (self->fd, F_DUPFD_CLOEXEC, 0);

  if (probe < 0)
    return FALSE;
  close (probe);
  return probe < first_reserved ();
}

static void
starve (PrListener *self, const char *why)
{
  if (self->starved.loop == NULL)
    {
      g_info ("%s waits to accept connections: %s", self->address, why);
      pr_hook_add (&self->starved, self->loop, PR_HOOK_STARVED, on_hungry, self);
    }
  pr_watch_stop (&self->watch);
  pr_timer_start (&self->retry, self->loop, RETRY_MS, on_hungry, self);
}

/* FALSE: no more on this turn. */
static gboolean
on_accept_failed (PrListener *self)
{
  int code = errno;

  if (code == EAGAIN || code == EWOULDBLOCK)
    return FALSE;
  if (code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM)
    {
      starve (self, g_strerror (code));
      return FALSE;
    }
  /* That client is gone; accept(2) passes on errors of its network as well. */
  if (code == EINTR || code == ECONNABORTED || code == EPROTO || code == EPERM ||
      code == ENETDOWN || code == ENOPROTOOPT || code == EHOSTDOWN || code == EHOSTUNREACH ||
      code == EOPNOTSUPP || code == ENETUNREACH)
    return TRUE;
  g_warning ("%s cannot accept connections: %s", self->address, g_strerror (code));
  starve (self, g_strerror (code));
  return FALSE;
}

static void
hand_over (PrListener *self, int client, const struct sockaddr_storage *peer, socklen_t len)
{
  guint16 port;
  PrIp ip;

  if (!pr_socket_read_address (peer, len, &ip, &port))
    {
      close (client);
      return;
    }
  self->func (self, client, &ip, port, self->user_data);
}

static void
on_ready (PrWatch *watch, PrIo ready, gpointer user_data)
{
  PrListener *self = user_data;

  self->accepting = TRUE;
  for (guint i = 0; i < ACCEPTS_PER_TURN && !self->released && !self->paused; i++)
    {
      struct sockaddr_storage peer;
      socklen_t len = sizeof peer;
      int client;

      if (!may_accept (self))
        {
          starve (self, "few descriptors are left");
          break;
        }
      client = pr_socket_accept (self->fd, &peer, &len);
      if (client >= 0)
        hand_over (self, client, &peer, len);
      else if (!on_accept_failed (self))
        break;
    }
  self->accepting = FALSE;
  if (self->released)
    g_free (self);
}

static void
listen_on (PrListener *self)
{
  if (self->paused || self->watch.loop != NULL)
    return;
  if (!pr_watch_start (&self->watch, self->loop, self->fd, PR_IO_IN, on_ready, self))
    starve (self, "its socket cannot be watched");
}

static void
on_hungry (gpointer user_data)
{
  PrListener *self = user_data;

  if (!may_accept (self))
    {
      pr_timer_start (&self->retry, self->loop, RETRY_MS, on_hungry, self);
      return;
    }
  pr_timer_stop (&self->retry);
  pr_hook_remove (&self->starved);
  listen_on (self);
}

static PrListener *
new_listener (PrLoop *loop, int fd, PrAcceptFunc func, gpointer user_data)
{
  PrListener *self = g_new0 (PrListener, 1);
  guint16 port;
  PrIp ip;

  self->loop = loop;
  self->fd = fd;
  self->func = func;
  self->user_data = user_data;
  if (pr_socket_get_address (fd, FALSE, &ip, &port))
    pr_ip_format_with_port (&ip, port, self->address);
  listen_on (self);
  return self;
}

/* In words what to do. */
static void
set_listen_error (GError **error, const char *address, gboolean v6, int code)
{
  if (v6 && code == EAFNOSUPPORT)
    g_set_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED,
                 "cannot listen on %s: this machine has no IPv6", address);
  else if (v6 && code == EADDRNOTAVAIL && g_str_has_prefix (address, "[::1]"))
    g_set_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED,
                 "cannot listen on %s: IPv6 is switched off on this machine", address);
  else if (code == EADDRINUSE)
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                 "cannot listen on %s: another program uses this port; stop it or choose "
                 "another port",
                 address);
  else if (code == EACCES || code == EPERM)
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                 "cannot listen on %s: no permission; choose a port from 1024 on, or let systemd "
                 "hand over the socket",
                 address);
  else if (code == EADDRNOTAVAIL)
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                 "cannot listen on %s: no network interface of this machine has this address",
                 address);
  else
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "cannot listen on %s: %s", address,
                 g_strerror (code));
}

PrListener *
pr_listener_new (PrLoop *loop, const char *address, PrAcceptFunc func, gpointer user_data,
                 GError **error)
{
  guint16 port;
  PrIp ip;
  int fd;

  if (!pr_ip_parse_with_port (address, &ip, &port))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "\"%s\" is not an address with a port such as 127.0.0.1:2525 or [::1]:2525",
                   address);
      return NULL;
    }
  fd = pr_socket_listen (&ip, port, BACKLOG);
  if (fd < 0)
    {
      set_listen_error (error, address, !pr_ip_is_v4 (&ip), errno);
      return NULL;
    }
  return new_listener (loop, fd, func, user_data);
}

PrListener *
pr_listener_new_from_fd (PrLoop *loop, int fd, PrAcceptFunc func, gpointer user_data,
                         GError **error)
{
  int listening = 0, type = 0;
  socklen_t int_len = sizeof listening;
  guint16 port;
  PrIp ip;

  if (!pr_socket_get_address (fd, FALSE, &ip, &port) ||
      getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &int_len) != 0 || type != SOCK_STREAM ||
      getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &int_len) != 0 || !listening ||
      !g_unix_set_fd_nonblocking (fd, TRUE, NULL) || fcntl (fd, F_SETFD, FD_CLOEXEC) != 0)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "descriptor %d, which was handed over, is not a listening TCP socket", fd);
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  return new_listener (loop, fd, func, user_data);
}

void
pr_listener_free (PrListener *self)
{
  if (self == NULL)
    return;
  pr_watch_stop (&self->watch);
  pr_timer_stop (&self->retry);
  pr_hook_remove (&self->starved);
  close (self->fd);
  self->released = TRUE;
  if (!self->accepting)
    g_free (self);
}

void
pr_listener_pause (PrListener *self)
{
  self->paused = TRUE;
  pr_watch_stop (&self->watch);
}

void
pr_listener_resume (PrListener *self)
{
  if (!self->paused)
    return;
  self->paused = FALSE;
  if (!pr_listener_is_starved (self))
    listen_on (self);
}

gboolean
pr_listener_is_paused (const PrListener *self)
{
  return self->paused;
}

gboolean
pr_listener_is_starved (const PrListener *self)
{
  return self->starved.loop != NULL;
}

const char *
pr_listener_get_address (const PrListener *self)
{
  return self->address;
}
