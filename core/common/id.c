/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Message ids: time of receipt, made strictly increasing. */
#include "common/id.h"

#include <string.h>

/* Crockford's base 32 has no i, l, o, u; its order is that of ASCII, so text sorts as numbers. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

#define BITS_PER_DIGIT 5

gint64
pr_id_next (PrIdSource *self)
{
  /* A clock that was set back must not repeat an id. */
  self->last = MAX (g_get_real_time (), self->last + 1);
  return self->last;
}

const char *
pr_id_format (gint64 id, char buf[PR_ID_LEN + 1])
{
  guint64 rest = (guint64) id & PR_ID_MAX;

  for (int i = PR_ID_LEN - 1; i >= 0; i--)
    {
      buf[i] = digits[rest & 31];
      rest >>= BITS_PER_DIGIT;
    }
  buf[PR_ID_LEN] = '\0';
  return buf;
}

gboolean
pr_id_parse (const char *text, gint64 *id)
{
  gint64 value = 0;

  if (text == NULL || strlen (text) != PR_ID_LEN)
    return FALSE;
  for (int i = 0; i < PR_ID_LEN; i++)
    {
      const char *digit = strchr (digits, g_ascii_tolower (text[i]));

      if (digit == NULL)
        return FALSE;
      value = (value << BITS_PER_DIGIT) | (digit - digits);
    }
  *id = value;
  return TRUE;
}
