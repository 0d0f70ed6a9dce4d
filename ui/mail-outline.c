/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 2045 and 2046, as far as one must read them to say which parts there are.
 *
 *   header ── empty line ──► multipart: a level more, its preamble is nobody's
 *     ▲                 └──► leaf: a part, until a boundary of this or an outer level
 *     └── "--boundary" ──────┘            "--boundary--" ends the level; its epilogue is nobody's
 */

#include "mail-outline.h"

#include <string.h>
#include <gmime/gmime.h>

#define MAX_LINE 256 /* octets looked at for a boundary: it has 70 at most (RFC 2046 §5.1.1) */
#define MAX_HEADER (64 * 1024)
#define MAX_HEADERS 200
#define MAX_VALUE 4096 /* characters of one header */
#define MAX_PARTS 200
#define MAX_DEPTH 16
#define MAX_NAME 120 /* octets of a file name */

typedef struct
{
  char *boundary;    /* owned */
  guint alternative; /* which multipart/alternative this is or lies in */
} Level;

struct _PrMailOutline
{
  GPtrArray *headers; /* of PrMailHeader, owned */
  GPtrArray *parts;   /* of PrMailPart, owned */
  GPtrArray *levels;  /* of Level, owned; the innermost last */
  GString *header;    /* of the part that begins */
  PrMailPart *open;   /* borrowed: whose body passes by; NULL: nobody's */
  guint64 offset, line_start;
  gsize line_octets; /* of them at most MAX_LINE are in `line` */
  guint eol_octets;  /* how the line before ended: that belongs to a boundary */
  guint n_alternatives;
  gboolean in_header, has_root, ended;
  char line[MAX_LINE];
};

static void
free_header (gpointer data)
{
  PrMailHeader *self = data;

  g_free (self->name);
  g_free (self->value);
  g_free (self);
}

static void
free_part (gpointer data)
{
  PrMailPart *self = data;

  g_free (self->type);
  g_free (self->name);
  g_free (self->charset);
  g_free (self->encoding);
  g_free (self);
}

static void
free_level (gpointer data)
{
  Level *self = data;

  g_free (self->boundary);
  g_free (self);
}

/* ── Words ────────────────────────────────────────────────────────────────────────────────── */

/* One line of at most MAX_VALUE characters, decoded. (transfer full) */
static char *
decode (const char *raw)
{
  g_autofree char *decoded = g_mime_utils_header_decode_text (NULL, raw);
  g_autofree char *valid = g_utf8_make_valid (decoded, -1);
  GString *out = g_string_new (NULL);
  guint n = 0;

  for (const char *at = valid; *at != '\0' && n < MAX_VALUE; at = g_utf8_next_char (at), n++)
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (out, g_unichar_iscntrl (c) ? ' ' : c);
    }
  return g_strstrip (g_string_free (out, FALSE));
}

char *
pr_mail_file_name (const char *name)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *valid = name != NULL ? g_utf8_make_valid (name, -1) : NULL;

  for (const char *at = valid; at != NULL && *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      GUnicodeType type = g_unichar_type (c);

      if (c == '/' || c == '\\')
        g_string_truncate (out, 0);
      else if (type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT &&
               type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR)
        g_string_append_unichar (out, c < 0x80 && strchr (":*?\"<>|", (char) c) ? '-' : c);
    }
  while (out->len > 0 && (out->str[0] == '.' || out->str[0] == ' '))
    g_string_erase (out, 0, 1);
  while (out->len > MAX_NAME)
    { /* its ending, which says what it is, stays */
      const char *dot = strrchr (out->str, '.');
      gsize end = dot != NULL && out->len - (gsize) (dot - out->str) < 16 ? (gsize) (dot - out->str)
                                                                          : out->len;
      const char *before = g_utf8_find_prev_char (out->str, out->str + end);

      g_string_erase (out, before - out->str, (gssize) (end - (gsize) (before - out->str)));
    }
  g_strstrip (out->str);

  return *out->str != '\0' ? g_strdup (out->str) : NULL;
}

/* ── Headers ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  GMimeContentType *type;               /* owned, nullable */
  GMimeContentDisposition *disposition; /* owned, nullable */
  char *encoding;                       /* owned, nullable */
} Fields;

static void
take_field (PrMailOutline *self, Fields *fields, const char *name, const char *value)
{
  if (!self->has_root && self->headers->len < MAX_HEADERS)
    {
      PrMailHeader *header = g_new0 (PrMailHeader, 1);

      header->name = decode (name);
      header->value = decode (value);
      g_ptr_array_add (self->headers, header);
    }
  if (g_ascii_strcasecmp (name, "Content-Type") == 0 && fields->type == NULL)
    fields->type = g_mime_content_type_parse (NULL, value);
  else if (g_ascii_strcasecmp (name, "Content-Disposition") == 0 && fields->disposition == NULL)
    fields->disposition = g_mime_content_disposition_parse (NULL, value);
  else if (g_ascii_strcasecmp (name, "Content-Transfer-Encoding") == 0 && fields->encoding == NULL)
    fields->encoding = g_strstrip (g_ascii_strdown (value, -1));
}

/* Folded lines become one (RFC 5322 §2.2.3). */
static void
read_fields (PrMailOutline *self, Fields *fields)
{
  g_auto (GStrv) lines = g_strsplit (self->header->str, "\n", -1);
  g_autoptr (GString) field = g_string_new (NULL);

  for (char **line = lines;; line++)
    {
      char *colon;

      if (*line != NULL && (**line == ' ' || **line == '\t'))
        {
          g_string_append (field, g_strchomp (*line));
          continue;
        }
      colon = strchr (field->str, ':');
      if (colon != NULL && colon > field->str)
        {
          *colon = '\0';
          take_field (self, fields, g_strchomp (field->str), g_strchug (colon + 1));
        }
      if (*line == NULL)
        return;
      g_string_assign (field, g_strchomp (*line));
    }
}

static PrMailPart *
make_part (const Fields *fields)
{
  PrMailPart *part = g_new0 (PrMailPart, 1);
  GMimeContentDisposition *disposition = fields->disposition;
  const char *name = disposition != NULL
                       ? g_mime_content_disposition_get_parameter (fields->disposition, "filename")
                       : NULL;
  g_autofree char *type =
    fields->type != NULL ? g_mime_content_type_get_mime_type (fields->type) : NULL;

  if (name == NULL && fields->type != NULL)
    name = g_mime_content_type_get_parameter (fields->type, "name");
  part->name = pr_mail_file_name (name);
  part->type = type != NULL ? g_ascii_strdown (type, -1) : g_strdup ("text/plain");
  if (fields->type != NULL)
    part->charset = g_strdup (g_mime_content_type_get_parameter (fields->type, "charset"));
  part->encoding = g_strdup (fields->encoding);
  part->attachment =
    part->name != NULL || !g_str_has_prefix (part->type, "text/") ||
    (disposition != NULL && g_mime_content_disposition_is_attachment (disposition));
  return part;
}

static void
begin_body (PrMailOutline *self, const Fields *fields)
{
  const char *boundary =
    fields->type != NULL ? g_mime_content_type_get_parameter (fields->type, "boundary") : NULL;
  const Level *outer = self->levels->len > 0 ? self->levels->pdata[self->levels->len - 1] : NULL;

  if (boundary != NULL && *boundary != '\0' && strlen (boundary) < MAX_LINE / 2 &&
      self->levels->len < MAX_DEPTH && g_mime_content_type_is_type (fields->type, "multipart", "*"))
    {
      Level *level = g_new0 (Level, 1);

      level->boundary = g_strdup (boundary);
      level->alternative = outer != NULL ? outer->alternative : 0;
      if (g_mime_content_type_is_type (fields->type, "multipart", "alternative"))
        level->alternative = ++self->n_alternatives;
      g_ptr_array_add (self->levels, level);
      return;
    }
  if (self->parts->len >= MAX_PARTS)
    return;

  self->open = make_part (fields);
  self->open->offset = self->offset;
  self->open->alternative = outer != NULL ? outer->alternative : 0;
  g_ptr_array_add (self->parts, self->open);
}

static void
end_header (PrMailOutline *self)
{
  Fields fields = { 0 };

  read_fields (self, &fields);
  self->in_header = FALSE;
  self->has_root = TRUE;
  g_string_truncate (self->header, 0);
  begin_body (self, &fields);
  g_clear_object (&fields.type);
  g_clear_object (&fields.disposition);
  g_free (fields.encoding);
}

/* ── Lines ────────────────────────────────────────────────────────────────────────────────── */

static void
end_part (PrMailOutline *self, guint64 end)
{
  if (self->open == NULL)
    return;

  self->open->size_octets = end > self->open->offset ? end - self->open->offset : 0;
  self->open->ended = TRUE;
  self->open = NULL;
}

/* Whether the line is a boundary of @level; @closes: its last one. Blanks may follow (RFC 2046
 * §5.1.1). */
static gboolean
is_boundary (PrMailOutline *self, const Level *level, gsize length, gboolean *closes)
{
  gsize n = strlen (level->boundary);

  if (length < n + 2 || memcmp (self->line + 2, level->boundary, n) != 0)
    return FALSE;

  n += 2;
  *closes = length >= n + 2 && memcmp (self->line + n, "--", 2) == 0;
  if (*closes)
    n += 2;
  while (n < length && (self->line[n] == ' ' || self->line[n] == '\t'))
    n++;
  return n == length;
}

/* The level whose boundary the line is, the innermost first; -1: none. */
static int
find_boundary (PrMailOutline *self, gsize length, gboolean *closes)
{
  if (length < 3 || memcmp (self->line, "--", 2) != 0)
    return -1;
  for (guint i = self->levels->len; i > 0; i--)
    if (is_boundary (self, self->levels->pdata[i - 1], length, closes))
      return (int) (i - 1);

  return -1;
}

/* The line without its end; a long one is cut. */
static gsize
get_line_length (PrMailOutline *self)
{
  gsize length = MIN (self->line_octets, MAX_LINE);

  while (length > 0 && (self->line[length - 1] == '\n' || self->line[length - 1] == '\r'))
    length--;
  return length;
}

static void
pass_boundary (PrMailOutline *self, guint level, gboolean closes)
{
  if (self->in_header)
    end_header (self); /* a part without an empty line */
  end_part (self, self->line_start - MIN (self->eol_octets, self->line_start));
  g_ptr_array_set_size (self->levels, (int) (closes ? level : level + 1));
  self->in_header = !closes;
}

static void
end_line (PrMailOutline *self)
{
  gboolean closes = FALSE;
  gsize length = get_line_length (self);
  int level = self->line_octets <= MAX_LINE ? find_boundary (self, length, &closes) : -1;

  if (level >= 0)
    pass_boundary (self, (guint) level, closes);
  else if (self->in_header && length == 0)
    end_header (self);
  self->eol_octets = (guint) MIN (self->line_octets - MIN (length, self->line_octets), 2);
  self->line_start = self->offset;
  self->line_octets = 0;
}

static void
add_to_line (PrMailOutline *self, const char *data, gsize size)
{
  if (self->line_octets < MAX_LINE)
    memcpy (self->line + self->line_octets, data, MIN (size, MAX_LINE - self->line_octets));
  self->line_octets += size;
  self->offset += size;
  if (self->in_header && self->header->len < MAX_HEADER)
    {
      gsize from = self->header->len;

      g_string_append_len (self->header, data, (gssize) MIN (size, MAX_HEADER - from));
      for (gsize i = from; i < self->header->len; i++)
        if (self->header->str[i] == '\0')
          self->header->str[i] = ' ';
    }
}

PrMailOutline *
pr_mail_outline_new (void)
{
  PrMailOutline *self = g_new0 (PrMailOutline, 1);

  g_mime_init ();
  self->headers = g_ptr_array_new_with_free_func (free_header);
  self->parts = g_ptr_array_new_with_free_func (free_part);
  self->levels = g_ptr_array_new_with_free_func (free_level);
  self->header = g_string_new (NULL);
  self->in_header = TRUE;
  return self;
}

void
pr_mail_outline_free (PrMailOutline *self)
{
  g_ptr_array_unref (self->headers);
  g_ptr_array_unref (self->parts);
  g_ptr_array_unref (self->levels);
  g_string_free (self->header, TRUE);
  g_free (self);
}

void
pr_mail_outline_feed (PrMailOutline *self, const char *data, gsize size, gboolean last)
{
  g_return_if_fail (!self->ended);

  while (size > 0)
    {
      const char *end = memchr (data, '\n', size);
      gsize n = end != NULL ? (gsize) (end - data) + 1 : size;

      add_to_line (self, data, n);
      if (end != NULL)
        end_line (self);
      data += n;
      size -= n;
    }
  if (last)
    {
      if (self->line_octets > 0)
        end_line (self);
      if (self->in_header)
        end_header (self);
      end_part (self, self->offset);
      self->ended = TRUE;
    }
  else if (self->open != NULL)
    self->open->size_octets = self->offset - self->open->offset;
}

GPtrArray *
pr_mail_outline_get_headers (PrMailOutline *self)
{
  return self->headers;
}

GPtrArray *
pr_mail_outline_get_parts (PrMailOutline *self)
{
  return self->parts;
}

gboolean
pr_mail_outline_is_known (PrMailOutline *self)
{
  return self->ended || (self->has_root && self->levels->len == 0) || self->parts->len >= MAX_PARTS;
}
