/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/client-commands.h"

#define EVERYTHING 0xfff

static const struct
{
  PrExtensions extensions;
  PrBodyType body;
  PrNotify notify;
  const char *mail, *rcpt;
} cases[] = {
  { 0, PR_BODY_7BIT, PR_NOTIFY_SUCCESS, "MAIL FROM:<a@example.org>\r\n",
    "RCPT TO:<\"b c\"@example.net>\r\n" },
  { PR_EXT_SIZE, PR_BODY_7BIT, PR_NOTIFY_UNSET, "MAIL FROM:<a@example.org> SIZE=5\r\n",
    "RCPT TO:<\"b c\"@example.net>\r\n" },
  { PR_EXT_8BITMIME, PR_BODY_8BITMIME, PR_NOTIFY_UNSET,
    "MAIL FROM:<a@example.org> BODY=8BITMIME\r\n", "RCPT TO:<\"b c\"@example.net>\r\n" },
  { PR_EXT_DSN, PR_BODY_7BIT, PR_NOTIFY_UNSET, "MAIL FROM:<a@example.org> RET=FULL ENVID=+2B\r\n",
    "RCPT TO:<\"b c\"@example.net> ORCPT=rfc822;b\r\n" },
  { EVERYTHING, PR_BODY_BINARYMIME, PR_NOTIFY_SUCCESS | PR_NOTIFY_FAILURE | PR_NOTIFY_DELAY,
    "MAIL FROM:<a@example.org> SIZE=5 BODY=BINARYMIME SMTPUTF8 REQUIRETLS RET=FULL ENVID=+2B\r\n",
    "RCPT TO:<\"b c\"@example.net> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b\r\n" },
  { EVERYTHING, PR_BODY_7BIT, PR_NOTIFY_NEVER | PR_NOTIFY_SUCCESS,
    "MAIL FROM:<a@example.org> SIZE=5 SMTPUTF8 REQUIRETLS RET=FULL ENVID=+2B\r\n",
    "RCPT TO:<\"b c\"@example.net> NOTIFY=NEVER ORCPT=rfc822;b\r\n" },
};

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      PrRecipient recipient = { (char *) "\"b c\"@example.net", (char *) "rfc822;b",
                                cases[i].notify };
      const PrRecipient *const recipients[] = { &recipient };
      PrCapabilities hop = { cases[i].extensions };
      PrTransaction transaction = { "a@example.org", recipients, 1,   5, cases[i].body, TRUE,
                                    PR_RET_FULL,     "+2B",      TRUE };

      pr_client_write_mail (&transaction, &hop, out);
      g_assert_cmpstr (out->str, ==, cases[i].mail);
      g_string_truncate (out, 0);
      pr_client_write_rcpt (&transaction, 0, &hop, out);
      g_assert_cmpstr (out->str, ==, cases[i].rcpt);
      pr_client_write_line (out, "DATA");
      g_assert_true (g_str_has_suffix (out->str, "\r\nDATA\r\n"));
    }
}

/* Each refusal has its words and its status. */
static void
test_check (void)
{
  static const struct
  {
    const char *sender, *recipient;
    guint64 size_octets;
    PrBodyType body;
    gboolean smtputf8;
    const char *reply; /* how it begins; NULL: goes */
  } checks[] = {
    { "", "b@example.net", 100, PR_BODY_7BIT, FALSE, NULL },
    { "", "b@example.net", 101, PR_BODY_7BIT, FALSE, "552 5.3.4 The message is 101 octets" },
    { "", "b@example.net", 1, PR_BODY_8BITMIME, FALSE, "554 5.6.3 " },
    { "", "b@example.net", 1, PR_BODY_BINARYMIME, FALSE, "554 5.6.3 " },
    { "", "b@example.net", 1, PR_BODY_7BIT, TRUE, "550 5.6.7 " },
    { "", "", 1, PR_BODY_7BIT, FALSE, "553 5.1.3 " },
    { "", "b\177@example.net", 1, PR_BODY_7BIT, FALSE, "553 5.1.3 " },
    { "a\n", "b@example.net", 1, PR_BODY_7BIT, FALSE, "553 5.1.7 " },
    { "\303\274@example.net", "b@example.net", 1, PR_BODY_7BIT, FALSE, "550 5.6.7 " },
    { "", "\303\274@example.net", 1, PR_BODY_7BIT, FALSE, "550 5.6.7 " },
    { "", "b@\303\274.example", 1, PR_BODY_7BIT, FALSE, NULL },
  };
  PrCapabilities hop = { PR_EXT_SIZE, 100 };

  for (gsize i = 0; i < G_N_ELEMENTS (checks); i++)
    {
      PrRecipient recipient = { (char *) checks[i].recipient };
      const PrRecipient *const recipients[] = { &recipient };
      PrTransaction transaction = { checks[i].sender,      recipients,     1,
                                    checks[i].size_octets, checks[i].body, checks[i].smtputf8 };
      PrReply reply = { 0 };
      gboolean goes = pr_client_check (&transaction, 0, &hop, &reply);
      g_autofree char *text = pr_reply_to_string (&reply);

      g_assert_cmpint (goes, ==, checks[i].reply == NULL);
      if (!goes)
        g_assert_true (g_str_has_prefix (text, checks[i].reply));
      pr_reply_clear (&reply);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/client-commands/write", test_cases);
  g_test_add_func ("/client-commands/check", test_check);
  return g_test_run ();
}
