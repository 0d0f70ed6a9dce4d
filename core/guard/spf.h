/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "net/lookups.h"

G_BEGIN_DECLS

/**
 * SPF (RFC 7208): may this client send in the name of that domain? A pure function of the question
 * and of what DNS says.
 */
typedef enum
{
  PR_SPF_NONE,    /* the domain says nothing, or there is none to ask */
  PR_SPF_NEUTRAL, /* it says that it does not say */
  PR_SPF_PASS,
  PR_SPF_FAIL,
  PR_SPF_SOFTFAIL,
  PR_SPF_TEMPERROR, /* DNS did not answer */
  PR_SPF_PERMERROR, /* its record cannot be understood, or asks for too much */
} PrSpfResult;

typedef struct
{
  const PrIp *client;
  const char *helo;     /* as the client said it; "" for none */
  const char *sender;   /* MAIL FROM, "" for the null sender: then postmaster of @helo (§2.4) */
  const char *receiver; /* our host name, for explanations */
  gint64 time_s;        /* now, for explanations */
} PrSpfQuestion;

typedef struct
{
  PrSpfResult result;
  char *domain;  /* owned: who was asked; "" where there was none */
  char *matched; /* owned, nullable: the mechanism that decided, as it is written */
  char *problem; /* owned, nullable: words for TEMPERROR and PERMERROR */
  char
    *explanation; /* owned, nullable: the domain's own words for a FAIL, ASCII; not to be trusted */
} PrSpf;

#define PR_SPF_MAX_LOOKUPS 10 /* terms that ask DNS (§4.6.4) */
#define PR_SPF_MAX_VOID 2     /* of them, answers that hold nothing */
#define PR_SPF_MAX_NAMES 10   /* exchangers of one mx, names of one ptr */

/* FALSE: @lookups wants answers first; @spf is untouched. */
gboolean pr_spf_check (PrLookups *lookups, const PrSpfQuestion *question, PrSpf *spf);
void pr_spf_clear (PrSpf *spf);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PrSpf, pr_spf_clear)
/* "pass", "softfail", … as RFC 8601 §2.7.2 and Received-SPF have it. Static. */
const char *pr_spf_result_name (PrSpfResult result);

G_END_DECLS
