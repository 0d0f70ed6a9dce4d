/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Macros of SPF records (RFC 7208 §7): "%{ir}.%{v}._spf.%{d2}". One reader walks a string and
 * either checks it or writes it out, so that both agree about what a macro is. */

#include "guard/spf-private.h"

#include <string.h>

#define MAX_EXPANDED 8192 /* octets: a few macros of the longest possible values */
#define DELIMITERS ".-+,/_="

/* What is between "%{" and "}". */
typedef struct
{
  char letter;      /* lower case */
  gboolean escaped; /* written in upper case: URL escapes */
  guint parts;      /* right-hand ones to keep; 0: all */
  gboolean reversed;
  char delimiters[16];
} Macro;

/* Reads one from behind its "%{". Gives where it ends, behind "}"; NULL: it is none. */
static const char *
read_macro (const char *text, gboolean explanation, Macro *macro)
{
  gboolean has_digits = FALSE;
  gsize n = 0;

  *macro = (Macro){ .letter = g_ascii_tolower (*text), .escaped = g_ascii_isupper (*text) };
  if (macro->letter == '\0' ||
      strchr (explanation ? "slodiphvcrt" : "slodiphv", macro->letter) == NULL)
    return NULL;

  for (text++; g_ascii_isdigit (*text); text++)
    {
      has_digits = TRUE;
      macro->parts = MIN (macro->parts * 10 + (guint) (*text - '0'), 1000);
    }
  if (has_digits && macro->parts == 0)
    return NULL;

  if (g_ascii_tolower (*text) == 'r')
    {
      macro->reversed = TRUE;
      text++;
    }
  for (; *text != '\0' && strchr (DELIMITERS, *text) != NULL; text++)
    if (n < sizeof macro->delimiters - 1 && strchr (macro->delimiters, *text) == NULL)
      macro->delimiters[n++] = *text;
  if (n == 0)
    macro->delimiters[0] = '.';

  return *text == '}' ? text + 1 : NULL;
}

/* Nibbles for IPv6: %{i}, to be reversed for ip6.arpa. */
static char *
dotted (const PrIp *ip)
{
  GString *out;
  char buf[PR_IP_TEXT_SIZE];

  if (pr_ip_is_v4 (ip))
    return g_strdup (pr_ip_format (ip, buf));

  out = g_string_sized_new (64);
  for (guint i = 0; i < sizeof ip->octets; i++)
    g_string_append_printf (out, "%s%X.%X", i > 0 ? "." : "", ip->octets[i] >> 4,
                            ip->octets[i] & 15);
  return g_string_free (out, FALSE);
}

static char *
value_of (char letter, const PrSpfMacros *macros)
{
  const PrSpfQuestion *question = macros->question;
  const char *at = strrchr (macros->sender, '@');
  char buf[PR_IP_TEXT_SIZE];

  switch (letter)
    {
    case 's': return g_strdup (macros->sender);
    case 'l': return g_strndup (macros->sender, (gsize) (at - macros->sender));
    case 'o': return g_strdup (at + 1);
    case 'd': return g_strdup (macros->domain);
    case 'i': return dotted (question->client);
    case 'p': return g_strdup (macros->validated != NULL ? macros->validated : "unknown");
    case 'h': return g_strdup (question->helo);
    case 'v': return g_strdup (pr_ip_is_v4 (question->client) ? "in-addr" : "ip6");
    case 'c': return g_strdup (pr_ip_format (question->client, buf));
    case 'r': return g_strdup (question->receiver);
    default: return g_strdup_printf ("%" G_GINT64_FORMAT, question->time_s); /* t */
    }
}

/* Splits, turns round, keeps the right-hand parts, joins by dots (§7.3). */
static char *
transform (const char *value, const Macro *macro)
{
  g_auto (GStrv) parts = g_strsplit_set (value, macro->delimiters, -1);
  guint n = g_strv_length (parts), skip;

  if (macro->reversed)
    for (guint i = 0; i < n / 2; i++)
      {
        char *part = parts[i];

        parts[i] = parts[n - 1 - i];
        parts[n - 1 - i] = part;
      }
  skip = macro->parts > 0 && macro->parts < n ? n - macro->parts : 0;

  return g_strjoinv (".", parts + skip);
}

static void
append_macro (GString *out, const Macro *macro, const PrSpfMacros *macros)
{
  g_autofree char *value = value_of (macro->letter, macros);
  g_autofree char *changed = transform (value, macro);

  if (macro->escaped)
    g_string_append_uri_escaped (out, changed, NULL, FALSE);
  else
    g_string_append (out, changed);
}

/* Reads what begins with '%'. NULL: a syntax error. @out: (nullable). */
static const char *
read_percent (const char *text, gboolean explanation, GString *out, const PrSpfMacros *macros)
{
  static const char *const short_forms[] = { "%%", "_ ", "-%20" };
  Macro macro;

  if (text[1] == '{')
    {
      const char *end = read_macro (text + 2, explanation, &macro);

      if (end != NULL && out != NULL)
        append_macro (out, &macro, macros);
      return end;
    }

  for (guint i = 0; i < G_N_ELEMENTS (short_forms); i++)
    if (text[1] == short_forms[i][0])
      {
        if (out != NULL)
          g_string_append (out, short_forms[i] + 1);
        return text + 2;
      }

  return NULL;
}

gboolean
pr_spf_macro_check (const char *text, gboolean explanation)
{
  while (*text != '\0')
    if (*text == '%')
      {
        text = read_percent (text, explanation, NULL, NULL);
        if (text == NULL)
          return FALSE;
      }
    else if (*text > ' ' && *text < 0x7f)
      text++;
    else if (*text == ' ' && explanation)
      text++;
    else
      return FALSE;

  return TRUE;
}

/* toplabel (§7.1): letters, digits and inner hyphens, and not digits alone. */
static gboolean
is_top_label (const char *label, gsize len)
{
  gboolean all_digits = TRUE;

  if (len == 0 || label[0] == '-' || label[len - 1] == '-')
    return FALSE;

  for (gsize i = 0; i < len; i++)
    {
      if (!g_ascii_isalnum (label[i]) && label[i] != '-')
        return FALSE;
      all_digits &= g_ascii_isdigit (label[i]);
    }

  return !all_digits;
}

gboolean
pr_spf_macro_check_domain (const char *text)
{
  const char *literal = text, *dot;
  gsize len;

  if (*text == '\0' || !pr_spf_macro_check (text, FALSE))
    return FALSE;

  for (const char *at = text; *at != '\0';)
    if (*at == '%')
      literal = at = read_percent (at, FALSE, NULL, NULL);
    else
      at++;

  len = strlen (literal);
  if (len == 0)
    return TRUE; /* ends in a macro */
  if (literal[len - 1] == '.')
    len--;
  dot = g_strrstr_len (literal, (gssize) len, ".");

  return dot != NULL && is_top_label (dot + 1, len - (gsize) (dot + 1 - literal));
}

gboolean
pr_spf_macro_uses_name (const char *text)
{
  Macro macro;

  for (text = strchr (text, '%'); text != NULL && text[1] != '\0'; text = strchr (text + 2, '%'))
    if (text[1] == '{' && read_macro (text + 2, TRUE, &macro) != NULL && macro.letter == 'p')
      return TRUE;

  return FALSE;
}

char *
pr_spf_macro_expand (const char *text, const PrSpfMacros *macros)
{
  g_autoptr (GString) out = g_string_new (NULL);

  while (*text != '\0')
    {
      if (*text == '%')
        text = read_percent (text, TRUE, out, macros);
      else
        g_string_append_c (out, *text++);
      if (text == NULL || out->len > MAX_EXPANDED)
        return NULL;
    }

  return g_string_free (g_steal_pointer (&out), FALSE);
}
