/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "dkim/verify.h"
#include "guard/spf.h"

G_BEGIN_DECLS

/**
 * DMARC (RFC 7489): is the message from whom its From says, and what does that domain want done
 * where it is not? A pure function of what SPF and DKIM found and of what DNS says.
 */
typedef enum
{
  PR_DMARC_NONE, /* the domain says nothing, or the message has no author to ask */
  PR_DMARC_PASS,
  PR_DMARC_FAIL,
  PR_DMARC_TEMPERROR, /* DNS did not answer */
  PR_DMARC_PERMERROR, /* its record cannot be understood */
} PrDmarcResult;

typedef enum
{
  PR_DMARC_POLICY_NONE,
  PR_DMARC_POLICY_QUARANTINE,
  PR_DMARC_POLICY_REJECT,
} PrDmarcPolicy;

typedef struct
{
  const char *author; /* the domain in From, A-labels; "": none, or more than one */
  const PrSpf *spf;
  const PrDkimVerifier *dkim; /* checked */
  guint dice;                 /* 0 to 99, for pct= */
} PrDmarcQuestion;

typedef struct
{
  PrDmarcResult result;
  PrDmarcPolicy policy; /* what the domain asks for, of a message that fails */
  gboolean sampled_out; /* pct= spared this message: @policy is one step milder */
  gboolean spf, dkim;   /* which of them speaks for the author */
  char *domain;         /* owned: where the record was found; "" */
  const char *problem;  /* (nullable): words, static */
} PrDmarc;

/* FALSE: @lookups wants answers first; @dmarc is untouched. */
gboolean pr_dmarc_check (PrLookups *lookups, const PrDmarcQuestion *question, PrDmarc *dmarc);
void pr_dmarc_clear (PrDmarc *dmarc);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PrDmarc, pr_dmarc_clear)
const char *pr_dmarc_result_name (PrDmarcResult result); /* "pass", … Static. */
const char *pr_dmarc_policy_name (PrDmarcPolicy policy); /* "none", "quarantine", "reject" */

/* The domain in From, for the question above: "" unless there is one From whose addresses are all
 * of one domain. @header: the header of a message. (transfer full) */
char *pr_dmarc_find_author (const char *header, gsize len);
/* Whether the two belong to one organisation, by the list of public suffixes (§3.2); strict: are
 * the same. */
gboolean pr_dmarc_is_aligned (const char *domain, const char *author, gboolean strict);

G_END_DECLS
