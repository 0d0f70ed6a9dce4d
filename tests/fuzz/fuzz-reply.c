/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a next hop says, in pieces of a size that the first octet gives: each complete reply is
 * within its bounds, printable, and survives being written and read back. */

#include "fuzz.h"
#include "smtp/reply.h"

#include <string.h>

static void
check_reply (const PrReply *reply)
{
  g_autofree char *text = pr_reply_to_string (reply);
  g_autofree char *again = NULL;
  PrReply copy = { 0 };

  g_assert_true (reply->code >= 200 && reply->code <= 599);
  g_assert_cmpuint (strlen (reply->text), <=, PR_REPLY_MAX_TEXT);
  g_assert_true (g_utf8_validate (reply->text, -1, NULL));

  g_assert_true (pr_reply_from_string (&copy, text));
  again = pr_reply_to_string (&copy);
  g_assert_cmpint (copy.code, ==, reply->code);
  g_assert_true (g_str_has_prefix (text, again) || strlen (again) <= strlen (text));
  pr_reply_clear (&copy);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  PrReplyReader reader = { 0 };
  PrReplyStatus status = PR_REPLY_MORE;
  gsize step = size > 0 ? data[0] + 1u : 1;

  for (gsize at = 1; at < size && status != PR_REPLY_BROKEN;)
    {
      gsize len = MIN (step, size - at);
      gsize taken = 0;

      status = pr_reply_reader_feed (&reader, (const char *) data + at, len, &taken);
      g_assert_cmpuint (taken, <=, len);
      g_assert_true (status != PR_REPLY_MORE || taken == len);
      if (status == PR_REPLY_COMPLETE)
        check_reply (&reader.reply);
      at += taken;
    }

  pr_reply_reader_clear (&reader);
  return 0;
}
