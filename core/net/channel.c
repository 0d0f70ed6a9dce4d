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
#include "net/channel.h"

#include <errno.h>
#include <gio/gnetworking.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "net/hook.h"
#include "net/socket.h"
#include "net/tls-hello.h"
#include "net/tls-session.h"

#define READS_PER_TURN 4
#define MAX_UNSENT (1024 * 1024)  /* beyond it nothing is read */
#define SHRINK_BEYOND (64 * 1024) /* sent octets are moved out of the buffer in such steps */

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct _PrChannel
{
  PrLoop *loop;                    /* borrowed */
  const PrChannelHandler *handler; /* borrowed; NULL once finishing */
  gpointer owner;                  /* borrowed */
  int fd;                          /* owned; -1 once closed */
  PrWatch watch;
  PrTimer deadline;
  PrTimer later; /* a failure to be told on a later turn; the end of lingering */

  PrHook ending; /* once finishing: nobody else would free it with the loop */

  GByteArray *in;  /* owned, nullable: what the owner did not take */
  GByteArray *out; /* owned, nullable: what the peer did not take */
  gsize out_sent;  /* octets at the start of @out that are sent */
  GError *failure; /* owned, nullable: to be told by closed */
  guint64 octets_in, octets_out;

  PrTlsSession *tls;      /* owned, nullable: in force, or shaking hands */
  PrTlsSession *next_tls; /* owned, nullable: begins when what was written has left */
  PrTlsServer *detect;    /* owned, nullable: the first octet is looked at */

  guint busy;
  guint connecting : 1;
  guint paused : 1;      /* by the owner, or it did not take all */
  guint resumed : 1;     /* within received */
  guint offering : 1;    /* received is on the stack */
  guint choked : 1;      /* too much is unsent */
  guint hung_up : 1;     /* while paused; the watch is stopped, for it would report it for ever */
  guint unwanted : 1;    /* input came that nobody wants now */
  guint ended : 1;       /* end of stream was read */
  guint closed : 1;      /* told */
  guint talkative : 1;   /* lingering: the peer sent what nobody will read */
  guint detect_only : 1; /* nothing but TLS will do */
  guint securing : 1;    /* a handshake is under way or about to be */
  guint wants_write : 1; /* the handshake waits for room to write, or to be begun */
  guint bade : 1;        /* close_notify was sent */
  guint released : 1;    /* free it when nobody is busy */
};

static void on_ready (PrWatch *watch, PrIo ready, gpointer user_data);
static void on_later (gpointer user_data);

/* --- the socket, plain or under TLS ----------------------------------------------------- */

/* Octets, 0 for end of stream, -1 for an error in errno. */
static gssize
read_socket (PrChannel *self, char *data, gsize len)
{
  gssize n;

  if (self->tls != NULL)
    return pr_tls_session_read (self->tls, data, len);
  do
    n = recv (self->fd, data, len, 0);
  while (n < 0 && errno == EINTR);
  return n;
}

/* Octets or an end that the socket will not announce again. */
static gboolean
has_more (const PrChannel *self)
{
  return self->tls != NULL && pr_tls_session_has_more (self->tls);
}

static gssize
write_socket (PrChannel *self, const char *data, gsize len)
{
  gssize n;

  if (self->tls != NULL)
    return pr_tls_session_write (self->tls, data, len);
  do
    n = send (self->fd, data, len, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

static gboolean
would_block (int code)
{
  return code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS;
}

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

static gboolean
is_open (const PrChannel *self)
{
  return !self->released && !self->closed;
}

static void
tell_closed (PrChannel *self)
{
  g_autoptr (GError) failure = g_steal_pointer (&self->failure);

  if (!is_open (self))
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
static void
set_failure (PrChannel *self, int code)
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

static void
set_protocol_failure (PrChannel *self)
{
  if (self->failure == NULL)
    self->failure = g_error_new_literal (PR_ERROR, PR_ERROR_PROTOCOL,
                                         "the peer went on in plain text where TLS should begin");
}

static gboolean
is_failed (const PrChannel *self)
{
  return self->failure != NULL;
}

static void
fail_later (PrChannel *self, int code)
{
  set_failure (self, code);
  pr_watch_stop (&self->watch);
  pr_timer_start (&self->later, self->loop, 0, on_later, self);
}

/* --- watching --------------------------------------------------------------------------- */

static gboolean
wants_input (const PrChannel *self)
{
  return !self->connecting && !self->securing && !self->paused && !self->choked && !self->ended;
}

static gsize
unsent (const PrChannel *self)
{
  return self->out != NULL ? self->out->len - self->out_sent : 0;
}

static PrIo
wanted_events (PrChannel *self)
{
  gboolean armed = self->watch.loop != NULL && (self->watch.wants & PR_IO_IN);
  PrIo wants = 0;

  if (self->securing) /* one direction at a time: what comes meanwhile must not wake us for ever */
    return self->next_tls != NULL || self->wants_write ? PR_IO_OUT : PR_IO_IN;
  /* A pause is often over before anything comes, so watching ends only when something did: two
   * system calls less for each message. */
  if (wants_input (self) || (armed && !self->unwanted))
    wants |= PR_IO_IN;
  if (self->connecting || unsent (self) > 0)
    wants |= PR_IO_OUT;

  return wants;
}

static void
update_watch (PrChannel *self)
{
  PrIo wants;

  if (!is_open (self) || is_failed (self))
    return;
  wants = wanted_events (self);
  self->unwanted = FALSE;
  if (self->watch.loop != NULL)
    pr_watch_set (&self->watch, wants);
  else if (wants != 0 || !self->hung_up)
    {
      if (!pr_watch_start (&self->watch, self->loop, self->fd, wants, on_ready, self))
        fail_later (self, ENOMEM);
    }
}

/* --- sending ---------------------------------------------------------------------------- */

static void
keep (PrChannel *self, const char *data, gsize len)
{
  if (self->out == NULL)
    self->out = g_byte_array_new ();
  g_byte_array_append (self->out, (const guint8 *) data, (guint) len);
  if (unsent (self) > MAX_UNSENT)
    self->choked = TRUE;
}

/* How many of the octets the kernel took; what fails is kept for later. */
static gsize
send_some (PrChannel *self, const char *data, gsize len)
{
  gsize done = 0;

  while (done < len)
    {
      gssize n = write_socket (self, data + done, len - done);

      if (n < 0 && !would_block (errno))
        fail_later (self, errno);
      if (n < 0)
        break;
      done += (gsize) n;
    }
  self->octets_out += done;
  return done;
}

/* TRUE when the buffer was emptied just now. */
static gboolean
flush (PrChannel *self)
{
  if (unsent (self) == 0)
    return FALSE;
  self->out_sent +=
    send_some (self, (const char *) self->out->data + self->out_sent, unsent (self));
  if (unsent (self) == 0)
    {
      g_clear_pointer (&self->out, g_byte_array_unref);
      self->out_sent = 0;
      self->choked = FALSE;
      return TRUE;
    }
  if (self->out_sent > SHRINK_BEYOND)
    {
      g_byte_array_remove_range (self->out, 0, (guint) self->out_sent);
      self->out_sent = 0;
    }
  return FALSE;
}

/* --- receiving -------------------------------------------------------------------------- */

/* Offers octets as long as the owner takes some and goes on; returns how many it took. */
static gsize
offer (PrChannel *self, const char *data, gsize len)
{
  gsize taken = 0, n;

  self->offering = TRUE;
  do
    {
      self->resumed = FALSE;
      n = self->handler->received (self->owner, data + taken, len - taken);
      taken += MIN (n, len - taken);
    }
  while (is_open (self) && self->handler != NULL && self->resumed && n > 0 && taken < len);
  self->offering = FALSE;
  if (taken < len && self->handler != NULL)
    self->paused = TRUE;
  else if (taken < len)
    self->talkative = TRUE;
  return taken;
}

/* What a peer says while we only wait for it to hear the end. Not into the loop's buffer: whoever
 * called pr_channel_finish() may be reading that. FALSE: enough for this turn. */
static gboolean
discard_once (PrChannel *self)
{
  char scrap[4096];
  gssize n = read_socket (self, scrap, sizeof scrap);

  if (n < 0 && !would_block (errno))
    set_failure (self, errno);
  if (n == 0)
    self->ended = TRUE;
  if (n > 0)
    {
      self->talkative = TRUE;
      self->octets_in += (gsize) n;
    }
  return n == sizeof scrap || has_more (self);
}

/* FALSE: enough for this turn. */
static gboolean
read_once (PrChannel *self)
{
  char *buffer = pr_loop_get_buffer (self->loop);
  gssize n = read_socket (self, buffer, PR_LOOP_BUFFER_SIZE);
  gsize taken;

  if (n < 0)
    {
      if (!would_block (errno))
        set_failure (self, errno);
      return FALSE;
    }
  if (n == 0)
    {
      self->ended = TRUE;
      return FALSE;
    }
  self->octets_in += (gsize) n;
  taken = offer (self, buffer, (gsize) n);
  if (self->securing && taken < (gsize) n)
    set_protocol_failure (self); /* said in plain text behind STARTTLS: CVE-2011-0411 */
  else if (is_open (self) && self->handler != NULL && taken < (gsize) n)
    {
      self->in = g_byte_array_sized_new ((guint) ((gsize) n - taken));
      g_byte_array_append (self->in, (const guint8 *) buffer + taken, (guint) ((gsize) n - taken));
    }
  return n == PR_LOOP_BUFFER_SIZE || has_more (self);
}

static void
read_turn (PrChannel *self)
{
  for (guint i = 0; i < READS_PER_TURN; i++)
    if (!(self->handler != NULL ? read_once (self) : discard_once (self)) || !is_open (self) ||
        !wants_input (self))
      break;
}

/* --- finishing -------------------------------------------------------------------------- */

/* All is sent and the owner is gone: close now if that resets nothing. */
static void
linger (PrChannel *self)
{
  if (!self->ended && !is_failed (self))
    read_turn (self);
  if (self->ended || is_failed (self) || !self->talkative)
    {
      release (self);
      return;
    }
  shutdown (self->fd, SHUT_WR);
}

/* --- TLS -------------------------------------------------------------------------------- */

static void
shake_hands (PrChannel *self)
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
static void
begin_tls (PrChannel *self)
{
  self->tls = g_steal_pointer (&self->next_tls);
  self->wants_write = TRUE; /* until the first step says otherwise */
  shake_hands (self);
}

static void
prepare_tls (PrChannel *self, PrTlsSession *session)
{
  self->next_tls = session;
  self->securing = TRUE;
  if (self->in != NULL)
    {
      set_protocol_failure (self);
      pr_timer_start (&self->later, self->loop, 0, on_later, self);
    }
  if (self->busy == 0)
    update_watch (self);
}

/* The first octet. FALSE: there is none yet, or it decided. */
static gboolean
detect (PrChannel *self)
{
  g_autoptr (PrTlsServer) server = NULL;
  guint8 first;
  gssize n = recv (self->fd, &first, 1, MSG_PEEK);

  if (n <= 0)
    return n == 0 || !would_block (errno); /* reading will say it again */

  server = g_steal_pointer (&self->detect);
  if (first == PR_TLS_HANDSHAKE)
    {
      self->securing = TRUE;
      self->next_tls = pr_tls_session_new_server (server, self->fd);
      begin_tls (self);
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
      set_failure (self, code);
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
    read_turn (self);
  else
    set_failure (self, ECONNRESET); /* it will not read what is unsent either */
}

static void
handle_events (PrChannel *self, PrIo ready)
{
  gboolean drained;

  if (self->connecting)
    on_connect_done (self);
  if (!is_open (self) || is_failed (self) || self->connecting)
    return;
  if (self->tls != NULL && self->securing)
    {
      shake_hands (self);
      return;
    }
  if (self->detect != NULL && (ready & PR_IO_IN) && !detect (self))
    return;

  drained = (ready & (PR_IO_OUT | PR_IO_HUP)) && flush (self);
  if (drained && self->handler != NULL && self->handler->drained != NULL)
    self->handler->drained (self->owner);
  if (!is_open (self) || is_failed (self))
    return;
  if (self->next_tls != NULL && unsent (self) == 0)
    {
      begin_tls (self);
      return;
    }

  if (ready & PR_IO_HUP)
    on_hang_up (self);
  else if ((ready & PR_IO_IN) && wants_input (self))
    read_turn (self);
  else if (ready & PR_IO_IN)
    self->unwanted = TRUE;
}

/* After anything happened: what follows from the state. */
static void
settle (PrChannel *self)
{
  if (!is_open (self))
    return;
  if (pr_timer_is_running (&self->later) && self->handler != NULL)
    return; /* a failure will be told then */
  if (is_failed (self) || (self->ended && unsent (self) == 0))
    {
      tell_closed (self);
      return;
    }
  if (self->handler == NULL && unsent (self) == 0 && !self->connecting)
    {
      if (self->tls != NULL && !self->bade)
        pr_tls_session_say_goodbye (self->tls);
      self->bade = TRUE;
      linger (self);
    }
  else if (has_more (self) && wants_input (self))
    pr_timer_start (&self->later, self->loop, 0, on_later, self);
  update_watch (self);
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
static void
on_later (gpointer user_data)
{
  PrChannel *self = user_data;

  enter (self);
  if (!self->connecting && wants_input (self))
    read_turn (self);
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

  update_watch (self);
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
    fail_later (self, code);
  else
    update_watch (self);
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

  if (!is_open (self) || is_failed (self) || len == 0)
    return;
  if (!self->connecting && unsent (self) == 0)
    sent = send_some (self, data, len);
  if (sent < len && !is_failed (self))
    keep (self, data + sent, len - sent);
  if (self->busy == 0) /* else when the callback returns */
    update_watch (self);
}

gsize
pr_channel_get_unsent (const PrChannel *self)
{
  return unsent (self);
}

void
pr_channel_pause (PrChannel *self)
{
  self->paused = TRUE;
  self->resumed = FALSE;
  if (self->busy == 0)
    update_watch (self);
}

void
pr_channel_resume (PrChannel *self)
{
  g_autoptr (GByteArray) kept = NULL;

  self->paused = FALSE;
  self->resumed = TRUE;
  if (self->offering || !is_open (self) || self->handler == NULL)
    return;

  enter (self);
  kept = g_steal_pointer (&self->in);
  if (kept != NULL)
    {
      gsize taken = offer (self, (const char *) kept->data, kept->len);

      if (self->securing && taken < kept->len)
        set_protocol_failure (self);
      else if (is_open (self) && self->handler != NULL && taken < kept->len)
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
  if (self->closed || is_failed (self) || linger_ms == 0 || self->securing)
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
  if (!is_open (self) || self->handler == NULL || delay_ms == 0)
    pr_timer_stop (&self->deadline);
  else
    pr_timer_start (&self->deadline, self->loop, delay_ms, on_deadline, self);
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
  if (is_open (self) && !self->securing && self->tls == NULL)
    prepare_tls (self, pr_tls_session_new_server (server, self->fd));
}

void
pr_channel_start_tls_client (PrChannel *self, PrTlsClient *client, const char *host,
                             GPtrArray *tlsa)
{
  if (is_open (self) && !self->securing && self->tls == NULL)
    prepare_tls (self, pr_tls_session_new_client (client, self->fd, host, tlsa));
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
