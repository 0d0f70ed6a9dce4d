/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a domain publishes by MTA-STS: the first octet chooses between record and policy. A policy
 * that is taken is the same when it is written and read again, as it is after a restart. */

#include "fuzz.h"
#include "relay/sts-policy.h"

#include <string.h>

static void
read_record (const char *data, gsize len)
{
  g_autofree char *text = g_strndup (data, len);
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autofree char *id = NULL;

  g_ptr_array_add (texts, text);
  id = pr_sts_find_id (texts);
  if (id != NULL)
    {
      g_assert_cmpuint (strlen (id), <=, 32);
      g_assert_nonnull (strstr (text, id));
    }
}

static void
read_policy (const char *data, gsize len)
{
  g_autoptr (PrStsPolicy) policy = pr_sts_policy_parse (data, len, NULL);
  g_autoptr (PrStsPolicy) again = NULL;
  g_autofree char *first = NULL, *second = NULL;

  if (policy == NULL)
    return;
  first = pr_sts_policy_to_text (policy);
  again = pr_sts_policy_parse (first, strlen (first), NULL);
  g_assert_nonnull (again);
  second = pr_sts_policy_to_text (again);
  g_assert_cmpstr (first, ==, second);
  for (guint i = 0; policy->mx[i] != NULL; i++)
    if (*policy->mx[i] != '*')
      g_assert_true (pr_sts_policy_names (policy, policy->mx[i]));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gsize len = size > 0 ? size - 1 : 0;
  /* A copy of its very size, so that one octet too many is noticed. */
  g_autofree char *copy = g_malloc (MAX (len, 1));

  if (len > 0)
    memcpy (copy, data + 1, len);
  if (size > 0 && data[0] == 'r')
    read_record (copy, len);
  else
    read_policy (copy, len);
  return 0;
}
