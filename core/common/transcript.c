/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last lines of one conversation, for people who want to see what is being said. */

#include "common/transcript.h"

#define MAX_LINE 512

/* Drops whole lines from the front, half the room at once, so that adding stays cheap. */
static void
make_room (PrTranscript *self)
{
  gsize excess = self->text->len - PR_TRANSCRIPT_MAX / 2;
  const char *end = memchr (self->text->str + excess, '\n', self->text->len - excess);
  gsize cut = (gsize) (end - self->text->str) + 1;

  g_string_erase (self->text, 0, (gssize) cut);
  self->start_octet += cut;
}

static void
hide_controls (char *text, gsize len)
{
  guchar found = 0;

  for (gsize i = 0; i < len; i++) /* without a branch: nearly every line is clean */
    found |= ((guchar) text[i] < 0x20) | (text[i] == 0x7f);
  if (!found)
    return;

  for (gsize i = 0; i < len; i++)
    if ((guchar) text[i] < 0x20 || text[i] == 0x7f)
      text[i] = '?';
}

void
pr_transcript_add (PrTranscript *self, gboolean outgoing, const char *line, gsize len)
{
  gsize start;

  if (self->text == NULL)
    self->text = g_string_sized_new (64);

  start = self->text->len + 2;
  g_string_append (self->text, outgoing ? "> " : "< ");
  g_string_append_len (self->text, line, (gssize) MIN (len, MAX_LINE));
  hide_controls (self->text->str + start, self->text->len - start);
  g_string_append_c (self->text, '\n');

  if (self->text->len > PR_TRANSCRIPT_MAX)
    make_room (self);
}

const char *
pr_transcript_read (const PrTranscript *self, guint64 *octet)
{
  gsize skip;

  if (self->text == NULL)
    return "";

  skip = *octet > self->start_octet ? MIN (*octet - self->start_octet, self->text->len) : 0;
  *octet = self->start_octet + self->text->len;

  return self->text->str + skip;
}

void
pr_transcript_clear (PrTranscript *self)
{
  if (self->text != NULL)
    g_string_free (self->text, TRUE);
  *self = (PrTranscript){ 0 };
}
