/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "smtp/envelope.h"

static void
test_copies (void)
{
  g_autoptr (PrEnvelope) envelope = pr_envelope_new ();
  char address[] = "a@example.org";

  pr_envelope_add_recipient (envelope, address, PR_NOTIFY_NEVER, NULL);
  address[0] = 'x';
  pr_envelope_add_recipient (envelope, "b@example.org", PR_NOTIFY_UNSET, "rfc822;b@example.org");

  g_assert_cmpuint (envelope->recipients->len, ==, 2);
  g_assert_cmpstr (pr_envelope_recipient (envelope, 0)->address, ==, "a@example.org");
  g_assert_null (pr_envelope_recipient (envelope, 0)->orcpt);
  g_assert_cmpint (pr_envelope_recipient (envelope, 0)->notify, ==, PR_NOTIFY_NEVER);
  g_assert_cmpstr (pr_envelope_recipient (envelope, 1)->orcpt, ==, "rfc822;b@example.org");
}

static void
test_clear (void)
{
  PrRecipient recipient = { g_strdup ("a@b"), g_strdup ("rfc822;a@b"), PR_NOTIFY_DELAY };

  pr_recipient_clear (&recipient);
  pr_recipient_clear (&recipient);
  g_assert_null (recipient.address);
  g_assert_null (recipient.orcpt);
  g_assert_cmpint (recipient.notify, ==, PR_NOTIFY_UNSET);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/envelope/copies", test_copies);
  g_test_add_func ("/envelope/clear", test_clear);

  return g_test_run ();
}
