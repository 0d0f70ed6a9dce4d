/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Commands are read line by line. Message text is never stored: its header is kept
 * until the empty line, the rest goes through the checksum as it comes.
 *
 * Where the reader is within the message text, to find the final dot and to take
 * stuffed dots away (RFC 5321 section 4.5.2):
 *
 *   LINE_START --'.'--> DOT --CR--> DOT_CR --LF--> end of the message
 *       |  ^             | other       | other
 *       v  '--LF-- CR    v             v
 *    MIDDLE ---CR---^  MIDDLE        MIDDLE
 */

#include "inbox.h"

#include "crc.h"

#include <stdio.h>
#include <string.h>

#define MAX_LINE 2000
#define MAX_HEADER (256 * 1024)

typedef enum
{
  AT_LINE_START,
  AT_MIDDLE,
  AT_CR,
  AT_DOT,
  AT_DOT_CR,
} Position;

struct PrBenchInbox
{
  PrBenchTally *tally; /* borrowed */

  gboolean in_message;
  gsize line_len;
  char line[MAX_LINE];

  guint n_recipients;
  guint64 recipient; /* N of the last <mN@...>, else G_MAXUINT64 */

  Position position;
  gboolean in_body;
  GString *header; /* owned */
  guint32 crc;
  gsize size_octets;
};

PrBenchInbox *
pr_bench_inbox_new (PrBenchTally *tally)
{
  PrBenchInbox *self = g_new0 (PrBenchInbox, 1);

  self->tally = tally;
  self->header = g_string_new (NULL);
  return self;
}

void
pr_bench_inbox_free (PrBenchInbox *self)
{
  g_string_free (self->header, TRUE);
  g_free (self);
}

/* --- message text --- */

static void
take_text (PrBenchInbox *self, const char *text, gsize len)
{
  gsize before = self->header->len;
  const char *end;

  self->size_octets += len;
  if (self->in_body)
    {
      self->crc = pr_bench_crc (self->crc, text, len);
      return;
    }

  if (before + len > MAX_HEADER)
    len = MAX_HEADER - before;
  g_string_append_len (self->header, text, (gssize) len);
  before = before > 3 ? before - 3 : 0;
  end = memmem (self->header->str + before, self->header->len - before, "\r\n\r\n", 4);
  if (end != NULL)
    {
      gsize header_len = (gsize) (end + 4 - self->header->str);

      self->in_body = TRUE;
      self->crc = pr_bench_crc (0, end + 4, self->header->len - header_len);
      g_string_truncate (self->header, header_len);
    }
}

/* Takes what belongs to the middle of lines, up to and with the CRLF before the next
 * line that starts with a dot. Returns where it stopped. */
static const char *
take_lines (PrBenchInbox *self, const char *data, const char *end)
{
  const char *dot = data;

  while ((dot = memchr (dot, '.', (gsize) (end - dot))) != NULL)
    {
      if (dot - data >= 2 && dot[-1] == '\n' && dot[-2] == '\r')
        {
          take_text (self, data, (gsize) (dot - data));
          self->position = AT_LINE_START;
          return dot;
        }
      dot++;
    }

  take_text (self, data, (gsize) (end - data));
  if (end[-1] == '\r')
    self->position = AT_CR;
  else if (end - data >= 2 && end[-1] == '\n' && end[-2] == '\r')
    self->position = AT_LINE_START;
  return end;
}

static void
count_message (PrBenchInbox *self)
{
  const char *field = strstr (self->header->str, "X-Bench: ");
  guint64 run, seq;
  guint32 crc;

  if (field != NULL && field != self->header->str && field[-1] != '\n')
    field = NULL;
  if (field == NULL || sscanf (field, "X-Bench: %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %x",
                               &run, &seq, &crc) != 3)
    {
      pr_bench_tally_shared (self->tally)->stray++;
      return;
    }
  pr_bench_tally_add (self->tally, run, seq,
                      self->in_body && crc == self->crc && self->recipient == seq,
                      self->size_octets);
}

static void
end_message (PrBenchInbox *self, GString *replies)
{
  count_message (self);
  self->in_message = FALSE;
  self->n_recipients = 0;
  g_string_append (replies, "250 2.0.0 Counted\r\n");
}

/* Returns where it stopped: at @end, or behind the final dot. */
static const char *
feed_message (PrBenchInbox *self, const char *data, const char *end, GString *replies)
{
  while (data < end && self->in_message)
    switch (self->position)
      {
      case AT_LINE_START:
        if (*data == '.')
          data++, self->position = AT_DOT;
        else
          self->position = AT_MIDDLE;
        break;

      case AT_DOT:
        if (*data == '\r')
          data++, self->position = AT_DOT_CR;
        else
          self->position = AT_MIDDLE;
        break;

      case AT_DOT_CR:
        if (*data == '\n')
          {
            data++;
            end_message (self, replies);
          }
        else
          {
            take_text (self, "\r", 1);
            self->position = AT_MIDDLE;
          }
        break;

      case AT_CR:
        if (*data == '\n')
          {
            take_text (self, data++, 1);
            self->position = AT_LINE_START;
          }
        else
          self->position = AT_MIDDLE;
        break;

      case AT_MIDDLE: data = take_lines (self, data, end); break;

      default: g_assert_not_reached ();
      }
  return data;
}

static void
begin_message (PrBenchInbox *self)
{
  self->in_message = TRUE;
  self->in_body = FALSE;
  self->position = AT_LINE_START;
  self->size_octets = 0;
  self->crc = 0;
  g_string_truncate (self->header, 0);
}

/* --- commands --- */

static gboolean
is_verb (const char *line, const char *verb)
{
  return g_ascii_strncasecmp (line, verb, strlen (verb)) == 0;
}

static void
take_recipient (PrBenchInbox *self, const char *line, GString *replies)
{
  const char *path = strstr (line, "<m");
  char *end = NULL;

  self->n_recipients++;
  self->recipient = path != NULL ? g_ascii_strtoull (path + 2, &end, 10) : G_MAXUINT64;
  if (end == NULL || *end != '@')
    self->recipient = G_MAXUINT64;
  g_string_append (replies, "250 2.1.5 Ok\r\n");
}

/* Returns FALSE after QUIT. */
static gboolean
take_command (PrBenchInbox *self, const char *line, GString *replies)
{
  if (is_verb (line, "RCPT"))
    take_recipient (self, line, replies);
  else if (is_verb (line, "MAIL"))
    g_string_append (replies, "250 2.1.0 Ok\r\n");
  else if (is_verb (line, "DATA") && self->n_recipients > 0)
    {
      begin_message (self);
      g_string_append (replies, "354 Go on\r\n");
    }
  else if (is_verb (line, "DATA"))
    g_string_append (replies, "503 5.5.1 No recipient\r\n");
  else if (is_verb (line, "EHLO"))
    g_string_append (replies, "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n"
                              "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
  else if (is_verb (line, "HELO"))
    g_string_append (replies, "250 sink.example\r\n");
  else if (is_verb (line, "RSET") || is_verb (line, "NOOP"))
    {
      self->n_recipients = 0;
      g_string_append (replies, "250 2.0.0 Ok\r\n");
    }
  else if (is_verb (line, "QUIT"))
    {
      g_string_append (replies, "221 2.0.0 Bye\r\n");
      return FALSE;
    }
  else
    g_string_append (replies, "500 5.5.1 Unknown command\r\n");
  return TRUE;
}

gboolean
pr_bench_inbox_feed (PrBenchInbox *self, const char *data, gsize len, GString *replies)
{
  const char *end = data + len;

  while (data < end)
    {
      const char *newline;
      gsize part;

      if (self->in_message)
        {
          data = feed_message (self, data, end, replies);
          continue;
        }

      newline = memchr (data, '\n', (gsize) (end - data));
      part = (gsize) ((newline != NULL ? newline + 1 : end) - data);
      if (self->line_len + part >= MAX_LINE)
        {
          g_string_append (replies, "500 5.5.2 Line too long\r\n");
          return FALSE;
        }
      memcpy (self->line + self->line_len, data, part);
      self->line_len += part;
      self->line[self->line_len] = '\0';
      data += part;
      if (newline != NULL)
        {
          self->line_len = 0;
          if (!take_command (self, self->line, replies))
            return FALSE;
        }
    }
  return TRUE;
}
