/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client says first under TLS: any octets give a version with a name, and a version that was
 * found is there. */

#include "fuzz.h"
#include "net/tls-hello.h"

#include <glib.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* A copy of its very size, so that one octet too many is noticed. */
  g_autofree guint8 *copy = g_memdup2 (data, size);
  guint16 version = pr_tls_hello_read_version (copy, size);
  gboolean found = version == 0;

  for (size_t i = 0; i + 1 < size && !found; i++)
    found = data[i] == version >> 8 && data[i + 1] == (version & 0xff);
  g_assert_true (found);
  g_assert_true (pr_tls_hello_read_alert (copy, size) == 0 || size >= 7);
  g_assert_nonnull (pr_tls_version_name (version));

  return 0;
}
