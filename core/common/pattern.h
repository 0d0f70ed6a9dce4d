/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrPatterns: a list of address patterns: "*", "user@domain", "*@domain", "*@*.domain" (any
 * depth below domain, not domain itself), "user@*", "user@*.domain"; a bare "domain" or "*.domain"
 * means
 * "*@domain" or "*@*.domain". Domains compare without case and in A-label form, local parts
 * without case. Matching costs the same however long the list is. Immutable after parsing.
 */
typedef struct _PrPatterns PrPatterns;

/* @list: (nullable): NULL-terminated. PR_ERROR_CONFIG names the entry that is wrong. */
PrPatterns *pr_patterns_new (const char *const *list, GError **error);
void pr_patterns_free (PrPatterns *self);
/* @address: "local@domain" in canonical form (smtp/address.h), "" for the null sender,
 * which only "*" matches. */
gboolean pr_patterns_match (const PrPatterns *self, const char *address);
gboolean pr_patterns_is_empty (const PrPatterns *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrPatterns, pr_patterns_free)

/* A domain in the form that names compare in: lower case, A-labels (IDNA 2008); an address literal
 * keeps its brackets. NULL where it cannot be. It need not be a name that can exist.
 * (transfer full) (nullable) */
char *pr_domain_fold (const char *domain);

G_END_DECLS
