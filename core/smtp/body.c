/* SPDX-License-Identifier: GPL-3.0-or-later */

/* body.c: the octets of a message, by DATA or by BDAT.
 *
 * Text is read by five states; only a dot between two true CRLF ends it (RFC 5321 §4.1.1.4):
 *
 *            other               CR            LF
 *   IN_LINE ◄─────── LINE_START ───► AFTER_CR ───► LINE_START
 *                       │ "."         ▲  │ other: a bare CR, then IN_LINE
 *                       ▼             │  └ CR: a bare CR, still AFTER_CR
 *                    AFTER_DOT ── CR ─┼─► AFTER_DOT_CR ── LF ──► end of the message
 *                       │ other       └────────┘ other
 *                       ▼
 *                    IN_LINE, the dot dropped (§4.5.2)
 *
 * LF anywhere but behind CR is bare and never a line start: what stands behind it is text, with
 * its dots. That is what makes "LF . LF", "LF . CR LF", "CR . CR" and their kin harmless.
 *
 * Bare line ends refuse the message, after its true end. On a legacy listener they are repaired
 * instead: LF becomes CRLF, surplus CRs before a CRLF are dropped, any other bare CR becomes a
 * space. (Not a line end: a header must not come out of the middle of another one.)
 *
 * Octets are handed on in the longest runs the input has; nothing is kept between calls but the
 * state, so a line may have any length. */

#include "smtp/session-private.h"

#include <string.h>

void
pr_session_abandon_body (PrSession *self)
{
  if (!self->body.is_open)
    return;

  self->body.is_open = FALSE;
  self->handler->abandon (self->owner);
}

static void
spoil (PrSession *self, PrBodyFault fault)
{
  if (self->body.fault != PR_BODY_GOOD)
    return;

  self->body.fault = fault;
  pr_session_abandon_body (self);
}

static gboolean
is_too_large (PrSession *self, guint64 more_octets)
{
  guint64 max = self->options->max_message_size_octets;

  return max > 0 && (more_octets > max || self->body.size_octets > max - more_octets);
}

static void
emit (PrSession *self, const char *data, gsize len)
{
  if (len == 0 || self->body.fault != PR_BODY_GOOD)
    return;
  if (is_too_large (self, len))
    {
      spoil (self, PR_BODY_TOO_LARGE);
      return;
    }

  self->body.size_octets += len;
  self->handler->body (self->owner, data, len);
}

/* A line end that is none: refused, or replaced by @repaired. */
static void
emit_bare (PrSession *self, const char *repaired)
{
  if (self->options->legacy)
    emit (self, repaired, strlen (repaired));
  else
    spoil (self, PR_BODY_BARE_LINE_END);
}

/* From inside a line to its end, or to the end of the data. A CR is held back until what follows
 * is seen, unless it is seen already. Returns where to go on; *@run is what was not yet emitted. */
static const char *
scan_line (PrSession *self, const char *p, const char *end, const char **run)
{
  const char *lf = memchr (p, '\n', end - p);
  const char *cr = memchr (p, '\r', (lf != NULL ? lf : end) - p);

  if (cr != NULL && cr + 1 == lf)
    {
      self->body.state = PR_AT_LINE_START;
      return lf + 1;
    }

  if (cr != NULL)
    {
      emit (self, *run, cr - *run);
      self->body.state = PR_AFTER_CR;
      return *run = cr + 1;
    }

  if (lf != NULL)
    {
      emit (self, *run, lf - *run);
      emit_bare (self, "\r\n");
      return *run = lf + 1;
    }

  return end;
}

static const char *
scan_after_cr (PrSession *self, const char *p)
{
  if (*p == '\n')
    {
      emit (self, "\r\n", 2);
      self->body.state = PR_AT_LINE_START;
      return p + 1;
    }

  if (*p == '\r')
    {
      emit_bare (self, "");
      return p + 1;
    }

  emit_bare (self, " ");
  self->body.state = PR_IN_LINE;
  return p;
}

/* Returns the first octet not taken; *@is_ended: the final dot was seen. */
static const char *
scan (PrSession *self, const char *data, const char *end, gboolean *is_ended)
{
  PrBody *body = &self->body;
  const char *run = data;
  const char *p = data;

  *is_ended = FALSE;
  while (p < end)
    switch (body->state)
      {
      case PR_AT_LINE_START:
        body->state = PR_IN_LINE;
        if (*p == '.' && body->by_dot)
          {
            emit (self, run, p - run);
            body->state = PR_AFTER_DOT;
            run = ++p;
          }
        break;

      case PR_IN_LINE: p = scan_line (self, p, end, &run); break;

      case PR_AFTER_CR: run = p = scan_after_cr (self, p); break;

      case PR_AFTER_DOT:
        body->state = *p == '\r' ? PR_AFTER_DOT_CR : PR_IN_LINE;
        if (*p == '\r')
          run = ++p;
        break;

      case PR_AFTER_DOT_CR:
        if (*p == '\n')
          {
            *is_ended = TRUE;
            return p + 1;
          }
        body->state = PR_AFTER_CR;
        break;
      }

  emit (self, run, p - run);
  return p;
}

/* BDAT says where the text ends: a line that has no end gets one, so that every text that is
 * kept can leave by DATA as well. */
static void
end_last_line (PrSession *self)
{
  if (self->body.is_raw)
    return;

  if (self->body.state == PR_AFTER_CR)
    emit_bare (self, "");
  if (self->body.state != PR_AT_LINE_START)
    emit (self, "\r\n", 2);
}

static void
trace_octets (PrSession *self, guint64 octets)
{
  char text[64];

  if (self->handler->trace == NULL)
    return;

  g_snprintf (text, sizeof text, "(%" G_GUINT64_FORMAT " octets of message)", octets);
  pr_session_trace (self, FALSE, text, strlen (text));
}

static PrVerdict
fault_verdict (const PrSession *self)
{
  return self->body.fault == PR_BODY_TOO_LARGE
           ? PR_REFUSE (552, "5.3.4", "The message is larger than this server takes")
           : PR_REFUSE (554, "5.5.2",
                        "The message has line ends that are not CR LF, "
                        "which could hide a second message; it was not taken");
}

static void
finish_message (PrSession *self)
{
  if (self->body.fault != PR_BODY_GOOD)
    {
      PrVerdict verdict = fault_verdict (self);

      pr_session_reset (self);
      pr_session_refuse (self, verdict);
      return;
    }

  self->body.is_open = FALSE;
  pr_session_settle (self, PR_STEP_END,
                     self->handler->end (self->owner, g_steal_pointer (&self->envelope)));
}

static void
finish_chunk (PrSession *self)
{
  PrBody *body = &self->body;
  char text[64];

  self->phase = PR_SESSION_COMMAND;
  trace_octets (self, body->chunk_octets);

  if (body->discards)
    {
      body->discards = FALSE;
      if (body->chunk_is_last)
        pr_session_reset (self);
      return;
    }

  if (body->chunk_is_last)
    {
      end_last_line (self);
      finish_message (self);
      return;
    }

  if (body->fault != PR_BODY_GOOD)
    {
      body->has_failed = TRUE;
      pr_session_refuse (self, fault_verdict (self));
      return;
    }

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT " octets taken", body->chunk_octets);
  pr_session_say (self, 250, "2.0.0", text);
}

void
pr_session_open_body (PrSession *self, gboolean by_dot)
{
  self->body.is_open = TRUE;
  self->body.state = PR_AT_LINE_START;
  self->body.fault = PR_BODY_GOOD;
  self->body.by_dot = by_dot;
  self->body.is_chunked = !by_dot;
  self->body.is_raw = self->envelope->body == PR_BODY_BINARYMIME;
  self->body.size_octets = 0;
  if (by_dot)
    self->phase = PR_SESSION_DATA;
}

void
pr_session_begin_chunk (PrSession *self)
{
  PrBody *body = &self->body;

  if (is_too_large (self, body->chunk_octets))
    spoil (self, PR_BODY_TOO_LARGE);

  body->discards = FALSE;
  body->chunk_left = body->chunk_octets;
  self->phase = PR_SESSION_DATA;
  if (body->chunk_left == 0)
    finish_chunk (self);
}

void
pr_session_skip_chunk (PrSession *self, guint64 octets, gboolean is_last)
{
  if (self->phase == PR_SESSION_CLOSING)
    return;

  pr_session_abandon_body (self);
  self->body.has_failed = self->envelope != NULL;
  self->body.discards = TRUE;
  self->body.chunk_octets = self->body.chunk_left = octets;
  self->body.chunk_is_last = is_last;
  self->phase = PR_SESSION_DATA;
  if (octets == 0)
    finish_chunk (self);
}

static gsize
take_chunk (PrSession *self, const char *data, gsize len)
{
  PrBody *body = &self->body;
  gsize n = MIN (len, body->chunk_left);
  gboolean is_ended;

  if (!body->discards && body->is_raw)
    emit (self, data, n);
  else if (!body->discards)
    scan (self, data, data + n, &is_ended);

  body->chunk_left -= n;
  if (body->chunk_left == 0)
    finish_chunk (self);

  return n;
}

gsize
pr_session_take_body (PrSession *self, const char *data, gsize len)
{
  const char *next;
  gboolean is_ended;

  if (!self->body.by_dot || self->body.discards)
    return take_chunk (self, data, len);

  next = scan (self, data, data + len, &is_ended);
  if (is_ended)
    {
      self->phase = PR_SESSION_COMMAND;
      trace_octets (self, self->body.size_octets);
      finish_message (self);
    }

  return next - data;
}
