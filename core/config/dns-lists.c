/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists in the DNS, as people write them down. */

#include "config/dns-lists.h"

#include "smtp/address.h"

#include <string.h>

#define ADDRESS(a, b, c, d)                                                                        \
  ((guint32) (a) << 24 | (guint32) (b) << 16 | (guint32) (c) << 8 | (guint32) (d))

static gboolean
parse_code (const char *text, guint32 *code)
{
  PrIp ip;

  if (!pr_ip_parse (text, &ip) || !pr_ip_is_v4 (&ip) || strchr (text, ':') != NULL)
    return FALSE;

  *code = ADDRESS (ip.octets[12], ip.octets[13], ip.octets[14], ip.octets[15]);
  return TRUE;
}

/* "127.0.0.2" or "127.0.0.2-127.0.0.11". */
static gboolean
parse_codes (char *text, PrDnsList *list)
{
  char *dash = strchr (text, '-');

  if (dash == NULL)
    return parse_code (text, &list->from) && parse_code (text, &list->to);

  *dash = '\0';
  return parse_code (text, &list->from) && parse_code (dash + 1, &list->to) &&
         list->from <= list->to;
}

static gboolean
parse_weight (const char *text, PrDnsList *list)
{
  gint64 weight;

  if (!g_ascii_string_to_signed (text, 10, -PR_DNS_LIST_WEIGHT_MAX, PR_DNS_LIST_WEIGHT_MAX, &weight,
                                 NULL) ||
      weight == 0)
    return FALSE;

  list->weight = (int) weight;
  return TRUE;
}

static const char *
parse_entry (const char *text, PrDnsList *list)
{
  g_autofree char *copy = g_ascii_strdown (text, -1);
  char *star = strrchr (copy, '*'), *equals = strchr (copy, '=');

  *list =
    (PrDnsList){ .from = ADDRESS (127, 0, 0, 2), .to = ADDRESS (127, 0, 0, 254), .weight = 1 };
  if (star != NULL)
    *star = '\0';
  if (equals != NULL)
    *equals = '\0';
  if (star != NULL && !parse_weight (star + 1, list))
    return "a number from -1000 to 1000, and not 0, belongs behind the *";
  if (equals != NULL && !parse_codes (equals + 1, list))
    return "an address such as 127.0.0.2, or two with - between them, belongs behind the =";
  if (!pr_host_name_is_valid (copy) || strchr (copy, '.') == NULL)
    return "it is not the name of a list";

  list->zone = g_strdup (copy);
  return NULL;
}

PrDnsLists *
pr_dns_lists_new (const char *const *entries, char **why)
{
  guint n = g_strv_length ((char **) entries);
  g_autoptr (PrDnsLists) self = g_malloc0 (sizeof *self + n * sizeof (PrDnsList));

  if (n > PR_DNS_LISTS_MAX)
    {
      *why = g_strdup_printf ("names more than %d lists", PR_DNS_LISTS_MAX);
      return NULL;
    }

  for (; self->n < n; self->n++)
    {
      const char *fault = parse_entry (entries[self->n], &self->entries[self->n]);

      if (fault != NULL)
        {
          *why = g_strdup_printf ("\"%s\" cannot be read: %s", entries[self->n], fault);
          return NULL;
        }
    }

  return g_steal_pointer (&self);
}

void
pr_dns_lists_free (PrDnsLists *self)
{
  for (guint i = 0; i < self->n; i++)
    g_free (self->entries[i].zone);
  g_free (self);
}
