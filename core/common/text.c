/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

#include <stdarg.h>

#define MAX_DIGITS 20 /* of 64 bits */

void
pr_text_append (GString *out, ...)
{
  va_list parts;
  const char *part;

  va_start (parts, out);
  while ((part = va_arg (parts, const char *)) != NULL)
    g_string_append (out, part);
  va_end (parts);
}

void
pr_text_append_number (GString *out, guint64 number)
{
  char digits[MAX_DIGITS];
  char *first = digits + MAX_DIGITS;

  do
    *--first = (char) ('0' + number % 10);
  while ((number /= 10) != 0);
  g_string_append_len (out, first, digits + MAX_DIGITS - first);
}
