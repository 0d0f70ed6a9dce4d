/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/tls.h"

G_BEGIN_DECLS

/**
 * PrTlsSession: one TLS connection over a non-blocking socket that its channel owns. Internal to
 * core/net: reads and writes look like recv() and send(), so that the channel has one path.
 */
typedef struct _PrTlsSession PrTlsSession;

PrTlsSession *pr_tls_session_new_server (PrTlsServer *server, int fd);
/* @tlsa: (nullable) (element-type PrTlsa): referenced. @names: (nullable): copied. */
PrTlsSession *pr_tls_session_new_client (PrTlsClient *client, int fd, const char *host,
                                         GPtrArray *tlsa, const char *const *names);
/* Remembers the session for resumption where it is a client's. */
void pr_tls_session_free (PrTlsSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTlsSession, pr_tls_session_free)

typedef enum
{
  PR_TLS_DONE,
  PR_TLS_WANTS_READ,
  PR_TLS_WANTS_WRITE,
  PR_TLS_FAILED, /* @error: PR_ERROR_TLS in words */
} PrTlsProgress;

/* The next step of the handshake, and at its end the verdict on the peer. */
PrTlsProgress pr_tls_session_handshake (PrTlsSession *self, GError **error);
/* As recv() and send() on the socket: 0 is the end, -1 leaves EAGAIN, ECONNRESET or EPROTO in
 * errno. A read goes on while whole records are there and fit. */
gssize pr_tls_session_read (PrTlsSession *self, char *data, gsize len);
/* There is more to read, or the end, of which the socket itself may not tell. */
gboolean pr_tls_session_has_more (PrTlsSession *self);
gssize pr_tls_session_write (PrTlsSession *self, const char *data, gsize len);
/* Tells the peer that nothing follows; as far as the socket takes it. */
void pr_tls_session_say_goodbye (PrTlsSession *self);

const PrTlsFacts *pr_tls_session_get_facts (const PrTlsSession *self); /* after DONE */
GBytes *pr_tls_session_get_binding (PrTlsSession *self, const char *type);

/* tls.c, for the above. */
gpointer pr_tls_server_get_credentials (PrTlsServer *self); /* gnutls_certificate_credentials_t */
gpointer pr_tls_server_get_priority (PrTlsServer *self);    /* gnutls_priority_t */
gconstpointer pr_tls_server_get_ticket_key (PrTlsServer *self); /* gnutls_datum_t */
gpointer pr_tls_client_get_credentials (PrTlsClient *self);
gpointer pr_tls_client_get_priority (PrTlsClient *self);
PrTlsVerify pr_tls_client_get_verify (PrTlsClient *self);
const guint8 *pr_tls_client_get_pin (PrTlsClient *self);
/* The session last seen at @host, to be resumed. */
GBytes *pr_tls_client_recall (PrTlsClient *self, const char *host);
void pr_tls_client_remember (PrTlsClient *self, const char *host, GBytes *session);

G_END_DECLS
