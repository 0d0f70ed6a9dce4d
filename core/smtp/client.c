/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's side of SMTP and LMTP: replies in, commands out. client-entry.c makes a connection
 * usable, client-mail.c sends messages over it.
 *
 *   (entry) → IDLE → (RSET →) MAIL → RCPT… → DATA → BODY → DOT… → IDLE … QUIT → CLOSED
 *                                         ↘ BODY (BDAT) ↗
 *
 * From any state to CLOSED: 421, a reply that cannot be, the end of the connection.
 */
#include "smtp/client-private.h"

#include <string.h>

#include "common/error.h"
#include "common/text.h"
#include "smtp/client-commands.h"

static const struct
{
  const char *stage; /* for people */
  PrWait wait;
} states[] = {
  [STATE_GREETING] = { "the greeting", PR_WAIT_GREETING },
  [STATE_EHLO] = { "EHLO", PR_WAIT_REPLY },
  [STATE_HELO] = { "HELO", PR_WAIT_REPLY },
  [STATE_STARTTLS] = { "STARTTLS", PR_WAIT_REPLY },
  [STATE_SECURING] = { "the TLS handshake", PR_WAIT_NOTHING },
  [STATE_AUTH] = { "AUTH", PR_WAIT_REPLY },
  [STATE_IDLE] = { "nothing", PR_WAIT_NOTHING },
  [STATE_RSET] = { "RSET", PR_WAIT_REPLY },
  [STATE_MAIL] = { "MAIL FROM", PR_WAIT_REPLY },
  [STATE_RCPT] = { "RCPT TO", PR_WAIT_REPLY },
  [STATE_DATA] = { "DATA", PR_WAIT_DATA },
  [STATE_BODY] = { "message text", PR_WAIT_BODY },
  [STATE_DOT] = { "end of data", PR_WAIT_DOT },
  [STATE_QUIT] = { "QUIT", PR_WAIT_REPLY },
  [STATE_CLOSED] = { "nothing", PR_WAIT_NOTHING },
};

const char *
pr_client_state_name (PrClientState state)
{
  return states[state].stage;
}

const char *
pr_client_get_stage (const PrClient *self)
{
  return self->lmtp && self->state == STATE_EHLO ? "LHLO" : states[self->state].stage;
}

/* ── Ends ─────────────────────────────────────────────────────────────────────────────────── */

void
pr_client_fail (PrClient *self, const GError *error, const PrReply *reply)
{
  if (self->state == STATE_CLOSED)
    return;

  self->state = STATE_CLOSED;
  self->handler->failed (self->owner, error, reply);
}

void
pr_client_fail_protocol (PrClient *self, const PrReply *reply)
{
  g_autofree char *text = reply != NULL ? pr_reply_to_string (reply) : NULL;
  g_autoptr (GError) error = g_error_new (
    PR_ERROR, PR_ERROR_PROTOCOL, "The server broke the protocol: it answered %s with %s",
    pr_client_get_stage (self), text != NULL ? text : "something that is no SMTP reply");

  pr_client_fail (self, error, reply);
}

/* The server wants no more of this connection, and says why. */
void
pr_client_fail_refused (PrClient *self, const PrReply *reply, GString *out)
{
  g_autofree char *text = pr_reply_to_string (reply);
  g_autoptr (GError) error =
    g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "The server ended the connection (%s): %s",
                 pr_client_get_stage (self), text);

  /* RFC 5321 §3.1: a client that was greeted with 554 still says QUIT. */
  if (reply->code != 421)
    pr_client_write_line (out, "QUIT");
  pr_client_fail (self, error, reply);
}

/* ── Commands ─────────────────────────────────────────────────────────────────────────────── */

/* Tells the trace what was appended to @out behind @start. */
void
pr_client_trace_sent (PrClient *self, const GString *out, gsize start)
{
  const char *line = out->str + start, *end;

  if (self->handler->trace == NULL)
    return;
  for (; (end = strstr (line, "\r\n")) != NULL; line = end + 2)
    self->handler->trace (self->owner, TRUE, line, end - line);
}

void
pr_client_say (PrClient *self, const char *line, GString *out)
{
  gsize start = out->len;

  pr_client_write_line (out, line);
  pr_client_trace_sent (self, out, start);
}

/* ── Replies, one function for each state ─────────────────────────────────────────────────── */

static void
on_quit (PrClient *self, const PrReply *reply, GString *out)
{
  self->state = STATE_CLOSED;
}

static void
on_unasked (PrClient *self, const PrReply *reply, GString *out)
{
  pr_client_fail_protocol (self, reply);
}

static void (*const on_reply[]) (PrClient *, const PrReply *, GString *) = {
  [STATE_GREETING] = pr_client_on_greeting,
  [STATE_EHLO] = pr_client_on_ehlo,
  [STATE_HELO] = pr_client_on_helo,
  [STATE_STARTTLS] = pr_client_on_starttls,
  [STATE_SECURING] = on_unasked, /* plain text behind the 220: CVE-2011-0411 */
  [STATE_AUTH] = pr_client_on_auth,
  [STATE_IDLE] = on_unasked,
  [STATE_RSET] = pr_client_on_rset,
  [STATE_MAIL] = pr_client_on_mail,
  [STATE_RCPT] = pr_client_on_rcpt,
  [STATE_DATA] = pr_client_on_data,
  [STATE_BODY] = pr_client_on_body,
  [STATE_DOT] = pr_client_on_dot,
  [STATE_QUIT] = on_quit,
  [STATE_CLOSED] = on_unasked,
};

/* A class of reply that the command cannot have (RFC 5321 §4.2.1, §4.3.2). */
static gboolean
cannot_be (PrClientState state, const PrReply *reply)
{
  if (state == STATE_DATA)
    return reply->code < 400 && reply->code != 354;
  if (state == STATE_AUTH && reply->code == 334)
    return FALSE;
  return reply->code < 200 || (reply->code >= 300 && reply->code < 400);
}

static void
append_status (GString *line, const guint8 status[3])
{
  for (guint i = 0; i < 3; i++)
    {
      pr_text_append_number (line, status[i]);
      g_string_append_c (line, i < 2 ? '.' : ' ');
    }
}

static void
trace_received (PrClient *self, const PrReply *reply)
{
  GString *line = self->line;
  const char *text = reply->text != NULL ? reply->text : "";

  if (self->handler->trace == NULL)
    return;

  while (text != NULL)
    {
      const char *end = strchr (text, '\n');

      g_string_truncate (line, 0);
      pr_text_append_number (line, reply->code);
      g_string_append_c (line, end != NULL ? '-' : ' ');
      if (reply->status[0] != 0)
        append_status (line, reply->status);
      g_string_append_len (line, text, end != NULL ? end - text : -1);
      self->handler->trace (self->owner, FALSE, line->str, line->len);
      text = end != NULL ? end + 1 : NULL;
    }
}

static void
take_reply (PrClient *self, const PrReply *reply, GString *out)
{
  trace_received (self, reply);

  if (self->state == STATE_QUIT)
    on_quit (self, reply, out);
  else if (cannot_be (self->state, reply))
    pr_client_fail_protocol (self, reply);
  else if (reply->code == 421)
    {
      self->dot_sent = FALSE; /* RFC 5321 §3.8: not delivered */
      pr_client_fail_refused (self, reply, out);
    }
  else
    on_reply[self->state](self, reply, out);
}

/* ── Public ───────────────────────────────────────────────────────────────────────────────── */

PrClient *
pr_client_new (const char *hostname, gboolean lmtp, const PrClientHandler *handler, gpointer owner)
{
  PrClient *self = g_new0 (PrClient, 1);

  self->hostname = g_strdup (hostname);
  self->line = g_string_sized_new (64);
  self->lmtp = lmtp;
  self->handler = handler;
  self->owner = owner;
  return self;
}

void
pr_client_free (PrClient *self)
{
  pr_reply_reader_clear (&self->reader);
  g_string_free (self->line, TRUE);
  g_clear_pointer (&self->sasl, pr_sasl_client_free);
  g_free (self->hostname);
  g_free (self->fates);
  g_free (self);
}

void
pr_client_feed (PrClient *self, const char *data, gsize len, GString *out)
{
  while (len > 0 && self->state != STATE_CLOSED)
    {
      gboolean dot_sent = self->dot_sent;
      gsize taken = 0;

      switch (pr_reply_reader_feed (&self->reader, data, len, &taken))
        {
        case PR_REPLY_MORE: return;
        case PR_REPLY_BROKEN:
          if (self->state == STATE_QUIT)
            self->state = STATE_CLOSED;
          pr_client_fail_protocol (self, NULL);
          return;
        case PR_REPLY_COMPLETE:
          take_reply (self, &self->reader.reply, out);
          pr_reply_clear (&self->reader.reply); /* an idle connection keeps no text */
          break;
        }
      data += taken;
      len -= taken;

      if (!dot_sent && self->dot_sent && len > 0 && self->n_chunks == 0)
        self->is_hasty = TRUE;
    }
}

void
pr_client_close (PrClient *self, const GError *why)
{
  g_autoptr (GError) error = NULL;

  if (self->state == STATE_QUIT)
    self->state = STATE_CLOSED;
  if (self->state == STATE_CLOSED)
    return;

  error = g_error_new (
    PR_ERROR, why != NULL && why->domain == PR_ERROR ? why->code : PR_ERROR_TEMPORARY,
    "%s (waiting for: %s)", why != NULL ? why->message : "The server closed the connection",
    pr_client_get_stage (self));
  pr_client_fail (self, error, NULL);
}

void
pr_client_quit (PrClient *self, GString *out)
{
  if (self->state != STATE_IDLE)
    return;

  self->state = STATE_QUIT;
  pr_client_say (self, "QUIT", out);
}

const PrCapabilities *
pr_client_get_capabilities (const PrClient *self)
{
  return &self->hop;
}

PrWait
pr_client_get_wait (const PrClient *self)
{
  return states[self->state].wait;
}

gboolean
pr_client_is_idle (const PrClient *self)
{
  return self->state == STATE_IDLE;
}

gboolean
pr_client_dot_sent (const PrClient *self)
{
  return self->dot_sent;
}
