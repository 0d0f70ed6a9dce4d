/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A look at what a client says first. Internal to core/net; it decides nothing but words. */

#define PR_TLS_HANDSHAKE 22 /* content type of a record, RFC 8446 §5.1: no SMTP command's octet */

/* @data: the body of a ClientHello (RFC 8446 §4.1.2), any octets at all. The highest version it
 * offers, as on the wire; 0 where that cannot be told. */
guint16 pr_tls_hello_read_version (const guint8 *data, gsize len);
/* @data: what comes next on the wire, any octets at all. The fatal alert (RFC 8446 §6.2) it begins
 * with in plain text, behind a change_cipher_spec or not; 0: it does not. Under TLS 1.3 it should
 * be encrypted, and OpenSSL's clients do not care when they do not trust a certificate. */
guint8 pr_tls_hello_read_alert (const guint8 *data, gsize len);
#define PR_TLS_ALERT_OCTETS (6 + 7) /* as many as it wants to see */
/* "TLS 1.0" for 0x0301. Static. */
const char *pr_tls_version_name (guint16 wire);

G_END_DECLS
