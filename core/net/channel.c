/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One stream connection as octets.
 *
 *   connecting ──► open ──end of stream, all sent──► closed (the owner frees it)
 *                   │ └──error──────────────────────►
 *                   └──pr_channel_finish──► flushing ──► lingering ──► freed by itself
 *
 * Under TLS the same: a handshake stands between connecting or open and open, octets go through a
 * PrTlsSession instead of recv() and send().
 *
 * Callbacks may free the channel: "busy" counts the calls on the stack that still need it, and the
 * last of them releases the memory.
 */
#include "net/channel-private.h"

#include <gio/gnetworking.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "common/error.h"
#include "net/socket.h"

static void on_ready (PrWatch *watch, PrIo ready, gpointer user_data);

/* --- life ------------------------------------------------------------------------------- */

static void
close_socket (PrChannel *self)
{
  pr_watch_stop (&self->watch);
  pr_timer_stop (&self->deadline);
  pr_timer_stop (&self->later);
  pr_hook_remove (&self->ending);
  if (self->fd < 0)
    return;
  close (self->fd);
  self->fd = -1;
  pr_hooks_run (self->loop, PR_HOOK_STARVED);
}

static void
release (PrChannel *self)
{
  close_socket (self);
  self->handler = NULL;
  self->released = TRUE;
  if (self->busy > 0)
    return;
  g_clear_pointer (&self->tls, pr_tls_session_free);
  g_clear_pointer (&self->next_tls, pr_tls_session_free);
  g_clear_pointer (&self->detect, pr_tls_server_unref);
  g_clear_pointer (&self->in, g_byte_array_unref);
  g_clear_pointer (&self->out, g_byte_array_unref);
  g_clear_error (&self->failure);
  g_free (self);
}

static void
tell_closed (PrChannel *self)
{
  g_autoptr (GError) failure = g_steal_pointer (&self->failure);

  if (!pr_channel_is_open (self))
    return;
  if (self->handler == NULL) /* finishing: nobody to tell */
    {
      release (self);
      return;
    }
  self->closed = TRUE;
  pr_watch_stop (&self->watch);
  pr_timer_stop (&self->deadline);
  pr_timer_stop (&self->later);
  self->handler->closed (self->owner, failure);
}

/* Where it could not be made, who asked for it says what: the words are the system's alone. */
void
pr_channel_set_failure (PrChannel *self, int code)
{
  gboolean no_network = self->connecting && (code == ENETUNREACH || code == ENETDOWN);

  if (self->failure != NULL)
    return;
  if (code == EPROTO && self->tls != NULL)
    self->failure =
      g_error_new_literal (PR_ERROR, PR_ERROR_PROTOCOL, "the peer sent what is no proper TLS");
  else
    self->failure =
      g_error_new (PR_ERROR, no_network ? PR_ERROR_NETWORK : PR_ERROR_TEMPORARY,
                   self->connecting ? "%s" : "connection lost: %s", g_strerror (code));
}

void
pr_channel_set_protocol_failure (PrChannel *self)
{
  if (self->failure == NULL)
    self->failure = g_error_new_literal (PR_ERROR, PR_ERROR_PROTOCOL,
                                         "the peer went on in plain text where TLS should begin");
}

void
pr_channel_fail_later (PrChannel *self, int code)
{
  pr_channel_set_failure (self, code);
  pr_watch_stop (&self->watch);
  pr_timer_start (&self->later, self->loop, 0, pr_channel_on_later, self);
}

/* --- watching --------------------------------------------------------------------------- */

static PrIo
wanted_events (PrChannel *self)
{
  gboolean armed = self->watch.loop != NULL && (self->watch.wants & PR_IO_IN);
  PrIo wants = 0;

  if (self->securing) /* one direction at a time: what comes meanwhile must not wake us for ever */
    return self->next_tls != NULL || self->wants_write ? PR_IO_OUT : PR_IO_IN;
  /* A pause is often over before anything comes, so watching ends only when something did: two
   * system calls less for each message. */
  if (pr_channel_wants_input (self) || (armed && !self->unwanted))
    wants |= PR_IO_IN;
  if (self->connecting || pr_channel_count_unsent (self) > 0)
    wants |= PR_IO_OUT;

  return wants;
}

void
pr_channel_update_watch (PrChannel *self)
{
  PrIo wants;

  if (!pr_channel_is_open (self) || pr_channel_is_failed (self))
    return;
  wants = wanted_events (self);
  self->unwanted = FALSE;
  if (self->watch.loop != NULL)
    pr_watch_set (&self->watch, wants);
  else if (wants != 0 || !self->hung_up)
    {
      if (!pr_watch_start (&self->watch, self->loop, self->fd, wants, on_ready, self))
        pr_channel_fail_later (self, ENOMEM);
    }
}

/* --- finishing -------------------------------------------------------------------------- */

/* All is sent and the owner is gone: close now if that resets nothing. */
static void
linger (PrChannel *self)
{
  if (!self->ended && !pr_channel_is_failed (self))
    pr_channel_read_turn (self);
  if (self->ended || pr_channel_is_failed (self) || !self->talkative)
    {
      release (self);
      return;
    }
  shutdown (self->fd, SHUT_WR);
}

/* --- events ----------------------------------------------------------------------------- */

static void
on_connect_done (PrChannel *self)
{
  int code = 0;
  socklen_t len = sizeof code;

  if (getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
    code = errno;
  if (code != 0)
    {
      pr_channel_set_failure (self, code);
      return;
    }
  self->connecting = FALSE;
  if (self->handler != NULL && self->handler->connected != NULL)
    self->handler->connected (self->owner);
}

static void
on_hang_up (PrChannel *self)
{
  /* What came before the end can still be read, later, if the owner is not ready for it. */
  self->hung_up = TRUE;
  if (self->paused)
    pr_watch_stop (&self->watch);
  else if (!self->ended)
    pr_channel_read_turn (self);
  else
    pr_channel_set_failure (self, ECONNRESET); /* it will not read what is unsent either */
}

static void
handle_events (PrChannel *self, PrIo ready)
{
  gboolean drained;

  if (self->connecting)
    on_connect_done (self);
  if (!pr_channel_is_open (self) || pr_channel_is_failed (self) || self->connecting)
    return;
  if (self->tls != NULL && self->securing)
    {
      pr_channel_shake_hands (self);
      return;
    }
  if (self->detect != NULL && (ready & PR_IO_IN) && !pr_channel_detect (self))
    return;

  drained = (ready & (PR_IO_OUT | PR_IO_HUP)) && pr_channel_flush (self);
  if (drained && self->handler != NULL && self->handler->drained != NULL)
    self->handler->drained (self->owner);
  if (!pr_channel_is_open (self) || pr_channel_is_failed (self))
    return;
  if (self->next_tls != NULL && pr_channel_count_unsent (self) == 0)
    {
      pr_channel_begin_tls (self);
      return;
    }

  if (ready & PR_IO_HUP)
    on_hang_up (self);
  else if ((ready & PR_IO_IN) && pr_channel_wants_input (self))
    pr_channel_read_turn (self);
  else if (ready & PR_IO_IN)
    self->unwanted = TRUE;
}

/* After anything happened: what follows from the state. */
static void
settle (PrChannel *self)
{
  if (!pr_channel_is_open (self))
    return;
  if (pr_timer_is_running (&self->later) && self->handler != NULL)
    return; /* a failure will be told then */
  if (pr_channel_is_failed (self) || (self->ended && pr_channel_count_unsent (self) == 0))
    {
      tell_closed (self);
      return;
    }
  if (self->handler == NULL && pr_channel_count_unsent (self) == 0 && !self->connecting)
    {
      if (self->tls != NULL && !self->bade)
        pr_tls_session_say_goodbye (self->tls);
      self->bade = TRUE;
      linger (self);
    }
  else if (pr_channel_has_more (self) && pr_channel_wants_input (self))
    pr_timer_start (&self->later, self->loop, 0, pr_channel_on_later, self);
  pr_channel_update_watch (self);
}

/* The pair around everything that may call the owner. */
static void
enter (PrChannel *self)
{
  self->busy++;
}

static void
leave (PrChannel *self)
{
  if (self->busy == 1)
    settle (self);
  if (--self->busy == 0 && self->released)
    release (self);
}

static void
on_ready (PrWatch *watch, PrIo ready, gpointer user_data)
{
  PrChannel *self = user_data;

  enter (self);
  handle_events (self, ready);
  leave (self);
}

/* Writing failed: what the peer said before it went may be the reason for it. Or a read left more
 * than the socket tells of. */
void
pr_channel_on_later (gpointer user_data)
{
  PrChannel *self = user_data;

  enter (self);
  if (!self->connecting && pr_channel_wants_input (self))
    pr_channel_read_turn (self);
  leave (self);
}

static void
on_deadline (gpointer user_data)
{
  PrChannel *self = user_data;

  enter (self);
  if (self->handler != NULL && self->handler->timed_out != NULL)
    self->handler->timed_out (self->owner);
  leave (self);
}

/* --- public ----------------------------------------------------------------------------- */

static PrChannel *
new_channel (PrLoop *loop, int fd, const PrChannelHandler *handler, gpointer owner)
{
  PrChannel *self = g_new0 (PrChannel, 1);
  int on = 1;

  self->loop = loop;
  self->fd = fd;
  self->handler = handler;
  self->owner = owner;
  /* Replies are coalesced before they are written. Fails for UNIX sockets, which is right. */
  if (fd >= 0)
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return self;
}

PrChannel *
pr_channel_new_accepted (PrLoop *loop, int fd, const PrChannelHandler *handler, gpointer owner)
{
  PrChannel *self = new_channel (loop, fd, handler, owner);

  pr_channel_update_watch (self);
  return self;
}

PrChannel *
pr_channel_new_connect (PrLoop *loop, GSocketAddress *address, const PrChannelHandler *handler,
                        gpointer owner)
{
  int fd = pr_socket_connect (address), code = errno;
  PrChannel *self = new_channel (loop, fd, handler, owner);

  self->connecting = TRUE;
  if (fd < 0)
    pr_channel_fail_later (self, code);
  else
    pr_channel_update_watch (self);
  return self;
}

void
pr_channel_free (PrChannel *self)
{
  if (self != NULL)
    release (self);
}

void
pr_channel_write (PrChannel *self, const char *data, gsize len)
{
  gsize sent = 0;

  g_return_if_fail (!self->securing); /* it would leave in plain text, or be lost */

  if (!pr_channel_is_open (self) || pr_channel_is_failed (self) || len == 0)
    return;
  if (!self->connecting && pr_channel_count_unsent (self) == 0)
    sent = pr_channel_send_some (self, data, len);
  if (sent < len && !pr_channel_is_failed (self))
    pr_channel_keep (self, data + sent, len - sent);
  if (self->busy == 0) /* else when the callback returns */
    pr_channel_update_watch (self);
}

gsize
pr_channel_get_unsent (const PrChannel *self)
{
  return pr_channel_count_unsent (self);
}

void
pr_channel_pause (PrChannel *self)
{
  self->paused = TRUE;
  self->resumed = FALSE;
  if (self->busy == 0)
    pr_channel_update_watch (self);
}

void
pr_channel_resume (PrChannel *self)
{
  g_autoptr (GByteArray) kept = NULL;

  self->paused = FALSE;
  self->resumed = TRUE;
  if (self->offering || !pr_channel_is_open (self) || self->handler == NULL)
    return;

  enter (self);
  kept = g_steal_pointer (&self->in);
  if (kept != NULL)
    {
      gsize taken = pr_channel_offer (self, (const char *) kept->data, kept->len);

      if (self->securing && taken < kept->len)
        pr_channel_set_protocol_failure (self);
      else if (pr_channel_is_open (self) && self->handler != NULL && taken < kept->len)
        {
          g_byte_array_remove_range (kept, 0, (guint) taken);
          self->in = g_steal_pointer (&kept);
        }
    }
  leave (self);
}

static void
on_linger_over (gpointer user_data)
{
  release (user_data);
}

void
pr_channel_finish (PrChannel *self, guint linger_ms)
{
  if (self->released)
    return;
  if (self->closed || pr_channel_is_failed (self) || linger_ms == 0 || self->securing)
    {
      release (self);
      return;
    }
  self->handler = NULL;
  self->paused = FALSE;
  self->choked = FALSE;
  self->talkative = self->in != NULL;
  g_clear_pointer (&self->in, g_byte_array_unref);
  pr_timer_stop (&self->deadline);
  pr_timer_start (&self->later, self->loop, linger_ms, on_linger_over, self);
  pr_hook_add (&self->ending, self->loop, PR_HOOK_ENDING, on_linger_over, self);
  enter (self);
  leave (self); /* settles, unless a callback is on the stack */
}

void
pr_channel_set_deadline (PrChannel *self, guint64 delay_ms)
{
  if (!pr_channel_is_open (self) || self->handler == NULL || delay_ms == 0)
    pr_timer_stop (&self->deadline);
  else
    pr_timer_start (&self->deadline, self->loop, delay_ms, on_deadline, self);
}

gboolean
pr_channel_get_peer (const PrChannel *self, PrIp *ip, guint16 *port)
{
  return pr_socket_get_address (self->fd, TRUE, ip, port);
}

gboolean
pr_channel_get_local (const PrChannel *self, PrIp *ip, guint16 *port)
{
  return pr_socket_get_address (self->fd, FALSE, ip, port);
}

guint64
pr_channel_get_octets_in (const PrChannel *self)
{
  return self->octets_in;
}

guint64
pr_channel_get_octets_out (const PrChannel *self)
{
  return self->octets_out;
}
