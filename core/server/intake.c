/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message between its first octet and the queue: one pass, a few hundred octets of state. */

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "guard/auth-results.h"
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
  /* Of an inspected message: */
  PrInspection *inspection; /* borrowed, nullable */
  GString *held;            /* owned, nullable: the header until it is whole */
  guint8 n_separator;       /* octets of the empty line that went by */
  gboolean obscure;
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

/* Fields as they came, but for those that claim to be what only we may say. */
static void
put_honest_fields (PrIntake *self)
{
  g_autoptr (GArray) fields = pr_canon_split (self->held->str, self->held->len);
  const char *start = self->held->str;

  for (guint i = 0; i < fields->len; i++)
    {
      const PrCanonField *field = &g_array_index (fields, PrCanonField, i);
      const char *end = i + 1 < fields->len ? g_array_index (fields, PrCanonField, i + 1).text
                                            : self->held->str + self->held->len;
      g_autofree char *text = g_strndup (field->text, field->len);

      if (!pr_canon_field_is (field, "Authentication-Results") ||
          !pr_auth_results_is_ours (strchr (text, ':') + 1, self->hostname))
        continue;
      put (self, start, (gsize) (field->text - start));
      start = end;
    }
  put (self, start, (gsize) (self->held->str + self->held->len - start));
}

static void
release_header (PrIntake *self)
{
  if (self->obscure)
    put (self, self->held->str, self->held->len);
  else
    {
      pr_inspection_take_header (self->inspection, self->held->str, self->held->len);
      put_honest_fields (self);
    }
  g_string_free (g_steal_pointer (&self->held), TRUE);
}

/* What an inspected message consists of: its header, an empty line, its body. */
static void
put_inspected (PrIntake *self, const char *data, gsize len)
{
  gsize skipped = MIN (len, 2u - self->n_separator);

  if (self->held != NULL && self->held->len + len <= PR_HEADERS_MAX)
    {
      g_string_append_len (self->held, data, (gssize) len);
      return;
    }
  if (self->held != NULL)
    {
      self->obscure = TRUE;
      release_header (self);
    }

  if (self->scan.ended && !self->obscure)
    {
      self->n_separator += (guint8) skipped;
      pr_inspection_take_body (self->inspection, data + skipped, len - skipped);
    }
  put (self, data, len);
}

static void
on_octets (gpointer owner, const char *data, gsize len)
{
  PrIntake *self = owner;

  if (self->inspection != NULL)
    put_inspected (self, data, len);
  else
    put (self, data, len);
}

static void
on_header_end (gpointer owner)
{
  PrIntake *self = owner;

  if (self->held != NULL)
    release_header (self);
  put_missing (self);
}

static const PrHeaderSink sink = { .octets = on_octets, .end = on_header_end };

gboolean
pr_intake_append (PrIntake *self, const char *data, gsize len)
{
  if (self->scan.ended)
    {
      on_octets (self, data, len);
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
  self->inspection = facts->inspection;
  if (self->inspection != NULL)
    {
      self->held = g_string_new (NULL);
      pr_spool_reserve (self->spool, PR_AUTH_RESULTS_MAX);
    }
  put_trace (self, facts);

  return self;
}

void
pr_intake_free (PrIntake *self)
{
  g_clear_pointer (&self->spool, pr_spool_free);
  if (self->header != NULL)
    g_string_free (self->header, TRUE);
  if (self->held != NULL)
    g_string_free (self->held, TRUE);
  g_free (self->hostname);
  g_free (self);
}

gint64
pr_intake_get_id (const PrIntake *self)
{
  return self->id;
}

guint
pr_intake_get_n_received (const PrIntake *self)
{
  return self->scan.n_received;
}

gboolean
pr_intake_is_obscure (const PrIntake *self)
{
  return self->obscure;
}

void
pr_intake_end (PrIntake *self)
{
  pr_header_scan_finish (&self->scan, &sink, self);
}

void
pr_intake_set_results (PrIntake *self, const char *field)
{
  pr_spool_fill (self->spool, field);
}

PrMessage *
pr_intake_finish (PrIntake *self, PrEnvelope *envelope)
{
  PrMessage *message = pr_message_new (self->id, self->now_us, envelope);

  envelope->waives_tls = !envelope->requires_tls && /* RFC 8689 §4.1: the parameter counts */
                         pr_header_scan_waives_tls (&self->scan);
  pr_spool_finish (g_steal_pointer (&self->spool), message);
  pr_intake_free (self);

  return message;
}
