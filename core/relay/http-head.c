/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/http-head.h"

#include <string.h>

#include "relay/rewrite.h"
#include "smtp/address.h"
#include "smtp/headers.h"
#include "smtp/mailboxes.h"

#define WHAT_NEXT "; send it through a route by SMTP, such as via=smarthost"

static const char *const shown[] = { "To", "Cc" };

/* NULL: all is well; else why not. (transfer full) */
static char *
read_field (const PrHeaders *headers, const char *name, GPtrArray *addresses)
{
  g_autofree char *value = NULL;

  if (pr_headers_count (headers, name) > 1)
    return g_strdup_printf ("it has more than one field %s" WHAT_NEXT, name);
  value = pr_headers_get (headers, name, 0);
  if (value != NULL && !pr_mailboxes_parse (value, addresses))
    return g_strdup_printf ("its field %s is not right, and nobody knows whom the provider would "
                            "read in it" WHAT_NEXT,
                            name);
  return NULL;
}

/* Takes those it shows out of @missing. */
static char *
compare (const GPtrArray *addresses, GHashTable *recipients, GHashTable *missing)
{
  for (guint i = 0; i < addresses->len; i++)
    {
      g_autofree char *key = pr_mailbox_key (addresses->pdata[i]);

      if (!g_hash_table_contains (recipients, key))
        return g_strdup_printf ("the provider sends to everybody it names, and %s is not among "
                                "those it is to go to now" WHAT_NEXT,
                                (const char *) addresses->pdata[i]);
      g_hash_table_remove (missing, key);
    }
  return NULL;
}

/* In the order of the envelope, one on each line: no line becomes too long. */
static void
write_bcc (PrHeaders *headers, const PrMessage *message, const guint *indexes, guint n,
           GHashTable *missing)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      const char *address = pr_envelope_recipient (message->envelope, indexes[i])->address;
      g_autofree char *key = pr_mailbox_key (address);

      if (g_hash_table_remove (missing, key))
        g_string_append_printf (value, "%s%s", value->len > 0 ? ",\r\n " : "", address);
    }
  pr_headers_remove (headers, "Bcc");
  if (value->len > 0)
    pr_headers_append (headers, "Bcc", value->str);
}

static char *
collect (const PrMessage *message, const guint *indexes, guint n, GHashTable *recipients,
         GHashTable *missing)
{
  for (guint i = 0; i < n; i++)
    {
      const char *address = pr_envelope_recipient (message->envelope, indexes[i])->address;

      if (*pr_address_domain (address) == '\0')
        return g_strdup_printf ("%s has no domain, which a provider needs" WHAT_NEXT, address);
      g_hash_table_add (recipients, pr_mailbox_key (address));
      g_hash_table_add (missing, pr_mailbox_key (address));
    }
  return NULL;
}

static char *
address_it (PrHeaders *headers, const PrMessage *message, const guint *indexes, guint n)
{
  g_autoptr (GHashTable) recipients = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) missing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_free);
  char *why = collect (message, indexes, n, recipients, missing);

  for (gsize i = 0; why == NULL && i < G_N_ELEMENTS (shown); i++)
    why = read_field (headers, shown[i], addresses);
  if (why == NULL)
    why = compare (addresses, recipients, missing);
  if (why == NULL && (g_hash_table_size (missing) > 0 || pr_headers_count (headers, "Bcc") > 0))
    write_bcc (headers, message, indexes, n, missing);
  return why;
}

static gboolean
begins_with_empty_line (const char *text, gsize len)
{
  return (len >= 1 && text[0] == '\n') || (len >= 2 && text[0] == '\r' && text[1] == '\n');
}

void
pr_http_head_make (PrHttpHead *out, const PrRouteConfig *route, const PrMessage *message,
                   const guint *indexes, guint n, const char *text, gsize len)
{
  g_autoptr (PrHeaders) headers = pr_headers_new (text, len);
  g_autofree char *why = NULL;
  gsize size = pr_headers_get_size (headers);

  *out = (PrHttpHead){ .head_octets = size };
  if (!pr_headers_is_complete (headers) && size < message->size_octets)
    why = g_strdup ("its header is too large" WHAT_NEXT);
  else if (memchr (text, '\0', size) != NULL)
    why = g_strdup ("its header has an octet of value 0" WHAT_NEXT);
  else
    why = address_it (headers, message, indexes, n);
  if (why != NULL)
    {
      out->refusal = g_strdup_printf ("It cannot go this way: %s", why);
      return;
    }
  if (route->rewrite_sender != NULL)
    pr_rewrite_headers (headers, route->rewrite_sender);
  out->head = g_string_new (NULL);
  pr_headers_write (headers, out->head);
  /* A body that began without one would become part of what was added. */
  if (out->head->len != size && len > size && !begins_with_empty_line (text + size, len - size))
    g_string_append (out->head, "\r\n");
}

void
pr_http_head_clear (PrHttpHead *self)
{
  if (self->head != NULL)
    g_string_free (self->head, TRUE);
  g_free (self->refusal);
  *self = (PrHttpHead){ 0 };
}
