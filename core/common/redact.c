/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hides secrets in transcript lines. */
#include "common/redact.h"

#include <string.h>

#define HIDDEN "********"
#define MIN_BASE64 4 /* one group */

/* Shown behind AUTH; any other word there may itself be a password. */
static const char *const mechanisms[] = {
  "PLAIN",         "LOGIN",   "CRAM-MD5",         "DIGEST-MD5",         "SCRAM-SHA-1",
  "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER",      "EXTERNAL",           "ANONYMOUS",
  "NTLM",          "GSSAPI",  "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
};

/* Commands of one word whose length would make them base64. */
static const char *const lone_verbs[] = { "DATA", "HELP", "NOOP", "QUIT", "RSET", "STARTTLS" };

static gboolean
is_one_of (const char *const *words, gsize n_words, const char *text, gsize len)
{
  for (gsize i = 0; i < n_words; i++)
    if (strlen (words[i]) == len && g_ascii_strncasecmp (words[i], text, len) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
looks_like_base64 (const char *line, gsize len)
{
  gsize body = len;

  if (len < MIN_BASE64 || len % MIN_BASE64 != 0 ||
      is_one_of (lone_verbs, G_N_ELEMENTS (lone_verbs), line, len))
    return FALSE;
  while (len - body < 2 && line[body - 1] == '=')
    body--;
  for (gsize i = 0; i < body; i++)
    if (!g_ascii_isalnum (line[i]) && line[i] != '+' && line[i] != '/')
      return FALSE;
  return TRUE;
}

/* Length of the blanks, or of the word, at the start. */
static gsize
span (const char *text, gsize len, gboolean blanks)
{
  gsize i = 0;

  while (i < len && (text[i] == ' ' || text[i] == '\t') == blanks)
    i++;
  return i;
}

/* "AUTH", whatever stands before and behind it. */
static gboolean
is_auth (const char *line, gsize len)
{
  return span (line, len, FALSE) == strlen ("AUTH") && g_ascii_strncasecmp (line, "AUTH", 4) == 0;
}

static void
show_auth (const char *line, gsize len, GString *shown)
{
  gsize at = strlen ("AUTH"), word;

  g_string_append (shown, "AUTH");
  at += span (line + at, len - at, TRUE);
  word = span (line + at, len - at, FALSE);
  if (word > 0 && is_one_of (mechanisms, G_N_ELEMENTS (mechanisms), line + at, word))
    {
      g_string_append_c (shown, ' ');
      g_string_append_len (shown, line + at, (gssize) word);
      at += word;
      at += span (line + at, len - at, TRUE);
    }
  if (at < len)
    g_string_append (shown, " " HIDDEN);
}

void
pr_redactor_show (PrRedactor *self, gboolean from_client, const char *line, gsize len,
                  GString *shown)
{
  while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
    len--;

  if (!from_client)
    {
      if (len < 3 || strncmp (line, "334", 3) != 0)
        self->exchanging = FALSE;
      pr_append_printable (shown, line, len);
      return;
    }

  /* Leading blanks do not make a password public. */
  if (is_auth (line + span (line, len, TRUE), len - span (line, len, TRUE)))
    {
      gsize blanks = span (line, len, TRUE);

      self->exchanging = TRUE;
      self->seen_auth = TRUE;
      show_auth (line + blanks, len - blanks, shown);
    }
  else if (self->exchanging && !(len == 1 && line[0] == '*')) /* "*" cancels */
    g_string_append (shown, HIDDEN);
  else if (self->seen_auth && looks_like_base64 (line, len))
    g_string_append (shown, HIDDEN);
  else
    pr_append_printable (shown, line, len);
}

void
pr_append_printable (GString *out, const char *text, gsize len)
{
  const char *end = text + len;

  while (text < end)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);

      if (c == (gunichar) -1 || c == (gunichar) -2 || g_unichar_iscntrl (c) || c == 0x2028 ||
          c == 0x2029)
        {
          g_string_append_c (out, '?');
          text +=
            c == (gunichar) -1 || c == (gunichar) -2 ? 1 : g_utf8_skip[*(const guchar *) text];
          continue;
        }
      g_string_append_unichar (out, c);
      text += g_utf8_skip[*(const guchar *) text];
    }
}
