/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/capabilities.h"

static const struct
{
  const char *text;
  PrCapabilities expected;
} cases[] = {
  { NULL, { 0 } },
  { "", { 0 } },
  { "SIZE 5", { 0 } }, /* the first line is the greeting */
  { "x\npipelining\n 8BITMIME \nSMTPUTF8\nDSN",
    { PR_EXT_PIPELINING | PR_EXT_8BITMIME | PR_EXT_SMTPUTF8 | PR_EXT_DSN } },
  { "x\nENHANCEDSTATUSCODES\nSTARTTLS\nAUTH PLAIN LOGIN",
    { PR_EXT_ENHANCED | PR_EXT_STARTTLS | PR_EXT_AUTH } },
  { "x\nSIZE 1000", { PR_EXT_SIZE, .max_size_octets = 1000 } },
  { "x\nSIZE", { PR_EXT_SIZE } },
  { "x\nSIZE 0", { PR_EXT_SIZE } },
  { "x\nSIZE -1", { PR_EXT_SIZE } },
  { "x\nSIZE 99999999999999999999999", { PR_EXT_SIZE } },
  { "x\nSIZE=5\nSIZES\nPIPELININGS\nXDSN", { 0 } },
  { "x\nCHUNKING\nBINARYMIME", { PR_EXT_CHUNKING } },
  { "x\nPIPELINING\nBINARYMIME", { PR_EXT_PIPELINING } },
  { "x\nBINARYMIME\nCHUNKING\nPIPELINING",
    { PR_EXT_PIPELINING | PR_EXT_CHUNKING | PR_EXT_BINARYMIME } },
  { "x\nLIMITS MAILMAX=7 rcptmax=20 RCPTDOMAINMAX=1",
    { PR_EXT_LIMITS, .max_recipients = 20, .max_transactions = 7 } },
  { "x\nLIMITS MAILMAX=0 RCPTMAX=1000000", { PR_EXT_LIMITS } },
  { "x\nLIMITS MAILMAX RCPTMAX=-1", { PR_EXT_LIMITS } },
  { "x\nLIMITS", { PR_EXT_LIMITS } },
};

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const PrCapabilities *expected = &cases[i].expected;
      PrCapabilities found = { .max_size_octets = 77 };

      g_test_message ("%s", cases[i].text);
      pr_capabilities_parse (&found, cases[i].text);
      g_assert_cmphex (found.extensions, ==, expected->extensions);
      g_assert_cmpuint (found.max_size_octets, ==, expected->max_size_octets);
      g_assert_cmpuint (found.max_recipients, ==, expected->max_recipients);
      g_assert_cmpuint (found.max_transactions, ==, expected->max_transactions);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/capabilities/cases", test_cases);
  return g_test_run ();
}
