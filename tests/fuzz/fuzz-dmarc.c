/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first line is a domain's record, the rest a header: its author is found and judged, and what
 * is said of it is one field, whatever the author's name is. */

#include "fuzz.h"
#include "guard/auth-results.h"

#include <string.h>

static void
judge (const char *record, const char *author, const char *claim)
{
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrDmarc) dmarc = { 0 };
  PrSpf spf = { .result = PR_SPF_PASS, .domain = (char *) "example.org" };
  g_autofree char *field = NULL;

  while (!pr_dmarc_check (lookups, &(PrDmarcQuestion){ .author = author, .spf = &spf }, &dmarc))
    {
      PrRecordKind kind;
      char *name;

      g_assert_true (pr_lookups_take_wanted (lookups, &kind, &name));
      pr_lookups_add (lookups, kind, name, PR_LOOKUP_FOUND, (const char *const[]){ record, NULL });
      g_free (name);
    }

  field = pr_auth_results_format (&(PrAuthResults){ .hostname = "relay.example",
                                                    .sender = author,
                                                    .helo = claim,
                                                    .spf = &spf,
                                                    .dmarc = &dmarc,
                                                    .author = author });
  g_assert_cmpuint (strlen (field), <=, PR_AUTH_RESULTS_MAX);
  for (const char *end = strstr (field, "\r\n"); end[2] != '\0'; end = strstr (end + 2, "\r\n"))
    g_assert_cmpint (end[2], ==, '\t');
  g_assert_true (
    pr_auth_results_is_ours (field + strlen ("Authentication-Results:"), "relay.example"));
  pr_auth_results_is_ours (claim, "relay.example");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) parts = g_strsplit (text, "\n", 2);
  const char *header = parts[0] != NULL && parts[1] != NULL ? parts[1] : "";
  g_autofree char *author = pr_dmarc_find_author (header, strlen (header));

  judge (parts[0] != NULL ? parts[0] : "", author, header);
  return 0;
}
