/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/client-commands.h"

#include <string.h>

#include "common/text.h"
#include "smtp/address.h"

static gboolean
is_offered (const PrCapabilities *hop, PrExtensions extension)
{
  return (hop->extensions & extension) != 0;
}

static gboolean
is_utf8_transaction (const PrTransaction *transaction, const PrCapabilities *hop)
{
  return transaction->smtputf8 && is_offered (hop, PR_EXT_SMTPUTF8);
}

/* The address as it may stand between the brackets: with an A-label domain where the transaction
 * is not internationalised (RFC 6531 §3.2 allows it). NULL when there is no such form. *@made is
 * to be freed; most addresses are as they are. */
static const char *
get_wire_address (const char *address, gboolean utf8, char **made)
{
  const char *domain = pr_address_domain (address);
  g_autofree char *ascii = NULL;
  char *wire;

  if (utf8 || !pr_address_is_utf8 (address))
    return address;

  ascii = pr_domain_to_ascii (domain);
  if (ascii == NULL)
    return NULL;
  wire = g_strdup_printf ("%.*s%s", (int) (domain - address), address, ascii);
  if (pr_address_is_utf8 (wire))
    g_clear_pointer (&wire, g_free);
  return *made = wire;
}

/* A control character in an address would be another command. */
static gboolean
is_one_line (const char *text)
{
  for (const guchar *p = (const guchar *) text; *p != '\0'; p++)
    if (*p < 0x20 || *p == 0x7f)
      return FALSE;
  return TRUE;
}

static gboolean
is_word (const char *text)
{
  for (const guchar *p = (const guchar *) text; *p != '\0'; p++)
    if (*p <= 0x20 || *p >= 0x7f)
      return FALSE;
  return *text != '\0';
}

static gboolean
is_expressible (const char *address, gboolean utf8)
{
  g_autofree char *made = NULL;

  return get_wire_address (address, utf8, &made) != NULL;
}

static void
set_too_large (PrReply *reply, guint64 size_octets, guint64 max_octets)
{
  g_autofree char *text = g_strdup_printf ("The message is %" G_GUINT64_FORMAT
                                           " octets long and the next server takes at most %" //
                                           G_GUINT64_FORMAT,
                                           size_octets, max_octets);

  pr_reply_set (reply, 552, "5.3.4", text);
}

/* Whether @hop can carry such a message at all. */
static gboolean
check_message (const PrTransaction *transaction, const PrCapabilities *hop, PrReply *reply)
{
  if (hop->max_size_octets > 0 && transaction->size_octets > hop->max_size_octets)
    set_too_large (reply, transaction->size_octets, hop->max_size_octets);
  else if (transaction->smtputf8 && !is_offered (hop, PR_EXT_SMTPUTF8))
    pr_reply_set (reply, 550, "5.6.7",
                  "The next server takes no internationalised addresses or headers (SMTPUTF8)");
  else if (transaction->body == PR_BODY_8BITMIME && !is_offered (hop, PR_EXT_8BITMIME))
    pr_reply_set (reply, 554, "5.6.3", "The next server takes no 8-bit text (8BITMIME)");
  else if (transaction->body == PR_BODY_BINARYMIME && !is_offered (hop, PR_EXT_BINARYMIME))
    pr_reply_set (reply, 554, "5.6.3", "The next server takes no binary text (BINARYMIME)");
  else
    return TRUE;

  return FALSE;
}

gboolean
pr_client_check (const PrTransaction *transaction, guint index, const PrCapabilities *hop,
                 PrReply *reply)
{
  const char *recipient = transaction->recipients[index]->address;
  gboolean utf8 = is_utf8_transaction (transaction, hop);

  if (!check_message (transaction, hop, reply))
    return FALSE;

  if (!is_one_line (transaction->sender))
    pr_reply_set (reply, 553, "5.1.7", "The sender's address has a control character");
  else if (!is_one_line (recipient) || *recipient == '\0')
    pr_reply_set (reply, 553, "5.1.3",
                  "The recipient's address is empty or has a control character");
  else if (!is_expressible (transaction->sender, utf8))
    pr_reply_set (reply, 550, "5.6.7",
                  "The sender's address needs SMTPUTF8, which the next server does not offer");
  else if (!is_expressible (recipient, utf8))
    pr_reply_set (reply, 550, "5.6.7",
                  "The recipient's address needs SMTPUTF8, which the next server does not offer");
  else
    return TRUE;

  return FALSE;
}

void
pr_client_write_line (GString *out, const char *line)
{
  g_string_append (out, line);
  g_string_append_len (out, "\r\n", 2);
}

static void
append_path (GString *out, const char *verb, const char *address, gboolean utf8)
{
  g_autofree char *made = NULL;
  const char *wire = get_wire_address (address, utf8, &made);

  g_string_append (out, verb);
  g_string_append_c (out, '<');
  g_string_append (out, wire);
  g_string_append_c (out, '>');
}

void
pr_client_write_mail (const PrTransaction *transaction, const PrCapabilities *hop, GString *out)
{
  static const char *const bodies[] = { NULL, " BODY=8BITMIME", " BODY=BINARYMIME" };
  gboolean utf8 = is_utf8_transaction (transaction, hop);

  append_path (out, "MAIL FROM:", transaction->sender, utf8);
  if (is_offered (hop, PR_EXT_SIZE) && transaction->size_octets > 0)
    {
      g_string_append (out, " SIZE=");
      pr_text_append_number (out, transaction->size_octets);
    }
  if (bodies[transaction->body] != NULL)
    g_string_append (out, bodies[transaction->body]);
  if (utf8)
    g_string_append (out, " SMTPUTF8");
  if (transaction->requires_tls && is_offered (hop, PR_EXT_REQUIRETLS))
    g_string_append (out, " REQUIRETLS");
  if (is_offered (hop, PR_EXT_DSN))
    {
      if (transaction->ret != PR_RET_UNSET)
        g_string_append (out, transaction->ret == PR_RET_FULL ? " RET=FULL" : " RET=HDRS");
      if (transaction->envid != NULL && is_word (transaction->envid))
        g_string_append_printf (out, " ENVID=%s", transaction->envid);
    }
  g_string_append_len (out, "\r\n", 2);
}

/* RFC 3461 §4.1: NEVER stands alone, the others are a list. */
static void
append_notify (GString *out, PrNotify notify)
{
  static const struct
  {
    PrNotify flag;
    const char *word;
  } words[] = {
    { PR_NOTIFY_SUCCESS, "SUCCESS" },
    { PR_NOTIFY_FAILURE, "FAILURE" },
    { PR_NOTIFY_DELAY, "DELAY" },
  };
  const char *separator = " NOTIFY=";

  if (notify & PR_NOTIFY_NEVER)
    {
      g_string_append (out, " NOTIFY=NEVER");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (notify & words[i].flag)
      {
        g_string_append (out, separator);
        g_string_append (out, words[i].word);
        separator = ",";
      }
}

void
pr_client_write_rcpt (const PrTransaction *transaction, guint index, const PrCapabilities *hop,
                      GString *out)
{
  const PrRecipient *recipient = transaction->recipients[index];

  append_path (out, "RCPT TO:", recipient->address, is_utf8_transaction (transaction, hop));
  if (is_offered (hop, PR_EXT_DSN))
    {
      append_notify (out, recipient->notify);
      if (recipient->orcpt != NULL && is_word (recipient->orcpt))
        g_string_append_printf (out, " ORCPT=%s", recipient->orcpt);
    }
  g_string_append_len (out, "\r\n", 2);
}
