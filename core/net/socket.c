/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls around sockets, so that they look the same everywhere. */
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

int
pr_socket_connect (GSocketAddress *address)
{
  gssize len = g_socket_address_get_native_size (address);
  struct sockaddr_storage native;
  int fd, code;

  if (len <= 0 || (gsize) len > sizeof native ||
      !g_socket_address_to_native (address, &native, sizeof native, NULL))
    {
      errno = EAFNOSUPPORT;
      return -1;
    }
  fd = socket (native.ss_family, SOCK_STREAM, 0);
  if (fd < 0)
    return -1;
  if (fcntl (fd, F_SETFD, FD_CLOEXEC) == 0 && g_unix_set_fd_nonblocking (fd, TRUE, NULL) &&
      (connect (fd, (struct sockaddr *) &native, (socklen_t) len) == 0 || errno == EINPROGRESS))
    return fd;
  code = errno;
  close (fd);
  errno = code;
  return -1;
}

static socklen_t
fill_sockaddr (struct sockaddr_storage *out, const PrIp *ip, guint16 port)
{
  memset (out, 0, sizeof *out);
  if (pr_ip_is_v4 (ip))
    {
      struct sockaddr_in *in = (struct sockaddr_in *) out;

      in->sin_family = AF_INET;
      in->sin_port = g_htons (port);
      memcpy (&in->sin_addr, ip->octets + 12, 4);
      return sizeof *in;
    }
  else
    {
      struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) out;

      in6->sin6_family = AF_INET6;
      in6->sin6_port = g_htons (port);
      memcpy (&in6->sin6_addr, ip->octets, 16);
      return sizeof *in6;
    }
}

int
pr_socket_listen (const PrIp *ip, guint16 port, int backlog)
{
  gboolean v6 = !pr_ip_is_v4 (ip);
  struct sockaddr_storage local;
  socklen_t len = fill_sockaddr (&local, ip, port);
  int on = 1, code;
  int fd = socket (local.ss_family, SOCK_STREAM, 0);

  if (fd < 0)
    return -1;
  if (fcntl (fd, F_SETFD, FD_CLOEXEC) == 0 && g_unix_set_fd_nonblocking (fd, TRUE, NULL) &&
      setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      (!v6 || setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
      bind (fd, (struct sockaddr *) &local, len) == 0 && listen (fd, backlog) == 0)
    return fd;
  code = errno;
  close (fd);
  errno = code;
  return -1;
}

int
pr_socket_accept (int fd, struct sockaddr_storage *peer, socklen_t *len)
{
#ifdef HAVE_ACCEPT4
  return accept4 (fd, (struct sockaddr *) peer, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
  int client = accept (fd, (struct sockaddr *) peer, len);

  if (client >= 0 &&
      (!g_unix_set_fd_nonblocking (client, TRUE, NULL) || fcntl (client, F_SETFD, FD_CLOEXEC) != 0))
    {
      close (client);
      errno = ECONNABORTED;
      return -1;
    }
  return client;
#endif
}

gboolean
pr_socket_read_address (const struct sockaddr_storage *native, socklen_t len, PrIp *ip,
                        guint16 *port)
{
  if (!pr_ip_from_native (native, len, ip))
    return FALSE;
  if (native->ss_family == AF_INET)
    *port = g_ntohs (((const struct sockaddr_in *) native)->sin_port);
  else
    *port = g_ntohs (((const struct sockaddr_in6 *) native)->sin6_port);
  return TRUE;
}

gboolean
pr_socket_get_address (int fd, gboolean peer, PrIp *ip, guint16 *port)
{
  struct sockaddr_storage native;
  struct sockaddr *any = (struct sockaddr *) &native;
  socklen_t len = sizeof native;

  if (fd < 0 || (peer ? getpeername (fd, any, &len) : getsockname (fd, any, &len)) != 0)
    return FALSE;
  return pr_socket_read_address (&native, len, ip, port);
}
