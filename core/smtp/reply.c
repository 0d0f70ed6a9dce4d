/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reply.c: replies as values, and the bounded reader for those of a next hop.
 *
 *   250-2.1.0 first line CRLF
 *   ~~~ ~~~~~ ~~~~~~~~~~
 *   code, status (RFC 3463, taken off each line that repeats it), text; " " instead of "-" ends */

#include "smtp/reply.h"

#include <string.h>

static gboolean
parse_number (const char **p, const char *end, guint max_digits, guint *value)
{
  guint n = 0;

  for (*value = 0; *p < end && n < max_digits && g_ascii_isdigit (**p); n++, (*p)++)
    *value = *value * 10 + (**p - '0');

  return n > 0;
}

/* "5.7.1" at the start of a text, behind which the text ends or a space stands. Returns its
 * length with that space, 0 where there is none. */
static gsize
parse_status (const char *text, gsize len, guint8 status[3])
{
  const char *p = text;
  const char *end = text + len;
  guint part[3];

  for (guint i = 0; i < 3; i++)
    {
      if (i > 0 && (p == end || *p++ != '.'))
        return 0;
      if (!parse_number (&p, end, i == 0 ? 1 : 3, &part[i]))
        return 0;
    }

  if ((part[0] != 2 && part[0] != 4 && part[0] != 5) || (p < end && *p != ' '))
    return 0;

  for (guint i = 0; i < 3; i++)
    status[i] = part[i] <= G_MAXUINT8 ? part[i] : 0;

  return p < end ? p - text + 1 : p - text;
}

static gsize
count_plain (const char *text, gsize len)
{
  gsize n = 0;

  while (n < len && text[n] >= ' ' && text[n] <= '~')
    n++;

  return n;
}

/* Appends what can be shown: control characters become spaces, what is not UTF-8 "?". */
static void
append_printable (GString *out, const char *text, gsize len)
{
  const char *end = text + len;

  while (text < end && out->len < PR_REPLY_MAX_TEXT)
    {
      gsize plain = count_plain (text, MIN ((gsize) (end - text), PR_REPLY_MAX_TEXT - out->len));

      g_string_append_len (out, text, plain);
      text += plain;
      if (text == end || out->len == PR_REPLY_MAX_TEXT)
        break;

      gunichar c =
        (guchar) *text < 0x80 ? (guchar) *text : g_utf8_get_char_validated (text, end - text);
      gboolean valid = c != (gunichar) -1 && c != (gunichar) -2;
      gsize width = valid ? (gsize) (g_utf8_next_char (text) - text) : 1;

      if (!valid)
        g_string_append_c (out, '?');
      else if (g_unichar_iscntrl (c))
        g_string_append_c (out, ' ');
      else if (out->len + width <= PR_REPLY_MAX_TEXT)
        g_string_append_len (out, text, width);
      else
        break;

      text += width;
    }
}

void
pr_reply_set (PrReply *self, guint code, const char *enhanced, const char *text)
{
  g_autoptr (GString) clean = g_string_new (NULL);
  guint8 status[3] = { 0 };

  if (enhanced != NULL)
    parse_status (enhanced, strlen (enhanced), status);

  for (const char *line = text; line != NULL;)
    {
      const char *end = strchrnul (line, '\n');

      append_printable (clean, line, end - line);
      line = *end == '\n' ? end + 1 : NULL;
      if (line != NULL && clean->len < PR_REPLY_MAX_TEXT)
        g_string_append_c (clean, '\n');
    }

  pr_reply_clear (self);
  self->code = code;
  self->is_own = TRUE;
  memcpy (self->status, status, sizeof status);
  self->text = g_string_free (g_steal_pointer (&clean), FALSE);
}

void
pr_reply_clear (PrReply *self)
{
  g_free (self->text);
  *self = (PrReply){ 0 };
}

void
pr_reply_copy (PrReply *self, const PrReply *other)
{
  char *text = g_strdup (other->text);

  pr_reply_clear (self);
  *self = *other;
  self->text = text;
}

char *
pr_reply_to_string (const PrReply *self)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "%03u", self->code);
  if (self->status[0] != 0)
    g_string_append_printf (out, " %u.%u.%u", self->status[0], self->status[1], self->status[2]);
  if (self->text != NULL && self->text[0] != '\0')
    {
      g_string_append_c (out, ' ');
      g_string_append (out, self->text);
      g_string_replace (out, "\n", " / ", 0);
    }

  return g_string_free (out, FALSE);
}

gboolean
pr_reply_from_string (PrReply *self, const char *text)
{
  guint8 status[3] = { 0 };
  const char *p = text;
  guint code;

  if (!parse_number (&p, text + strlen (text), 3, &code) || p != text + 3 ||
      (code != 0 && (code < 200 || code > 599)) || (*p != '\0' && *p != ' '))
    return FALSE;

  if (*p == ' ')
    p++;
  p += parse_status (p, strlen (p), status);
  pr_reply_set (self, code, NULL, p);
  memcpy (self->status, status, sizeof status);

  return TRUE;
}

/* One line without its end. FALSE: not SMTP. */
static gboolean
take_line (PrReplyReader *self, const char *line, gsize len, gboolean *is_last)
{
  const char *end = line + len;
  const char *p = line;
  guint8 status[3];
  guint code;

  if (!parse_number (&p, end, 3, &code) || p != line + 3 || code < 200 || code > 599 ||
      (p < end && *p != ' ' && *p != '-'))
    return FALSE;
  if (++self->n_lines > PR_REPLY_MAX_LINES || (self->n_lines > 1 && code != self->reply.code))
    return FALSE;

  *is_last = p == end || *p == ' ';
  if (p < end)
    p++;

  /* A status of another class than the code is a text that looks like one (RFC 2034 §4). */
  gsize n_status = parse_status (p, end - p, status);
  if (n_status > 0 && status[0] == code / 100)
    {
      if (self->reply.status[0] == 0)
        memcpy (self->reply.status, status, sizeof status);
      if (memcmp (self->reply.status, status, sizeof status) == 0)
        p += n_status;
    }

  self->reply.code = code;
  if (self->text == NULL)
    self->text = g_string_sized_new (64);
  else if (self->text->len < PR_REPLY_MAX_TEXT)
    g_string_append_c (self->text, '\n');
  append_printable (self->text, p, end - p);

  return TRUE;
}

static void
start_reply (PrReplyReader *self)
{
  if (self->n_lines > 0 || self->line != NULL)
    return;

  pr_reply_clear (&self->reply);
}

static PrReplyStatus
finish_line (PrReplyReader *self, const char *line, gsize len)
{
  gboolean is_last = FALSE;

  if (len > 0 && line[len - 1] == '\r')
    len--;
  if (!take_line (self, line, len, &is_last))
    return PR_REPLY_BROKEN;
  if (!is_last)
    return PR_REPLY_MORE;

  self->reply.text = g_string_free (g_steal_pointer (&self->text), FALSE);
  self->n_lines = 0;
  return PR_REPLY_COMPLETE;
}

static gsize
line_len (const PrReplyReader *self)
{
  return self->line != NULL ? self->line->len : 0;
}

PrReplyStatus
pr_reply_reader_feed (PrReplyReader *self, const char *data, gsize len, gsize *taken)
{
  PrReplyStatus status = PR_REPLY_MORE;
  gsize done = 0;

  start_reply (self);

  while (status == PR_REPLY_MORE && done < len)
    {
      const char *start = data + done;
      const char *lf = memchr (start, '\n', len - done);
      gsize n = (lf != NULL ? lf : data + len) - start;

      if (line_len (self) + n > PR_REPLY_MAX_LINE)
        {
          *taken = done;
          return PR_REPLY_BROKEN;
        }

      done += lf != NULL ? n + 1 : n;
      if (lf == NULL || self->line != NULL)
        {
          if (self->line == NULL)
            self->line = g_string_sized_new (128);
          g_string_append_len (self->line, start, n);
        }

      if (lf != NULL && self->line != NULL)
        {
          g_autoptr (GString) line = g_steal_pointer (&self->line);
          status = finish_line (self, line->str, line->len);
        }
      else if (lf != NULL)
        status = finish_line (self, start, n);
    }

  *taken = done;
  return status;
}

void
pr_reply_reader_clear (PrReplyReader *self)
{
  if (self->line != NULL)
    g_string_free (self->line, TRUE);
  if (self->text != NULL)
    g_string_free (self->text, TRUE);
  pr_reply_clear (&self->reply);
  *self = (PrReplyReader){ 0 };
}
