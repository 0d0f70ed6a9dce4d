/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of addresses in the DNS. */

#include "guard/listed.h"

static gboolean
counts (const PrDnsList *list, const char *answer)
{
  PrIp ip;
  guint32 code = 0;

  if (!pr_ip_parse (answer, &ip) || !pr_ip_is_v4 (&ip))
    return FALSE;
  for (guint i = 12; i < sizeof ip.octets; i++)
    code = code << 8 | ip.octets[i];

  return code >= list->from && code <= list->to;
}

static gboolean
is_on (const PrDnsList *list, const PrLookup *lookup)
{
  for (guint i = 0; i < lookup->values->len; i++)
    if (counts (list, g_ptr_array_index (lookup->values, i)))
      return TRUE;

  return FALSE;
}

gboolean
pr_listed_check (PrLookups *lookups, const PrDnsLists *lists, const PrIp *client, PrListed *listed)
{
  g_autofree char *reverse = pr_lookups_reverse (client);
  g_autoptr (GString) zones = g_string_new (NULL);
  PrListed found = { 0 };
  gboolean complete = TRUE;

  for (guint i = 0; lists != NULL && i < lists->n; i++)
    {
      const PrDnsList *list = &lists->entries[i];
      g_autofree char *name = g_strconcat (reverse, ".", list->zone, NULL);
      const PrLookup *lookup = pr_lookups_find (lookups, PR_RECORD_IP4, name);

      complete &= lookup != NULL;
      if (lookup == NULL)
        continue;
      found.unknown |= lookup->status == PR_LOOKUP_FAILED;
      if (!is_on (list, lookup))
        continue;
      found.score += list->weight;
      if (list->weight > 0)
        g_string_append_printf (zones, "%s%s", zones->len > 0 ? ", " : "", list->zone);
    }
  if (!complete)
    return FALSE;

  if (zones->len > 0)
    found.zones = g_string_free (g_steal_pointer (&zones), FALSE);
  *listed = found;
  return TRUE;
}

void
pr_listed_clear (PrListed *listed)
{
  g_free (listed->zones);
  *listed = (PrListed){ 0 };
}
