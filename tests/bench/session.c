/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One SMTP client session:
 *
 *   GREETING -> EHLO -> ENVELOPE -> TEXT -> DOT -> ENVELOPE ... -> QUIT
 *                  \-> IDLE                  \-> (reconnect) GREETING
 *
 * With STARTTLS: GREETING -> EHLO -> STARTTLS -> SHAKING -> EHLO; with implicit TLS SHAKING comes
 * first. A stalled session sends half a ClientHello and no more.
 *
 * ENVELOPE is one write with pipelining and three without. Every reply is compared
 * with what the command at its place must be answered with: the code, and the class of
 * the enhanced code where the server announced these. */

#include "session.h"

#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_REPLY 8192
#define MAX_PARTS 3
#define MAX_ENVELOPE 256

typedef enum
{
  STATE_GREETING,
  STATE_EHLO,
  STATE_MAIL,
  STATE_RCPT,
  STATE_DATA,
  STATE_DOT,
  STATE_RSET,
  STATE_QUIT,
  STATE_IDLE,
  STATE_STARTTLS,
  STATE_SHAKING,
  STATE_STALLED,
} State;

typedef enum
{
  STEP_MAIL,
  STEP_RCPT,
  STEP_DATA,
  N_STEPS,
} Step;

struct PrBenchSession
{
  PrBenchLoad *load; /* borrowed */
  GList link;        /* in load->sessions */
  guint32 source;
  int fd;                 /* owned */
  PrBenchTlsSession *tls; /* owned, nullable */
  State state;
  gboolean idle, stalled;

  gboolean pipelining; /* announced, and wanted */
  gboolean enhanced;   /* announced */

  guint64 seq;
  gboolean refused; /* a step of this envelope was */
  gint64 dot_us;

  gsize reply_len;
  char reply[MAX_REPLY];

  guint n_parts;
  struct iovec parts[MAX_PARTS]; /* what is still to be written */
  char head[PR_BENCH_PART_MAX];
  char tail[PR_BENCH_PART_MAX];
  char envelope[MAX_ENVELOPE];
};

static const struct
{
  int code;
  const char *name;
} expected[] = {
  [STATE_GREETING] = { 220, "the greeting" },
  [STATE_EHLO] = { 250, "EHLO" },
  [STATE_MAIL] = { 250, "MAIL" },
  [STATE_RCPT] = { 250, "RCPT" },
  [STATE_DATA] = { 354, "DATA" },
  [STATE_DOT] = { 250, "the final dot" },
  [STATE_RSET] = { 250, "RSET" },
  [STATE_QUIT] = { 221, "QUIT" },
  [STATE_IDLE] = { 0, "nothing" },
  [STATE_STARTTLS] = { 220, "STARTTLS" },
  [STATE_SHAKING] = { 0, "the beginning of TLS" },
  [STATE_STALLED] = { 0, "half a ClientHello" },
};

static void
note_fault (PrBenchSession *self, const char *text)
{
  PrBenchLoad *load = self->load;

  if (load->first_fault[0] == '\0')
    snprintf (load->first_fault, sizeof load->first_fault, "after %s: %.400s",
              expected[self->state].name, text);
}

static void
disconnect (PrBenchSession *self)
{
  g_clear_pointer (&self->tls, pr_bench_tls_session_free);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

static void
end_session (PrBenchSession *self)
{
  disconnect (self);
  if (self->state == STATE_IDLE || self->state == STATE_STALLED)
    self->load->n_idle--;
  g_queue_unlink (&self->load->sessions, &self->link);
  g_free (self);
}

static void
break_session (PrBenchSession *self, const char *text)
{
  note_fault (self, text);
  self->load->n_broken++;
  end_session (self);
}

/* --- writing --- */

static gssize
write_some (PrBenchSession *self)
{
  struct msghdr message = { .msg_iov = self->parts, .msg_iovlen = self->n_parts };

  return self->tls != NULL
           ? pr_bench_tls_send (self->tls, self->parts[0].iov_base, self->parts[0].iov_len)
           : sendmsg (self->fd, &message, MSG_NOSIGNAL);
}

/* Writes what is due. Returns FALSE when the session has ended. */
static gboolean
flush_parts (PrBenchSession *self)
{
  while (self->n_parts > 0)
    {
      gssize n = write_some (self);

      if (n < 0 && errno == EAGAIN)
        {
          pr_bench_watch (self->load->epoll_fd, EPOLL_CTL_MOD, self->fd, EPOLLIN | EPOLLOUT, self);
          return TRUE;
        }
      if (n < 0)
        {
          break_session (self, g_strerror (errno));
          return FALSE;
        }
      while (self->n_parts > 0 && (gsize) n >= self->parts[0].iov_len)
        {
          n -= (gssize) self->parts[0].iov_len;
          memmove (self->parts, self->parts + 1, --self->n_parts * sizeof self->parts[0]);
        }
      if (self->n_parts > 0)
        {
          self->parts[0].iov_base = (char *) self->parts[0].iov_base + n;
          self->parts[0].iov_len -= (gsize) n;
        }
    }
  if (self->state == STATE_DOT)
    self->dot_us = g_get_monotonic_time ();
  return TRUE;
}

static void
add_part (PrBenchSession *self, const char *data, gsize len)
{
  g_assert (self->n_parts < MAX_PARTS);
  self->parts[self->n_parts].iov_base = (void *) data;
  self->parts[self->n_parts].iov_len = len;
  self->n_parts++;
}

static gboolean
send_command (PrBenchSession *self, State state, const char *command)
{
  self->state = state;
  add_part (self, command, strlen (command));
  return flush_parts (self);
}

/* --- steps --- */

static gsize
print_step (PrBenchSession *self, Step step, char *out, gsize size)
{
  switch (step)
    {
    case STEP_MAIL: return (gsize) snprintf (out, size, "MAIL FROM:<load@bench.example>\r\n");
    case STEP_RCPT:
      return (gsize) snprintf (out, size, "RCPT TO:<m%" G_GUINT64_FORMAT "@sink.example>\r\n",
                               self->seq);
    case STEP_DATA: return (gsize) snprintf (out, size, "DATA\r\n");
    case N_STEPS:
    default: g_assert_not_reached ();
    }
}

static gboolean
send_step (PrBenchSession *self, State state, Step step)
{
  print_step (self, step, self->envelope, sizeof self->envelope);
  return send_command (self, state, self->envelope);
}

/* Takes the number of the next message. Returns FALSE when all are taken. */
static gboolean
take_seq (PrBenchSession *self)
{
  PrBenchLoad *load = self->load;
  const PrBenchPlan *plan = load->plan;
  gint64 now_us = g_get_monotonic_time ();

  if (load->first_us == 0)
    load->first_us = now_us;
  if (plan->duration_us > 0 && now_us - load->first_us >= plan->duration_us)
    return FALSE;
  if (plan->repeat_seq >= 0 && !load->repeated && load->next_seq == (guint64) plan->repeat_seq + 1)
    {
      load->repeated = TRUE;
      self->seq = (guint64) plan->repeat_seq;
      return TRUE;
    }
  if (plan->omit_seq >= 0 && load->next_seq == (guint64) plan->omit_seq)
    load->next_seq++;
  if (plan->n_messages > 0 && load->next_seq >= plan->n_messages)
    return FALSE;
  self->seq = load->next_seq++;
  return TRUE;
}

static gboolean
begin_message (PrBenchSession *self)
{
  gsize len = 0;

  if (!take_seq (self))
    return send_command (self, STATE_QUIT, "QUIT\r\n");

  self->refused = FALSE;
  if (!self->pipelining)
    return send_step (self, STATE_MAIL, STEP_MAIL);
  for (Step step = STEP_MAIL; step < N_STEPS; step++)
    len += print_step (self, step, self->envelope + len, sizeof self->envelope - len);
  return send_command (self, STATE_MAIL, self->envelope);
}

static gboolean
send_text (PrBenchSession *self)
{
  PrBenchLoad *load = self->load;
  gsize body_len;
  const char *body = pr_bench_corpus_body (load->corpus, self->seq, &body_len);

  add_part (self, self->head, pr_bench_corpus_head (load->corpus, self->seq, self->head));
  add_part (self, body, body_len);
  add_part (self, self->tail, pr_bench_corpus_tail (load->corpus, self->seq, self->tail));
  if (load->plan->spoil_seq >= 0 && self->seq == (guint64) load->plan->spoil_seq)
    self->tail[0] ^= 1;
  self->state = STATE_DOT;
  return flush_parts (self);
}

static void
connect_session (PrBenchSession *self)
{
  const PrBenchPlan *plan = self->load->plan;
  g_autoptr (GError) error = NULL;
  gboolean speaks_first = self->stalled || plan->security == PR_BENCH_IMPLICIT;

  self->state = speaks_first ? STATE_SHAKING : STATE_GREETING;
  self->reply_len = 0;
  self->fd = pr_bench_connect (plan->host, plan->port, self->source, &error);
  if (self->fd < 0)
    {
      break_session (self, error->message);
      return;
    }
  if (speaks_first && !self->stalled)
    self->tls = pr_bench_tls_begin (self->load->tls, self->fd);
  pr_bench_watch (self->load->epoll_fd, EPOLL_CTL_ADD, self->fd, speaks_first ? EPOLLOUT : EPOLLIN,
                  self);
}

/* Returns FALSE when the session has ended. */
static gboolean
shake_hands (PrBenchSession *self)
{
  guint32 events = EPOLLIN;
  const char *words = NULL;
  gboolean done = pr_bench_tls_shake (self->tls, &events, &words);

  if (!done && events == 0)
    {
      break_session (self, words);
      return FALSE;
    }
  pr_bench_watch (self->load->epoll_fd, EPOLL_CTL_MOD, self->fd, events, self);
  if (!done)
    return TRUE;
  if (self->load->plan->security == PR_BENCH_STARTTLS)
    return send_command (self, STATE_EHLO, "EHLO load.example\r\n");
  self->state = STATE_GREETING;
  return TRUE;
}

static void
stall (PrBenchSession *self)
{
  static const guint8 half[] = { 22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3 };

  if (send (self->fd, half, sizeof half, MSG_NOSIGNAL) != sizeof half)
    {
      break_session (self, g_strerror (errno));
      return;
    }
  self->state = STATE_STALLED;
  self->load->n_idle++;
  pr_bench_watch (self->load->epoll_fd, EPOLL_CTL_MOD, self->fd, EPOLLIN, self);
}

static void
stall_again (PrBenchSession *self)
{
  self->load->n_idle--;
  disconnect (self);
  connect_session (self);
}

/* --- replies --- */

static gboolean
on_message_done (PrBenchSession *self)
{
  if (self->load->plan->reconnect)
    return send_command (self, STATE_QUIT, "QUIT\r\n");
  return begin_message (self);
}

static gboolean
on_ehlo_reply (PrBenchSession *self, const char *reply)
{
  if (self->load->plan->security == PR_BENCH_STARTTLS && self->tls == NULL)
    return send_command (self, STATE_STARTTLS, "STARTTLS\r\n");
  self->pipelining = self->load->plan->pipelining && strstr (reply, "PIPELINING") != NULL;
  self->enhanced = strstr (reply, "ENHANCEDSTATUSCODES") != NULL;
  if (!self->idle)
    return begin_message (self);
  self->state = STATE_IDLE;
  self->load->n_idle++;
  return TRUE;
}

static gboolean
on_quit_reply (PrBenchSession *self)
{
  PrBenchLoad *load = self->load;
  const PrBenchPlan *plan = load->plan;
  gboolean more =
    (plan->n_messages == 0 || load->next_seq < plan->n_messages) &&
    (plan->duration_us == 0 || g_get_monotonic_time () - load->first_us < plan->duration_us);

  if ((!plan->reconnect && !plan->handshakes) || !more)
    {
      end_session (self);
      return FALSE;
    }
  disconnect (self);
  connect_session (self);
  return FALSE;
}

/* A connection that was encrypted, greeted, and is wanted no more. */
static gboolean
on_handshake (PrBenchSession *self)
{
  PrBenchLoad *load = self->load;

  if (!take_seq (self))
    return send_command (self, STATE_QUIT, "QUIT\r\n");
  load->n_accepted++;
  load->last_us = g_get_monotonic_time ();
  return send_command (self, STATE_QUIT, "QUIT\r\n");
}

/* Acts on a whole, expected reply. Returns FALSE when the session has ended or
 * must not read on. */
static gboolean
advance (PrBenchSession *self, const char *reply)
{
  PrBenchLoad *load = self->load;

  switch (self->state)
    {
    case STATE_GREETING:
      return load->plan->handshakes ? on_handshake (self)
                                    : send_command (self, STATE_EHLO, "EHLO load.example\r\n");
    case STATE_EHLO: return on_ehlo_reply (self, reply);
    case STATE_MAIL:
      self->state = STATE_RCPT;
      return self->pipelining || send_step (self, STATE_RCPT, STEP_RCPT);
    case STATE_RCPT:
      self->state = STATE_DATA;
      return self->pipelining || send_step (self, STATE_DATA, STEP_DATA);
    case STATE_DATA: return send_text (self);
    case STATE_DOT:
      load->n_accepted++;
      load->last_us = g_get_monotonic_time ();
      pr_bench_latency_add (&load->latency, (guint64) (load->last_us - self->dot_us));
      return on_message_done (self);
    case STATE_RSET: return on_message_done (self);
    case STATE_QUIT: return on_quit_reply (self);
    case STATE_STARTTLS:
      self->state = STATE_SHAKING;
      self->tls = pr_bench_tls_begin (load->tls, self->fd);
      return shake_hands (self);
    case STATE_IDLE:
    case STATE_SHAKING:
    case STATE_STALLED:
    default: break_session (self, reply); return FALSE;
    }
}

/* A refusal costs this message; the session goes on with the next one. A reply that
 * fits nowhere ends the session. */
static gboolean
on_unexpected (PrBenchSession *self, const char *reply)
{
  gboolean in_envelope = self->state >= STATE_MAIL && self->state <= STATE_DATA;

  note_fault (self, reply);
  if ((!in_envelope && self->state != STATE_DOT) || (reply[0] != '4' && reply[0] != '5') ||
      strncmp (reply, "421", 3) == 0)
    {
      break_session (self, reply);
      return FALSE;
    }
  if (!self->refused)
    self->load->n_refused++;
  self->refused = TRUE;
  if (self->pipelining && self->state < STATE_DATA)
    {
      self->state++;
      return TRUE;
    }
  return send_command (self, STATE_RSET, "RSET\r\n");
}

static gboolean
is_expected (PrBenchSession *self, const char *last_line)
{
  int code = expected[self->state].code;

  if (atoi (last_line) != code)
    return FALSE;
  if (!self->enhanced || code == 354 || self->state <= STATE_EHLO)
    return TRUE;
  return last_line[4] == '2' && last_line[5] == '.';
}

/* Takes whole replies out of the buffer. Returns FALSE when the session has ended. */
static gboolean
take_replies (PrBenchSession *self)
{
  char *start = self->reply;
  char *line = self->reply;
  char *end;
  int fd = self->fd;

  while ((end = memchr (line, '\n', self->reply_len - (gsize) (line - self->reply))) != NULL)
    {
      gboolean last = end - line >= 4 && line[3] != '-';
      gboolean goes_on;

      if (!last)
        {
          line = end + 1;
          continue;
        }
      *end = '\0';
      goes_on = is_expected (self, line) ? advance (self, start) : on_unexpected (self, line);
      if (!goes_on)
        return FALSE;
      g_assert (self->fd == fd);
      start = line = end + 1;
    }

  self->reply_len -= (gsize) (start - self->reply);
  memmove (self->reply, start, self->reply_len);
  return TRUE;
}

/* Returns FALSE when the session has ended, or there is nothing more to read now. */
static gboolean
read_once (PrBenchSession *self)
{
  char *data = self->reply + self->reply_len;
  gsize room = MAX_REPLY - 1 - self->reply_len;
  gssize n =
    self->tls != NULL ? pr_bench_tls_recv (self->tls, data, room) : recv (self->fd, data, room, 0);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;
  if (n <= 0)
    {
      break_session (self, n == 0 ? "the server closed the connection" : g_strerror (errno));
      return FALSE;
    }
  self->reply_len += (gsize) n;
  self->reply[self->reply_len] = '\0';
  if (!take_replies (self))
    return FALSE;
  if (self->reply_len < MAX_REPLY - 1)
    return self->tls != NULL && self->state != STATE_SHAKING && pr_bench_tls_has_more (self->tls);
  break_session (self, "the reply is too long");
  return FALSE;
}

static void
on_readable (PrBenchSession *self)
{
  while (read_once (self))
    ;
}

/* --- public --- */

static void
start_session (PrBenchLoad *load, guint32 source, gboolean idle, gboolean stalled)
{
  PrBenchSession *self = g_new0 (PrBenchSession, 1);

  self->load = load;
  self->source = source;
  self->idle = idle;
  self->stalled = stalled;
  self->link.data = self;
  g_queue_push_tail_link (&load->sessions, &self->link);
  connect_session (self);
}

void
pr_bench_session_start (PrBenchLoad *load, guint32 source)
{
  start_session (load, source, FALSE, FALSE);
}

void
pr_bench_session_start_idle (PrBenchLoad *load, guint32 source)
{
  start_session (load, source, TRUE, FALSE);
}

void
pr_bench_session_start_stalled (PrBenchLoad *load, guint32 source)
{
  start_session (load, source, TRUE, TRUE);
}

void
pr_bench_session_end_all (PrBenchLoad *load)
{
  while (load->sessions.head != NULL)
    end_session (load->sessions.head->data);
}

void
pr_bench_session_on_event (PrBenchSession *self, guint32 events)
{
  if (self->state == STATE_STALLED)
    {
      stall_again (self);
      return;
    }
  if (self->state == STATE_SHAKING)
    {
      if (self->stalled)
        stall (self);
      else
        shake_hands (self);
      return;
    }
  if ((events & EPOLLOUT) != 0)
    {
      int fd = self->fd;
      int epoll_fd = self->load->epoll_fd;

      pr_bench_watch (epoll_fd, EPOLL_CTL_MOD, fd, EPOLLIN, self);
      if (!flush_parts (self))
        return;
    }
  if ((events & ~(guint32) EPOLLOUT) != 0)
    on_readable (self);
}
