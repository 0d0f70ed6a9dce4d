/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/dnssec.h"
#include "net/resolver.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * PrMx: where mail for a domain goes (RFC 5321 §5.1), and whether that is proven. One thread.
 *
 *   DNSSEC asked ──► proven, or proven not to exist ──────────► told
 *              └──► nothing to prove ──► system's resolver ──► told
 */
typedef struct _PrMx PrMx;

/* All borrowed, during the call. Exactly one of @exchangers and @failure is set. */
typedef struct
{
  GArray *exchangers; /* (nullable): of PrExchanger, by preference, those of equal preference in
                       * random order; the domain itself where it has none */
  gboolean proven;    /* nobody on the way could have named others in their stead */
  const PrReply
    *failure;          /* (nullable): code 5yz when the domain can never be delivered to, else 0 */
  gboolean distrusted; /* it is one of proof: without DNSSEC there may be a way */
} PrMxAnswer;

/* Never called before pr_mx_new() returned; may free the PrMx. */
typedef void (*PrMxAnswerFunc) (const PrMxAnswer *answer, gpointer user_data);

/* @resolver, @dnssec: borrowed, they outlive it; @dnssec: (nullable): asked first, for what it can
 * prove. @domain: A-labels, copied. */
PrMx *pr_mx_new (PrResolver *resolver, PrDnssec *dnssec, const char *domain, PrMxAnswerFunc func,
                 gpointer user_data);
void pr_mx_free (PrMx *self); /* func will not be called */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrMx, pr_mx_free)

G_END_DECLS
