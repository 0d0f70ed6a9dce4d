/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message between its first octet and the queue: one pass, a few hundred octets of state. */

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "server/intake.h"
#include "smtp/address.h"
#include "smtp/headers.h"

struct _PrIntake
{
  PrSpool *spool; /* owned */
  char *hostname; /* owned */
  gint64 id;
  gint64 now_us;
  gboolean complete;
  gboolean room; /* what the spool said last */
  PrHeaderScan scan;
  GString *header; /* owned, nullable */
};

static void
put (PrIntake *self, const char *data, gsize len)
{
  if (len > 0)
    self->room = pr_spool_append (self->spool, data, len);
}

/* The same second is formatted once: many messages share it. */
static const char *
date_of (gint64 us)
{
  static gint64 second = -1;
  static char *text;

  if (us / G_USEC_PER_SEC != second)
    {
      second = us / G_USEC_PER_SEC;
      g_free (text);
      text = pr_date_format (us);
    }

  return text;
}

static void
put_text (PrIntake *self, const char *text)
{
  put (self, text, strlen (text));
}

static void
put_missing (PrIntake *self)
{
  char id[PR_ID_LEN + 1];

  if (self->complete && !(self->scan.seen & PR_FIELD_DATE))
    {
      put_text (self, "Date: ");
      put_text (self, date_of (self->now_us));
      put_text (self, "\r\n");
    }
  if (self->complete && !(self->scan.seen & PR_FIELD_MESSAGE_ID))
    {
      put_text (self, "Message-ID: <");
      put_text (self, pr_id_format (self->id, id));
      put_text (self, "@");
      put_text (self, self->hostname);
      put_text (self, ">\r\n");
    }
}

static void
on_octets (gpointer owner, const char *data, gsize len)
{
  put (owner, data, len);
}

static void
on_header_end (gpointer owner)
{
  put_missing (owner);
}

static const PrHeaderSink sink = { .octets = on_octets, .end = on_header_end };

gboolean
pr_intake_append (PrIntake *self, const char *data, gsize len)
{
  if (self->scan.ended)
    {
      put (self, data, len);
      return self->room;
    }

  if (self->header != NULL)
    g_string_append_len (self->header, data,
                         (gssize) MIN (len, PR_HEADERS_MAX - self->header->len));
  pr_header_scan_feed (&self->scan, data, len, &sink, self);
  return self->room;
}

const char *
pr_intake_get_header (const PrIntake *self, gsize *len)
{
  *len = self->header != NULL ? self->header->len : 0;

  return self->header != NULL ? self->header->str : NULL;
}

/* The Extended-Domain of RFC 5321 §4.4: the client's own name where it is one, else its address. */
static void
append_from (GString *field, const PrIntakeFacts *facts)
{
  gboolean v6 = strchr (facts->client, ':') != NULL;
  const char *prefix = v6 ? "IPv6:" : "";

  g_string_append (field, "Received: from ");
  if (facts->helo != NULL && pr_host_name_is_valid (facts->helo))
    pr_text_append (field, facts->helo, NULL);
  else
    pr_text_append (field, "[", prefix, facts->client, "]", NULL);
  pr_text_append (field, " ([", prefix, facts->client, "])", NULL);
}

static void
put_trace (PrIntake *self, const PrIntakeFacts *facts)
{
  g_autoptr (GString) field = g_string_sized_new (256);
  char id[PR_ID_LEN + 1];

  append_from (field, facts);
  pr_text_append (field, "\r\n\tby ", facts->hostname, " (Postroom) with ", facts->protocol, " id ",
                  pr_id_format (self->id, id), NULL);
  /* One recipient is told; more would show each the others, blind copies among them. */
  if (facts->envelope->recipients->len == 1)
    pr_text_append (field, "\r\n\tfor <", pr_envelope_recipient (facts->envelope, 0)->address, ">",
                    NULL);
  if (facts->tls_cipher != NULL) /* RFC 8314 §4.3 */
    pr_text_append (field, "\r\n\ttls ", facts->tls_cipher, " (", facts->tls_version, ")",
                    facts->envelope->requires_tls ? " (REQUIRETLS)" : NULL, NULL);
  pr_text_append (field, ";\r\n\t", date_of (self->now_us), "\r\n", NULL);
  put (self, field->str, field->len);
}

PrIntake *
pr_intake_new (PrStore *store, const PrIntakeFacts *facts, PrSpoolFunc writable, gpointer user_data)
{
  PrIntake *self = g_new0 (PrIntake, 1);

  self->now_us = g_get_real_time ();
  self->id = pr_id_next (pr_store_get_ids (store));
  self->hostname = g_strdup (facts->hostname);
  self->complete = facts->complete;
  self->room = TRUE;
  if (facts->keeps_header)
    self->header = g_string_new (NULL);
  self->spool = pr_spool_new (store, self->id, writable, user_data);
  put_trace (self, facts);

  return self;
}

void
pr_intake_free (PrIntake *self)
{
  g_clear_pointer (&self->spool, pr_spool_free);
  if (self->header != NULL)
    g_string_free (self->header, TRUE);
  g_free (self->hostname);
  g_free (self);
}

guint
pr_intake_get_n_received (const PrIntake *self)
{
  return self->scan.n_received;
}

PrMessage *
pr_intake_finish (PrIntake *self, PrEnvelope *envelope)
{
  PrMessage *message = pr_message_new (self->id, self->now_us, envelope);

  pr_header_scan_finish (&self->scan, &sink, self);
  envelope->waives_tls = !envelope->requires_tls && /* RFC 8689 §4.1: the parameter counts */
                         pr_header_scan_waives_tls (&self->scan);
  pr_spool_finish (g_steal_pointer (&self->spool), message);
  pr_intake_free (self);

  return message;
}
