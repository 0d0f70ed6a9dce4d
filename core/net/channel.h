/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/ip.h"
#include "net/loop.h"
#include "net/tls.h"

G_BEGIN_DECLS

/**
 * PrChannel: one stream connection, accepted or made, as octets and one deadline, plain or under
 * TLS by the same calls. An idle channel owns no buffer: reading goes through one
 * buffer of the loop's thread, and only what the owner did not take or the peer did not read is
 * kept. Created on the heap, freed by pr_channel_free, also from within its own callbacks.
 *
 * Bounds: one turn reads at most 256 KiB; what the owner does not take is at most 64 KiB; while
 * more than 1 MiB waits to be sent nothing is read, so that a peer who asks and does not listen
 * waits for itself. The owner bounds what it writes (it looks at pr_channel_get_unsent).
 *
 * End of stream: a peer may close its sending half early and still read ("QUIT" and shutdown).
 * closed (NULL) therefore comes when what was written has left. While the channel is paused
 * nothing is read, so that an owner who waits for a verdict pauses, writes its reply, resumes.
 */
typedef struct _PrChannel PrChannel;

typedef struct
{
  /* (nullable for accepted channels) the connection is made. */
  void (*connected) (gpointer owner);
  /* Octets came. Returns how many were taken; what was not is kept and reading stops until
   * pr_channel_resume(), which offers it again. */
  gsize (*received) (gpointer owner, const char *data, gsize len);
  /* (nullable) all that a write had to keep has left for the kernel. Not called for what
   * pr_channel_write sent at once. */
  void (*drained) (gpointer owner);
  /* End of stream (error NULL), or the connection is broken or could not be made
   * (PR_ERROR_TEMPORARY; PR_ERROR_NETWORK: no way leads to the address). Called once; no callback
   * follows. The owner then frees the channel. */
  void (*closed) (gpointer owner, const GError *error);
  /* The deadline passed. The channel does nothing by itself. */
  void (*timed_out) (gpointer owner);
  /* (nullable) the TLS handshake that was begun is complete: pr_channel_get_tls(). */
  void (*secured) (gpointer owner);
} PrChannelHandler;

/* @fd: (transfer full), non-blocking. @handler: borrowed, static. */
PrChannel *pr_channel_new_accepted (PrLoop *loop, int fd, const PrChannelHandler *handler,
                                    gpointer owner);
/* Begins to connect; errors of any kind come by closed, never before this returns.
 * @address: IPv4, IPv6 or UNIX. */
PrChannel *pr_channel_new_connect (PrLoop *loop, GSocketAddress *address,
                                   const PrChannelHandler *handler, gpointer owner);
void pr_channel_free (PrChannel *self); /* closes at once; unsent octets are lost */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrChannel, pr_channel_free)

/* Sends now what the kernel takes and keeps the rest. Never blocks, never fails in place: errors
 * come by closed on a later turn. */
void pr_channel_write (PrChannel *self, const char *data, gsize len);
gsize pr_channel_get_unsent (const PrChannel *self); /* octets kept */
/* Reading off; reading on (offers what was kept first, on this turn: may call received, unless it
 * is called from within received). The end of the connection is not seen while paused. */
void pr_channel_pause (PrChannel *self);
void pr_channel_resume (PrChannel *self);
/* Writes what is left, closes, and frees itself; the owner must forget it at once and hears
 * nothing more. Where the peer is still talking, what it says is thrown away until it has seen
 * the end: closing at once would reset the connection, and the last reply could be lost. All of
 * it takes at most @linger_ms. */
void pr_channel_finish (PrChannel *self, guint linger_ms);
/* One deadline from now; 0 clears it. */
void pr_channel_set_deadline (PrChannel *self, guint64 delay_ms);

/* ── TLS ──────────────────────────────────────────────────────────────────────────────────── */

/* For a channel that was just accepted, before its first octet: looks at that octet. A ClientHello
 * is answered with TLS (secured tells); anything else is handed on as it is, unless @required (an
 * implicit listener): then the channel fails. @server: referenced; NULL ends looking, for the
 * moment a greeting is said in plain text. */
void pr_channel_detect_tls (PrChannel *self, PrTlsServer *server, gboolean required);
/* STARTTLS in the server's role: what was written leaves first; octets that came behind the command
 * in plain text end the connection (closed, PR_ERROR_PROTOCOL). Nothing may be written until
 * secured; a handshake that fails: closed with PR_ERROR_TLS in words. */
void pr_channel_start_tls_server (PrChannel *self, PrTlsServer *server);
/* The client's role, after STARTTLS was answered 220 or right after connected. @host: for SNI and
 * the name check. @tlsa: (nullable) (element-type PrTlsa): for PR_TLS_VERIFY_DANE; @names:
 * (nullable): what else a certificate may be for that such a record vouches for. A handshake that
 * fails, a certificate that does not verify: closed with PR_ERROR_TLS, in words that name the fault
 * ("the certificate of mail.example.org expired on 2026-11-01", "is for other names: …", "was
 * issued by an authority that is not trusted here", "TLS 1.0 is all it offers"). */
void pr_channel_start_tls_client (PrChannel *self, PrTlsClient *client, const char *host,
                                  GPtrArray *tlsa, const char *const *names);
gboolean pr_channel_is_secure (const PrChannel *self);
gboolean pr_channel_is_securing (const PrChannel *self); /* a handshake is under way */
/* NULL while plain. */
const PrTlsFacts *pr_channel_get_tls (const PrChannel *self);
/* Channel binding for SCRAM-PLUS: "tls-exporter" (RFC 9266), "tls-unique" (before TLS 1.3) or
 * "tls-server-end-point" (both RFC 5929); NULL where the session has none. (transfer full) */
GBytes *pr_channel_get_binding (PrChannel *self, const char *type);

/* FALSE for UNIX sockets. */
gboolean pr_channel_get_peer (const PrChannel *self, PrIp *ip, guint16 *port);
gboolean pr_channel_get_local (const PrChannel *self, PrIp *ip, guint16 *port);
guint64 pr_channel_get_octets_in (const PrChannel *self);
guint64 pr_channel_get_octets_out (const PrChannel *self);

G_END_DECLS
