/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dot-stuffing by whole lines: memchr finds their ends, and octets are copied in runs that only
 * an inserted dot or a repaired line end interrupts. */
#include "smtp/stuff.h"

#include <string.h>

/* Copies [*run, end) and begins a new run at @next. */
static void
flush_run (const char **run, const char *end, const char *next, GString *out)
{
  if (end > *run)
    g_string_append_len (out, *run, end - *run);
  *run = next;
}

/* The end of the line that begins at @p: its first CR or LF, @end when there is none. */
static const char *
find_line_end (const char *p, const char *end)
{
  const char *lf = memchr (p, '\n', end - p);
  const char *limit = lf != NULL ? lf : end;
  const char *cr = memchr (p, '\r', limit - p);

  return cr != NULL ? cr : limit;
}

void
pr_stuffer_append (PrStuffer *self, const char *data, gsize len, GString *out)
{
  const char *p = data, *run = data, *end = data + len;

  if (len > 0 && self->at == PR_STUFFER_AFTER_CR)
    {
      g_string_append_len (out, "\r\n", 2);
      self->at = PR_STUFFER_LINE_START;
      if (*p == '\n')
        run = ++p;
    }

  while (p < end)
    {
      const char *line_end;

      if (self->at == PR_STUFFER_LINE_START && *p == '.')
        {
          flush_run (&run, p, p, out);
          g_string_append_c (out, '.');
        }
      self->at = PR_STUFFER_IN_LINE;
      line_end = find_line_end (p, end);
      if (line_end == end)
        break;

      self->at = PR_STUFFER_LINE_START;
      if (*line_end == '\r' && line_end + 1 == end)
        {
          flush_run (&run, line_end, end, out);
          self->at = PR_STUFFER_AFTER_CR;
          return;
        }
      if (*line_end == '\r' && line_end[1] == '\n')
        {
          p = line_end + 2;
          continue;
        }
      /* A lone CR or LF. RFC 5321 §2.3.8 forbids sending either; some servers take one for a
       * line end and thus ".": the way smuggled messages travel. */
      p = line_end + 1;
      flush_run (&run, line_end, p, out);
      g_string_append_len (out, "\r\n", 2);
    }

  flush_run (&run, end, end, out);
}

void
pr_stuffer_finish (PrStuffer *self, GString *out)
{
  if (self->at != PR_STUFFER_LINE_START)
    g_string_append_len (out, "\r\n", 2);
  g_string_append_len (out, ".\r\n", 3);
  self->at = PR_STUFFER_LINE_START;
}

void
pr_bdat_append (const char *data, gsize len, gboolean last, GString *out)
{
  g_return_if_fail (len > 0 || last);

  g_string_append_printf (out, "BDAT %" G_GSIZE_FORMAT "%s\r\n", len, last ? " LAST" : "");
  if (len > 0)
    g_string_append_len (out, data, len);
}
