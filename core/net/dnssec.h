/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrDnssec: questions to the DNS whose answers are proven by DNSSEC (RFC 4035), or proven to need
 * no proof. Validation is done here, by libunbound in the module `postroom-dnssec`, which is opened
 * for the first question and let go when nobody asks for a while; nobody else's word is taken.
 *
 *   closed ─► opening ─► trying the system's name servers ─► open ─► (5 min idle) ─► closed
 *                              │ they strip signatures         ▲
 *                              └─► trying without them ────────┤
 *                                        │ no proof either     │
 *                                        └─► unavailable ──────┘ (tried again after 5 min)
 *
 * One thread; a worker of its own reads the files.
 */
typedef struct _PrDnssec PrDnssec;

typedef enum
{
  PR_DNSSEC_SECURE,   /* proven, or proven not to be there */
  PR_DNSSEC_INSECURE, /* proven that its zone signs nothing: anybody could have written it */
  PR_DNSSEC_BOGUS,    /* it should be signed and is not, or wrongly: not to be used */
  PR_DNSSEC_FAILED,   /* no answer */
  /* Nothing can be proven here: the module is not installed, or this network lets no signature
   * through. */
  PR_DNSSEC_UNAVAILABLE,
} PrDnssecTrust;

/* All borrowed, during the call. */
typedef struct
{
  PrDnssecTrust trust;
  gboolean exists;       /* the name does, whether or not it has such records */
  GPtrArray *records;    /* (element-type GBytes): RDATA in wire form; at most 64; empty unless
                          * SECURE or INSECURE */
  const char *canonical; /* where aliases led to, without the last dot; the name asked for where
                          * there was none */
  const char *why;       /* (nullable) BOGUS, FAILED, UNAVAILABLE: in words */
} PrDnssecAnswer;

/* May free the PrDnssec; never called before pr_dnssec_ask() returned. */
typedef void (*PrDnssecFunc) (const PrDnssecAnswer *answer, gpointer user_data);

/* The types that are asked for here (IANA). */
#define PR_DNS_A 1
#define PR_DNS_NS 2
#define PR_DNS_CNAME 5
#define PR_DNS_PTR 12
#define PR_DNS_MX 15
#define PR_DNS_TXT 16
#define PR_DNS_AAAA 28
#define PR_DNS_TLSA 52

PrDnssec *pr_dnssec_new (PrLoop *loop);
void pr_dnssec_free (PrDnssec *self); /* questions are forgotten silently; its threads end */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDnssec, pr_dnssec_free)

/* @name: A-labels. Returns a token, never 0. Answered within 30 s. */
guint pr_dnssec_ask (PrDnssec *self, const char *name, guint16 type, PrDnssecFunc func,
                     gpointer user_data);
void pr_dnssec_cancel (PrDnssec *self, guint token); /* func will not be called */

/* Begins anew with the next question: the network changed, or what follows. Questions under way are
 * asked anew. */
void pr_dnssec_forget (PrDnssec *self);
/* @path: a file of DNSKEY or DS records that are trusted in place of the root's; NULL: the root's
 * keys, of the system or our own. */
void pr_dnssec_set_anchor (PrDnssec *self, const char *path);
/* @server: "ADDRESS" or "ADDRESS@PORT", asked in place of the system's name servers; NULL: those.
 */
void pr_dnssec_set_server (PrDnssec *self, const char *server);

/* The name in wire form at @data (uncompressed, RFC 4034 §6.2), without the last dot; "" is the
 * root. NULL: it is malformed, or no name for a host. (transfer full) */
char *pr_dns_read_name (const guint8 *data, gsize len);

G_END_DECLS
