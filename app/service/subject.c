/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Subject, as a person reads it. */

#include <gmime/gmime.h>

#include "service/subject.h"
#include "smtp/headers.h"

char *
pr_subject_read (const char *data, gsize len)
{
  g_autoptr (PrHeaders) headers = pr_headers_new (data, len);
  g_autofree char *raw = pr_headers_get (headers, "Subject", 0);
  g_autofree char *text = NULL;

  if (raw == NULL)
    return NULL;

  text = g_mime_utils_header_decode_text (NULL, raw);
  return g_utf8_make_valid (text, -1);
}
