/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static int
fail (int fd, const char *what, GError **error)
{
  int code = errno;

  if (fd >= 0)
    close (fd);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "%s: %s", what, g_strerror (code));
  return -1;
}

static void
set_option (int fd, int level, int option)
{
  int on = 1;

  setsockopt (fd, level, option, &on, sizeof on);
}

int
pr_bench_listen (guint16 port, int *out_port, GError **error)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  socklen_t len = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return fail (fd, "socket", error);
  set_option (fd, SOL_SOCKET, SO_REUSEADDR);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) < 0 || listen (fd, BACKLOG) < 0 ||
      getsockname (fd, (struct sockaddr *) &address, &len) < 0)
    return fail (fd, "listen", error);
  *out_port = ntohs (address.sin_port);
  return fd;
}

int
pr_bench_connect (const char *host, guint16 port, guint32 source, GError **error)
{
  struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons (port) };
  struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (source) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return fail (fd, "socket", error);
  if (inet_pton (AF_INET, host, &peer.sin_addr) != 1)
    {
      errno = EINVAL;
      return fail (fd, host, error);
    }
  if (source != 0)
    {
      set_option (fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
      if (bind (fd, (struct sockaddr *) &local, sizeof local) < 0)
        return fail (fd, "bind", error);
    }
  pr_bench_no_delay (fd);
  if (connect (fd, (struct sockaddr *) &peer, sizeof peer) < 0 && errno != EINPROGRESS)
    return fail (fd, "connect", error);
  return fd;
}

void
pr_bench_no_delay (int fd)
{
  set_option (fd, IPPROTO_TCP, TCP_NODELAY);
}

void
pr_bench_watch (int epoll_fd, int operation, int fd, guint32 events, void *data)
{
  struct epoll_event event = { .events = events, .data.ptr = data };

  int result = epoll_ctl (epoll_fd, operation, fd, &event);

  g_assert (result == 0);
}

void
pr_bench_raise_descriptors (guint n)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= n)
    return;
  limit.rlim_cur = n;
  limit.rlim_max = MAX (limit.rlim_max, n);
  if (setrlimit (RLIMIT_NOFILE, &limit) == 0)
    return;
  getrlimit (RLIMIT_NOFILE, &limit); /* only root may raise the hard limit */
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}
