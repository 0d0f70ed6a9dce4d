/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the DNS says: the first octet chooses the reader. Values hold no NUL and come from within
 * the answer; a name that is taken for a host's has only a host's octets. */

#include "fuzz.h"
#include "net/dns-record.h"
#include "net/dnssec.h"

#include <string.h>

static void
read_name (const guint8 *data, gsize len)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  g_autofree char *name = pr_dns_read_name (data, len);

  if (name == NULL)
    return;
  g_assert_cmpuint (strlen (name), <=, 253);
  g_assert_cmpuint (strlen (name), <, len);
  g_assert_cmpuint (strspn (name, allowed), ==, strlen (name));
}

static void
read_records (PrRecordKind kind, const guint8 *data, gsize len)
{
  g_autoptr (GPtrArray) values = pr_dns_read_records (kind, data, len);
  gsize octets = 0;

  for (guint i = 0; values != NULL && i < values->len; i++)
    octets += strlen (values->pdata[i]) + 1;
  /* A name may be pointed to from many records, an address is longer as text. */
  g_assert_cmpuint (octets, <=, kind == PR_RECORD_TEXT ? len : 256 * 254);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gsize len = size > 0 ? size - 1 : 0;
  /* A copy of its very size, so that one octet too many is noticed. */
  g_autofree guint8 *copy = len > 0 ? g_memdup2 (data + 1, len) : NULL;

  if (size > 0 && data[0] == 'n')
    read_name (copy, len);
  else
    for (PrRecordKind kind = PR_RECORD_TEXT; kind <= PR_RECORD_NAME; kind++)
      read_records (kind, copy, len);
  return 0;
}
