/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header is gathered until the scan sees its end, changed in one piece, and what follows
 * passes through. */
#include "relay/rewrite.h"

#include <gmime/gmime.h>
#include <string.h>

#define MAX_FROM 900 /* octets of a From line with its name; RFC 5322 §2.1.1 allows 998 */

struct _PrRewrite
{
  char *address; /* owned */
  PrHeaderScan scan;
  GString *header; /* owned; NULL once it left */
  GString *out;    /* borrowed, during pr_rewrite_feed() */
};

/* The first mailbox, also inside of a group; NULL if there is none. Borrowed. */
static InternetAddressMailbox *
find_author (InternetAddressList *list)
{
  for (int i = 0; i < internet_address_list_length (list); i++)
    {
      InternetAddress *entry = internet_address_list_get_address (list, i);
      InternetAddressMailbox *author = NULL;

      if (INTERNET_ADDRESS_IS_MAILBOX (entry))
        author = INTERNET_ADDRESS_MAILBOX (entry);
      else if (INTERNET_ADDRESS_IS_GROUP (entry))
        author = find_author (internet_address_group_get_members (INTERNET_ADDRESS_GROUP (entry)));
      if (author != NULL)
        return author;
    }
  return NULL;
}

static InternetAddressList *
parse_from (const char *from)
{
  return from != NULL ? internet_address_list_parse (NULL, from) : NULL;
}

/* An encoded word can hold anything, line breaks too. */
static char *
clean_name (const char *name)
{
  char *clean = g_utf8_make_valid (name, -1);

  for (char *p = clean; *p != '\0'; p++)
    if ((guchar) *p < ' ' || *p == 0x7f)
      *p = ' ';
  return g_strstrip (clean);
}

char *
pr_rewrite_from (const char *from, const char *address)
{
  InternetAddressList *list = parse_from (from);
  InternetAddressMailbox *author = list != NULL ? find_author (list) : NULL;
  const char *name = author != NULL ? internet_address_get_name (INTERNET_ADDRESS (author)) : NULL;
  g_autofree char *clean = name != NULL ? clean_name (name) : NULL;
  char *value = NULL;

  if (clean != NULL && *clean != '\0')
    {
      InternetAddress *mailbox = internet_address_mailbox_new (clean, address);

      value = internet_address_to_string (mailbox, NULL, TRUE);
      g_object_unref (mailbox);
    }
  g_clear_object (&list);

  if (value != NULL && (strlen (value) > MAX_FROM || strpbrk (value, "\r\n") != NULL))
    g_clear_pointer (&value, g_free);
  return value != NULL ? value : g_strdup (address);
}

/* One author, and it is @address. */
static gboolean
is_from (const char *from, const char *address)
{
  InternetAddressList *list = parse_from (from);
  InternetAddressMailbox *author = list != NULL ? find_author (list) : NULL;
  gboolean is = author != NULL && internet_address_list_length (list) == 1 &&
                g_ascii_strcasecmp (internet_address_mailbox_get_addr (author), address) == 0;

  g_clear_object (&list);
  return is;
}

void
pr_rewrite_headers (PrHeaders *headers, const char *address)
{
  g_autofree char *raw = pr_headers_get_raw (headers, "From", 0);
  g_autofree char *from = pr_headers_get (headers, "From", 0);
  g_autofree char *value = NULL;

  if (pr_headers_count (headers, "From") == 1 && is_from (from, address))
    return;

  value = pr_rewrite_from (from, address);
  if (raw != NULL && *raw != '\0' && pr_headers_count (headers, "Reply-To") == 0)
    pr_headers_append (headers, "Reply-To", raw);
  pr_headers_set (headers, "From", value);
  pr_headers_remove (headers, "Sender");
}

static void
on_octets (gpointer owner, const char *data, gsize len)
{
  PrRewrite *self = owner;

  g_string_append_len (self->header != NULL ? self->header : self->out, data, len);
}

static void
on_end (gpointer owner)
{
  PrRewrite *self = owner;
  g_autoptr (GString) header = g_steal_pointer (&self->header);
  g_autoptr (PrHeaders) headers = NULL;

  if (header == NULL) /* too large: it left */
    return;
  headers = pr_headers_new (header->str, header->len);
  pr_rewrite_headers (headers, self->address);
  pr_headers_write (headers, self->out);
}

static const PrHeaderSink sink = { on_octets, on_end };

PrRewrite *
pr_rewrite_new (const char *address)
{
  PrRewrite *self = g_new0 (PrRewrite, 1);

  self->address = g_strdup (address);
  self->header = g_string_new (NULL);
  return self;
}

void
pr_rewrite_free (PrRewrite *self)
{
  if (self->header != NULL)
    g_string_free (self->header, TRUE);
  g_free (self->address);
  g_free (self);
}

void
pr_rewrite_feed (PrRewrite *self, const char *data, gsize len, gboolean last, GString *out)
{
  self->out = out;
  pr_header_scan_feed (&self->scan, data, len, &sink, self);
  if (self->header != NULL && self->header->len > PR_HEADERS_MAX)
    {
      g_autoptr (GString) header = g_steal_pointer (&self->header);
      g_string_append_len (out, header->str, header->len);
    }
  if (last)
    pr_header_scan_finish (&self->scan, &sink, self);
  self->out = NULL;
}

const char *
pr_rewrite_envelope (const char *sender, const char *address)
{
  return *sender == '\0' ? sender : address;
}
