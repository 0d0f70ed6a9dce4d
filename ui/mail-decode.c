/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mail-decode.h"

#include <string.h>
#include <gmime/gmime.h>

#include "html-text.h"

struct _PrMailDecoder
{
  GMimeEncoding state;
};

PrMailDecoder *
pr_mail_decoder_new (const char *encoding)
{
  PrMailDecoder *self = g_new0 (PrMailDecoder, 1);

  g_mime_init ();
  g_mime_encoding_init_decode (&self->state, encoding != NULL
                                               ? g_mime_content_encoding_from_string (encoding)
                                               : GMIME_CONTENT_ENCODING_DEFAULT);
  return self;
}

void
pr_mail_decoder_free (PrMailDecoder *self)
{
  g_free (self);
}

GBytes *
pr_mail_decoder_step (PrMailDecoder *self, const char *data, gsize size, gboolean last)
{
  gsize room = g_mime_encoding_outlen (&self->state, size);
  char *out = g_malloc (MAX (room, 1));
  gsize n = last ? g_mime_encoding_flush (&self->state, data, size, out)
                 : g_mime_encoding_step (&self->state, data, size, out);

  return g_bytes_new_take (out, n);
}

guint64
pr_mail_part_get_size (const PrMailPart *part)
{
  /* 57 octets become a line of 76 characters and CRLF (RFC 2045 §6.8). */
  if (g_strcmp0 (part->encoding, "base64") == 0)
    return part->size_octets / 78 * 57 + part->size_octets % 78 * 57 / 78;

  return part->size_octets;
}

/* ── Text ─────────────────────────────────────────────────────────────────────────────────── */

/* (transfer full) (nullable): @data in UTF-8, as far as it can be. */
static char *
convert (const char *data, gsize size, const char *charset)
{
  GMimeFilter *filter = g_mime_filter_charset_new (charset, "UTF-8");
  char *out, *text;
  gsize length, prespace;

  if (filter == NULL)
    return NULL;

  g_mime_filter_complete (filter, (char *) data, size, 0, &out, &length, &prespace);
  text = g_utf8_make_valid (out, (gssize) length);
  g_object_unref (filter);
  return text;
}

/* UTF-8 says itself what it is; what is in none is most often of Windows. */
static char *
read_charset (const char *data, gsize size, const char *charset)
{
  const char *valid;
  char *text = NULL;

  /* At its end a character may be cut. */
  if (g_utf8_validate_len (data, size, &valid) ||
      g_utf8_get_char_validated (valid, (gssize) (data + size - valid)) == (gunichar) -2)
    if (charset == NULL || g_ascii_strcasecmp (charset, "us-ascii") == 0 ||
        g_ascii_strncasecmp (charset, "utf-8", 5) == 0)
      return g_utf8_make_valid (data, (gssize) size);
  if (charset != NULL && g_ascii_strcasecmp (charset, "us-ascii") != 0)
    text = convert (data, size, charset);
  if (text == NULL)
    text = convert (data, size, "windows-1252");

  return text != NULL ? text : g_utf8_make_valid (data, (gssize) size);
}

/* In place of @text: line ends are one character, and nothing moves a cursor. */
static char *
clean (const char *text)
{
  GString *out = g_string_sized_new (strlen (text));

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (c == '\n' || c == '\t' || !g_unichar_iscntrl (c))
        g_string_append_len (out, at, g_utf8_next_char (at) - at);
    }
  return g_string_free (out, FALSE);
}

char *
pr_mail_part_to_text (const PrMailPart *part, const char *data, gsize size)
{
  g_autoptr (PrMailDecoder) decoder = pr_mail_decoder_new (part->encoding);
  g_autoptr (GBytes) octets = pr_mail_decoder_step (decoder, data, size, TRUE);
  gsize length;
  const char *plain = g_bytes_get_data (octets, &length);
  g_autofree char *text = length > 0 ? read_charset (plain, length, part->charset) : g_strdup ("");
  g_autofree char *words = NULL;

  /* HTML may name another character set itself; a part that does not is read as it says. */
  if (g_str_equal (part->type, "text/html"))
    words = pr_html_to_text (text);
  return clean (words != NULL ? words : text);
}
