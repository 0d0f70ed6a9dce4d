/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message, and in front of its first line a record that every key is: the verifier ends, each
 * signature with a result, and its hashes do not depend on how the body came in pieces. */

#include "dkim/verify.h"
#include "fuzz.h"

#include <string.h>

static guint
verify (const char *header, gsize header_len, const char *body, gsize body_len, gsize step,
        const char *record)
{
  g_autoptr (PrDkimVerifier) verifier = pr_dkim_verifier_new (header, header_len);
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  guint sum = 0;

  for (gsize at = 0; at < body_len; at += step)
    pr_dkim_verifier_feed (verifier, body + at, MIN (step, body_len - at));

  while (!pr_dkim_verifier_check (verifier, lookups, 1500000000))
    {
      PrRecordKind kind;
      char *name;

      while (pr_lookups_take_wanted (lookups, &kind, &name))
        {
          pr_lookups_add (lookups, kind, name, PR_LOOKUP_FOUND,
                          (const char *const[]){ record, NULL });
          g_free (name);
        }
    }

  for (guint i = 0; i < pr_dkim_verifier_count (verifier); i++)
    {
      const PrDkimSignature *signature = pr_dkim_verifier_get (verifier, i);

      g_assert_nonnull (pr_dkim_status_name (signature->status));
      g_assert_true ((signature->status == PR_DKIM_PASS) == (signature->problem == NULL));
      g_assert_true (strchr (signature->identity, '@') != NULL);
      sum = sum * 7 + signature->status;
    }
  return sum;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data, *end = text + size;
  const char *line = memchr (text, '\n', size);
  g_autofree char *record = g_strndup (text, line != NULL ? (gsize) (line - text) : size);
  const char *header = line != NULL ? line + 1 : end;
  const char *empty = g_strstr_len (header, end - header, "\r\n\r\n");
  const char *body = empty != NULL ? empty + 4 : end;

  g_assert_cmpuint (
    verify (header, (gsize) (body - header), body, (gsize) (end - body), 1, record), ==,
    verify (header, (gsize) (body - header), body, (gsize) (end - body), 4096, record));

  return 0;
}
