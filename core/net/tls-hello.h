/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A look at what a client says first. Internal to core/net; it decides nothing but words. */

#define PR_TLS_HANDSHAKE 22 /* content type of a record, RFC 8446 §5.1: no SMTP command's octet */

/* @data: the body of a ClientHello (RFC 8446 §4.1.2), any octets at all. The highest version it
 * offers, as on the wire; 0 where that cannot be told. */
guint16 pr_tls_hello_read_version (const guint8 *data, gsize len);
/* "TLS 1.0" for 0x0301. Static. */
const char *pr_tls_version_name (guint16 wire);

G_END_DECLS
