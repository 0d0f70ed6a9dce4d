/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/dnssec.h"
#include "net/tls.h"

G_BEGIN_DECLS

/**
 * PrDane: what the DNS says, and proves, of one mail exchanger's certificate (RFC 7672 §2.2). Only
 * for exchangers that were proven themselves. One thread.
 *
 *   addresses ─► secure? ─► TLSA of where its aliases lead ─► TLSA of its own name ─► told
 */
typedef struct _PrDane PrDane;

typedef enum
{
  PR_DANE_NONE,    /* it publishes nothing, or nothing that is proven: as if there were no DANE */
  PR_DANE_ENCRYPT, /* records that nobody can use: encryption, but whose it is cannot be known */
  PR_DANE_VERIFY,  /* the certificate must be the one of @records */
  PR_DANE_BROKEN,  /* what it publishes cannot be trusted or had: it is not to be used now */
} PrDaneKind;

/* All borrowed, during the call. */
typedef struct
{
  PrDaneKind kind;
  const char *base;   /* the name the records are for: SNI, and what a certificate is made out to */
  GPtrArray *records; /* (element-type PrTlsa): those that can be used */
  const char *why;    /* (nullable) BROKEN: in words */
} PrDaneAnswer;

/* Never called before pr_dane_new() returned; may free the PrDane. */
typedef void (*PrDaneFunc) (const PrDaneAnswer *answer, gpointer user_data);

/* @dnssec: borrowed, outlives it. @host: A-labels, copied. */
PrDane *pr_dane_new (PrDnssec *dnssec, const char *host, guint16 port, PrDaneFunc func,
                     gpointer user_data);
void pr_dane_free (PrDane *self); /* func will not be called */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDane, pr_dane_free)

void pr_tlsa_free (PrTlsa *self);

G_END_DECLS
