/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TLS by GnuTLS over the channel's own non-blocking socket, in both roles. Nothing here blocks; a
 * handshake is a state of its channel, and one dispatch of the loop does only so many of them.
 *
 * PrTlsServer: what a listener shows: certificate chain, key, lowest version, ticket key.
 * PrTlsClient: what a route demands: trust, names, lowest version; and its resumption memory.
 * Both are shared by many channels, reference-counted (not atomic: one thread), immutable but for
 * tickets.
 */
typedef struct _PrTlsServer PrTlsServer;
typedef struct _PrTlsClient PrTlsClient;

typedef enum
{
  PR_TLS_1_0 = 10,
  PR_TLS_1_1 = 11,
  PR_TLS_1_2 = 12,
  PR_TLS_1_3 = 13,
} PrTlsVersion;

/* @certificates: PEM, the chain from the server's own on. @key: PEM, not locked. PR_ERROR_CONFIG in
 * words: does not parse, key does not belong to certificate. An expired one is taken: most devices
 * do not look, and the owner can warn (pr_tls_server_get_expiry). */
PrTlsServer *pr_tls_server_new (GBytes *certificates, GBytes *key, PrTlsVersion minimum,
                                GError **error);
/* Another pair, before the first handshake: which is shown is chosen by the name the client asks
 * for (SNI), then by what its ciphers can use (an RSA pair beside an ECDSA one, for old devices).
 */
gboolean pr_tls_server_add (PrTlsServer *self, GBytes *certificates, GBytes *key, GError **error);
/* When the first of its certificates expires, seconds since the epoch. */
gint64 pr_tls_server_get_expiry (const PrTlsServer *self);
PrTlsVersion pr_tls_server_get_minimum (const PrTlsServer *self);
PrTlsServer *pr_tls_server_ref (PrTlsServer *self);
void pr_tls_server_unref (PrTlsServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTlsServer, pr_tls_server_unref)

typedef enum
{
  PR_TLS_VERIFY_NONE, /* opportunistic: encrypted, not verified (but recorded) */
  PR_TLS_VERIFY_FULL, /* system's trust and ca-file, name by RFC 6125 / 7817 */
  PR_TLS_VERIFY_PIN,  /* exactly this certificate: SHA-256 of its DER form */
  PR_TLS_VERIFY_DANE, /* TLSA records, RFC 7672: the caller sets them for each channel */
} PrTlsVerify;

/* @ca: (nullable): PEM, trusted in addition to the system's store; lists of revoked certificates
 * (CRL) in it count, as does an OCSP answer that the server staples. Nothing is fetched. @pin:
 * (nullable): 32 octets. The system's store is read (12 ms) when it is first needed; clients
 * without @ca share it. */
PrTlsClient *pr_tls_client_new (PrTlsVerify verify, GBytes *ca, const guint8 *pin,
                                PrTlsVersion minimum, GError **error);
/* Another one with the trust of @self, which is not read again, and its lowest version; resumption
 * apart. @verify: NONE or FULL. */
PrTlsClient *pr_tls_client_derive (PrTlsClient *self, PrTlsVerify verify);
PrTlsClient *pr_tls_client_ref (PrTlsClient *self);
void pr_tls_client_unref (PrTlsClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTlsClient, pr_tls_client_unref)

/* One TLSA record (RFC 6698). */
typedef struct
{
  guint8 usage, selector, matching;
  GBytes *data; /* owned */
} PrTlsa;

/* What a finished handshake agreed on. Strings owned by the channel. */
typedef struct
{
  const char *version; /* "TLS1.3" */
  const char *cipher;  /* "TLS_AES_256_GCM_SHA384", as the Received field names it */
  const char *text;    /* "TLS1.3 TLS_AES_256_GCM_SHA384", for people and events */
  gboolean resumed;
  gboolean verified; /* client role: the peer is who it should be */
  const char *fault; /* (nullable) client role, PR_TLS_VERIFY_NONE: what would have been wrong */
  guint8 peer_sha256[32]; /* of the peer's certificate (DER), zeros where there is none */
} PrTlsFacts;

G_END_DECLS
