/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/dns-lists.h"
#include "net/lookups.h"

G_BEGIN_DECLS

/* Whether an address is on lists in the DNS (RFC 5782), and what that comes to. */
typedef struct
{
  int score;        /* the weights of the lists it is on, together */
  char *zones;      /* owned, nullable: "a.example, b.example": those with a weight above zero */
  gboolean unknown; /* a list did not answer; it counts as not listed */
} PrListed;

/* FALSE: @lookups wants answers first; @listed is untouched. */
gboolean pr_listed_check (PrLookups *lookups, const PrDnsLists *lists, const PrIp *client,
                          PrListed *listed);
void pr_listed_clear (PrListed *listed);

G_END_DECLS
