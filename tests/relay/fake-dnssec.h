/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/dnssec.h"

G_BEGIN_DECLS

/* Stands in for net/dnssec.c in a test's program: what is asked is what the test said, anything
 * else is insecure and has no records. Answers come on a later turn. */

/* One more record (@octets: NULL: the name exists, without such records), and what all records of
 * this name and type are. */
void fake_dnssec_add (const char *name, guint16 type, PrDnssecTrust trust, const guint8 *octets,
                      gsize len);
/* "10 a.example 20 b.example"; "0 ." is a null MX. */
void fake_dnssec_add_exchangers (const char *domain, PrDnssecTrust trust, const char *exchangers);
/* An address. */
void fake_dnssec_add_host (const char *host, PrDnssecTrust trust);
/* The name and type are answered with what is known of @canonical, and say so. */
void fake_dnssec_add_alias (const char *name, guint16 type, const char *canonical);
/* The name is proven not to exist. */
void fake_dnssec_deny (const char *name, guint16 type);
guint fake_dnssec_count (void); /* questions */
void fake_dnssec_clear (void);

G_END_DECLS
