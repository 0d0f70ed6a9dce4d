/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose process is at the other end. */
#include "service/peer.h"

#include <unistd.h>
#ifdef __linux__
#include <sys/socket.h>
#endif

gboolean
pr_peer_is_own_user (GIOStream *stream, GCredentials *credentials)
{
#ifdef __linux__
  /* GLib takes none for valid whose process has no number here: of another sandbox. */
  struct ucred peer;
  socklen_t len = sizeof peer;

  if (G_IS_SOCKET_CONNECTION (stream))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));

      if (getsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        return peer.uid == geteuid ();
    }
#endif
  return credentials != NULL && g_credentials_get_unix_user (credentials, NULL) == geteuid ();
}
