/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * What a domain publishes by MTA-STS (RFC 8461): a record that says whether there is a policy and
 * which (§3.1), and the policy itself (§3.2). Strangers write both. Text in, values out: nothing is
 * asked or fetched here.
 */

typedef enum
{
  PR_STS_NONE,    /* nothing is demanded (any more) */
  PR_STS_TESTING, /* nothing is demanded yet; the domain wants to know what would fail */
  PR_STS_ENFORCE, /* mail goes to the servers it names, verified, or not at all */
} PrStsMode;

typedef struct
{
  guint refs;
  PrStsMode mode;
  guint64 max_age_s; /* at most a year, plus some (§3.2) */
  char **mx;         /* owned, NULL-terminated: "mx.example.org", "*.example.org", lower case */
} PrStsPolicy;

/* The id of the one record among @texts (element-type char *) that is right. NULL: there is none,
 * or more than one. (transfer full) */
char *pr_sts_find_id (GPtrArray *texts);

/* PR_ERROR_PROTOCOL in words. At most 64 KiB and 100 patterns. (transfer full) */
PrStsPolicy *pr_sts_policy_parse (const char *text, gsize len, GError **error);
PrStsPolicy *pr_sts_policy_ref (PrStsPolicy *self);
void pr_sts_policy_unref (PrStsPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrStsPolicy, pr_sts_policy_unref)

/* @host: A-labels, in any case: the policy names it (§4.1). */
gboolean pr_sts_policy_names (const PrStsPolicy *self, const char *host);
/* As pr_sts_policy_parse() reads it. (transfer full) */
char *pr_sts_policy_to_text (const PrStsPolicy *self);

G_END_DECLS
