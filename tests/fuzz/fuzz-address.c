/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths of any octets: the first one says by which flags. What is accepted is a fixed point: its
 * canonical form reads back as itself, within the limits. */

#include "fuzz.h"
#include "smtp/address.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *address = NULL;
  g_autofree char *again = NULL;
  g_autofree char *ascii = NULL;
  const char *text = (const char *) data + 1;
  const char *end = NULL;
  const char *fault = NULL;
  PrPathFlags flags;

  if (size < 1)
    return 0;

  flags = data[0] & (PR_PATH_SENDER | PR_PATH_RECIPIENT | PR_PATH_LENIENT);
  if (!pr_path_parse (text, size - 1, flags, &address, &end, &fault))
    {
      g_assert_nonnull (fault);
      return 0;
    }

  g_assert_true (end > text && end <= text + size - 1);
  g_assert_cmpuint (strlen (address), <=, PR_ADDRESS_MAX_PATH - 2);
  g_assert_true (g_utf8_validate (address, -1, NULL));

  /* "_" in a domain is taken from legacy devices alone. */
  if (strchr (address, '@') != NULL && strchr (pr_address_domain (address), '_') == NULL)
    {
      g_assert_true (pr_address_parse (address, &again, &fault));
      g_assert_cmpstr (again, ==, address);
    }

  ascii = pr_domain_to_ascii (pr_address_domain (address));
  g_assert_true (ascii == NULL || !pr_address_is_utf8 (ascii));

  return 0;
}
