/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversion of arbitrary text. The first octet chooses the hop and what was declared; what comes
 * out must be what it claims, and need no further conversion. */
#include "fuzz.h"

#include <gmime/gmime.h>

#include "relay/convert.h"

static gboolean
is_7bit (GBytes *bytes)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (bytes, &len);

  for (gsize i = 0; i < len; i++)
    if (data[i] > 127)
      return FALSE;
  return TRUE;
}

/* What was converted once is not converted again. */
static void
check_again (const PrConvert *first)
{
  PrConvert job = {
    .bytes = first->result,
    .envelope = first->envelope,
    .extensions = first->extensions,
  };

  g_assert_true (pr_convert_run (&job, NULL));
  g_assert_cmpuint (job.refusal.code, ==, 0);
  g_assert_false (job.changed);
  g_assert_cmpint (job.body, ==, first->body);
  pr_convert_clear (&job);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  uint8_t mode = size > 0 ? data[0] : 0;
  g_autoptr (GBytes) bytes = g_bytes_new (data + (size > 0), size - (size > 0));
  g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
  PrConvert job = {
    .bytes = bytes,
    .envelope = envelope,
    .extensions = (mode & 1 ? PR_EXT_8BITMIME : 0) | (mode & 2 ? PR_EXT_BINARYMIME : 0),
  };
  static gboolean ready;

  if (!ready)
    g_mime_init ();
  ready = TRUE;

  envelope->body = mode & 4 ? PR_BODY_BINARYMIME : PR_BODY_8BITMIME;
  envelope->smtputf8 = (mode & 8) != 0;
  g_assert_true (pr_convert_run (&job, NULL));
  g_assert_true (job.refusal.code == 0 || !job.changed);
  g_assert_cmpint (job.changed, ==, job.result != NULL);
  if (job.changed)
    check_again (&job);
  if (job.changed && envelope->smtputf8 && job.body == PR_BODY_7BIT)
    g_assert_true (is_7bit (job.result));
  pr_convert_clear (&job);
  return 0;
}
