/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A header line by line. What a line is shows in its first octets; until then, and only where a
 * piece ends there, they are held:
 *
 *   start of line ─┬─ blank ───────────► continues the field above
 *                  ├─ name ":" ────────► field
 *                  ├─ CRLF ────────────► end of the header
 *                  └─ anything else ───► the body, begun without an empty line
 */
#include "smtp/headers.h"

#include <string.h>

typedef enum
{
  LINE_UNKNOWN, /* more octets are needed */
  LINE_FIELD,
  LINE_CONTINUATION,
  LINE_EMPTY,
  LINE_OTHER,
} Line;

static const struct
{
  const char *name;
  PrFields field;
} fields[] = {
  { "Date", PR_FIELD_DATE },
  { "Message-ID", PR_FIELD_MESSAGE_ID },
  { "From", PR_FIELD_FROM },
  { "Sender", PR_FIELD_SENDER },
  { "Reply-To", PR_FIELD_REPLY_TO },
  { "To", PR_FIELD_TO },
  { "Cc", PR_FIELD_CC },
  { "Subject", PR_FIELD_SUBJECT },
  { "Received", PR_FIELD_RECEIVED },
  { "DKIM-Signature", PR_FIELD_DKIM_SIGNATURE },
  { "MIME-Version", PR_FIELD_MIME_VERSION },
  { "Return-Path", PR_FIELD_RETURN_PATH },
  { "TLS-Required", PR_FIELD_TLS_REQUIRED },
};

/* What the line that begins with these @len octets is. @name_len: of a field's name.
 * RFC 5322 §3.6.8 for names, §4.5 for blanks in front of the colon. */
static Line
classify (const char *line, gsize len, gboolean first, gsize *name_len)
{
  gsize i = 0;

  if (len == 0)
    return LINE_UNKNOWN;
  if (*line == '\n')
    return LINE_EMPTY;
  if (*line == '\r')
    return len == 1 ? LINE_UNKNOWN : line[1] == '\n' ? LINE_EMPTY : LINE_OTHER;
  if (*line == ' ' || *line == '\t')
    return first ? LINE_OTHER : LINE_CONTINUATION;

  while (i < len && i < PR_FIELD_NAME_MAX && line[i] > ' ' && line[i] < 0x7f && line[i] != ':')
    i++;
  *name_len = i;
  while (i < len && i < PR_FIELD_NAME_MAX && (line[i] == ' ' || line[i] == '\t'))
    i++;

  if (i == PR_FIELD_NAME_MAX)
    return LINE_OTHER;
  if (i == len)
    return LINE_UNKNOWN;
  if (*name_len > 0 && line[i] == ':')
    return LINE_FIELD;
  /* The separator of a mailbox file that was handed in as a message: not ours to take out. */
  if (first && *name_len == 4 && i == 5 && memcmp (line, "From", 4) == 0)
    return LINE_CONTINUATION;
  return LINE_OTHER;
}

static gboolean
is_name (const char *line, gsize name_len, const char *name)
{
  return strlen (name) == name_len && g_ascii_strncasecmp (line, name, name_len) == 0;
}

/* ── Scan ─────────────────────────────────────────────────────────────────────────────────── */

static void
note_field (PrHeaderScan *self, const char *line, gsize name_len)
{
  self->in_tls_required = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (is_name (line, name_len, fields[i].name))
      {
        self->seen |= fields[i].field;
        self->in_tls_required = fields[i].field == PR_FIELD_TLS_REQUIRED;
        self->n_received += fields[i].field == PR_FIELD_RECEIVED;
        return;
      }
}

/* Takes note of a line; TRUE while the header goes on. */
static gboolean
note_line (PrHeaderScan *self, Line line, const char *start, gsize name_len)
{
  if (line == LINE_FIELD)
    note_field (self, start, name_len);
  if (line == LINE_FIELD || line == LINE_CONTINUATION)
    self->in_line = self->has_fields = TRUE;
  return self->in_line;
}

/* Octets of a field's value, in any fragmentation. */
static void
note_value (PrHeaderScan *self, const char *data, gsize len)
{
  for (gsize i = 0; self->in_tls_required && i < len; i++)
    if (!g_ascii_isspace (data[i]) && self->n_tls_required < sizeof self->tls_required)
      self->tls_required[self->n_tls_required++] = data[i];
}

static gboolean
has_8bit (const char *data, gsize len)
{
  guchar all = 0;

  for (gsize i = 0; i < len; i++)
    all |= (guchar) data[i];
  return all > 127;
}

static void
end_header (PrHeaderScan *self, Line line, const PrHeaderSink *sink, gpointer owner)
{
  self->ended = TRUE;
  sink->end (owner);
  if (line != LINE_EMPTY)
    sink->octets (owner, "\r\n", 2);
}

/* The start of a line that came in pieces: octet by octet until it is known. Returns how many
 * octets were taken. */
static gsize
feed_held (PrHeaderScan *self, const char *data, gsize len, const PrHeaderSink *sink,
           gpointer owner)
{
  gsize taken = 0, name_len = 0;
  Line line = LINE_UNKNOWN;

  while (taken < len && line == LINE_UNKNOWN)
    {
      self->held[self->n_held++] = data[taken++];
      line = classify (self->held, self->n_held, !self->has_fields, &name_len);
    }
  if (line == LINE_UNKNOWN)
    return taken;

  if (note_line (self, line, self->held, name_len))
    self->has_8bit |= has_8bit (self->held, self->n_held);
  else
    end_header (self, line, sink, owner);
  sink->octets (owner, self->held, self->n_held);
  /* The last octet may have been the line's last. */
  self->in_line &= self->held[self->n_held - 1] != '\n';
  self->n_held = 0;
  return taken;
}

/* Returns how many octets belong to the header; holds the rest where it stopped for want of
 * more. */
static gsize
scan (PrHeaderScan *self, const char *data, gsize len, Line *line)
{
  gsize at = 0;

  *line = LINE_UNKNOWN;
  while (at < len)
    {
      const char *lf, *value = data + at;
      gsize name_len = 0;

      if (!self->in_line)
        {
          *line = classify (data + at, len - at, !self->has_fields, &name_len);
          if (*line == LINE_UNKNOWN || !note_line (self, *line, data + at, name_len))
            break;
          if (*line == LINE_FIELD)
            value = (const char *) memchr (value, ':', len - at) + 1;
        }
      lf = memchr (data + at, '\n', len - at);
      self->in_line = lf == NULL;
      at = lf != NULL ? (gsize) (lf + 1 - data) : len;
      note_value (self, value, (gsize) (data + at - value));
    }

  return at;
}

void
pr_header_scan_feed (PrHeaderScan *self, const char *data, gsize len, const PrHeaderSink *sink,
                     gpointer owner)
{
  gsize n;
  Line line;

  if (!self->ended && self->n_held > 0)
    {
      n = feed_held (self, data, len, sink, owner);
      data += n;
      len -= n;
    }
  if (len == 0)
    return;

  if (!self->ended)
    {
      n = scan (self, data, len, &line);
      self->has_8bit |= has_8bit (data, n);
      if (n > 0)
        sink->octets (owner, data, n);
      data += n;
      len -= n;
      if (len > 0 && line == LINE_UNKNOWN)
        {
          memcpy (self->held, data, len);
          self->n_held = len;
          return;
        }
      if (len > 0)
        end_header (self, line, sink, owner);
    }
  if (len > 0)
    sink->octets (owner, data, len);
}

void
pr_header_scan_finish (PrHeaderScan *self, const PrHeaderSink *sink, gpointer owner)
{
  if (self->ended)
    return;

  if (self->in_line) /* the last field has no line end */
    sink->octets (owner, "\r\n", 2);
  end_header (self, LINE_OTHER, sink, owner);
  if (self->n_held > 0)
    sink->octets (owner, self->held, self->n_held);
  self->n_held = 0;
}

gboolean
pr_header_scan_waives_tls (const PrHeaderScan *self)
{
  return self->n_tls_required == 2 && g_ascii_strncasecmp (self->tls_required, "No", 2) == 0;
}

/* ── In memory ────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  char *text; /* owned: the whole field with all its line ends, terminated */
  gsize len;  /* without the terminator: text may hold NUL */
  gsize name_len;
} Field;

struct _PrHeaders
{
  GArray *fields; /* owned, of Field */
  gsize size_octets;
  gboolean complete;
};

static void
clear_field (gpointer field)
{
  g_free (((Field *) field)->text);
}

static void
add_field (PrHeaders *self, const char *start, const char *end, gsize name_len)
{
  GString *text = g_string_new_len (start, end - start);
  Field field = { .name_len = name_len };

  if (end[-1] != '\n')
    g_string_append (text, "\r\n");
  field.len = text->len;
  field.text = g_string_free (text, FALSE);
  g_array_append_val (self->fields, field);
}

PrHeaders *
pr_headers_new (const char *data, gsize len)
{
  PrHeaders *self = g_new0 (PrHeaders, 1);
  const char *p = data, *end = data + MIN (len, PR_HEADERS_MAX);
  const char *field = NULL; /* the one being read */
  gsize field_name_len = 0;

  self->fields = g_array_new (FALSE, FALSE, sizeof (Field));
  g_array_set_clear_func (self->fields, clear_field);

  while (p < end)
    {
      gsize name_len = 0;
      Line line = classify (p, end - p, field == NULL, &name_len);
      const char *lf = memchr (p, '\n', end - p);

      self->complete = line == LINE_EMPTY || line == LINE_OTHER;
      if (line == LINE_UNKNOWN || self->complete || (lf == NULL && end != data + len))
        break;
      if (line == LINE_FIELD)
        {
          if (field != NULL)
            add_field (self, field, p, field_name_len);
          field = p;
          field_name_len = name_len;
        }
      else if (field == NULL) /* "From " of a mailbox file */
        field = p;
      p = lf != NULL ? lf + 1 : end;
    }

  if (field != NULL)
    add_field (self, field, p, field_name_len);
  self->size_octets = p - data;
  return self;
}

void
pr_headers_free (PrHeaders *self)
{
  g_array_unref (self->fields);
  g_free (self);
}

gsize
pr_headers_get_size (const PrHeaders *self)
{
  return self->size_octets;
}

gboolean
pr_headers_is_complete (const PrHeaders *self)
{
  return self->complete;
}

/* The index of the @nth field of that name, -1 if there is none. */
static int
find (const PrHeaders *self, const char *name, guint nth)
{
  for (guint i = 0; i < self->fields->len; i++)
    {
      const Field *field = &g_array_index (self->fields, Field, i);

      if (is_name (field->text, field->name_len, name) && nth-- == 0)
        return i;
    }
  return -1;
}

guint
pr_headers_count (const PrHeaders *self, const char *name)
{
  guint n = 0;

  for (guint i = 0; i < self->fields->len; i++)
    {
      const Field *field = &g_array_index (self->fields, Field, i);
      n += is_name (field->text, field->name_len, name);
    }
  return n;
}

char *
pr_headers_get_raw (const PrHeaders *self, const char *name, guint nth)
{
  int at = find (self, name, nth);
  const char *text;

  if (at < 0)
    return NULL;
  text = g_array_index (self->fields, Field, at).text;
  return g_strstrip (g_strdup (strchr (text, ':') + 1));
}

/* RFC 5322 §2.2.3: unfolding takes out the line ends alone. */
char *
pr_headers_get (const PrHeaders *self, const char *name, guint nth)
{
  char *value = pr_headers_get_raw (self, name, nth);
  char *to = value;

  if (value == NULL)
    return NULL;
  for (const char *from = value; *from != '\0'; from++)
    if (*from != '\r' && *from != '\n')
      *to++ = *from;
  *to = '\0';
  return value;
}

/* A line break that is not followed by a blank would begin another field. */
static gboolean
is_one_field (const char *value)
{
  for (const char *lf = value; (lf = strchr (lf, '\n')) != NULL; lf++)
    if (lf[1] != ' ' && lf[1] != '\t')
      return FALSE;
  return TRUE;
}

static Field
make_field (const char *name, const char *value)
{
  char *text = g_strdup_printf ("%s: %s\r\n", name, value);

  return (Field){ text, strlen (text), strlen (name) };
}

void
pr_headers_append (PrHeaders *self, const char *name, const char *value)
{
  Field field;

  g_return_if_fail (is_one_field (value));

  field = make_field (name, value);
  g_array_append_val (self->fields, field);
}

void
pr_headers_remove (PrHeaders *self, const char *name)
{
  for (int at; (at = find (self, name, 0)) >= 0;)
    g_array_remove_index (self->fields, at);
}

void
pr_headers_set (PrHeaders *self, const char *name, const char *value)
{
  int at = find (self, name, 0);

  g_return_if_fail (is_one_field (value));

  if (at < 0)
    {
      pr_headers_append (self, name, value);
      return;
    }

  for (int other; (other = find (self, name, 1)) >= 0;)
    g_array_remove_index (self->fields, other);
  g_free (g_array_index (self->fields, Field, at).text);
  g_array_index (self->fields, Field, at) = make_field (name, value);
}

void
pr_headers_write (const PrHeaders *self, GString *out)
{
  for (guint i = 0; i < self->fields->len; i++)
    {
      const Field *field = &g_array_index (self->fields, Field, i);
      g_string_append_len (out, field->text, field->len);
    }
}
