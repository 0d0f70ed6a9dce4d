/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A channel's octets, plain or under TLS: what the peer did not take, and what the owner did not.
 */
#include "net/channel-private.h"

#include <gio/gnetworking.h>

#define READS_PER_TURN 4
#define MAX_UNSENT (1024 * 1024)  /* beyond it nothing is read */
#define SHRINK_BEYOND (64 * 1024) /* sent octets are moved out of the buffer in such steps */

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

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

/* --- sending ---------------------------------------------------------------------------- */

void
pr_channel_keep (PrChannel *self, const char *data, gsize len)
{
  if (self->out == NULL)
    self->out = g_byte_array_new ();
  g_byte_array_append (self->out, (const guint8 *) data, (guint) len);
  if (pr_channel_count_unsent (self) > MAX_UNSENT)
    self->choked = TRUE;
}

/* How many of the octets the kernel took; what fails is kept for later. */
gsize
pr_channel_send_some (PrChannel *self, const char *data, gsize len)
{
  gsize done = 0;

  while (done < len)
    {
      gssize n = write_socket (self, data + done, len - done);

      if (n < 0 && !pr_channel_would_block (errno))
        pr_channel_fail_later (self, errno);
      if (n < 0)
        break;
      done += (gsize) n;
    }
  self->octets_out += done;
  return done;
}

/* TRUE when the buffer was emptied just now. */
gboolean
pr_channel_flush (PrChannel *self)
{
  if (pr_channel_count_unsent (self) == 0)
    return FALSE;
  self->out_sent += pr_channel_send_some (self, (const char *) self->out->data + self->out_sent,
                                          pr_channel_count_unsent (self));
  if (pr_channel_count_unsent (self) == 0)
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
gsize
pr_channel_offer (PrChannel *self, const char *data, gsize len)
{
  gsize taken = 0, n;

  self->offering = TRUE;
  do
    {
      self->resumed = FALSE;
      n = self->handler->received (self->owner, data + taken, len - taken);
      taken += MIN (n, len - taken);
    }
  while (pr_channel_is_open (self) && self->handler != NULL && self->resumed && n > 0 &&
         taken < len);
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

  if (n < 0 && !pr_channel_would_block (errno))
    pr_channel_set_failure (self, errno);
  if (n == 0)
    self->ended = TRUE;
  if (n > 0)
    {
      self->talkative = TRUE;
      self->octets_in += (gsize) n;
    }
  return n == sizeof scrap || pr_channel_has_more (self);
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
      if (!pr_channel_would_block (errno))
        pr_channel_set_failure (self, errno);
      return FALSE;
    }
  if (n == 0)
    {
      self->ended = TRUE;
      return FALSE;
    }
  self->octets_in += (gsize) n;
  taken = pr_channel_offer (self, buffer, (gsize) n);
  if (self->securing && taken < (gsize) n)
    pr_channel_set_protocol_failure (self); /* said in plain text behind STARTTLS: CVE-2011-0411 */
  else if (pr_channel_is_open (self) && self->handler != NULL && taken < (gsize) n)
    {
      self->in = g_byte_array_sized_new ((guint) ((gsize) n - taken));
      g_byte_array_append (self->in, (const guint8 *) buffer + taken, (guint) ((gsize) n - taken));
    }
  return n == PR_LOOP_BUFFER_SIZE || pr_channel_has_more (self);
}

void
pr_channel_read_turn (PrChannel *self)
{
  for (guint i = 0; i < READS_PER_TURN; i++)
    if (!(self->handler != NULL ? read_once (self) : discard_once (self)) ||
        !pr_channel_is_open (self) || !pr_channel_wants_input (self))
      break;
}
