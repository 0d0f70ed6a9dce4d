/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "dkim/key.h"
#include "net/lookups.h"

G_BEGIN_DECLS

/**
 * PrDkimVerifier: whose signatures are on a message, and do they hold (RFC 6376 §6)? The header
 * first, then the body as it goes by; when both are there, the keys are asked of DNS. Nothing of
 * the body is kept. One thread.
 */
typedef struct _PrDkimVerifier PrDkimVerifier;

/* As RFC 8601 §2.7.1 has them; a message without signatures is "none". */
typedef enum
{
  PR_DKIM_NEUTRAL, /* not looked at, or not yet; there are too many */
  PR_DKIM_PASS,
  PR_DKIM_FAIL,      /* the message was changed, or its signer lies */
  PR_DKIM_TEMPERROR, /* DNS did not answer */
  PR_DKIM_PERMERROR, /* the signature or its key cannot be used, now or later */
} PrDkimStatus;

typedef struct
{
  PrDkimStatus status;
  const char *domain;    /* d=, lower case; "" where it cannot be read */
  const char *selector;  /* s=; "" */
  const char *identity;  /* i=, or "@" and the domain */
  const char *algorithm; /* a=; "" */
  const char *start;     /* of b=: tells signatures of one domain apart (RFC 6008) */
  const char *problem;   /* (nullable): words, where the status is not PASS */
  gboolean testing;      /* the domain only tries: a failure means no more than no signature */
  gboolean partial;      /* l= leaves octets of the body unsigned */
} PrDkimSignature;

#define PR_DKIM_MAX_SIGNATURES 10
#define PR_DKIM_MAX_FIELDS 2000 /* of a header; one with more is not looked at */
#define PR_DKIM_MAX_BODIES 4    /* canonical forms of one body that are made */

/* @header: everything from the first field to the empty line, copied. */
PrDkimVerifier *pr_dkim_verifier_new (const char *header, gsize len);
void pr_dkim_verifier_free (PrDkimVerifier *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrDkimVerifier, pr_dkim_verifier_free)
/* What follows the empty line, in any fragmentation. */
void pr_dkim_verifier_feed (PrDkimVerifier *self, const char *data, gsize len);
/* The body is complete. FALSE: @lookups wants keys first; call it again when they are there.
 * @now_s: seconds since 1970. */
gboolean pr_dkim_verifier_check (PrDkimVerifier *self, PrLookups *lookups, gint64 now_s);
guint pr_dkim_verifier_count (const PrDkimVerifier *self);
/* From the top of the header. Borrowed; @status and @problem count after the check. */
const PrDkimSignature *pr_dkim_verifier_get (const PrDkimVerifier *self, guint index);

/* "pass", "fail", … Static. */
const char *pr_dkim_status_name (PrDkimStatus status);

G_END_DECLS
