/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Line by line, with the boundaries of the enclosing multiparts as a stack:
 *
 *        ┌──────────── boundary ◄───────────────┐
 *        ▼                                      │
 *     HEADER ──► multipart: OUTSIDE ────────────┤
 *        ▲  └──► anything else: BODY ───────────┘
 *        └────── message/rfc822
 *
 * A line end is held until the line behind it is seen: in front of a boundary it belongs to that.
 */
#include "relay/mime-walk.h"

#include <gmime/gmime.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_FIELD (64 * 1024) /* a longer one passes in pieces, not understood */
#define MAX_LINE 4096         /* of a body in one piece */

typedef enum
{
  IN_HEADER,
  IN_BODY,
  IN_BETWEEN,
} Region;

typedef enum
{
  JOIN_OTHER, /* its parts mean something only together */
  JOIN_ALTERNATIVE,
  JOIN_RELATED, /* the first part is shown, the others stand in it */
  JOIN_MIXED,   /* each part is a thing of its own */
} Join;

/* An open multipart. */
typedef struct
{
  char *boundary; /* owned */
  gboolean is_signed;
  gboolean is_digest; /* parts are messages unless they say otherwise, RFC 2046 §5.1.5 */
  Join join;
  gboolean is_inner; /* its parts are */
  guint n_parts;
} Level;

struct _PrMimeWalk
{
  const PrMimeSink *sink; /* borrowed */
  gpointer owner;         /* borrowed */

  Region region;
  PrMimeEntity entity; /* the one being read */
  guint n_entities;
  guint n_signed; /* of the levels */
  GArray *levels; /* owned, of Level */

  GString *field;        /* owned: the field being read */
  gboolean field_passed; /* too long: its start left already */
  char *new_boundary;    /* owned, nullable: of the multipart whose header is being read */
  gboolean is_signed_type, is_digest_type;
  Join join;

  GString *line;        /* owned: a line that is not complete */
  gboolean in_line;     /* its start left already */
  const char *held_end; /* static: "", "\n" or "\r\n" */
};

/* ── Fields ───────────────────────────────────────────────────────────────────────────────── */

static Join
get_join (GMimeContentType *type)
{
  static const char *const names[] = { "alternative", "related", "mixed" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_mime_content_type_is_type (type, "multipart", names[i]))
      return JOIN_ALTERNATIVE + i;
  return JOIN_OTHER;
}

static void
take_type (PrMimeWalk *self, const char *value)
{
  GMimeContentType *type = g_mime_content_type_parse (NULL, value);
  const char *boundary = g_mime_content_type_get_parameter (type, "boundary");
  PrMimeEntity *entity = &self->entity;

  entity->has_type = TRUE;
  entity->is_text = g_mime_content_type_is_type (type, "text", "*");
  entity->is_message = g_mime_content_type_is_type (type, "message", "rfc822");
  entity->is_opaque = g_mime_content_type_is_type (type, "message", "partial");
  entity->is_multipart = g_mime_content_type_is_type (type, "multipart", "*");
  self->is_signed_type = g_mime_content_type_is_type (type, "multipart", "signed");
  self->is_digest_type = g_mime_content_type_is_type (type, "multipart", "digest");
  self->join = get_join (type);
  g_free (self->new_boundary);
  self->new_boundary = entity->is_multipart ? g_strdup (boundary) : NULL;
  g_object_unref (type);
}

static PrMimeEncoding
parse_encoding (const char *value)
{
  static const char *const names[] = { "7bit", "8bit", "binary", "quoted-printable", "base64" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (value, names[i]) == 0)
      return (PrMimeEncoding) i;
  return PR_MIME_OTHER;
}

static gboolean
is_field (const char *text, gsize name_len, const char *name)
{
  return strlen (name) == name_len && g_ascii_strncasecmp (text, name, name_len) == 0;
}

/* The length of the name in front of a colon; 0: the line is no field. */
static gsize
find_name (const char *line, gsize len)
{
  gsize i = 0, name_len;

  while (i < len && line[i] > ' ' && line[i] < 0x7f && line[i] != ':')
    i++;
  name_len = i;
  while (i < len && (line[i] == ' ' || line[i] == '\t'))
    i++;
  return i < len && line[i] == ':' ? name_len : 0;
}

static void
flush_field (PrMimeWalk *self)
{
  GString *field = self->field;
  gsize name_len = self->field_passed ? 0 : find_name (field->str, field->len);

  if (field->len == 0)
    return;

  if (name_len > 0)
    {
      g_autofree char *value = g_strdup (memchr (field->str, ':', field->len));

      value[0] = ' ';
      for (char *p = value; *p != '\0'; p++)
        if (*p == '\r' || *p == '\n')
          *p = ' ';
      g_strstrip (value);
      if (is_field (field->str, name_len, "Content-Type"))
        take_type (self, value);
      else if (is_field (field->str, name_len, "Content-Transfer-Encoding"))
        self->entity.encoding = parse_encoding (value);
      else if (is_field (field->str, name_len, "MIME-Version"))
        self->entity.has_version = TRUE;
    }
  self->sink->field (self->owner, &self->entity, field->str, field->len, name_len);
  g_string_truncate (field, 0);
}

/* ── Entities ─────────────────────────────────────────────────────────────────────────────── */

/* @is_digested: it is a message unless it says otherwise. */
static void
begin_entity (PrMimeWalk *self, gboolean is_digested)
{
  self->region = IN_HEADER;
  self->entity = (PrMimeEntity){
    .index = self->n_entities++,
    .is_text = !is_digested,
    .is_message = is_digested,
    .is_signed = self->n_signed > 0,
    .depth = self->levels->len,
  };
  self->join = JOIN_OTHER;
  self->is_signed_type = self->is_digest_type = self->field_passed = FALSE;
  g_clear_pointer (&self->new_boundary, g_free);
}

/* @has_body: an empty line follows. */
static void
end_header (PrMimeWalk *self, gboolean has_body)
{
  PrMimeEntity *entity = &self->entity;
  gboolean plain; /* as containers must be, RFC 2045 §6.4 */

  flush_field (self);
  entity->is_cut = !has_body;
  plain = entity->encoding <= PR_MIME_BINARY;
  if ((entity->is_multipart && (self->new_boundary == NULL || self->levels->len == MAX_DEPTH)) ||
      (!has_body && (entity->is_multipart || entity->is_message)) ||
      (!plain && (entity->is_multipart || entity->is_message)))
    {
      entity->is_multipart = entity->is_message = FALSE;
      entity->is_opaque = TRUE;
    }
  self->sink->end_header (self->owner, entity);

  if (entity->is_multipart)
    {
      Level level = { g_steal_pointer (&self->new_boundary),
                      self->is_signed_type,
                      self->is_digest_type,
                      self->join,
                      entity->is_inner || self->join == JOIN_OTHER,
                      0 };

      self->n_signed += level.is_signed;
      g_array_append_val (self->levels, level);
      self->region = IN_BETWEEN;
    }
  else
    self->region = IN_BODY;
}

static void
end_entity (PrMimeWalk *self)
{
  if (self->region == IN_HEADER)
    end_header (self, FALSE);
  if (self->region == IN_BODY)
    self->sink->end_body (self->owner, &self->entity);
  self->region = IN_BETWEEN;
}

static void
clear_level (gpointer data)
{
  g_free (((Level *) data)->boundary);
}

static void
close_levels (PrMimeWalk *self, guint n_left)
{
  for (guint i = n_left; i < self->levels->len; i++)
    self->n_signed -= g_array_index (self->levels, Level, i).is_signed;
  g_array_set_size (self->levels, n_left);
}

/* ── Lines ────────────────────────────────────────────────────────────────────────────────── */

/* The level whose boundary the line is, -1: none. @closes: it is the last. An outer boundary ends
 * what is open within (RFC 2046 §5.1.2). */
static int
find_boundary (const PrMimeWalk *self, const char *line, gsize len, gboolean *closes)
{
  if (len < 2 || line[0] != '-' || line[1] != '-')
    return -1;
  while (len > 2 && strchr (" \t\r\n", line[len - 1]) != NULL && line[len - 1] != '\0')
    len--;

  for (int i = (int) self->levels->len - 1; i >= 0; i--)
    {
      const char *boundary = g_array_index (self->levels, Level, i).boundary;
      gsize n = strlen (boundary);

      if (len < n + 2 || memcmp (line + 2, boundary, n) != 0)
        continue;
      *closes = len == n + 4 && line[n + 2] == '-' && line[n + 3] == '-';
      if (len == n + 2 || *closes)
        return i;
    }
  return -1;
}

/* The first part is what is shown; of a message's own parts it may be all there is. */
static gboolean
is_separable (const PrMimeWalk *self, const Level *level)
{
  if (level->is_inner || level->join < JOIN_RELATED)
    return FALSE;
  return level->n_parts > 0 || (level->join == JOIN_MIXED && self->levels->len == 1);
}

static void
begin_part (PrMimeWalk *self, gsize n_delimiter_octets)
{
  Level *level = &g_array_index (self->levels, Level, self->levels->len - 1);

  begin_entity (self, level->is_digest);
  self->entity.is_inner = level->is_inner;
  self->entity.is_separable = is_separable (self, level);
  self->entity.n_delimiter_octets = (guint) n_delimiter_octets;
  level->n_parts++;
}

static void
take_boundary (PrMimeWalk *self, const char *line, gsize len, int at, gboolean closes)
{
  gsize delimiter = strlen (self->held_end) + len;

  end_entity (self);
  if (*self->held_end != '\0')
    self->sink->between (self->owner, self->held_end, strlen (self->held_end));
  self->held_end = "";
  self->sink->between (self->owner, line, len);
  close_levels (self, closes ? at : at + 1);
  if (!closes)
    begin_part (self, delimiter);
}

/* Octets of a body or around parts; their line end waits for what follows. */
static void
take_text (PrMimeWalk *self, const char *data, gsize len, gboolean complete)
{
  const char *end = "";

  if (complete)
    end = len > 1 && data[len - 2] == '\r' ? "\r\n" : "\n";
  len -= strlen (end);

  for (guint i = 0; i < 2; i++)
    {
      const char *piece = i == 0 ? self->held_end : data;
      gsize piece_len = i == 0 ? strlen (piece) : len;

      if (piece_len == 0)
        continue;
      if (self->region == IN_BODY)
        self->sink->body (self->owner, &self->entity, piece, piece_len);
      else
        self->sink->between (self->owner, piece, piece_len);
    }
  self->held_end = end;
}

/* A line of a header; FALSE: it is the body's first. */
static gboolean
take_header_line (PrMimeWalk *self, const char *line, gsize len, gboolean start)
{
  gboolean is_empty = start && len <= 2 && line[len - 1] == '\n' && (len == 1 || line[0] == '\r');
  gboolean continues = !start || ((*line == ' ' || *line == '\t') && self->field->len > 0);

  if (is_empty)
    {
      gboolean is_message;

      end_header (self, TRUE);
      is_message = self->entity.is_message;
      self->sink->between (self->owner, line, len);
      if (is_message)
        {
          self->region = IN_BETWEEN;
          begin_entity (self, FALSE);
          self->entity.is_inner = TRUE;
        }
      return TRUE;
    }

  if (!continues)
    {
      flush_field (self);
      self->field_passed = FALSE;
      if (find_name (line, len) == 0 && (len < 5 || memcmp (line, "From ", 5) != 0))
        {
          end_header (self, FALSE);
          return FALSE;
        }
    }

  g_string_append_len (self->field, line, len);
  if (self->field->len > MAX_FIELD)
    {
      self->field_passed = TRUE;
      flush_field (self);
    }
  return TRUE;
}

/* @start: @line begins a line; @complete: it ends one, its line end is there. */
static void
take_line (PrMimeWalk *self, const char *line, gsize len, gboolean start, gboolean complete)
{
  gboolean closes = FALSE;
  int boundary = start ? find_boundary (self, line, len, &closes) : -1;

  if (boundary >= 0)
    take_boundary (self, line, len, boundary, closes);
  else if (self->region != IN_HEADER || !take_header_line (self, line, len, start))
    take_text (self, line, len, complete);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrMimeWalk *
pr_mime_walk_new (const PrMimeSink *sink, gpointer owner)
{
  PrMimeWalk *self = g_new0 (PrMimeWalk, 1);

  self->sink = sink;
  self->owner = owner;
  self->levels = g_array_new (FALSE, FALSE, sizeof (Level));
  g_array_set_clear_func (self->levels, clear_level);
  self->field = g_string_new (NULL);
  self->line = g_string_new (NULL);
  self->held_end = "";
  begin_entity (self, FALSE);
  return self;
}

void
pr_mime_walk_free (PrMimeWalk *self)
{
  g_array_unref (self->levels);
  g_string_free (self->field, TRUE);
  g_string_free (self->line, TRUE);
  g_free (self->new_boundary);
  g_free (self);
}

void
pr_mime_walk_feed (PrMimeWalk *self, const char *data, gsize len)
{
  const char *end = data + len;

  while (data < end)
    {
      const char *lf = memchr (data, '\n', end - data);
      gsize n = (lf != NULL ? lf + 1 : end) - data;

      if (lf != NULL && self->line->len == 0)
        {
          take_line (self, data, n, !self->in_line, TRUE);
          self->in_line = FALSE;
        }
      else
        {
          g_string_append_len (self->line, data, n);
          if (lf != NULL || self->line->len > MAX_LINE)
            {
              /* A CR stays with the LF that may follow. */
              gboolean cr = lf == NULL && self->line->str[self->line->len - 1] == '\r';

              take_line (self, self->line->str, self->line->len - cr, !self->in_line, lf != NULL);
              g_string_truncate (self->line, 0);
              if (cr)
                g_string_append_c (self->line, '\r');
              self->in_line = lf == NULL;
            }
        }
      data += n;
    }
}

void
pr_mime_walk_finish (PrMimeWalk *self)
{
  if (self->line->len > 0)
    take_line (self, self->line->str, self->line->len, !self->in_line, FALSE);
  g_string_truncate (self->line, 0);
  if (self->region == IN_HEADER)
    end_header (self, FALSE);
  take_text (self, "", 0, FALSE);
  end_entity (self);
  self->held_end = "";
}
