/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check_host() of RFC 7208 §4.
 *
 *   check_domain ──► find_record ──► each term ──► match_…  ──► result
 *        ▲                              │ include, redirect
 *        └──────────────────────────────┘
 *
 * Every step may find that DNS has not answered yet. Then WAIT comes up to pr_spf_check(), which
 * says so; the next run begins anew and finds the answer. Recursion is bounded by the lookups
 * allowed.
 */
#include "guard/spf-private.h"

#include <string.h>

#define MAX_NAME 253
#define WAIT ((PrSpfResult) -1)

typedef enum
{
  MATCH_NO,
  MATCH_YES,
  MATCH_WAIT,
  MATCH_TEMPERROR,
  MATCH_PERMERROR,
} Match;

typedef struct
{
  PrLookups *lookups;
  const PrSpfQuestion *question;
  const char *sender;
  guint n_lookups, n_void;
  char *matched, *problem, *explanation; /* owned, nullable: as in PrSpf */
} Check;

static PrSpfResult check_domain (Check *self, const char *domain, gboolean is_include);
static Match fail_with (Check *self, Match match, const char *format, ...) G_GNUC_PRINTF (3, 4);

static Match
fail_with (Check *self, Match match, const char *format, ...)
{
  va_list args;

  g_free (self->problem);
  va_start (args, format);
  self->problem = g_strdup_vprintf (format, args);
  va_end (args);

  return match;
}

/* --- DNS ---------------------------------------------------------------------------------- */

/* An answer that holds nothing counts (§4.6.4). */
static Match
look_up (Check *self, PrRecordKind kind, const char *name, const PrLookup **lookup)
{
  *lookup = pr_lookups_find (self->lookups, kind, name);

  if (*lookup == NULL)
    return MATCH_WAIT;
  if ((*lookup)->status == PR_LOOKUP_FAILED)
    return fail_with (self, MATCH_TEMPERROR, "DNS gave no answer for %s", name);
  if ((*lookup)->status == PR_LOOKUP_FOUND)
    return MATCH_YES;
  if (++self->n_void > PR_SPF_MAX_VOID)
    return fail_with (self, MATCH_PERMERROR, "too many names in the record do not exist (%s)",
                      name);

  return MATCH_NO;
}

static gboolean
count_lookup (Check *self)
{
  return ++self->n_lookups <= PR_SPF_MAX_LOOKUPS;
}

static Match
too_many (Check *self, const char *where)
{
  return fail_with (self, MATCH_PERMERROR, "its record asks DNS for more than is allowed (%s)",
                    where);
}

static gboolean
ip_matches (const PrIp *client, const PrIp *ip, guint bits4, guint bits6)
{
  guint bits = bits6, whole;

  if (pr_ip_is_v4 (client) != pr_ip_is_v4 (ip))
    return FALSE;
  if (pr_ip_is_v4 (client))
    bits = 96 + bits4;

  whole = bits / 8;
  if (memcmp (client->octets, ip->octets, whole) != 0)
    return FALSE;

  return bits % 8 == 0 || ((client->octets[whole] ^ ip->octets[whole]) >> (8 - bits % 8)) == 0;
}

static gboolean
any_matches (const PrIp *client, const PrLookup *lookup, guint bits4, guint bits6)
{
  PrIp ip;

  for (guint i = 0; i < lookup->values->len; i++)
    if (pr_ip_parse (g_ptr_array_index (lookup->values, i), &ip) &&
        ip_matches (client, &ip, bits4, bits6))
      return TRUE;

  return FALSE;
}

static PrRecordKind
address_kind (const PrIp *client)
{
  return pr_ip_is_v4 (client) ? PR_RECORD_IP4 : PR_RECORD_IP6;
}

/* Whether one of the addresses of @name is the client's, within the prefix. */
static Match
match_addresses (Check *self, const char *name, const PrSpfTerm *term)
{
  const PrLookup *lookup;
  Match match = look_up (self, address_kind (self->question->client), name, &lookup);

  if (match != MATCH_YES)
    return match;

  return any_matches (self->question->client, lookup, term->bits4, term->bits6) ? MATCH_YES
                                                                                : MATCH_NO;
}

/* --- the names of the client's address ---------------------------------------------------- */

static gboolean
is_within (const char *name, const char *domain)
{
  gsize len = strlen (name), domain_len = strlen (domain);

  if (len < domain_len || g_ascii_strcasecmp (name + len - domain_len, domain) != 0)
    return FALSE;

  return len == domain_len || name[len - domain_len - 1] == '.';
}

/* The first of its names that leads back to the address and is @domain, else within it, else, where
 * @any, whatever (§5.5, §7.3). Faults of DNS are no match. NULL: none, or *@wait. (transfer none)
 */
static const char *
find_validated_name (Check *self, const char *domain, gboolean any, gboolean *wait)
{
  g_autofree char *reverse = pr_lookups_reverse_name (self->question->client);
  const PrLookup *names = pr_lookups_find (self->lookups, PR_RECORD_NAME, reverse);
  const char *best = NULL;
  guint best_rank = any ? 0 : 1;

  *wait = names == NULL;
  if (names == NULL || names->status != PR_LOOKUP_FOUND)
    return NULL;

  for (guint i = 0; i < MIN (names->values->len, PR_SPF_MAX_NAMES); i++)
    {
      const char *name = g_ptr_array_index (names->values, i);
      const PrLookup *addresses =
        pr_lookups_find (self->lookups, address_kind (self->question->client), name);
      guint rank = !is_within (name, domain) ? 0 : strlen (name) == strlen (domain) ? 2 : 1;

      if (addresses == NULL)
        *wait = TRUE;
      else if (any_matches (self->question->client, addresses, 32, 128) &&
               (best == NULL ? rank >= best_rank : rank > best_rank))
        {
          best = name;
          best_rank = rank;
        }
    }

  return *wait ? NULL : best;
}

/* --- macros ------------------------------------------------------------------------------- */

/* Labels go from the left until it fits (§7.3). */
static char *
shorten (char *name)
{
  const char *rest = name;
  char *out;

  while (rest != NULL && strlen (rest) > MAX_NAME)
    {
      rest = strchr (rest, '.');
      rest = rest != NULL ? rest + 1 : NULL;
    }
  out = g_strdup (rest != NULL ? rest : "");
  g_free (name);

  return out;
}

static gboolean
expand_text (Check *self, const char *text, const char *domain, char **out)
{
  PrSpfMacros macros = { self->question, self->sender, domain, NULL };
  gboolean wait = FALSE;

  if (pr_spf_macro_uses_name (text))
    macros.validated = find_validated_name (self, domain, TRUE, &wait);
  if (wait)
    return FALSE;

  *out = pr_spf_macro_expand (text, &macros);
  if (*out == NULL)
    *out = g_strdup ("");
  return TRUE;
}

/* The name a term is about: its domain-spec, else the record's own domain. FALSE: wait. */
static gboolean
expand_name (Check *self, const char *spec, const char *domain, char **name)
{
  if (spec == NULL)
    *name = g_strdup (domain);
  else if (expand_text (self, spec, domain, name))
    *name = shorten (*name);
  else
    return FALSE;

  return TRUE;
}

/* --- mechanisms --------------------------------------------------------------------------- */

static Match
match_include (Check *self, const char *name)
{
  switch (check_domain (self, name, TRUE))
    {
    case PR_SPF_PASS: return MATCH_YES;
    case PR_SPF_FAIL:
    case PR_SPF_SOFTFAIL:
    case PR_SPF_NEUTRAL: return MATCH_NO;
    case PR_SPF_TEMPERROR: return MATCH_TEMPERROR;
    case PR_SPF_NONE:
      return fail_with (self, MATCH_PERMERROR, "it includes %s, which has no record", name);
    case PR_SPF_PERMERROR: return MATCH_PERMERROR;
    default: return MATCH_WAIT;
    }
}

static Match
match_mx (Check *self, const char *name, const PrSpfTerm *term)
{
  const PrLookup *lookup;
  Match match = look_up (self, PR_RECORD_MX, name, &lookup), worst = MATCH_NO;

  if (match != MATCH_YES)
    return match;
  if (lookup->values->len > PR_SPF_MAX_NAMES)
    return too_many (self, term->text);

  /* All are asked for in one turn; only then is the first that counts looked for. */
  for (guint i = 0; i < lookup->values->len; i++)
    if (pr_lookups_find (self->lookups, address_kind (self->question->client),
                         g_ptr_array_index (lookup->values, i)) == NULL)
      worst = MATCH_WAIT;

  for (guint i = 0; i < lookup->values->len && worst == MATCH_NO; i++)
    worst = match_addresses (self, g_ptr_array_index (lookup->values, i), term);

  return worst;
}

static Match
match_ptr (Check *self, const char *name)
{
  gboolean wait;
  const char *validated = find_validated_name (self, name, FALSE, &wait);

  return wait ? MATCH_WAIT : validated != NULL ? MATCH_YES : MATCH_NO;
}

static Match
match_exists (Check *self, const char *name)
{
  const PrLookup *lookup;

  return look_up (self, PR_RECORD_IP4, name, &lookup); /* A, even for IPv6 (§5.7) */
}

static Match
match_term (Check *self, const PrSpfTerm *term, const char *domain)
{
  g_autofree char *name = NULL;

  if (term->kind == SPF_ALL)
    return MATCH_YES;
  if (term->kind == SPF_IP4 || term->kind == SPF_IP6)
    return pr_ip_is_v4 (self->question->client) == (term->kind == SPF_IP4) &&
               ip_matches (self->question->client, &term->ip, term->bits4, term->bits6)
             ? MATCH_YES
             : MATCH_NO;

  if (!count_lookup (self))
    return too_many (self, term->text);
  if (!expand_name (self, term->domain, domain, &name))
    return MATCH_WAIT;

  switch (term->kind)
    {
    case SPF_INCLUDE: return match_include (self, name);
    case SPF_A: return match_addresses (self, name, term);
    case SPF_MX: return match_mx (self, name, term);
    case SPF_PTR: return match_ptr (self, name);
    case SPF_EXISTS: return match_exists (self, name);
    case SPF_ALL:
    case SPF_IP4:
    case SPF_IP6: break;
    }

  g_assert_not_reached ();
}

/* --- records ------------------------------------------------------------------------------ */

static gboolean
is_record (const char *text)
{
  return g_ascii_strncasecmp (text, "v=spf1", 6) == 0 && (text[6] == ' ' || text[6] == '\0');
}

/* PASS: *@record is it. */
static PrSpfResult
find_record (Check *self, const char *domain, PrSpfRecord **record)
{
  const PrLookup *lookup = pr_lookups_find (self->lookups, PR_RECORD_TEXT, domain);
  const char *text = NULL;

  if (lookup == NULL)
    return WAIT;
  if (lookup->status == PR_LOOKUP_FAILED)
    {
      fail_with (self, MATCH_TEMPERROR, "DNS gave no answer for the record of %s", domain);
      return PR_SPF_TEMPERROR;
    }

  for (guint i = 0; i < lookup->values->len; i++)
    if (is_record (g_ptr_array_index (lookup->values, i)))
      {
        if (text != NULL)
          {
            fail_with (self, MATCH_PERMERROR, "%s has more than one SPF record", domain);
            return PR_SPF_PERMERROR;
          }
        text = g_ptr_array_index (lookup->values, i);
      }
  if (text == NULL)
    return PR_SPF_NONE;

  *record = pr_spf_record_parse (text);
  if (*record == NULL)
    fail_with (self, MATCH_PERMERROR, "the SPF record of %s has a mistake in it", domain);

  return *record != NULL ? PR_SPF_PASS : PR_SPF_PERMERROR;
}

/* The domain's own words (§6.2). Whatever is wrong with them, the result stands. FALSE: wait. */
static gboolean
explain (Check *self, const PrSpfRecord *record, const char *domain)
{
  g_autofree char *name = NULL;
  const PrLookup *lookup;
  const char *text;

  if (record->exp == NULL)
    return TRUE;
  if (!expand_name (self, record->exp, domain, &name))
    return FALSE;

  lookup = pr_lookups_find (self->lookups, PR_RECORD_TEXT, name);
  if (lookup == NULL)
    return FALSE;
  if (lookup->values->len != 1)
    return TRUE;

  text = g_ptr_array_index (lookup->values, 0);
  return !pr_spf_macro_check (text, TRUE) || expand_text (self, text, domain, &self->explanation);
}

static PrSpfResult
follow_redirect (Check *self, const PrSpfRecord *record, const char *domain, gboolean is_include)
{
  g_autofree char *name = NULL;
  PrSpfResult result;

  if (!count_lookup (self))
    {
      too_many (self, "redirect");
      return PR_SPF_PERMERROR;
    }
  if (!expand_name (self, record->redirect, domain, &name))
    return WAIT;

  result = check_domain (self, name, is_include);
  if (result != PR_SPF_NONE)
    return result;

  fail_with (self, MATCH_PERMERROR, "it points to %s, which has no record", name);
  return PR_SPF_PERMERROR;
}

static PrSpfResult
check_record (Check *self, const PrSpfRecord *record, const char *domain, gboolean is_include)
{
  for (guint i = 0; i < record->terms->len; i++)
    {
      const PrSpfTerm *term = g_ptr_array_index (record->terms, i);

      switch (match_term (self, term, domain))
        {
        case MATCH_NO: break;
        case MATCH_WAIT: return WAIT;
        case MATCH_TEMPERROR: return PR_SPF_TEMPERROR;
        case MATCH_PERMERROR: return PR_SPF_PERMERROR;
        case MATCH_YES:
          if (is_include)
            return term->result;
          self->matched = g_strdup (term->text);
          return term->result != PR_SPF_FAIL || explain (self, record, domain) ? term->result
                                                                               : WAIT;
        }
    }

  return record->redirect != NULL ? follow_redirect (self, record, domain, is_include)
                                  : PR_SPF_NEUTRAL;
}

/* A name of several labels that DNS can hold (§4.3); pr_lookups_find sees to the rest. */
static gboolean
is_domain (const char *domain)
{
  const char *dot = strchr (domain, '.');

  return dot != NULL && dot[1] != '\0';
}

static PrSpfResult
check_domain (Check *self, const char *domain, gboolean is_include)
{
  g_autoptr (PrSpfRecord) record = NULL;
  PrSpfResult result;

  if (!is_domain (domain))
    return PR_SPF_NONE;
  result = find_record (self, domain, &record);

  return result == PR_SPF_PASS ? check_record (self, record, domain, is_include) : result;
}

/* The sender macros speak of: never without a local part (§4.3). */
static char *
whole_sender (const PrSpfQuestion *question)
{
  const char *at = strrchr (question->sender, '@');

  if (at == NULL)
    return g_strconcat ("postmaster@",
                        *question->sender != '\0' ? question->sender : question->helo, NULL);
  if (at == question->sender)
    return g_strconcat ("postmaster", question->sender, NULL);

  return g_strdup (question->sender);
}

gboolean
pr_spf_check (PrLookups *lookups, const PrSpfQuestion *question, PrSpf *spf)
{
  g_autofree char *sender = whole_sender (question);
  const char *domain = strrchr (sender, '@') + 1;
  Check check = { .lookups = lookups, .question = question, .sender = sender };
  PrSpfResult result = check_domain (&check, domain, FALSE);

  if (result == WAIT)
    {
      g_free (check.matched);
      g_free (check.problem);
      g_free (check.explanation);
      return FALSE;
    }

  *spf = (PrSpf){ .result = result,
                  .domain = g_strdup (domain),
                  .matched = check.matched,
                  .problem = check.problem,
                  .explanation = check.explanation };
  if (result != PR_SPF_TEMPERROR && result != PR_SPF_PERMERROR)
    g_clear_pointer (&spf->problem, g_free);
  return TRUE;
}

void
pr_spf_clear (PrSpf *spf)
{
  g_free (spf->domain);
  g_free (spf->matched);
  g_free (spf->problem);
  g_free (spf->explanation);
  *spf = (PrSpf){ 0 };
}

const char *
pr_spf_result_name (PrSpfResult result)
{
  static const char *const names[] = { "none",     "neutral",   "pass",     "fail",
                                       "softfail", "temperror", "permerror" };

  return names[result];
}
