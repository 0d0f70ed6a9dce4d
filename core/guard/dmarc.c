/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DMARC (RFC 7489 §6.6). */

#include "guard/dmarc.h"

#include "smtp/address.h"
#include "smtp/headers.h"
#include "smtp/mailboxes.h"

#include <libpsl.h>
#include <string.h>

typedef struct
{
  PrDmarcPolicy policy, subdomain_policy;
  gboolean strict_spf, strict_dkim;
  guint percent;
} Record;

static const char *const policy_names[] = { "none", "quarantine", "reject" };

/* The part that somebody registered: "example.co.uk" of "a.b.example.co.uk". Points into @domain.
 */
static const char *
organisation_of (const char *domain)
{
  const char *registered = psl_registrable_domain (psl_builtin (), domain);

  return registered != NULL ? registered : domain;
}

gboolean
pr_dmarc_is_aligned (const char *domain, const char *author, gboolean strict)
{
  g_autofree char *a = g_ascii_strdown (domain, -1), *b = g_ascii_strdown (author, -1);

  if (*a == '\0' || *b == '\0')
    return FALSE;

  return strcmp (a, b) == 0 || (!strict && strcmp (organisation_of (a), organisation_of (b)) == 0);
}

static gboolean
read_policy (const PrTags *tags, const char *name, PrDmarcPolicy *policy)
{
  const char *value = pr_tags_get (tags, name);

  for (guint i = 0; value != NULL && i < G_N_ELEMENTS (policy_names); i++)
    if (g_ascii_strcasecmp (value, policy_names[i]) == 0)
      {
        *policy = i;
        return TRUE;
      }

  return FALSE;
}

static gboolean
is_strict (const PrTags *tags, const char *name)
{
  const char *value = pr_tags_get (tags, name);

  return value != NULL && g_ascii_strcasecmp (value, "s") == 0;
}

/* A record whose policy is not understood but that wants reports is read as p=none (§6.6.3). */
static gboolean
read_record (const char *text, Record *record)
{
  g_autoptr (PrTags) tags = pr_tags_parse (text, strlen (text));
  guint64 percent;

  *record = (Record){ .percent = 100 };
  if (tags == NULL)
    return FALSE;
  if (!read_policy (tags, "p", &record->policy) && pr_tags_get (tags, "rua") == NULL)
    return FALSE;

  record->subdomain_policy = record->policy;
  read_policy (tags, "sp", &record->subdomain_policy);
  record->strict_spf = is_strict (tags, "aspf");
  record->strict_dkim = is_strict (tags, "adkim");
  if (pr_tags_get_number (tags, "pct", &percent))
    record->percent = (guint) MIN (percent, 100);
  return TRUE;
}

/* "v=DMARC1", first and alone in its case (§6.3). */
static gboolean
is_record (const char *text)
{
  const char *rest;

  if (!g_str_has_prefix (text, "v=DMARC1"))
    return FALSE;
  rest = text + strlen ("v=DMARC1");
  rest += strspn (rest, " \t");

  return *rest == ';' || *rest == '\0';
}

/* PASS: *@text is the record of @domain. NONE: it has none, or more than one (§6.6.3). */
static PrDmarcResult
find_record (PrLookups *lookups, const char *domain, const char **text, gboolean *wait)
{
  g_autofree char *name = g_strconcat ("_dmarc.", domain, NULL);
  const PrLookup *lookup = pr_lookups_find (lookups, PR_RECORD_TEXT, name);
  guint n = 0;

  *wait = lookup == NULL;
  if (lookup == NULL || lookup->status == PR_LOOKUP_FAILED)
    return PR_DMARC_TEMPERROR;

  for (guint i = 0; i < lookup->values->len; i++)
    if (is_record (g_ptr_array_index (lookup->values, i)))
      {
        *text = g_ptr_array_index (lookup->values, i);
        n++;
      }

  return n == 1 ? PR_DMARC_PASS : PR_DMARC_NONE;
}

static gboolean
dkim_speaks (const PrDmarcQuestion *question, gboolean strict)
{
  for (guint i = 0; question->dkim != NULL && i < pr_dkim_verifier_count (question->dkim); i++)
    {
      const PrDkimSignature *signature = pr_dkim_verifier_get (question->dkim, i);

      if (signature->status == PR_DKIM_PASS &&
          pr_dmarc_is_aligned (signature->domain, question->author, strict))
        return TRUE;
    }

  return FALSE;
}

/* Whether what failed might have passed, had DNS answered. */
static gboolean
is_undecided (const PrDmarcQuestion *question)
{
  for (guint i = 0; question->dkim != NULL && i < pr_dkim_verifier_count (question->dkim); i++)
    if (pr_dkim_verifier_get (question->dkim, i)->status == PR_DKIM_TEMPERROR)
      return TRUE;

  return question->spf->result == PR_SPF_TEMPERROR;
}

static void
judge (const PrDmarcQuestion *question, const Record *record, gboolean is_subdomain, PrDmarc *dmarc)
{
  dmarc->spf = question->spf->result == PR_SPF_PASS &&
               pr_dmarc_is_aligned (question->spf->domain, question->author, record->strict_spf);
  dmarc->dkim = dkim_speaks (question, record->strict_dkim);
  dmarc->policy = is_subdomain ? record->subdomain_policy : record->policy;
  if (question->dice >= record->percent && dmarc->policy != PR_DMARC_POLICY_NONE)
    {
      dmarc->policy--; /* reject becomes quarantine, that becomes none (§6.6.4) */
      dmarc->sampled_out = TRUE;
    }

  if (dmarc->spf || dmarc->dkim)
    dmarc->result = PR_DMARC_PASS;
  else if (is_undecided (question))
    {
      dmarc->result = PR_DMARC_TEMPERROR;
      dmarc->problem = "DNS gave no answer for what would prove it";
    }
  else
    dmarc->result = PR_DMARC_FAIL;
}

gboolean
pr_dmarc_check (PrLookups *lookups, const PrDmarcQuestion *question, PrDmarc *dmarc)
{
  const char *organisation = organisation_of (question->author), *where = question->author;
  const char *text = NULL;
  gboolean wait = FALSE;
  PrDmarcResult found = PR_DMARC_NONE;
  Record record;

  if (*question->author != '\0')
    found = find_record (lookups, where, &text, &wait);
  if (found == PR_DMARC_NONE && strcmp (organisation, question->author) != 0)
    {
      where = organisation;
      found = find_record (lookups, where, &text, &wait);
    }
  if (wait)
    return FALSE;

  *dmarc = (PrDmarc){ .result = found, .domain = g_strdup (found == PR_DMARC_PASS ? where : "") };
  if (found == PR_DMARC_TEMPERROR)
    dmarc->problem = "DNS gave no answer for the domain's policy";
  else if (found == PR_DMARC_PASS && read_record (text, &record))
    judge (question, &record, where == organisation && strcmp (where, question->author) != 0,
           dmarc);
  else if (found == PR_DMARC_PASS)
    {
      dmarc->result = PR_DMARC_PERMERROR;
      dmarc->problem = "the domain's policy has a mistake in it";
    }

  return TRUE;
}

void
pr_dmarc_clear (PrDmarc *dmarc)
{
  g_free (dmarc->domain);
  *dmarc = (PrDmarc){ 0 };
}

const char *
pr_dmarc_result_name (PrDmarcResult result)
{
  static const char *const names[] = { "none", "pass", "fail", "temperror", "permerror" };

  return names[result];
}

const char *
pr_dmarc_policy_name (PrDmarcPolicy policy)
{
  return policy_names[policy];
}

char *
pr_dmarc_find_author (const char *header, gsize len)
{
  g_autoptr (PrHeaders) headers = pr_headers_new (header, len);
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *value = NULL, *first = NULL;

  if (pr_headers_count (headers, "From") != 1)
    return g_strdup ("");
  value = pr_headers_get (headers, "From", 0);
  if (!pr_mailboxes_parse (value, addresses) || addresses->len == 0)
    return g_strdup ("");

  for (guint i = 0; i < addresses->len; i++)
    {
      g_autofree char *domain =
        pr_domain_to_ascii (pr_address_domain (g_ptr_array_index (addresses, i)));

      if (domain == NULL || (first != NULL && strcmp (first, domain) != 0))
        return g_strdup ("");
      if (first == NULL)
        first = g_steal_pointer (&domain);
    }

  return g_steal_pointer (&first);
}
