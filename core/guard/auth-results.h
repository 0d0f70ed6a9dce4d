/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "guard/dmarc.h"

G_BEGIN_DECLS

/* Authentication-Results (RFC 8601): what was found, for the mail program and for those behind us.
 */

#define PR_AUTH_RESULTS_MAX 900 /* octets of a field, with its CRLF */

typedef struct
{
  const char *hostname; /* who says so: our name */
  const char *sender;   /* MAIL FROM, "" for the null sender */
  const char *helo;
  const PrSpf *spf;           /* (nullable): not looked at */
  const PrDkimVerifier *dkim; /* (nullable); checked */
  const PrDmarc *dmarc;       /* (nullable) */
  const char *author;         /* as in PrDmarcQuestion */
} PrAuthResults;

/* The whole field, CRLF included, never longer than PR_AUTH_RESULTS_MAX: what does not fit is left
 * out from its end. (transfer full) */
char *pr_auth_results_format (const PrAuthResults *results);
/* Whether a field's value claims to be said by @hostname: it is to be removed from what comes from
 * outside (§5). @value: as it came, folded or not. */
gboolean pr_auth_results_is_ours (const char *value, const char *hostname);

G_END_DECLS
