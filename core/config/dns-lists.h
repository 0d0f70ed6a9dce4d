/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"

G_BEGIN_DECLS

/**
 * PrDnsLists: lists of addresses in the DNS (RFC 5782) and what each is worth:
 * "zen.spamhaus.org=127.0.0.2-127.0.0.11*2;list.dnswl.org*-3". Immutable; safe to read from any
 * thread.
 */
typedef struct
{
  char *zone;       /* owned; lower case */
  guint32 from, to; /* answers that count, in host order, both included */
  int weight;       /* below zero: a list of the good */
} PrDnsList;

typedef struct
{
  guint n;
  PrDnsList entries[];
} PrDnsLists;

#define PR_DNS_LISTS_MAX 16
#define PR_DNS_LIST_WEIGHT_MAX 1000

/* @entries: NULL-terminated. NULL: *@why says which is wrong (transfer full). Without codes the
 * answers 127.0.0.2 to 127.0.0.254 count; 127.255.255.x, by which lists refuse to answer, does not.
 */
PrDnsLists *pr_dns_lists_new (const char *const *entries, char **why);
void pr_dns_lists_free (PrDnsLists *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDnsLists, pr_dns_lists_free)

G_END_DECLS
