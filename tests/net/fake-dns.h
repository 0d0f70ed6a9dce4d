/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * FakeDns: a name server on a UDP port of loopback, in a main context of the test's. It says what
 * tests/data/dnssec.txt recorded of a real one; of the root it says that it has name servers, and
 * proves nothing; of everything else it knows nothing (REFUSED) until it is told.
 */
typedef struct _FakeDns FakeDns;

FakeDns *fake_dns_new (GMainContext *context);
void fake_dns_free (FakeDns *self);
/* (transfer full) "127.0.0.1@PORT" */
char *fake_dns_get_server (FakeDns *self);
/* What it says of @name and @type from now on: @rcode, and @n records for the answer's section, in
 * @len octets at @records, where the name may be written as 0xc0 0x0c. */
void fake_dns_add (FakeDns *self, const char *name, guint16 type, guint8 rcode,
                   const guint8 *records, gsize len, guint8 n);
void fake_dns_set_mute (FakeDns *self, gboolean mute);
guint fake_dns_count (FakeDns *self); /* questions */

G_END_DECLS
