/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message between its first octet and the queue: one pass, a few hundred octets of state.
 *
 *   LINE ── ':' or white space ──► REST ── '\n' ──► LINE
 *     │ empty line, or no field
 *     └──────────────────────────► BODY
 *
 * In LINE the octets are held back until it is known what the line is. */

#include <string.h>

#include "common/units.h"
#include "server/intake.h"
#include "smtp/address.h"

#define MAX_FIELD_NAME 256 /* a longer one is no field: the header section has ended */

typedef enum
{
  LINE, /* at the start of a line of the header section */
  REST, /* behind the field name, up to the line end */
  BODY,
} IntakeState;

struct _PrIntake
{
  PrSpool *spool; /* owned */
  char *hostname; /* owned */
  gint64 id;
  gint64 now_us;
  gboolean complete;
  gboolean room; /* what the spool said last */
  IntakeState state;
  gboolean first_line;
  gboolean name_ended; /* white space behind the field name: only ':' may follow */
  gboolean has_date, has_message_id;
  guint n_received;
  gsize n_held;
  char held[MAX_FIELD_NAME];
};

static void
put (PrIntake *self, const char *data, gsize len)
{
  if (len > 0)
    self->room = pr_spool_append (self->spool, data, len);
}

static void
put_held (PrIntake *self)
{
  put (self, self->held, self->n_held);
  self->n_held = 0;
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

  if (self->complete && !self->has_date)
    {
      put_text (self, "Date: ");
      put_text (self, date_of (self->now_us));
      put_text (self, "\r\n");
    }
  if (self->complete && !self->has_message_id)
    {
      put_text (self, "Message-ID: <");
      put_text (self, pr_id_format (self->id, id));
      put_text (self, "@");
      put_text (self, self->hostname);
      put_text (self, ">\r\n");
    }
}

/* The header section ends before the held octets; @open: without the empty line it needs. */
static void
end_header (PrIntake *self, gboolean open)
{
  put_missing (self);
  if (open && self->complete)
    put (self, "\r\n", 2);
  put_held (self);
  self->state = BODY;
}

static gboolean
held_is (PrIntake *self, const char *name)
{
  gsize len = strlen (name);

  return self->n_held > len && g_ascii_strncasecmp (self->held, name, len) == 0 &&
         (self->held[len] == ':' || self->held[len] == ' ' || self->held[len] == '\t');
}

static void
take_field (PrIntake *self)
{
  if (held_is (self, "Received"))
    self->n_received++;
  else if (held_is (self, "Date"))
    self->has_date = TRUE;
  else if (held_is (self, "Message-ID"))
    self->has_message_id = TRUE;

  put_held (self);
  self->state = REST;
}

/* A line "From someone Mon Nov 23 …" on top comes from programs that feed us mailbox files. */
static gboolean
is_mailbox_line (PrIntake *self)
{
  return self->first_line && self->n_held == 5 && memcmp (self->held, "From ", 5) == 0;
}

static void
take_name_octet (PrIntake *self, char c)
{
  gboolean blank = c == ' ' || c == '\t';

  self->held[self->n_held++] = c;

  if (c == ':' && self->n_held > 1)
    take_field (self);
  else if (c == '\n')
    end_header (self, self->n_held > 2 || self->held[0] != '\r');
  else if ((blank && self->n_held == 1 && !self->first_line) || is_mailbox_line (self))
    {
      put_held (self); /* a folded field goes on */
      self->state = REST;
    }
  else if (self->n_held == MAX_FIELD_NAME || (blank && self->n_held == 1) ||
           (c != '\r' && !blank && (self->name_ended || !g_ascii_isgraph (c))))
    end_header (self, TRUE);
  else
    self->name_ended = blank;
}

static void
start_line (PrIntake *self)
{
  self->state = LINE;
  self->first_line = FALSE;
  self->name_ended = FALSE;
}

gboolean
pr_intake_append (PrIntake *self, const char *data, gsize len)
{
  const char *end = data + len;

  while (data < end && self->state != BODY)
    {
      if (self->state == LINE)
        {
          take_name_octet (self, *data++);
        }
      else
        {
          const char *newline = memchr (data, '\n', (gsize) (end - data));
          gsize n = (gsize) ((newline != NULL ? newline + 1 : end) - data);

          put (self, data, n);
          data += n;
          if (newline != NULL)
            start_line (self);
        }
    }

  put (self, data, (gsize) (end - data));

  return self->room;
}

/* The Extended-Domain of RFC 5321 §4.4: the client's own name where it is one, else its address. */
static void
append_from (GString *field, const PrIntakeFacts *facts)
{
  gboolean v6 = strchr (facts->client, ':') != NULL;
  const char *prefix = v6 ? "IPv6:" : "";

  g_string_append (field, "Received: from ");
  if (facts->helo != NULL && pr_host_name_is_valid (facts->helo))
    g_string_append_printf (field, "%s ([%s%s])", facts->helo, prefix, facts->client);
  else
    g_string_append_printf (field, "[%s%s] ([%s%s])", prefix, facts->client, prefix, facts->client);
}

static void
put_trace (PrIntake *self, const PrIntakeFacts *facts)
{
  g_autoptr (GString) field = g_string_sized_new (256);
  char id[PR_ID_LEN + 1];

  append_from (field, facts);
  g_string_append_printf (field, "\r\n\tby %s (Postroom) with %s id %s", facts->hostname,
                          facts->protocol, pr_id_format (self->id, id));
  /* One recipient is told; more would show each the others, blind copies among them. */
  if (facts->envelope->recipients->len == 1)
    g_string_append_printf (field, "\r\n\tfor <%s>",
                            pr_envelope_recipient (facts->envelope, 0)->address);
  g_string_append_printf (field, ";\r\n\t%s\r\n", date_of (self->now_us));
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
  self->first_line = TRUE;
  self->spool = pr_spool_new (store, self->id, writable, user_data);
  put_trace (self, facts);

  return self;
}

void
pr_intake_free (PrIntake *self)
{
  g_clear_pointer (&self->spool, pr_spool_free);
  g_free (self->hostname);
  g_free (self);
}

guint
pr_intake_get_n_received (const PrIntake *self)
{
  return self->n_received;
}

PrMessage *
pr_intake_finish (PrIntake *self, PrEnvelope *envelope)
{
  PrMessage *message = pr_message_new (self->id, self->now_us, envelope);

  if (self->state != BODY)
    {
      put_held (self);
      put_missing (self);
    }
  pr_spool_finish (g_steal_pointer (&self->spool), message);
  pr_intake_free (self);

  return message;
}
