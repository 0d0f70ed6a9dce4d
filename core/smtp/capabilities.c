/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reply to EHLO as flags and numbers: one table of keywords. */
#include "smtp/capabilities.h"

#include <string.h>

static void
parse_size (PrCapabilities *self, const char *args)
{
  guint64 size_octets;

  if (g_ascii_string_to_unsigned (args, 10, 0, G_MAXUINT64, &size_octets, NULL))
    self->max_size_octets = size_octets;
}

/* RFC 9422 §3: LIMITS RCPTMAX=20 MAILMAX=5; 1 to 6 digits, no leading zero. */
static void
parse_limits (PrCapabilities *self, const char *args)
{
  g_auto (GStrv) words = g_strsplit (args, " ", 16);

  for (char **word = words; *word != NULL; word++)
    {
      const char *value = strchr (*word, '=');
      guint64 number;

      if (value == NULL || !g_ascii_string_to_unsigned (value + 1, 10, 1, 999999, &number, NULL))
        continue;
      if (g_ascii_strncasecmp (*word, "RCPTMAX=", 8) == 0)
        self->max_recipients = number;
      else if (g_ascii_strncasecmp (*word, "MAILMAX=", 8) == 0)
        self->max_transactions = number;
    }
}

static void
parse_auth (PrCapabilities *self, const char *args)
{
  self->mechanisms |= pr_sasl_mechanisms_from_string (args);
}

static const struct
{
  const char *keyword;
  PrExtensions extension;
  void (*parse) (PrCapabilities *self, const char *args); /* nullable */
} keywords[] = {
  { "PIPELINING", PR_EXT_PIPELINING, NULL },
  { "SIZE", PR_EXT_SIZE, parse_size },
  { "8BITMIME", PR_EXT_8BITMIME, NULL },
  { "SMTPUTF8", PR_EXT_SMTPUTF8, NULL },
  { "DSN", PR_EXT_DSN, NULL },
  { "CHUNKING", PR_EXT_CHUNKING, NULL },
  { "BINARYMIME", PR_EXT_BINARYMIME, NULL },
  { "STARTTLS", PR_EXT_STARTTLS, NULL },
  { "AUTH", PR_EXT_AUTH, parse_auth },
  { "ENHANCEDSTATUSCODES", PR_EXT_ENHANCED, NULL },
  { "LIMITS", PR_EXT_LIMITS, parse_limits },
  { "REQUIRETLS", PR_EXT_REQUIRETLS, NULL },
};

static void
parse_line (PrCapabilities *self, const char *line)
{
  /* "AUTH=LOGIN" is how it was written before RFC 2554, and some still do. */
  gsize keyword_len = strcspn (line, g_ascii_strncasecmp (line, "AUTH=", 5) == 0 ? "=" : " ");

  for (gsize i = 0; i < G_N_ELEMENTS (keywords); i++)
    {
      if (strlen (keywords[i].keyword) != keyword_len ||
          g_ascii_strncasecmp (line, keywords[i].keyword, keyword_len) != 0)
        continue;

      self->extensions |= keywords[i].extension;
      if (keywords[i].parse != NULL && line[keyword_len] != '\0')
        keywords[i].parse (self, line + keyword_len + 1);
      return;
    }
}

void
pr_capabilities_parse (PrCapabilities *self, const char *text)
{
  const PrExtensions binary = PR_EXT_BINARYMIME | PR_EXT_CHUNKING | PR_EXT_PIPELINING;
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  *self = (PrCapabilities){ 0 };
  for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
    parse_line (self, g_strstrip (lines[i]));

  if ((self->extensions & binary) != binary)
    self->extensions &= ~PR_EXT_BINARYMIME;
}
