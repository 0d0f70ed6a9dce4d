/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "net/dns-record.h"

G_BEGIN_DECLS

/**
 * Where mail for a domain or a host goes, by the system's resolver (GResolver), with a deadline
 * and a bound on the questions in flight, and a short memory for answers (60 s) and failures
 * (10 s). Callbacks come on the resolver's context, never before the call returns; they may free
 * the resolver. One thread only.
 *
 * GResolver asks in threads of GIO's shared pool, records are asked for in threads of our own, and
 * a thread that waits for a dead name server cannot be called back. At most 8 are in use at once,
 * counted until they really return, so that everything else that needs the pool goes on; whoever
 * waits longer than the deadline hears that.
 */
typedef struct _PrResolver PrResolver;

PrResolver *pr_resolver_new (GMainContext *context); /* keeps a reference */
void pr_resolver_free (PrResolver *self);            /* pending questions are forgotten silently */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrResolver, pr_resolver_free)

/* One mail exchanger, or the domain itself where there is none (RFC 5321 §5.1). */
typedef struct
{
  char *host; /* owned */
  guint16 preference;
} PrExchanger;

/* @exchangers: (nullable) (transfer none): array of PrExchanger, by preference, those of equal
 * preference in random order. @error: (nullable): PERMANENT for a domain that does not exist or
 * a null MX (RFC 7505; the message says which), TEMPORARY for everything else. Exactly one is set.
 */
typedef void (*PrMxFunc) (GArray *exchangers, const GError *error, gpointer user_data);
/* @addresses: (nullable) (transfer none) (element-type GInetAddress): both families, in the
 * order to try (RFC 6724 as the system gives it). Errors as above. */
typedef void (*PrHostFunc) (GPtrArray *addresses, const GError *error, gpointer user_data);

/* All return a token for pr_resolver_cancel, never 0. @domain: any form; an address literal
 * ("[192.0.2.1]", "[IPv6:…]") is its own exchanger. A domain without MX records is its own
 * exchanger with preference 0, whether or not it exists: its addresses will tell. */
guint pr_resolver_find_exchangers (PrResolver *self, const char *domain, PrMxFunc func,
                                   gpointer user_data);
/* @host: a name or an address in text form (answered from the text, still on a later turn). */
guint pr_resolver_find_addresses (PrResolver *self, const char *host, PrHostFunc func,
                                  gpointer user_data);
/* @name: such as "_mta-sts.example.org", in A-labels; asked for as it is written. */
guint pr_resolver_find_records (PrResolver *self, PrRecordKind kind, const char *name,
                                PrRecordsFunc func, gpointer user_data);
void pr_resolver_cancel (PrResolver *self, guint token); /* func will not be called */
void pr_resolver_forget (PrResolver *self);              /* the network changed: empty the memory */
void pr_resolver_set_deadline (PrResolver *self, guint deadline_ms); /* 20 s at first */
/* @server: "IPV4-ADDRESS@PORT", asked for records in place of the system's; NULL: those. */
void pr_resolver_set_server (PrResolver *self, const char *server);

G_END_DECLS
