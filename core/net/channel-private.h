/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <errno.h>

#include "net/channel.h"
#include "net/hook.h"
#include "net/tls-session.h"

G_BEGIN_DECLS

/* What the parts of a channel share: channel.c has its life and its events, channel-io.c its
 * octets, channel-tls.c its encryption. Internal to core/net. */

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

/* Octets or an end that the socket will not announce again. */
static inline gboolean
pr_channel_has_more (const PrChannel *self)
{
  return self->tls != NULL && pr_tls_session_has_more (self->tls);
}

static inline gboolean
pr_channel_would_block (int code)
{
  return code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS;
}

static inline gboolean
pr_channel_is_open (const PrChannel *self)
{
  return !self->released && !self->closed;
}

static inline gboolean
pr_channel_is_failed (const PrChannel *self)
{
  return self->failure != NULL;
}

static inline gboolean
pr_channel_wants_input (const PrChannel *self)
{
  return !self->connecting && !self->securing && !self->paused && !self->choked && !self->ended;
}

static inline gsize
pr_channel_count_unsent (const PrChannel *self)
{
  return self->out != NULL ? self->out->len - self->out_sent : 0;
}

void pr_channel_set_failure (PrChannel *self, int code);
void pr_channel_set_protocol_failure (PrChannel *self);
/* Told on a later turn. */
void pr_channel_fail_later (PrChannel *self, int code);
void pr_channel_update_watch (PrChannel *self);
void pr_channel_on_later (gpointer user_data);

void pr_channel_keep (PrChannel *self, const char *data, gsize len);
/* How many of the octets the kernel took; what fails is kept for later. */
gsize pr_channel_send_some (PrChannel *self, const char *data, gsize len);
/* TRUE when the buffer was emptied just now. */
gboolean pr_channel_flush (PrChannel *self);
/* Offers octets as long as the owner takes some and goes on; returns how many it took. */
gsize pr_channel_offer (PrChannel *self, const char *data, gsize len);
void pr_channel_read_turn (PrChannel *self);

void pr_channel_shake_hands (PrChannel *self);
/* What was written in plain text has left. */
void pr_channel_begin_tls (PrChannel *self);
/* The first octet. FALSE: there is none yet, or it decided. */
gboolean pr_channel_detect (PrChannel *self);

G_END_DECLS
