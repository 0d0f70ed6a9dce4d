/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/ip.h"
#include "net/dns-record.h"

G_BEGIN_DECLS

/**
 * PrLookups: what DNS said, for checks that are pure functions of it (SPF, DKIM keys, DMARC,
 * lists). A check asks by pr_lookups_find(); what is not known yet is noted as wanted, and the
 * check ends as "not known yet". Whoever runs it gets what is wanted (all of it at once), adds the
 * answers, and runs the check again from its beginning: checks keep no state between questions, so
 * that they read like the RFC, can be tested without a network, and cannot be confused by late
 * answers.
 *
 * One thread. Names are compared without regard to case and a dot at their end.
 */
typedef struct _PrLookups PrLookups;

typedef enum
{
  PR_LOOKUP_FOUND, /* at least one value */
  PR_LOOKUP_NONE, /* the name does not exist, or has nothing of that kind ("void", RFC 7208 §4.6.4)
                   */
  PR_LOOKUP_FAILED, /* no answer, or a broken one: perhaps later */
} PrLookupStatus;

typedef struct
{
  PrLookupStatus status;
  GPtrArray *values; /* of char *: never NULL; octets other than NUL as they came */
} PrLookup;

#define PR_LOOKUPS_MAX 256 /* answers; more are FAILED: no message may make us ask for ever */

PrLookups *pr_lookups_new (void);
void pr_lookups_free (PrLookups *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrLookups, pr_lookups_free)

/* NULL: not known yet, and wanted from now on. Never NULL for what cannot be a name in DNS (an
 * empty label, one of more than 63 octets, a name of more than 253): NONE. Borrowed, for the life
 * of @self. */
const PrLookup *pr_lookups_find (PrLookups *self, PrRecordKind kind, const char *name);
/* The answer to a question. @values: (nullable): NULL-terminated; without any FOUND becomes NONE.
 */
void pr_lookups_add (PrLookups *self, PrRecordKind kind, const char *name, PrLookupStatus status,
                     const char *const *values);
/* What is wanted and has not been taken yet. FALSE: nothing. @name: (transfer full). Who takes a
 * question owes its answer by pr_lookups_add(). */
gboolean pr_lookups_take_wanted (PrLookups *self, PrRecordKind *kind, char **name);
/* An address as DNS has it below in-addr.arpa or a list's zone: octets or nibbles, the last one
 * first. (transfer full) */
char *pr_lookups_reverse (const PrIp *ip);
char *pr_lookups_reverse_name (const PrIp *ip); /* with in-addr.arpa or ip6.arpa: for NAME */
/* It took too long: what is not known yet, and what is asked for from now on, is FAILED. An answer
 * that comes later is dropped. */
void pr_lookups_give_up (PrLookups *self);
guint pr_lookups_count_missing (const PrLookups *self); /* wanted or taken, not answered */

G_END_DECLS
