/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages over a connection that is usable. One reply is awaited at a time; with PIPELINING the
 * commands behind it have left already, and their replies come in the order of the states. */
#include "smtp/client-private.h"

#include <string.h>

#include "common/error.h"
#include "common/text.h"
#include "smtp/client-commands.h"

/* RCPT commands whose reply is awaited at once (RFC 2920 §3.1 asks for a bound): 100 commands and
 * 100 replies fit the buffers of every TCP stack. */
#define RCPT_WINDOW 100

static gboolean
is_offered (const PrClient *self, PrExtensions extension)
{
  return (self->hop.extensions & extension) != 0;
}

static void
finish (PrClient *self)
{
  if (self->state == STATE_CLOSED)
    return;

  self->state = STATE_IDLE;
  self->dot_sent = FALSE;
  self->handler->finished (self->owner);
}

/* The transaction ends without a word to the server. A loop, because the owner may begin the
 * next from within finished, and that one may end here as well. */
static void
settle_here (PrClient *self)
{
  self->finish_due = TRUE;
  if (self->settling)
    return;

  self->settling = TRUE;
  while (self->finish_due)
    {
      self->finish_due = FALSE;
      finish (self);
    }
  self->settling = FALSE;
}

static void
give_result (PrClient *self, guint index, const PrReply *reply, const char *stage)
{
  self->fates[index] = FATE_SETTLED;
  self->handler->result (self->owner, index, reply, stage);
}

/* For every recipient that has none yet. */
static void
give_results (PrClient *self, const PrReply *reply, const char *stage)
{
  for (guint i = 0; i < self->transaction.n_recipients && self->state != STATE_CLOSED; i++)
    if (self->fates[i] != FATE_SETTLED)
      give_result (self, i, reply, stage);
}

/* The next recipient of @fate in the order of the commands; there is one. */
static guint
take_next (PrClient *self, Fate fate)
{
  while (self->fates[self->next_reply] != fate)
    self->next_reply++;
  return self->next_reply++;
}

/* ── Commands ─────────────────────────────────────────────────────────────────────────────── */

static void
send_mail (PrClient *self, GString *out)
{
  gsize start = out->len;

  pr_client_write_mail (&self->transaction, &self->hop, out);
  pr_client_trace_sent (self, out, start);
}

/* RCPT as far as the window allows, and DATA behind the last one where that may be. */
static void
send_recipients (PrClient *self, GString *out)
{
  const PrTransaction *transaction = &self->transaction;
  gboolean pipelining = is_offered (self, PR_EXT_PIPELINING);
  guint window = pipelining ? RCPT_WINDOW : 1;
  gsize start = out->len;

  if (self->mail_refused || self->data_sent)
    return;

  for (; self->next_rcpt < transaction->n_recipients && self->n_outstanding < window;
       self->next_rcpt++)
    if (self->fates[self->next_rcpt] == FATE_OPEN)
      {
        pr_client_write_rcpt (transaction, self->next_rcpt, &self->hop, out);
        self->fates[self->next_rcpt] = FATE_SENT;
        self->n_outstanding++;
      }

  if (pipelining && !self->chunking && self->next_rcpt == transaction->n_recipients &&
      self->n_outstanding + self->n_accepted > 0)
    {
      pr_client_write_line (out, "DATA");
      self->data_sent = TRUE;
    }
  pr_client_trace_sent (self, out, start);
}

static void
want_body (PrClient *self)
{
  self->state = STATE_BODY;
  self->stuffer = (PrStuffer){ 0 };
  self->n_body_octets = 0;
  self->handler->wants_body (self->owner);
}

/* ── Replies, one function for each state ─────────────────────────────────────────────────── */

void
pr_client_on_rset (PrClient *self, const PrReply *reply, GString *out)
{
  if (!pr_reply_is_positive (reply))
    {
      pr_client_fail_refused (self, reply, out);
      return;
    }

  self->state = STATE_MAIL;
  if (!is_offered (self, PR_EXT_PIPELINING))
    send_mail (self, out);
}

void
pr_client_on_mail (PrClient *self, const PrReply *reply, GString *out)
{
  self->state = STATE_RCPT;
  if (!pr_reply_is_positive (reply))
    {
      self->mail_refused = TRUE;
      give_results (self, reply, pr_client_state_name (STATE_MAIL));
    }

  /* What was pipelined behind a refused MAIL is still answered. */
  if (self->n_outstanding == 0 && self->mail_refused)
    finish (self);
  else
    send_recipients (self, out);
}

/* Every RCPT was answered. */
static void
end_envelope (PrClient *self, GString *out)
{
  if (self->data_sent)
    {
      self->state = STATE_DATA;
    }
  else if (self->n_accepted == 0)
    {
      self->needs_rset = !self->mail_refused;
      finish (self);
    }
  else if (self->chunking)
    {
      want_body (self);
    }
  else
    {
      self->state = STATE_DATA;
      pr_client_say (self, "DATA", out);
    }
}

/* RFC 5321 §4.5.3.1.10: 552 for too many recipients means 452, another transaction takes them. */
static gboolean
means_too_many (const PrClient *self, const PrReply *reply)
{
  return reply->code == 552 && ((reply->status[1] == 5 && reply->status[2] == 3) ||
                                (reply->status[0] == 0 && self->n_accepted >= 100));
}

static void
refuse_recipient (PrClient *self, guint index, const PrReply *reply)
{
  PrReply temporary = { 0 };

  if (means_too_many (self, reply))
    {
      pr_reply_set (&temporary, 452, "4.5.3", reply->text);
      temporary.is_own = FALSE; /* said, but for the number */
      reply = &temporary;
    }
  give_result (self, index, reply, pr_client_state_name (STATE_RCPT));
  pr_reply_clear (&temporary);
}

void
pr_client_on_rcpt (PrClient *self, const PrReply *reply, GString *out)
{
  self->n_outstanding--;
  if (!self->mail_refused)
    {
      guint index = take_next (self, FATE_SENT);

      if (pr_reply_is_positive (reply))
        {
          self->fates[index] = FATE_ACCEPTED;
          self->n_accepted++;
        }
      else
        refuse_recipient (self, index, reply);
    }

  if (self->state != STATE_RCPT) /* the owner closed */
    return;
  send_recipients (self, out);
  if (self->n_outstanding == 0)
    end_envelope (self, out);
}

void
pr_client_on_data (PrClient *self, const PrReply *reply, GString *out)
{
  if (reply->code != 354)
    {
      give_results (self, reply, pr_client_state_name (STATE_DATA));
      self->needs_rset = !self->mail_refused;
      finish (self);
    }
  else if (self->n_accepted > 0)
    {
      want_body (self);
    }
  else if (self->lmtp) /* nobody would answer the dot (RFC 2033 §4.2 wants 503 here) */
    {
      pr_client_fail_protocol (self, reply);
    }
  else /* RFC 2920 §3.1: nobody takes it, but the server waits: an empty message */
    {
      self->state = STATE_DOT;
      pr_client_say (self, ".", out);
    }
}

/* A refusal in the middle of the text is an answer to the message, but what the server then
 * expects next cannot be known. */
void
pr_client_on_body (PrClient *self, const PrReply *reply, GString *out)
{
  gboolean positive = pr_reply_is_positive (reply);

  if (positive && self->n_chunks > 0)
    {
      self->n_chunks--;
    }
  else if (positive)
    {
      pr_client_fail_protocol (self, reply);
    }
  else
    {
      g_autofree char *text = pr_reply_to_string (reply);
      g_autoptr (GError) error = g_error_new (
        PR_ERROR, PR_ERROR_TEMPORARY, "The server refused the message before its end: %s", text);

      self->dot_sent = FALSE;
      give_results (self, reply, pr_client_state_name (STATE_BODY));
      pr_client_fail (self, error, reply);
    }
}

void
pr_client_on_dot (PrClient *self, const PrReply *reply, GString *out)
{
  if (self->n_chunks > 0)
    {
      pr_client_on_body (self, reply, out);
      return;
    }
  if (self->is_hasty && pr_reply_is_positive (reply))
    {
      pr_client_fail_protocol (self, reply);
      return;
    }

  if (self->lmtp)
    give_result (self, take_next (self, FATE_ACCEPTED), reply, pr_client_state_name (STATE_DOT));
  else
    give_results (self, reply, pr_client_state_name (STATE_DOT));

  if (!self->lmtp || --self->n_accepted == 0)
    finish (self);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

/* Makes room and settles what need not be asked. Returns whether somebody is left to ask for. */
static gboolean
begin (PrClient *self, const PrTransaction *transaction)
{
  gboolean open = FALSE;

  self->state = STATE_MAIL;
  self->transaction = *transaction;
  if (self->n_fates < transaction->n_recipients)
    {
      self->n_fates = transaction->n_recipients;
      self->fates = g_renew (guint8, self->fates, self->n_fates);
    }
  memset (self->fates, FATE_OPEN, transaction->n_recipients);
  self->next_rcpt = self->next_reply = 0;
  self->n_outstanding = self->n_accepted = self->n_chunks = 0;
  self->mail_refused = self->data_sent = self->dot_sent = self->is_hasty = FALSE;
  self->chunking = transaction->body == PR_BODY_BINARYMIME;

  for (guint i = 0; i < transaction->n_recipients && self->state != STATE_CLOSED; i++)
    {
      PrReply reply = { 0 };

      if (pr_client_check (transaction, i, &self->hop, &reply))
        open = TRUE;
      else
        give_result (self, i, &reply, "check before sending");
      pr_reply_clear (&reply);
    }

  return open && self->state != STATE_CLOSED;
}

void
pr_client_send (PrClient *self, const PrTransaction *transaction, GString *out)
{
  gboolean pipelining = is_offered (self, PR_EXT_PIPELINING);

  g_return_if_fail (self->state == STATE_IDLE);
  g_return_if_fail (transaction->n_recipients > 0);

  if (!begin (self, transaction))
    {
      settle_here (self);
      return;
    }

  if (self->needs_rset)
    {
      self->needs_rset = FALSE;
      self->state = STATE_RSET;
      pr_client_say (self, "RSET", out);
      if (!pipelining)
        return;
    }

  send_mail (self, out);
  if (pipelining)
    send_recipients (self, out);
}

void
pr_client_give_body (PrClient *self, const char *data, gsize len, gboolean last, GString *out)
{
  g_return_if_fail (self->state == STATE_BODY);

  if (!self->chunking)
    {
      pr_stuffer_append (&self->stuffer, data, len, out);
      if (last)
        pr_stuffer_finish (&self->stuffer, out);
    }
  else if (len > 0 || last)
    {
      pr_bdat_append (data, len, last, out);
      self->n_chunks += !last;
    }

  self->n_body_octets += len;
  if (!last)
    return;

  self->state = STATE_DOT;
  self->dot_sent = TRUE;
  self->next_reply = 0;
  if (self->handler->trace != NULL)
    {
      GString *line = g_string_assign (self->line, "[message text, ");

      pr_text_append_number (line, self->n_body_octets);
      g_string_append (line, self->chunking ? " octets]" : " octets] .");
      self->handler->trace (self->owner, TRUE, line->str, line->len);
    }
}
