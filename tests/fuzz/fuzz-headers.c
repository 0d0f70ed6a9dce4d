/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scan and the block in memory over arbitrary text, and rewriting on top of them. The first
 * octet is the size of the pieces. */
#include "fuzz.h"

#include <gmime/gmime.h>

#include "relay/rewrite.h"
#include "smtp/headers.h"

typedef struct
{
  GString *out;
  gssize end;
} Seen;

static void
on_octets (gpointer owner, const char *data, gsize len)
{
  g_string_append_len (((Seen *) owner)->out, data, len);
}

static void
on_end (gpointer owner)
{
  Seen *seen = owner;

  g_assert_cmpint (seen->end, ==, -1);
  seen->end = seen->out->len;
}

static const PrHeaderSink sink = { on_octets, on_end };

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  size_t step = size > 0 && data[0] > 0 ? data[0] : 1;
  const char *text = (const char *) data + (size > 0);
  size_t len = size - (size > 0);
  g_autoptr (PrHeaders) headers = pr_headers_new (text, len);
  g_autoptr (PrRewrite) rewrite = pr_rewrite_new ("me@example.org");
  g_autoptr (GString) written = g_string_new (NULL), rewritten = g_string_new (NULL);
  g_autoptr (PrHeaders) again = NULL;
  PrHeaderScan scan = { 0 };
  Seen seen = { g_string_new (NULL), -1 };
  static gboolean ready;

  if (!ready)
    g_mime_init ();
  ready = TRUE;

  for (size_t at = 0; at < len; at += step)
    {
      pr_header_scan_feed (&scan, text + at, MIN (step, len - at), &sink, &seen);
      pr_rewrite_feed (rewrite, text + at, MIN (step, len - at), FALSE, rewritten);
    }
  pr_header_scan_finish (&scan, &sink, &seen);
  pr_rewrite_feed (rewrite, NULL, 0, TRUE, rewritten);

  pr_headers_write (headers, written);
  g_assert_cmpmem (seen.out->str, seen.end, written->str, written->len);
  again = pr_headers_new (rewritten->str, rewritten->len);
  g_assert_true (pr_headers_is_complete (again));
  g_assert_cmpuint (pr_headers_count (again, "From"), ==, 1);
  g_string_free (seen.out, TRUE);
  return 0;
}
