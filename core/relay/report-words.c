/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/report-words.h"

#include <string.h>

#include "common/units.h"

#define LINE_WIDTH 76
#define MAX_LISTED 50 /* recipients named in the text; the fields for programs have all of them */
#define MAX_QUOTED 400

static const struct
{
  const char *subject;
  const char *opening; /* before the list of recipients */
  const char *closing; /* behind it */
} kinds[] = {
  [PR_REPORT_FAILED] = {
    "Mail could not be delivered",
    "This message could not be delivered to:",
    "Postroom does not try again. Whoever is not named here is not affected.",
  },
  [PR_REPORT_DELAYED] = {
    "Mail is delayed",
    "This message could not be delivered yet to:",
    "You need not do anything and should not send it again: Postroom keeps trying.",
  },
  [PR_REPORT_DELIVERED] = {
    "Mail was delivered",
    "As you asked to be told: this message was delivered to:",
    "It may not have been read yet.",
  },
  [PR_REPORT_RELAYED] = {
    "Mail was passed on",
    "As you asked to be told: this message was passed on, to a server that sends no such reports, "
    "for:",
    "You will hear of it again only if it cannot be delivered.",
  },
};

static const char for_postmaster[] =
  "You are told as the postmaster of this relay. The message below has no sender who could be "
  "told: it is itself a report or an automatic notice.";

/* What somebody can do about a failure, by its status (RFC 3463 §3), most special first.
 * subject, detail: -1 is any. */
static const struct
{
  int subject, detail;
  const char *advice;
} advices[] = {
  { 1, 2, "Check what stands behind the @ for typing mistakes, then send the message again." },
  { 1, 10, "This domain takes no mail. Ask the recipient for another address." },
  { 1, 7,
    "The other side does not accept your own address. Check the sender's address in your "
    "mail program or device." },
  { 1, 8,
    "The other side does not accept your own address. Check the sender's address in your "
    "mail program or device." },
  { 1, -1, "Check the address for typing mistakes, then send the message again." },
  { 2, 1, "The mailbox is closed at present. Reach the recipient in another way." },
  { 2, 2,
    "The mailbox is full. Tell the recipient in another way, or send the message again when "
    "there is room." },
  { 2, 3, "Make the message smaller: send large files by a link, or in several messages." },
  { 3, 4, "Make the message smaller: send large files by a link, or in several messages." },
  { 4, 7,
    "The other side could not be reached, or put the message off, for as long as Postroom "
    "tries. Send it again later, or ask those who run the other side." },
  { 4, -1,
    "The other side could not be reached. Check the address, or send the message again "
    "later." },
  { 5, 3, "Send the message to fewer recipients at once." },
  { 6, 3,
    "The other side does not take this kind of content. Send it without special signatures, "
    "or as an attachment." },
  { 6, 7,
    "The other side cannot take addresses or subjects with letters outside ASCII. Use "
    "addresses without them." },
  { 7, 8,
    "Postroom could not sign in. Check the account's name and password in the settings of "
    "Postroom." },
  { 7, -1,
    "The other side refuses messages from you or of this kind. If it says why, its words "
    "are above; its postmaster can help." },
};

static const char *
find_advice (const PrReply *reply)
{
  if (reply != NULL && reply->status[0] != 0)
    for (gsize i = 0; i < G_N_ELEMENTS (advices); i++)
      if (advices[i].subject == reply->status[1] &&
          (advices[i].detail == -1 || advices[i].detail == reply->status[2]))
        return advices[i].advice;

  return "Check the address, or ask those who run the other side, its postmaster for example.";
}

/* Appends @text in lines of LINE_WIDTH with @indent blanks in front of each. */
static void
write_wrapped (GString *out, guint indent, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \r\n\t", -1);
  gsize column = 0;

  for (char **word = words; *word != NULL; word++)
    {
      gsize width = strlen (*word);

      if (width == 0)
        continue;
      if (column > 0 && column + 1 + width > LINE_WIDTH)
        {
          g_string_append (out, "\r\n");
          column = 0;
        }
      if (column == 0)
        g_string_append_printf (out, "%*s", (int) indent, "");
      else
        g_string_append_c (out, ' ');
      column = (column == 0 ? indent : column + 1) + width;
      g_string_append (out, *word);
    }
  g_string_append (out, "\r\n");
}

static void
write_recipient (const PrReportFacts *facts, const PrReportRecipient *recipient, GString *out)
{
  const PrEnvelope *envelope = facts->original->envelope;
  g_autofree char *said = recipient->reply != NULL ? pr_reply_to_string (recipient->reply) : NULL;
  g_autofree char *line = NULL;

  g_string_append (out, "\r\n");
  write_wrapped (out, 2, pr_envelope_recipient (envelope, recipient->index)->address);
  if (said == NULL)
    return;

  if (recipient->remote != NULL)
    line = g_strdup_printf ("%s said: %s", recipient->remote, said);
  else
    line = g_strdup (recipient->reply->text);
  if (line != NULL && *line != '\0')
    {
      glong len = g_utf8_strlen (line, -1);
      g_autofree char *start = g_utf8_substring (line, 0, MIN (len, MAX_QUOTED));
      write_wrapped (out, 4, start);
    }
  if (facts->kind == PR_REPORT_FAILED)
    {
      const char *words =
        recipient->words != NULL ? recipient->words : find_advice (recipient->reply);
      g_autofree char *advice = g_strdup_printf ("What to do: %s", words);
      write_wrapped (out, 4, advice);
    }
}

static void
write_original (const PrReportFacts *facts, const char *subject, const char *date, GString *out)
{
  g_autofree char *size = NULL;
  guint64 kib = (facts->original->size_octets + 1023) / 1024;

  g_string_append (out, "\r\nThe message:\r\n\r\n");
  if (subject != NULL && *subject != '\0')
    {
      g_autofree char *line = g_strdup_printf ("Subject: %s", subject);
      write_wrapped (out, 2, line);
    }
  if (date != NULL && *date != '\0')
    {
      g_autofree char *line = g_strdup_printf ("Date: %s", date);
      write_wrapped (out, 2, line);
    }
  size = g_strdup_printf ("Size: %" G_GUINT64_FORMAT " KiB", kib);
  write_wrapped (out, 2, size);
}

const char *
pr_report_get_subject (PrReportKind kind)
{
  return kinds[kind].subject;
}

void
pr_report_write_text (const PrReportFacts *facts, const char *subject, const char *date,
                      GString *out)
{
  g_autofree char *hello =
    g_strdup_printf ("This is Postroom, the mail relay on %s.", facts->hostname);

  write_wrapped (out, 0, hello);
  g_string_append (out, "\r\n");
  if (*facts->original->envelope->sender == '\0')
    write_wrapped (out, 0, for_postmaster);
  write_wrapped (out, 0, kinds[facts->kind].opening);
  for (guint i = 0; i < MIN (facts->n_recipients, MAX_LISTED); i++)
    write_recipient (facts, &facts->recipients[i], out);
  if (facts->n_recipients > MAX_LISTED)
    g_string_append_printf (out, "\r\n  and %u more, listed in the part for programs below\r\n",
                            facts->n_recipients - MAX_LISTED);

  g_string_append (out, "\r\n");
  write_wrapped (out, 0, kinds[facts->kind].closing);
  if (facts->kind == PR_REPORT_DELAYED && facts->give_up_us != 0)
    {
      g_autofree char *until = pr_date_format (facts->give_up_us);
      g_autofree char *line =
        g_strdup_printf ("If it has no success until %s, you will be told.", until);
      write_wrapped (out, 0, line);
    }
  write_original (facts, subject, date, out);
}
