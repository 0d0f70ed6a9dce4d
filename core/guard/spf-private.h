/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "guard/spf.h"

G_BEGIN_DECLS

/* What the parts of SPF share: spf-record.c reads a record, spf-macro.c writes out what is between
 * "%{" and "}", spf.c decides. Internal to core/guard. */

typedef enum
{
  SPF_ALL,
  SPF_INCLUDE,
  SPF_A,
  SPF_MX,
  SPF_PTR,
  SPF_IP4,
  SPF_IP6,
  SPF_EXISTS,
} PrSpfKind;

typedef struct
{
  PrSpfKind kind;
  PrSpfResult result; /* when it matches: its qualifier */
  char *text;         /* owned: as it is written */
  char *domain;       /* owned, nullable: a domain-spec, with macros */
  PrIp ip;            /* IP4, IP6 */
  guint bits4, bits6; /* length of the prefix: 32, 128 where none is given */
} PrSpfTerm;

typedef struct
{
  GPtrArray *terms;     /* of PrSpfTerm, in order */
  char *redirect, *exp; /* owned, nullable: domain-specs */
} PrSpfRecord;

/* NULL: a syntax error anywhere in it (§4.6). @text begins with "v=spf1". */
PrSpfRecord *pr_spf_record_parse (const char *text);
void pr_spf_record_free (PrSpfRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSpfRecord, pr_spf_record_free)

/* What macros stand for (§7.2). */
typedef struct
{
  const PrSpfQuestion *question;
  const char *sender;    /* whole: local@domain */
  const char *domain;    /* whose record it is */
  const char *validated; /* (nullable): %{p}; not known: "unknown" */
} PrSpfMacros;

/* Whether it is a macro-string; in an @explanation, spaces and the letters c, r and t are too. */
gboolean pr_spf_macro_check (const char *text, gboolean explanation);
/* Whether it is a domain-spec: a macro-string that ends in a macro or in a top label. */
gboolean pr_spf_macro_check_domain (const char *text);
gboolean pr_spf_macro_uses_name (const char *text); /* has a %{p} */
/* @text was checked. NULL: longer than anything sensible. (transfer full) */
char *pr_spf_macro_expand (const char *text, const PrSpfMacros *macros);

G_END_DECLS
