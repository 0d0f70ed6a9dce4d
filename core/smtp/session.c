/* SPDX-License-Identifier: GPL-3.0-or-later */

/* session.c: the server's side of one conversation: framing, replies, budgets, phases.
 *
 *   COMMAND ── DATA accepted, BDAT ──► DATA ── dot, end of chunk ──► COMMAND
 *      │ ▲                              │
 *      │ └──────── resume ── PENDING ◄──┘ a verdict that takes its time
 *      ├── QUIT, too many errors, no way to go on ──► CLOSING
 *      └── STARTTLS ──► SECURING, where it ends: TLS begins with a new one
 *
 * A line is looked at where it lies in the caller's buffer; only one that came in parts is kept. */

#include "smtp/session-private.h"

#include <string.h>

/* RFC 5321 §4.5.3.1.4: 512, and what each parameter adds to it. All of ours together (SIZE, BODY,
 * SMTPUTF8, RET, ENVID; NOTIFY, ORCPT of 500) stay below 1,300. */
#define MAX_LINE 2048
#define MAX_AUTH_LINE 12288 /* RFC 4954 §4: AUTH, and the lines of its exchange */
/* What is read of a longer line to reply to it properly, before the session is ended. */
#define MAX_OVERLONG (64 * 1024)
/* Each since the last accepted message. */
#define MAX_ERRORS 20
#define MAX_IDLE 100
#define MIN_REFUSED 1000   /* refused recipients; or twice those a message may have */
#define MAX_REPLY_LINE 480 /* octets of text: with code and status at most 512, §4.5.3.1.5 */

void
pr_session_trace (PrSession *self, gboolean outgoing, const char *line, gsize len)
{
  if (self->handler->trace != NULL)
    self->handler->trace (self->owner, outgoing, line, len);
}

static void
append_printable (GString *out, const char *text, gsize len)
{
  gsize start = out->len;

  g_string_append_len (out, text, MIN (len, MAX_REPLY_LINE));
  for (gsize i = start; i < out->len; i++)
    if (out->str[i] < ' ' || out->str[i] > '~')
      out->str[i] = '?';
}

void
pr_session_say (PrSession *self, guint code, const char *enhanced, const char *text)
{
  GString *out = self->out;
  const char digits[] = { '0' + code / 100 % 10, '0' + code / 10 % 10, '0' + code % 10 };

  for (const char *line = text; line != NULL;)
    {
      const char *end = strchr (line, '\n');
      gsize start = out->len;

      g_string_append_len (out, digits, sizeof digits);
      g_string_append_c (out, end != NULL ? '-' : ' ');
      if (enhanced != NULL)
        {
          g_string_append (out, enhanced);
          g_string_append_c (out, ' ');
        }
      append_printable (out, line, end != NULL ? (gsize) (end - line) : strlen (line));
      pr_session_trace (self, TRUE, out->str + start, out->len - start);
      g_string_append_len (out, "\r\n", 2);

      line = end != NULL ? end + 1 : NULL;
    }
}

void
pr_session_close (PrSession *self)
{
  self->phase = PR_SESSION_CLOSING;
  pr_session_reset (self);
  pr_session_end_auth (self);
}

void
pr_session_say_refusal (PrSession *self, PrVerdict verdict)
{
  pr_session_say (self, verdict.code, verdict.enhanced, verdict.text);
  if (verdict.kind == PR_VERDICT_CLOSE)
    pr_session_close (self);
}

static void
end_for (PrSession *self, const char *text)
{
  pr_session_say (self, 421, "4.7.0", text);
  pr_session_close (self);
}

gboolean
pr_session_may_idle (PrSession *self)
{
  if (self->phase == PR_SESSION_CLOSING || ++self->n_idle <= MAX_IDLE)
    return TRUE;

  end_for (self, "Too many commands without a message; this session is over");
  return FALSE;
}

void
pr_session_refuse (PrSession *self, PrVerdict verdict)
{
  pr_session_say_refusal (self, verdict);

  if (verdict.code < 500)
    pr_session_may_idle (self);
  else if (++self->n_errors >= MAX_ERRORS && self->phase != PR_SESSION_CLOSING)
    end_for (self, "Too many errors; this session is over");
}

void
pr_session_refuse_recipient (PrSession *self, PrVerdict verdict)
{
  guint max = MAX (MIN_REFUSED, 2 * self->options->max_recipients);

  pr_session_say_refusal (self, verdict);

  /* 452 for one too many is hardly the client's fault: it goes on with those it has. */
  self->n_refused_tenths += verdict.code == 452 ? 1 : 10;
  if (self->n_refused_tenths / 10 >= max && self->phase != PR_SESSION_CLOSING)
    end_for (self, "Too many recipients were refused; this session is over");
}

void
pr_session_reset (PrSession *self)
{
  pr_session_abandon_body (self);
  g_clear_pointer (&self->envelope, pr_envelope_free);
  pr_recipient_clear (&self->recipient);
  self->body = (PrBody){ 0 };
}

/* --- verdicts --- */

static void
settle_rcpt (PrSession *self, PrVerdict verdict)
{
  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      pr_recipient_clear (&self->recipient);
      pr_session_refuse_recipient (self, verdict);
      return;
    }

  g_array_append_val (self->envelope->recipients, self->recipient);
  self->recipient = (PrRecipient){ 0 };
  pr_session_say (self, 250, "2.1.5", verdict.text != NULL ? verdict.text : "Recipient accepted");
}

static void
settle_mail (PrSession *self, PrVerdict verdict)
{
  if (verdict.kind == PR_VERDICT_ACCEPT)
    {
      pr_session_say (self, 250, "2.1.0", verdict.text != NULL ? verdict.text : "Sender accepted");
      return;
    }

  pr_session_reset (self);
  pr_session_refuse (self, verdict);
}

static void
settle_data (PrSession *self, PrVerdict verdict)
{
  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      pr_session_refuse (self, verdict);
      return;
    }

  pr_session_open_body (self, TRUE);
  pr_session_say (self, 354, NULL, "Send the message; end it with a dot on a line of its own");
}

static void
settle_chunk (PrSession *self, PrVerdict verdict)
{
  if (verdict.kind == PR_VERDICT_ACCEPT)
    {
      pr_session_open_body (self, FALSE);
      pr_session_begin_chunk (self);
      return;
    }

  pr_session_refuse (self, verdict);
  pr_session_skip_chunk (self, self->body.chunk_octets, self->body.chunk_is_last);
}

static void
settle_end (PrSession *self, PrVerdict verdict)
{
  pr_session_reset (self);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      pr_session_say_refusal (self, verdict);
      pr_session_may_idle (self);
      return;
    }

  self->n_errors = self->n_refused_tenths = self->n_idle = 0;
  pr_session_say (self, 250, "2.0.0", verdict.text != NULL ? verdict.text : "Message accepted");
}

void
pr_session_settle (PrSession *self, PrStep step, PrVerdict verdict)
{
  if (verdict.kind == PR_VERDICT_PENDING)
    {
      self->phase = PR_SESSION_PENDING;
      self->step = step;
      return;
    }

  switch (step)
    {
    case PR_STEP_MAIL: settle_mail (self, verdict); break;
    case PR_STEP_RCPT: settle_rcpt (self, verdict); break;
    case PR_STEP_DATA: settle_data (self, verdict); break;
    case PR_STEP_CHUNK: settle_chunk (self, verdict); break;
    case PR_STEP_END: settle_end (self, verdict); break;
    case PR_STEP_AUTH: pr_session_settle_auth (self, verdict); break;
    }
}

/* --- framing --- */

/* A line up to its LF, which is not in @len. What is not framed as it must be ends the session:
 * another program on the way could see other lines in it (RFC 5321 §2.3.8). */
static void
take_framed (PrSession *self, const char *line, gsize len)
{
  gboolean legacy = self->options->legacy;

  if (len > 0 && line[len - 1] == '\r')
    len--;
  else if (!legacy)
    {
      pr_session_refuse (
        self, PR_CLOSE (500, "5.5.2", "A line must end in CR LF; this one ends in LF alone"));
      return;
    }

  while (legacy && len > 0 && line[len - 1] == '\r')
    len--;

  if (memchr (line, '\r', len) != NULL)
    {
      PrVerdict verdict = PR_REFUSE (500, "5.5.2", "There is a CR inside of the line");

      if (!legacy)
        verdict.kind = PR_VERDICT_CLOSE;
      pr_session_refuse (self, verdict);
      return;
    }

  if (memchr (line, '\0', len) != NULL)
    {
      pr_session_refuse (self, PR_REFUSE (500, "5.5.2", "There is a NUL in the line"));
      return;
    }

  while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
    len--;
  if (self->auth != NULL)
    pr_session_take_response (self, line, len);
  else
    pr_session_run (self, line, len);
}

static void
take_overlong (PrSession *self, const char *data, gsize len, gboolean is_ended)
{
  gboolean has_cr = len > 0 ? data[len - 1] == '\r'
                            : self->line != NULL && self->line->str[self->line->len - 1] == '\r';

  self->overlong += len + (self->overlong == 0 && self->line != NULL ? self->line->len : 0);
  if (self->line == NULL)
    self->line = g_string_sized_new (1);
  g_string_assign (self->line, has_cr ? "\r" : "x");

  if (self->overlong > MAX_OVERLONG)
    pr_session_refuse (self, PR_CLOSE (500, "5.5.2", "The line does not end"));
  else if (!is_ended)
    return;
  else if (!has_cr && !self->options->legacy)
    take_framed (self, "x", 1);
  else if (self->auth != NULL)
    pr_session_refuse_response (self);
  else
    pr_session_refuse (self, PR_REFUSE (500, "5.5.2", "The line is longer than 2048 octets"));

  self->overlong = 0;
  g_string_free (g_steal_pointer (&self->line), TRUE);
}

/* How long the line may become, of which @kept (nullable) and @data are the start. */
static gsize
max_line (const PrSession *self, const GString *kept, const char *data, gsize len)
{
  const char *word = kept != NULL ? kept->str : data;

  if (self->auth != NULL)
    return MAX_AUTH_LINE;
  if (kept != NULL)
    len = kept->len;

  return len >= 5 && g_ascii_strncasecmp (word, "AUTH ", 5) == 0 ? MAX_AUTH_LINE : MAX_LINE;
}

/* A line that was kept. It may hold a password. */
static void
forget_line (GString *line)
{
  explicit_bzero (line->str, line->len);
  g_string_free (line, TRUE);
}

static gsize
take_command (PrSession *self, const char *data, gsize len)
{
  const char *lf = memchr (data, '\n', len);
  gsize n = lf != NULL ? (gsize) (lf - data) : len;
  gsize n_kept = self->line != NULL ? self->line->len : 0;

  if (self->overlong > 0 || n_kept + n > max_line (self, self->line, data, n))
    take_overlong (self, data, n, lf != NULL);
  else if (lf != NULL && self->line == NULL)
    take_framed (self, data, n);
  else
    {
      if (self->line == NULL)
        self->line = g_string_sized_new (MAX (n, 64));
      g_string_append_len (self->line, data, n);

      if (lf != NULL)
        {
          GString *line = g_steal_pointer (&self->line);

          take_framed (self, line->str, line->len);
          forget_line (line);
        }
    }

  return lf != NULL ? n + 1 : n;
}

/* --- public --- */

PrSession *
pr_session_new (const PrSessionOptions *options, const PrSessionHandler *handler, gpointer owner)
{
  PrSession *self = g_new0 (PrSession, 1);

  self->options = options;
  self->handler = handler;
  self->owner = owner;

  return self;
}

void
pr_session_free (PrSession *self)
{
  if (self == NULL)
    return;

  pr_session_reset (self);
  pr_session_end_auth (self);
  g_clear_pointer (&self->line, forget_line);
  g_free (self->user);
  g_free (self->helo);
  g_free (self);
}

void
pr_session_greet (PrSession *self, PrVerdict verdict, GString *out)
{
  char text[320];

  self->out = out;
  if (verdict.kind == PR_VERDICT_ACCEPT)
    {
      g_snprintf (text, sizeof text, "%s ESMTP Postroom", self->options->hostname);
      pr_session_say (self, 220, NULL, text);
    }
  else
    {
      verdict.kind = PR_VERDICT_CLOSE;
      pr_session_say_refusal (self, verdict);
    }
  self->out = NULL;
}

void
pr_session_set_secure (PrSession *self)
{
  self->is_secure = TRUE;
}

gsize
pr_session_feed (PrSession *self, const char *data, gsize len, GString *out)
{
  gsize taken = 0;

  g_return_val_if_fail (self->out == NULL, 0);

  self->out = out;
  while (taken < len)
    {
      if (self->phase == PR_SESSION_COMMAND)
        taken += take_command (self, data + taken, len - taken);
      else if (self->phase == PR_SESSION_DATA)
        taken += pr_session_take_body (self, data + taken, len - taken);
      else
        break;
    }
  self->out = NULL;

  return taken;
}

void
pr_session_resume (PrSession *self, PrVerdict verdict, GString *out)
{
  g_return_if_fail (self->out == NULL);

  /* A verdict that comes after the end has nobody to go to. */
  if (self->phase != PR_SESSION_PENDING)
    return;

  self->out = out;
  self->phase = PR_SESSION_COMMAND;
  pr_session_settle (self, self->step, verdict);
  self->out = NULL;
}

void
pr_session_shut_down (PrSession *self, const char *enhanced, const char *text, GString *out)
{
  g_return_if_fail (self->out == NULL);

  if (self->phase == PR_SESSION_CLOSING)
    return;

  self->out = out;
  pr_session_say (self, 421, enhanced, text);
  pr_session_close (self);
  self->out = NULL;
}

PrSessionPhase
pr_session_get_phase (const PrSession *self)
{
  return self->phase;
}

const char *
pr_session_get_helo (const PrSession *self)
{
  return self->helo;
}

gboolean
pr_session_is_extended (const PrSession *self)
{
  return self->is_extended;
}

const char *
pr_session_get_user (const PrSession *self)
{
  return self->user;
}

guint
pr_session_get_n_errors (const PrSession *self)
{
  return self->n_errors;
}

guint64
pr_session_get_body_size (const PrSession *self)
{
  return self->body.size_octets;
}
