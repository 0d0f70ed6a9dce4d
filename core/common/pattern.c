/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address patterns: one hash set of patterns in one form; an address is looked up under each of
 * the few patterns that would match it. */
#include "common/pattern.h"

#include <idn2.h>
#include <string.h>

#include "common/error.h"

#define MAX_LABEL 63   /* RFC 1035 §2.3.4 */
#define MAX_DOMAIN 255 /* RFC 5321 §4.5.3.1.2 */

struct _PrPatterns
{
  gboolean any;          /* "*" is among them */
  gboolean by_any_depth; /* some pattern has "*." */
  GHashTable *set; /* owned, of char *: "local@domain", either may be "*", domain "*.parent" */
};

static gboolean
is_ascii (const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((guchar) text[i] > 127)
      return FALSE;
  return TRUE;
}

/* Local parts differ by case in theory (RFC 5321 §2.4); nobody's rules mean that. */
static char *
fold_local (const char *text, gsize len)
{
  if (is_ascii (text, len) || !g_utf8_validate (text, (gssize) len, NULL))
    return g_ascii_strdown (text, (gssize) len);
  return g_utf8_casefold (text, (gssize) len);
}

char *
pr_domain_fold (const char *domain)
{
  gsize len = strlen (domain);
  g_autofree char *copy = g_ascii_strdown (domain, (gssize) len);
  g_autofree char *folded = NULL;
  char *ascii = NULL;

  if (is_ascii (copy, len))
    return g_steal_pointer (&copy);
  if (!g_utf8_validate (copy, (gssize) len, NULL))
    return NULL;
  folded = g_utf8_strdown (copy, -1);
  if (idn2_to_ascii_8z (folded, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
    return NULL;
  g_free (g_steal_pointer (&copy));
  copy = g_strdup (ascii);
  idn2_free (ascii);
  return g_steal_pointer (&copy);
}

static gboolean
domain_is_valid (const char *domain)
{
  gsize len = strlen (domain), label = 0;

  if (len == 0 || len > MAX_DOMAIN)
    return FALSE;
  if (domain[0] == '[')
    return len > 2 && domain[len - 1] == ']' &&
           strspn (domain + 1, "0123456789abcdefipv.:") == len - 2;
  for (const char *p = domain; *p != '\0'; p++)
    {
      if (*p == '.' ? label == 0 : !g_ascii_isalnum (*p) && *p != '-' && *p != '_')
        return FALSE;
      label = *p == '.' ? 0 : label + 1;
      if (label > MAX_LABEL)
        return FALSE;
    }
  return label > 0;
}

static gboolean
local_is_valid (const char *text, gsize len)
{
  gboolean quoted = len > 1 && text[0] == '"' && text[len - 1] == '"';

  for (gsize i = 0; i < len; i++)
    if (g_ascii_iscntrl (text[i]) || (!quoted && strchr (" *@\"", text[i]) != NULL))
      return FALSE;
  return len > 0;
}

static char *
pattern_fault (const char *entry, const char *why, GError **error)
{
  g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "\"%s\" is not an address pattern: %s", entry,
               why);
  return NULL;
}

/* The form of the set's keys. (transfer full) */
static char *
normalise (const char *entry, GError **error)
{
  const char *at = strrchr (entry, '@');
  const char *domain = at != NULL ? at + 1 : entry;
  gsize local_len = at != NULL ? (gsize) (at - entry) : 0;
  gboolean below = g_str_has_prefix (domain, "*.");
  g_autofree char *local = NULL, *folded = NULL;

  if (at == NULL || (local_len == 1 && entry[0] == '*'))
    local = g_strdup ("*");
  else if (local_is_valid (entry, local_len))
    local = fold_local (entry, local_len);
  else
    return pattern_fault (entry, "the part before @ must be a name or a lone *", error);

  if (strcmp (domain, "*") == 0)
    return at == NULL ? g_strdup ("*") : g_strconcat (local, "@*", NULL);
  if (below)
    domain += 2;
  folded = pr_domain_fold (domain);
  if (folded == NULL || !domain_is_valid (folded) || (below && folded[0] == '['))
    return pattern_fault (entry, "the domain must be a name, *.name or a lone *", error);
  return g_strconcat (local, below ? "@*." : "@", folded, NULL);
}

PrPatterns *
pr_patterns_new (const char *const *list, GError **error)
{
  g_autoptr (PrPatterns) self = g_new0 (PrPatterns, 1);

  self->set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (gsize i = 0; list != NULL && list[i] != NULL; i++)
    {
      char *pattern = normalise (list[i], error);

      if (pattern == NULL)
        return NULL;
      self->any = self->any || strcmp (pattern, "*") == 0;
      self->by_any_depth = self->by_any_depth || strstr (pattern, "@*.") != NULL;
      g_hash_table_add (self->set, pattern);
    }
  return g_steal_pointer (&self);
}

void
pr_patterns_free (PrPatterns *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->set);
  g_free (self);
}

/* "local@WILDdomain" and "*@WILDdomain", WILD being "" or "*.". */
static gboolean
has_pattern (const PrPatterns *self, const char *local, const char *wild, const char *domain)
{
  g_autofree char *own = g_strconcat (local, "@", wild, domain, NULL);
  g_autofree char *all = g_strconcat ("*@", wild, domain, NULL);

  return g_hash_table_contains (self->set, own) || g_hash_table_contains (self->set, all);
}

gboolean
pr_patterns_match (const PrPatterns *self, const char *address)
{
  const char *at = strrchr (address, '@');
  gsize local_len = at != NULL ? (gsize) (at - address) : strlen (address);
  g_autofree char *local = NULL, *domain = NULL;

  if (self->any)
    return TRUE;
  if (local_len == 0 || g_hash_table_size (self->set) == 0)
    return FALSE;

  local = fold_local (address, local_len);
  if (has_pattern (self, local, "", "*"))
    return TRUE;
  domain = at != NULL ? pr_domain_fold (at + 1) : NULL;
  if (domain == NULL || domain[0] == '*') /* "*" would be read as a pattern */
    return FALSE;
  if (has_pattern (self, local, "", domain))
    return TRUE;
  if (!self->by_any_depth || domain[0] == '[' || strlen (domain) > MAX_DOMAIN)
    return FALSE;
  for (const char *dot = strchr (domain, '.'); dot != NULL; dot = strchr (dot + 1, '.'))
    if (has_pattern (self, local, "*.", dot + 1))
      return TRUE;
  return FALSE;
}

gboolean
pr_patterns_is_empty (const PrPatterns *self)
{
  return g_hash_table_size (self->set) == 0;
}
