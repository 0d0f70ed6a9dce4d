/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One client: octets between channel and session, a message between session and store.
 *
 *   channel ──octets──► session ──body──► intake ──put──► store
 *      ◄──replies──────────┘   ◄──verdict── on_stored ◄──commit──┘
 *
 * The connection frees itself at the end of finish(); nothing touches it afterwards. */

#include "common/error.h"
#include "guard/access.h"
#include "guard/users.h"
#include "server/connection-private.h"

#define DONE "Done"       /* as asked: words of endings are for people */
#define REFUSED "Refused" /* before it said a word */
#define LINGER_MS 5000
/* A slow sender holds a session for hours inside any timeout that each octet restarts. */
#define RATE_WINDOW_MS 30000
#define MIN_RATE_OCTETS_PER_S 128
#define MESSAGE_DEADLINE_MS (2 * 60 * 60 * 1000)

PrConnection *
pr_connection_get_next (PrConnection *self)
{
  return self->next;
}

const char *
pr_connection_get_user (PrConnection *self)
{
  return pr_session_get_user (self->session);
}

/* NULL: nobody signed in, or the user is gone and the connection about to end. */
const PrUserConfig *
pr_connection_find_user (PrConnection *self)
{
  const char *name = pr_connection_get_user (self);

  return name != NULL ? pr_users_find (self->server->config, name) : NULL;
}

void
pr_connection_tell (PrConnection *self, PrEvent *event)
{
  event->session = self->live.id;
  event->peer = self->ip_text;
  event->tls = self->tls;
  pr_journal_add (self->server->world.journal, event);
}

static void
unlink_from_server (PrConnection *self)
{
  if (self->next != NULL)
    self->next->prev = self->prev;
  if (self->prev != NULL)
    self->prev->next = self->next;
  else
    self->server->first = self->next;
}

/* The end of a connection; the channel was freed or finished by the caller. */
static void
finish (PrConnection *self)
{
  PrServer *server = self->server;

  pr_connection_tell (self, &(PrEvent){ .kind = PR_EVENT_DISCONNECTED, .text = self->ending });

  if (self->storing != NULL)
    self->storing->connection = NULL; /* the commit goes on: the message is ours all the same */
  if (self->counted)
    pr_limits_leave (server->limits, &self->ip);
  if (self->signing_in)
    pr_sign_in_cancel (&self->sign_in);
  g_clear_pointer (&self->session, pr_session_free);
  g_clear_pointer (&self->intake, pr_intake_free);
  pr_connection_drop_inspection (self);
  pr_live_leave (&self->live);
  unlink_from_server (self);
  pr_port_unref (self->port);
  g_free (self->words);
  g_free (self->reply);
  g_free (self->tls);
  g_free (self);
}

static void
end_at_once (PrConnection *self, const char *ending)
{
  self->ending = ending;
  g_clear_pointer (&self->channel, pr_channel_free);
  finish (self);
}

void
pr_connection_abort (PrConnection *self)
{
  end_at_once (self, "Postroom stopped");
}

/* ── Deadlines ────────────────────────────────────────────────────────────────────────────── */

static void
start_rate_window (PrConnection *self)
{
  self->window_octets = pr_channel_get_octets_in (self->channel);
  pr_channel_set_deadline (self->channel, RATE_WINDOW_MS);
}

/* One deadline for each command from its beginning, so that a client cannot stretch it octet by
 * octet: it is only set again when something was answered. */
static void
set_deadline (PrConnection *self, gboolean answered)
{
  PrSessionPhase phase = pr_session_get_phase (self->session);

  if (phase == self->phase && !answered)
    return;

  self->phase = phase;
  switch (phase)
    {
    case PR_SESSION_COMMAND:
      pr_channel_set_deadline (self->channel, self->port->config->idle_timeout_s * 1000);
      break;
    case PR_SESSION_DATA:
      self->message_start_ms = pr_loop_now_ms (self->server->world.loop);
      start_rate_window (self);
      break;
    case PR_SESSION_PENDING:
    case PR_SESSION_CLOSING:
    case PR_SESSION_SECURING:
    default: pr_channel_set_deadline (self->channel, 0);
    }
}

/* The session closes: it was asked to (QUIT, 221), or its last reply says why. */
static void
note_ending (PrConnection *self, const GString *out)
{
  g_auto (GStrv) lines = NULL;
  guint n;

  if (!g_str_equal (self->ending, DONE) && !g_str_equal (self->ending, REFUSED))
    return;

  lines = g_strsplit (out->str, "\r\n", -1);
  n = g_strv_length (lines);
  if (n < 2 || g_str_has_prefix (lines[n - 2], "221 "))
    return;

  g_free (self->words);
  self->words = g_strdup_printf (
    "%s: %s", g_str_equal (self->ending, DONE) ? "Ended by Postroom" : REFUSED, lines[n - 2]);
  self->ending = self->words;
}

/* Writes what the session said and follows it. FALSE: the connection is gone. */
gboolean
pr_connection_settle (PrConnection *self, GString *out)
{
  gboolean answered = out->len > 0;

  if (answered)
    pr_channel_write (self->channel, out->str, out->len);

  if (pr_session_get_phase (self->session) == PR_SESSION_CLOSING)
    {
      note_ending (self, out);
      pr_channel_finish (g_steal_pointer (&self->channel), LINGER_MS);
      finish (self);
      return FALSE;
    }

  if (pr_session_get_phase (self->session) == PR_SESSION_SECURING)
    {
      pr_connection_begin_tls (self);
      return TRUE;
    }

  /* A client that has closed its sending half early still hears the answer. */
  if (pr_session_get_phase (self->session) == PR_SESSION_PENDING)
    pr_channel_pause (self->channel);
  set_deadline (self, answered);
  return TRUE;
}

/* The session's answer to a commit. */
void
pr_connection_answer (PrConnection *self, PrVerdict verdict)
{
  GString *out = g_string_new (NULL);

  pr_session_resume (self->session, verdict, out);
  if (self->leaving)
    pr_session_shut_down (self->session, "4.3.2", "Postroom is stopping; try again later", out);
  if (pr_connection_settle (self, out))
    pr_channel_resume (self->channel); /* offers what came meanwhile; may end the connection */
  g_string_free (out, TRUE);
}

void
pr_connection_greet (PrConnection *self, PrVerdict verdict)
{
  g_autoptr (GString) out = g_string_sized_new (128);

  self->stage = STAGE_TALKING;
  pr_session_greet (self->session, verdict, out);
  pr_connection_settle (self, out);
}

/* ── The channel tells ────────────────────────────────────────────────────────────────────── */

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  PrConnection *self = owner;
  GString *out;
  gsize taken;

  if (self->stage == STAGE_LOOKING) /* plain text, before it was greeted */
    pr_connection_greet (self, PR_ACCEPT);

  out = g_string_sized_new (256);
  taken = pr_session_feed (self->session, data, len, out);
  pr_connection_settle (self, out);
  g_string_free (out, TRUE);

  return taken;
}

static void
on_closed (gpointer owner, const GError *error)
{
  PrConnection *self = owner;

  /* Postfix and its like close without QUIT when idle: worth a word only inside a message. */
  if (self->phase == PR_SESSION_DATA)
    self->ending = "The client gave up in the middle of a message; nothing was accepted";
  else if (self->phase == PR_SESSION_PENDING)
    self->ending = "The client left before it was answered";
  else if (error != NULL && (error->code == PR_ERROR_TLS || error->code == PR_ERROR_PROTOCOL))
    self->ending = self->words = g_strdup_printf ("Encryption failed: %s", error->message);
  else if (error != NULL)
    self->ending = "The connection broke";

  g_clear_pointer (&self->channel, pr_channel_free);
  finish (self);
}

static void
on_timed_out (gpointer owner)
{
  PrConnection *self = owner;
  PrLoop *loop = self->server->world.loop;
  guint64 octets;

  if (self->stage == STAGE_LOOKING && pr_connection_look_no_longer (self))
    return;
  if (self->stage != STAGE_TALKING)
    {
      end_at_once (self, "Encryption failed: the client did not finish its handshake in time");
      return;
    }
  if (self->phase != PR_SESSION_DATA)
    {
      self->ending = "The client was silent for too long";
      pr_connection_shut_down (self, "4.4.2", "Nothing came for too long; closing");
      return;
    }

  octets = pr_channel_get_octets_in (self->channel) - self->window_octets;
  if (pr_loop_now_ms (loop) - self->message_start_ms >= MESSAGE_DEADLINE_MS ||
      octets < (guint64) MIN_RATE_OCTETS_PER_S * RATE_WINDOW_MS / 1000)
    {
      self->ending = "The client sent its message too slowly";
      pr_connection_shut_down (self, "4.4.2", "The message comes too slowly; closing");
      return;
    }

  start_rate_window (self);
}

static const PrChannelHandler channel_handler = {
  .received = on_received,
  .closed = on_closed,
  .timed_out = on_timed_out,
  .secured = pr_connection_on_secured,
};

/* ── People look ──────────────────────────────────────────────────────────────────────────── */

static void
describe (PrLive *live, PrLiveFacts *out)
{
  static const char *const words[] = {
    [PR_SESSION_COMMAND] = "waiting for a command", [PR_SESSION_DATA] = "reading a message",
    [PR_SESSION_PENDING] = "storing a message",     [PR_SESSION_CLOSING] = "closing",
    [PR_SESSION_SECURING] = "beginning encryption",
  };
  PrConnection *self = (PrConnection *) live;

  *out = (PrLiveFacts){
    .peer = self->ip_text,
    .state = self->signing_in ? "signing in"
             : self->stage == STAGE_TALKING && self->inspection != NULL &&
                 pr_session_get_phase (self->session) == PR_SESSION_PENDING
               ? "being checked"
             : self->stage != STAGE_TALKING ? words[PR_SESSION_SECURING]
                                            : words[pr_session_get_phase (self->session)],
    .user = pr_connection_get_user (self),
    .tls = self->tls,
    .name = pr_session_get_helo (self->session),
    .listener = self->port->name,
    .octets_in = pr_channel_get_octets_in (self->channel),
    .octets_out = pr_channel_get_octets_out (self->channel),
    .n_messages = self->n_messages,
  };
}

static void
disconnect (PrLive *live)
{
  PrConnection *self = (PrConnection *) live;

  self->ending = "Disconnected by hand";
  pr_connection_shut_down (self, "4.3.2", "Disconnected by the administrator");
}

void
pr_connection_shut_down (PrConnection *self, const char *enhanced, const char *text)
{
  g_autoptr (GString) out = NULL;

  if (self->storing != NULL)
    {
      self->leaving = TRUE; /* its true answer comes first */
      return;
    }

  if (pr_channel_is_securing (self->channel) ||
      (self->stage == STAGE_LOOKING && self->port->tls == PR_TLS_IMPLICIT))
    {
      end_at_once (self, self->ending); /* there is no way to say it */
      return;
    }

  self->stage = STAGE_TALKING;
  out = g_string_new (NULL);
  pr_session_shut_down (self->session, enhanced, text, out);
  pr_connection_settle (self, out);
}

static PrVerdict
greeting (PrConnection *self)
{
  PrServer *server = self->server;
  PrVerdict verdict = pr_access_check_client (server->config, &self->ip);

  if (verdict.kind == PR_VERDICT_ACCEPT && server->paused)
    verdict = PR_CLOSE (421, "4.3.2", "Receiving is paused on this relay; try again later");
  if (verdict.kind == PR_VERDICT_ACCEPT)
    verdict = pr_sign_ins_check_client (server->sign_ins, &self->ip);
  if (verdict.kind == PR_VERDICT_ACCEPT)
    verdict = pr_limits_enter (server->limits, &self->ip);
  self->counted = verdict.kind == PR_VERDICT_ACCEPT && server->limits != NULL;

  return verdict;
}

void
pr_connection_start (PrServer *server, PrPort *port, int fd, const PrIp *peer, guint16 peer_port)
{
  PrConnection *self = g_new0 (PrConnection, 1);
  PrTlsServer *tls;
  PrVerdict verdict;

  self->server = server;
  self->port = pr_port_ref (port);
  self->ip = *peer;
  self->peer_port = peer_port;
  self->ending = DONE;
  pr_ip_format (peer, self->ip_text);
  self->trusted = pr_access_may_relay (server->config, peer);
  self->next = server->first;
  if (self->next != NULL)
    self->next->prev = self;
  server->first = self;
  server->counts.n_connections++;

  self->live.describe = describe;
  self->live.disconnect = disconnect;
  pr_live_enter (&self->live, server->world.lives);
  self->channel = pr_channel_new_accepted (server->world.loop, fd, &channel_handler, self);
  self->session = pr_session_new (&port->options, &pr_connection_session_handler, self);
  self->phase = PR_SESSION_CLOSING; /* none yet: the first settle sets the deadline */
  pr_connection_tell (self, &(PrEvent){ .kind = PR_EVENT_CONNECTED, .text = port->name });

  verdict = pr_connection_refuse (self, greeting (self), NULL, NULL);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      server->counts.n_refused_connections++;
      self->ending = REFUSED;
    }
  tls = pr_connection_get_tls (self);
  if (verdict.kind == PR_VERDICT_ACCEPT && tls != NULL)
    pr_connection_look (self, tls);
  else if (port->tls != PR_TLS_IMPLICIT)
    pr_connection_greet (self, verdict);
  else
    end_at_once (self, verdict.kind == PR_VERDICT_ACCEPT
                         ? "There is no certificate for this port to begin TLS with"
                         : self->ending);
}
