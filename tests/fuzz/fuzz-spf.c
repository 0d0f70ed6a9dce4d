/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of the input are the records that DNS gives to whatever is asked, in turn: the check ends
 * within its bounds, whatever they say. */

#include "fuzz.h"
#include "guard/spf.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) records = g_strsplit (text, "\n", -1);
  g_autoptr (PrLookups) lookups = pr_lookups_new ();
  g_auto (PrSpf) spf = { 0 };
  PrIp client;
  guint next = 0, asked = 0, n = g_strv_length (records);

  g_assert_true (pr_ip_parse (size % 2 == 0 ? "192.0.2.1" : "2001:db8::1", &client));
  while (!pr_spf_check (lookups,
                        &(PrSpfQuestion){ .client = &client,
                                          .helo = "client.example",
                                          .sender = "a.b-c@example.org",
                                          .receiver = "relay.example" },
                        &spf))
    {
      PrRecordKind kind;
      char *name;

      while (pr_lookups_take_wanted (lookups, &kind, &name))
        {
          const char *record = n > 0 ? records[next++ % n] : "";

          g_assert_cmpuint (++asked, <=, PR_LOOKUPS_MAX);
          pr_lookups_add (lookups, kind, name, *record != '!' ? PR_LOOKUP_FOUND : PR_LOOKUP_FAILED,
                          (const char *const[]){ record, NULL });
          g_free (name);
        }
    }
  g_assert_nonnull (pr_spf_result_name (spf.result));

  return 0;
}
