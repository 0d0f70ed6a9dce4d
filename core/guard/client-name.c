/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reverse names that are confirmed forward, and greetings. */

#include "guard/client-name.h"

#include <string.h>

static gboolean
has_address (const PrLookup *lookup, const PrIp *client)
{
  PrIp ip;

  for (guint i = 0; i < lookup->values->len; i++)
    if (pr_ip_parse (g_ptr_array_index (lookup->values, i), &ip) && pr_ip_equal (&ip, client))
      return TRUE;

  return FALSE;
}

gboolean
pr_client_name_find (PrLookups *lookups, const PrIp *client, PrClientName *name)
{
  g_autofree char *reverse = pr_lookups_reverse_name (client);
  const PrLookup *names = pr_lookups_find (lookups, PR_RECORD_NAME, reverse);
  PrClientName found = { .status = PR_CLIENT_NAME_DIFFERENT };
  PrRecordKind kind = pr_ip_is_v4 (client) ? PR_RECORD_IP4 : PR_RECORD_IP6;
  gboolean complete = names != NULL;

  if (names == NULL)
    return FALSE;
  if (names->status != PR_LOOKUP_FOUND)
    found.status = names->status == PR_LOOKUP_NONE ? PR_CLIENT_NAME_NONE : PR_CLIENT_NAME_UNKNOWN;

  for (guint i = 0; i < MIN (names->values->len, PR_CLIENT_NAME_MAX); i++)
    {
      const char *candidate = g_ptr_array_index (names->values, i);
      const PrLookup *addresses = pr_lookups_find (lookups, kind, candidate);

      if (addresses == NULL)
        complete = FALSE;
      else if (found.name == NULL && has_address (addresses, client))
        {
          found.status = PR_CLIENT_NAME_FOUND;
          found.name = g_strdup (candidate);
        }
      else if (found.name == NULL && addresses->status == PR_LOOKUP_FAILED)
        found.status = PR_CLIENT_NAME_UNKNOWN;
    }

  if (!complete)
    {
      g_free (found.name);
      return FALSE;
    }
  *name = found;
  return TRUE;
}

void
pr_client_name_clear (PrClientName *name)
{
  g_free (name->name);
  *name = (PrClientName){ 0 };
}

const char *
pr_client_name_describe (PrClientNameStatus status)
{
  switch (status)
    {
    case PR_CLIENT_NAME_NONE: return "its address has no name";
    case PR_CLIENT_NAME_DIFFERENT: return "the name of its address leads elsewhere";
    case PR_CLIENT_NAME_UNKNOWN: return "the name of its address could not be looked up";
    case PR_CLIENT_NAME_FOUND: break;
    }

  return "its address has a name";
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3), or a bare address, which is no greeting at
 * all but an honest one. */
static gboolean
read_literal (const char *helo, PrIp *ip)
{
  g_autofree char *text = g_strdup (helo);
  gsize len = strlen (text);
  char *start = text;

  if (len > 1 && text[0] == '[' && text[len - 1] == ']')
    {
      text[len - 1] = '\0';
      start++;
      if (g_ascii_strncasecmp (start, "IPv6:", 5) == 0)
        start += 5;
    }

  return pr_ip_parse (start, ip);
}

const char *
pr_client_name_check_hello (const char *helo, const char *hostname, const PrIp *client)
{
  PrIp ip;

  if (g_ascii_strcasecmp (helo, hostname) == 0)
    return "it is the name of this relay";
  if (g_ascii_strcasecmp (helo, "localhost") == 0 ||
      g_ascii_strcasecmp (helo, "localhost.localdomain") == 0)
    return "it is a name that every computer has for itself";
  if (read_literal (helo, &ip) && !pr_ip_equal (&ip, client))
    return "it is the address of another computer";

  return NULL;
}
