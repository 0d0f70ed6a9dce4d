/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Canonical forms (RFC 6376 §3.4).
 *
 * A body is read octet by octet only where it must be: runs without blanks and line ends go to the
 * hash as they are. Empty lines and blanks are counted, not written, until something follows that
 * makes them count: those at the end never do.
 */
#include "dkim/canon.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

struct _PrCanonBody
{
  gnutls_hash_hd_t hash; /* owned */
  PrCanon canon;
  guint64 limit, n_octets; /* that count; of the canonical body */
  guint64 n_line_ends;     /* read and not written */
  gboolean blank;          /* blanks were read and not written (relaxed) */
  gboolean cr;             /* one was read that may begin a line end */
};

PrCanonBody *
pr_canon_body_new (PrCanon canon, guint64 limit)
{
  PrCanonBody *self = g_new0 (PrCanonBody, 1);
  int code;

  self->canon = canon;
  self->limit = limit;
  code = gnutls_hash_init (&self->hash, GNUTLS_DIG_SHA256);
  g_assert (code >= 0);

  return self;
}

void
pr_canon_body_free (PrCanonBody *self)
{
  gnutls_hash_deinit (self->hash, NULL);
  g_free (self);
}

static void
write_octets (PrCanonBody *self, const char *data, gsize len)
{
  guint64 left = self->limit - MIN (self->limit, self->n_octets);

  if (left > 0)
    gnutls_hash (self->hash, data, MIN (len, left));
  self->n_octets += len;
}

/* What was held back counts: something follows it. */
static void
release (PrCanonBody *self)
{
  static const char line_ends[] =
    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

  while (self->n_line_ends > 0)
    {
      guint64 n = MIN (self->n_line_ends, sizeof line_ends / 2);

      write_octets (self, line_ends, n * 2);
      self->n_line_ends -= n;
    }
  if (self->blank)
    write_octets (self, " ", 1);
  self->blank = FALSE;
}

static void
write_text (PrCanonBody *self, const char *data, gsize len)
{
  if (self->n_line_ends > 0 || self->blank)
    release (self);
  write_octets (self, data, len);
}

static void
end_line (PrCanonBody *self)
{
  self->n_line_ends++;
  self->blank = FALSE; /* blanks at the end of a line */
}

/* How much can go as it is. */
static gsize
run_length (const PrCanonBody *self, const char *data, gsize len)
{
  gsize n = 0;

  if (self->canon == PR_CANON_SIMPLE)
    {
      const char *cr = memchr (data, '\r', len);

      return cr != NULL ? (gsize) (cr - data) : len;
    }
  while (n < len && data[n] != '\r' && data[n] != ' ' && data[n] != '\t')
    n++;

  return n;
}

void
pr_canon_body_feed (PrCanonBody *self, const char *data, gsize len)
{
  for (gsize i = 0; i < len;)
    {
      gsize run;

      if (self->cr)
        {
          self->cr = FALSE;
          if (data[i] == '\n')
            {
              end_line (self);
              i++;
              continue;
            }
          write_text (self, "\r", 1);
        }

      run = run_length (self, data + i, len - i);
      if (run > 0)
        write_text (self, data + i, run);
      i += run;
      if (i == len)
        break;

      if (data[i] == '\r')
        self->cr = TRUE;
      else
        self->blank = TRUE;
      i++;
    }
}

guint64
pr_canon_body_finish (PrCanonBody *self, guint8 hash[PR_CANON_HASH_LEN])
{
  if (self->cr)
    write_text (self, "\r", 1);
  self->cr = FALSE;

  /* A body that is not empty ends in one CRLF; the empty one is CRLF in the simple form, and
   * nothing in the relaxed one. */
  if (self->n_octets > 0 || self->canon == PR_CANON_SIMPLE)
    write_octets (self, "\r\n", 2);
  gnutls_hash_output (self->hash, hash);

  return self->n_octets;
}

/* --- fields ------------------------------------------------------------------------------- */

static gsize
name_length (const char *line, gsize len)
{
  const char *colon = memchr (line, ':', len);
  gsize n = colon != NULL ? (gsize) (colon - line) : 0;

  while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
    n--;
  for (gsize i = 0; i < n; i++)
    if (line[i] <= ' ' || line[i] >= 0x7f)
      return 0;

  return n;
}

GArray *
pr_canon_split (const char *header, gsize len)
{
  GArray *fields = g_array_new (FALSE, FALSE, sizeof (PrCanonField));
  const char *at = header, *end = header + len;

  while (at < end)
    {
      const char *next = at;
      PrCanonField field = { .text = at };

      do
        {
          const char *lf = memchr (next, '\n', (gsize) (end - next));

          next = lf != NULL ? lf + 1 : end;
        }
      while (next < end && (*next == ' ' || *next == '\t'));

      field.len = (gsize) (next - at);
      while (field.len > 0 && (at[field.len - 1] == '\n' || at[field.len - 1] == '\r'))
        field.len--;
      if (field.len == 0)
        break; /* the empty line */
      field.name_len = name_length (at, field.len);
      if (field.name_len > 0)
        g_array_append_val (fields, field);
      at = next;
    }

  return fields;
}

gboolean
pr_canon_field_is (const PrCanonField *field, const char *name)
{
  return strlen (name) == field->name_len &&
         g_ascii_strncasecmp (field->text, name, field->name_len) == 0;
}

void
pr_canon_append_field (GString *out, const PrCanonField *field, PrCanon canon)
{
  const char *value = memchr (field->text, ':', field->len);
  gsize len;
  gboolean blank = FALSE, begun = FALSE;

  if (canon == PR_CANON_SIMPLE)
    {
      g_string_append_len (out, field->text, (gssize) field->len);
      return;
    }

  for (gsize i = 0; i < field->name_len; i++)
    g_string_append_c (out, g_ascii_tolower (field->text[i]));
  g_string_append_c (out, ':');

  value++;
  len = field->len - (gsize) (value - field->text);
  for (gsize i = 0; i < len; i++)
    if (value[i] == ' ' || value[i] == '\t' || value[i] == '\r' || value[i] == '\n')
      blank = TRUE;
    else
      {
        if (blank && begun)
          g_string_append_c (out, ' ');
        g_string_append_c (out, value[i]);
        blank = FALSE;
        begun = TRUE;
      }
}

void
pr_canon_append_named (GString *out, const GArray *fields, const char *names, PrCanon canon)
{
  g_auto (GStrv) wanted = g_strsplit (names, ":", -1);
  g_autofree gboolean *taken = g_new0 (gboolean, fields->len + 1);

  for (guint i = 0; wanted[i] != NULL; i++)
    {
      const char *name = g_strstrip (wanted[i]);

      for (guint n = fields->len; n > 0; n--)
        {
          const PrCanonField *field = &g_array_index (fields, PrCanonField, n - 1);

          if (taken[n - 1] || !pr_canon_field_is (field, name))
            continue;
          taken[n - 1] = TRUE;
          pr_canon_append_field (out, field, canon);
          g_string_append (out, "\r\n");
          break;
        }
    }
}
