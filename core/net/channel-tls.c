/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A channel's encryption: a handshake begins when what was written in plain text has left, and
 * nothing that the peer said before it counts. */
#include "net/channel-private.h"

#include <gio/gnetworking.h>

#include "common/error.h"
#include "net/tls-hello.h"

void
pr_channel_shake_hands (PrChannel *self)
{
  PrTlsProgress progress;

  if (!pr_loop_may_shake_hands (self->loop))
    return; /* the socket stays ready for what is watched: on the next turn */

  progress = pr_tls_session_handshake (self->tls, &self->failure);
  self->wants_write = progress == PR_TLS_WANTS_WRITE;
  if (progress != PR_TLS_DONE)
    return;

  self->securing = FALSE;
  if (self->handler != NULL && self->handler->secured != NULL)
    self->handler->secured (self->owner);
}

/* What was written in plain text has left. */
void
pr_channel_begin_tls (PrChannel *self)
{
  self->tls = g_steal_pointer (&self->next_tls);
  self->wants_write = TRUE; /* until the first step says otherwise */
  pr_channel_shake_hands (self);
}

static void
prepare_tls (PrChannel *self, PrTlsSession *session)
{
  self->next_tls = session;
  self->securing = TRUE;
  if (self->in != NULL)
    {
      pr_channel_set_protocol_failure (self);
      pr_timer_start (&self->later, self->loop, 0, pr_channel_on_later, self);
    }
  if (self->busy == 0)
    pr_channel_update_watch (self);
}

/* The first octet. FALSE: there is none yet, or it decided. */
gboolean
pr_channel_detect (PrChannel *self)
{
  g_autoptr (PrTlsServer) server = NULL;
  guint8 first;
  gssize n = recv (self->fd, &first, 1, MSG_PEEK);

  if (n <= 0)
    return n == 0 || !pr_channel_would_block (errno); /* reading will say it again */

  server = g_steal_pointer (&self->detect);
  if (first == PR_TLS_HANDSHAKE)
    {
      self->securing = TRUE;
      self->next_tls = pr_tls_session_new_server (server, self->fd);
      pr_channel_begin_tls (self);
      return FALSE;
    }
  if (self->detect_only)
    {
      g_set_error_literal (&self->failure, PR_ERROR, PR_ERROR_TLS,
                           "the client does not speak TLS, and this port takes nothing else");
      return FALSE;
    }

  return TRUE;
}

void
pr_channel_detect_tls (PrChannel *self, PrTlsServer *server, gboolean required)
{
  g_clear_pointer (&self->detect, pr_tls_server_unref);
  self->detect = server != NULL ? pr_tls_server_ref (server) : NULL;
  self->detect_only = required;
}

void
pr_channel_start_tls_server (PrChannel *self, PrTlsServer *server)
{
  if (pr_channel_is_open (self) && !self->securing && self->tls == NULL)
    prepare_tls (self, pr_tls_session_new_server (server, self->fd));
}

void
pr_channel_start_tls_client (PrChannel *self, PrTlsClient *client, const char *host,
                             GPtrArray *tlsa, const char *const *names)
{
  if (pr_channel_is_open (self) && !self->securing && self->tls == NULL)
    prepare_tls (self, pr_tls_session_new_client (client, self->fd, host, tlsa, names));
}

gboolean
pr_channel_is_secure (const PrChannel *self)
{
  return pr_channel_get_tls (self) != NULL;
}

gboolean
pr_channel_is_securing (const PrChannel *self)
{
  return self->securing;
}

const PrTlsFacts *
pr_channel_get_tls (const PrChannel *self)
{
  return self->tls != NULL ? pr_tls_session_get_facts (self->tls) : NULL;
}

GBytes *
pr_channel_get_binding (PrChannel *self, const char *type)
{
  return self->tls != NULL ? pr_tls_session_get_binding (self->tls, type) : NULL;
}
