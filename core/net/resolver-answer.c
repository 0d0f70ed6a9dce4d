/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What name servers answer, which strangers write, and what a name says by itself. */
#include "net/resolver-private.h"

#include <string.h>

#include "common/error.h"
#include "common/ip.h"

#define MAX_RESULTS 32 /* of one answer; nobody needs more */
#define MAX_NAME 253   /* RFC 1035 §2.3.4 */

static void
exchanger_clear (gpointer data)
{
  g_free (((PrExchanger *) data)->host);
}

static void
set_failure (PrQuestion *question, PrError code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  question->error = g_error_new_valist (PR_ERROR, (gint) code, format, args);
  va_end (args);
}

static void
add_exchanger (PrQuestion *question, const char *host, guint16 preference)
{
  PrExchanger exchanger = { g_strdup (host), preference };

  if (question->exchangers == NULL)
    {
      question->exchangers = g_array_new (FALSE, FALSE, sizeof (PrExchanger));
      g_array_set_clear_func (question->exchangers, exchanger_clear);
    }
  g_array_append_val (question->exchangers, exchanger);
}

/* Lower case without the root's dot; NULL for what cannot be a host: strangers write it. */
static char *
clean_host (const char *name)
{
  g_autofree char *host = g_ascii_strdown (name, -1);
  gsize len = strlen (host);

  if (len > 0 && host[len - 1] == '.')
    host[--len] = '\0';
  if (len > MAX_NAME || strspn (host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != len)
    return NULL;
  return g_steal_pointer (&host);
}

static gint
compare_preference (gconstpointer a, gconstpointer b)
{
  return (gint) ((const PrExchanger *) a)->preference -
         (gint) ((const PrExchanger *) b)->preference;
}

void
pr_question_take_records (PrQuestion *question, GList *records)
{
  gboolean null_mx = FALSE;

  for (GList *each = records; each != NULL; each = each->next)
    {
      g_autofree char *host = NULL;
      const char *name;
      guint16 preference;

      if (!g_variant_is_of_type (each->data, G_VARIANT_TYPE ("(qs)")))
        continue;
      g_variant_get (each->data, "(q&s)", &preference, &name);
      host = clean_host (name);
      if (host != NULL && host[0] == '\0')
        null_mx = TRUE; /* RFC 7505 §3; one among others means nothing */
      else if (host != NULL)
        add_exchanger (question, host, preference);
    }

  if (question->exchangers != NULL)
    {
      g_array_sort (question->exchangers, compare_preference);
      if (question->exchangers->len > MAX_RESULTS)
        g_array_set_size (question->exchangers, MAX_RESULTS);
    }
  else if (null_mx)
    set_failure (question, PR_ERROR_PERMANENT, "%s does not accept mail (null MX)", question->name);
  else if (records != NULL)
    set_failure (question, PR_ERROR_PERMANENT, "%s has no usable mail exchanger", question->name);
  else
    add_exchanger (question, question->name, 0); /* RFC 5321 §5.1: the implicit MX */
}

void
pr_question_take_addresses (PrQuestion *question, GList *addresses)
{
  question->addresses = g_ptr_array_new_with_free_func (g_object_unref);
  for (GList *each = addresses; each != NULL && question->addresses->len < MAX_RESULTS;
       each = each->next)
    g_ptr_array_add (question->addresses, g_object_ref (each->data));
  if (question->addresses->len > 0)
    return;
  g_clear_pointer (&question->addresses, g_ptr_array_unref);
  set_failure (question, PR_ERROR_PERMANENT, "%s has no address", question->name);
}

void
pr_question_take_error (PrQuestion *question, const GError *error)
{
  gboolean none = g_error_matches (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);

  if (none && question->kind == ASK_EXCHANGERS)
    pr_question_take_records (question, NULL);
  else if (none)
    set_failure (question, PR_ERROR_PERMANENT, "%s does not exist, or has no address",
                 question->name);
  else
    set_failure (question, PR_ERROR_TEMPORARY, "%s cannot be looked up: %s", question->name,
                 error->message);
}

gboolean
pr_question_take_text (PrQuestion *question)
{
  const char *name = question->name;
  gsize len = strlen (name);
  PrIp ip;

  if (question->kind == ASK_ADDRESSES && pr_ip_parse (name, &ip))
    {
      gboolean v4 = pr_ip_is_v4 (&ip);

      question->addresses = g_ptr_array_new_with_free_func (g_object_unref);
      g_ptr_array_add (question->addresses, g_inet_address_new_from_bytes (
                                              ip.octets + (v4 ? 12 : 0),
                                              v4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6));
    }
  else if (question->kind == ASK_EXCHANGERS && name[0] == '[')
    {
      g_autofree char *inner = len > 2 ? g_strndup (name + 1, len - 2) : g_strdup ("");
      const char *address = g_str_has_prefix (inner, "ipv6:") ? inner + strlen ("ipv6:") : inner;

      if (name[len - 1] == ']' && pr_ip_parse (address, &ip))
        add_exchanger (question, address, 0);
      else
        set_failure (question, PR_ERROR_PERMANENT, "%s is not an address", name);
    }
  else if (len == 0 || len > MAX_NAME)
    set_failure (question, PR_ERROR_PERMANENT, "\"%s\" is not a name that can exist", name);
  else
    return FALSE;
  return TRUE;
}
