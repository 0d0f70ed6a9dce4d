/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One client: octets between channel and session, a message between session and store.
 *
 *   channel ──octets──► session ──body──► intake ──put──► store
 *      ◄──replies──────────┘   ◄──verdict── on_stored ◄──commit──┘
 *
 * A listener with TLS looks at the first octet before it greets, for a client may begin TLS at
 * once:
 *
 *   LOOKING ──nothing, or plain text──► TALKING ──STARTTLS──► SECURING ──► TALKING, from the start
 *      └──ClientHello──► SECURING ──► TALKING
 *
 * The connection frees itself at the end of finish(); nothing touches it afterwards. */

#include <string.h>

#include "common/error.h"
#include "guard/access.h"
#include "guard/users.h"
#include "net/channel.h"
#include "server/connection.h"
#include "server/intake.h"

#define LINGER_MS 5000
#define HANDSHAKE_MS 15000
/* How long a client has to begin TLS before it is greeted in plain text. */
#define LOOK_NEAR_MS 25
#define LOOK_FAR_MS 100
/* A slow sender holds a session for hours inside any timeout that each octet restarts. */
#define RATE_WINDOW_MS 30000
#define MIN_RATE_OCTETS_PER_S 128
#define MESSAGE_DEADLINE_MS (2 * 60 * 60 * 1000)

typedef enum
{
  STAGE_LOOKING,  /* or shaking hands with one that began with TLS */
  STAGE_SECURING, /* by STARTTLS */
  STAGE_TALKING,
} Stage;

/* Outlives its connection when the client goes before the commit. */
typedef struct
{
  PrConnection *connection; /* borrowed, NULL when it has gone */
  PrServer *server;         /* borrowed */
  PrMessage *message;       /* owned */
  guint64 session;
  char *tls;    /* owned, nullable */
  gint64 event; /* id of the one that is written with it */
} Storing;

struct _PrConnection
{
  PrLive live; /* first: a PrLive of ours is a PrConnection */
  PrConnection *next, *prev;
  PrServer *server; /* borrowed */
  PrPort *port;     /* owned */
  PrChannel *channel;
  PrSession *session;
  PrIntake *intake; /* owned, while a message is coming in */
  Storing *storing; /* borrowed from the store's callback, while one is being committed */
  PrSignIn sign_in; /* while one is not answered */
  gboolean signing_in;
  PrIp ip;
  guint16 peer_port;
  char ip_text[PR_IP_TEXT_SIZE];
  Stage stage;
  PrSessionPhase phase;
  gboolean counted;            /* in the limits */
  gboolean trusted;            /* may relay without signing in */
  gboolean handshake_is_timed; /* found while looking, and still under way when that was over */
  gboolean told;               /* the refusal now being said has its event already */
  gboolean leaving;            /* shut down asked for while a commit is under way */
  gint64 message_start_ms;
  guint64 window_octets; /* octets in at the start of the rate window */
  guint n_messages;
  const char *ending; /* static, or words: how the conversation ended, for the journal */
  char *words;        /* owned, nullable */
  char *tls;          /* owned, nullable: version and cipher */
};

PrPort *
pr_port_new (PrConfig *config, const PrListenerConfig *listener)
{
  PrPort *self = g_new0 (PrPort, 1);

  g_ref_count_init (&self->refs);
  self->config = pr_config_ref (config);
  self->name = g_strdup (listener->name);
  self->listener = listener;
  self->options.hostname = config->hostname;
  self->options.max_message_size_octets = config->max_message_size_octets;
  self->options.max_recipients = config->max_recipients;
  self->options.legacy = listener->legacy;
  self->options.offers_tls = listener->tls == PR_TLS_STARTTLS || listener->tls == PR_TLS_REQUIRED;
  self->options.requires_tls = listener->tls == PR_TLS_REQUIRED;
  self->tls = listener->tls;

  return self;
}

PrPort *
pr_port_ref (PrPort *self)
{
  g_ref_count_inc (&self->refs);
  return self;
}

void
pr_port_unref (PrPort *self)
{
  if (!g_ref_count_dec (&self->refs))
    return;

  pr_config_unref (self->config);
  g_free (self->name);
  g_free (self);
}

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

static gboolean
may_relay (PrConnection *self)
{
  return self->trusted || pr_connection_get_user (self) != NULL;
}

/* NULL: nobody signed in, or the user is gone and the connection about to end. */
static const PrUserConfig *
get_user (PrConnection *self)
{
  const char *name = pr_connection_get_user (self);

  return name != NULL ? pr_users_find (self->server->config, name) : NULL;
}

static void
tell (PrConnection *self, PrEvent *event)
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

  tell (self, &(PrEvent){ .kind = PR_EVENT_DISCONNECTED, .text = self->ending });

  if (self->storing != NULL)
    self->storing->connection = NULL; /* the commit goes on: the message is ours all the same */
  if (self->counted)
    pr_limits_leave (server->limits, &self->ip);
  if (self->signing_in)
    pr_sign_in_cancel (&self->sign_in);
  g_clear_pointer (&self->session, pr_session_free);
  g_clear_pointer (&self->intake, pr_intake_free);
  pr_live_leave (&self->live);
  unlink_from_server (self);
  pr_port_unref (self->port);
  g_free (self->words);
  g_free (self->tls);
  g_free (self);

  pr_server_connection_ended (server);
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

/* What is shown to this client; NULL: TLS is off, or not available. */
static PrTlsServer *
get_tls (PrConnection *self)
{
  return self->port->tls == PR_TLS_OFF
           ? NULL
           : pr_certificates_get (self->server->certificates, self->port->name);
}

static void
begin_tls (PrConnection *self)
{
  self->stage = STAGE_SECURING;
  pr_channel_set_deadline (self->channel, HANDSHAKE_MS);
  pr_channel_start_tls_server (self->channel, get_tls (self));
}

/* Writes what the session said and follows it. FALSE: the connection is gone. */
static gboolean
settle (PrConnection *self, GString *out)
{
  gboolean answered = out->len > 0;

  if (answered)
    pr_channel_write (self->channel, out->str, out->len);

  if (pr_session_get_phase (self->session) == PR_SESSION_CLOSING)
    {
      pr_channel_finish (g_steal_pointer (&self->channel), LINGER_MS);
      finish (self);
      return FALSE;
    }

  if (pr_session_get_phase (self->session) == PR_SESSION_SECURING)
    {
      begin_tls (self);
      return TRUE;
    }

  /* A client that has closed its sending half early still hears the answer. */
  if (pr_session_get_phase (self->session) == PR_SESSION_PENDING)
    pr_channel_pause (self->channel);
  set_deadline (self, answered);
  return TRUE;
}

/* ── The session asks ─────────────────────────────────────────────────────────────────────── */

static void
on_trace (gpointer owner, gboolean outgoing, const char *line, gsize len)
{
  PrConnection *self = owner;

  pr_transcript_add (&self->live.transcript, outgoing, line, len);

  /* Every refusal passes here, the session's own included: one place for the event. */
  if (outgoing && len > 4 && (line[0] == '4' || line[0] == '5') && line[3] == ' ')
    {
      if (!self->told)
        {
          g_autofree char *text = g_strndup (line + 4, len - 4);

          tell (self, &(PrEvent){ .kind = PR_EVENT_REFUSED,
                                  .code = (guint) g_ascii_strtoull (line, NULL, 10),
                                  .text = text });
        }
      self->told = FALSE;
    }
}

/* A refusal whose sender or recipient is known here and nowhere else. */
static PrVerdict
refuse (PrConnection *self, PrVerdict verdict, const char *sender, const char *recipient)
{
  if (verdict.kind == PR_VERDICT_REFUSE || verdict.kind == PR_VERDICT_CLOSE)
    {
      g_autofree char *text = g_strconcat (verdict.enhanced, " ", verdict.text, NULL);

      tell (self, &(PrEvent){ .kind = PR_EVENT_REFUSED,
                              .sender = sender,
                              .address = recipient,
                              .code = verdict.code,
                              .text = text });
      self->told = TRUE;
    }

  return verdict;
}

/* The first who is refused for want of space, and the first who is not again, leave an event. */
static void
note_space (PrServer *server, gboolean low)
{
  if (server->space_low == low)
    return;

  server->space_low = low;
  pr_journal_add (server->world.journal,
                  &(PrEvent){ .kind = low ? PR_EVENT_SPACE_LOW : PR_EVENT_SPACE_OK,
                              .text = low ? "No mail is taken until there is room on the disk"
                                          : "There is room on the disk again" });
}

static gboolean
has_space (PrConnection *self, guint64 for_octets)
{
  PrServer *server = self->server;
  guint64 free_octets = pr_store_get_free_space (server->world.store);
  guint64 reserve_octets = server->config->min_free_space_octets;

  note_space (server, free_octets < reserve_octets);

  return free_octets >= reserve_octets && free_octets - reserve_octets >= for_octets;
}

#define NO_SPACE PR_REFUSE (452, "4.3.1", "The disk of this relay is nearly full; try again later")

static PrVerdict
on_mail (gpointer owner, const PrEnvelope *envelope)
{
  PrConnection *self = owner;
  PrServer *server = self->server;
  const PrUserConfig *user = get_user (self);
  PrVerdict verdict;

  if (user == NULL && self->port->listener->auth == PR_AUTH_REQUIRED)
    verdict = PR_REFUSE (530, "5.7.0", "Sign in first; this relay takes no mail from strangers");
  else if (server->paused)
    verdict = PR_REFUSE (451, "4.3.2", "Receiving is paused on this relay; try again later");
  else if (!has_space (self, envelope->declared_size_octets))
    verdict = NO_SPACE;
  else
    verdict = pr_access_check_sender (server->config, envelope->sender);
  if (verdict.kind == PR_VERDICT_ACCEPT && user != NULL)
    verdict = pr_users_check_sender (user, envelope->sender);

  return refuse (self, verdict, envelope->sender, NULL);
}

static PrVerdict
on_rcpt (gpointer owner, const PrEnvelope *envelope, const PrRecipient *recipient)
{
  PrConnection *self = owner;
  PrVerdict verdict =
    pr_access_check_recipient (self->server->config, may_relay (self), recipient->address);

  return refuse (self, verdict, envelope->sender, recipient->address);
}

/* RFC 3848 and RFC 6531 §4.3 */
static const char *
protocol_name (PrConnection *self, const PrEnvelope *envelope)
{
  static const char *const names[2][4] = {
    { "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" },
    { "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" },
  };
  guint secure = pr_channel_is_secure (self->channel) ? 1 : 0;
  guint signed_in = pr_connection_get_user (self) != NULL ? 2 : 0;

  /* There are no names for HELO with either; then it is as good as EHLO. */
  if (!pr_session_is_extended (self->session) && secure + signed_in == 0)
    return "SMTP";

  return names[envelope->smtputf8 ? 1 : 0][secure + signed_in];
}

static void
on_spool_writable (gpointer user_data)
{
  PrConnection *self = user_data;

  pr_channel_resume (self->channel); /* may end the connection */
}

static PrVerdict
on_data (gpointer owner, const PrEnvelope *envelope)
{
  PrConnection *self = owner;
  const PrUserConfig *user = get_user (self);
  const PrTlsFacts *tls = pr_channel_get_tls (self->channel);
  PrIntakeFacts facts = {
    .hostname = self->port->config->hostname,
    .helo = pr_session_get_helo (self->session),
    .client = self->ip_text,
    .protocol = protocol_name (self, envelope),
    .tls_version = tls != NULL ? tls->version : NULL,
    .tls_cipher = tls != NULL ? tls->cipher : NULL,
    .envelope = envelope,
    .complete = may_relay (self),
    .keeps_header = user != NULL && !pr_users_may_send_as_anybody (user),
  };

  if (!has_space (self, envelope->declared_size_octets))
    return refuse (self, NO_SPACE, envelope->sender, NULL);

  self->intake = pr_intake_new (self->server->world.store, &facts, on_spool_writable, self);
  return PR_ACCEPT;
}

static void
on_body (gpointer owner, const char *data, gsize len)
{
  PrConnection *self = owner;

  if (!pr_intake_append (self->intake, data, len))
    pr_channel_pause (self->channel);
}

static void
on_abandon (gpointer owner)
{
  PrConnection *self = owner;

  g_clear_pointer (&self->intake, pr_intake_free);
}

/* The session's answer to a commit. */
static void
answer (PrConnection *self, PrVerdict verdict)
{
  GString *out = g_string_new (NULL);

  pr_session_resume (self->session, verdict, out);
  if (self->leaving)
    pr_session_shut_down (self->session, "4.3.2", "Postroom is stopping; try again later", out);
  if (settle (self, out))
    pr_channel_resume (self->channel); /* offers what came meanwhile; may end the connection */
  g_string_free (out, TRUE);
}

static PrEvent
accepted_event (const Storing *storing)
{
  const PrMessage *message = storing->message;

  return (PrEvent){
    .id = storing->event,
    .kind = PR_EVENT_ACCEPTED,
    .time_us = message->received_us,
    .message = message->id,
    .session = storing->session,
    .peer = message->client,
    .sender = message->envelope->sender,
    .address = pr_envelope_recipient (message->envelope, 0)->address,
    .size_octets = message->size_octets,
    .tls = storing->tls,
  };
}

static void
on_stored (const GError *error, gpointer user_data)
{
  Storing *storing = user_data;
  PrServer *server = storing->server;
  PrConnection *self = storing->connection;
  char id[PR_ID_LEN + 1];
  char text[64];

  if (error == NULL)
    {
      PrEvent event = accepted_event (storing);

      server->store_fails = FALSE;
      server->counts.n_messages++;
      pr_journal_tell (server->world.journal, &event);
      server->world.accepted (storing->message, server->world.user_data);
    }
  else
    {
      server->counts.n_refused_messages++;
      if (!server->store_fails)
        g_warning ("Messages cannot be stored, clients are asked to come again: %s",
                   error->message);
      server->store_fails = TRUE;
    }

  g_snprintf (text, sizeof text, "Accepted, safe on disk as %s",
              pr_id_format (storing->message->id, id));
  pr_message_unref (storing->message);
  g_free (storing->tls);
  g_free (storing);

  if (self == NULL)
    return;

  self->storing = NULL;
  if (error == NULL)
    self->n_messages++;
  answer (self, error == NULL
                  ? (PrVerdict){ .kind = PR_VERDICT_ACCEPT, .enhanced = "2.6.0", .text = text }
                  : PR_REFUSE (452, "4.3.1", "The message could not be stored; try again later"));
}

static PrVerdict
check_authors (PrConnection *self)
{
  const PrUserConfig *user = get_user (self);
  gsize len;
  const char *header = pr_intake_get_header (self->intake, &len);

  return user != NULL && header != NULL ? pr_users_check_authors (user, header, len) : PR_ACCEPT;
}

static PrVerdict
on_end (gpointer owner, PrEnvelope *envelope)
{
  PrConnection *self = owner;
  PrVerdict verdict = check_authors (self);
  PrEvent event;

  if (verdict.kind != PR_VERDICT_ACCEPT)
    ;
  else if (pr_intake_get_n_received (self->intake) > PR_MAX_RECEIVED)
    verdict =
      PR_REFUSE (554, "5.4.6", "The message goes round in circles: too many Received fields");
  else if (!has_space (self, 0))
    verdict = NO_SPACE;

  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      self->server->counts.n_refused_messages++;
      refuse (self, verdict, envelope->sender, NULL);
      g_clear_pointer (&self->intake, pr_intake_free);
      pr_envelope_free (envelope);
      return verdict;
    }

  self->storing = g_new0 (Storing, 1);
  self->storing->connection = self;
  self->storing->server = self->server;
  self->storing->session = self->live.id;
  self->storing->tls = g_strdup (self->tls);
  self->storing->message = pr_intake_finish (g_steal_pointer (&self->intake), envelope);
  self->storing->message->client = g_strdup (self->ip_text);
  self->storing->message->user = g_strdup (pr_connection_get_user (self));
  self->server->world.arriving (self->storing->message, self->server->world.user_data);
  event = accepted_event (self->storing);
  self->storing->event = pr_store_put (self->server->world.store, self->storing->message, &event,
                                       on_stored, self->storing);

  return PR_PENDING;
}

static PrAuthOffer
on_auth_offer (gpointer owner)
{
  PrConnection *self = owner;
  gboolean secure = pr_channel_is_secure (self->channel);
  PrUserPath path = { .client = &self->ip, .is_secure = secure, .has_binding = secure };

  return pr_users_get_offer (self->server->config, self->port->listener, &path);
}

static char *
on_find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user)
{
  PrConnection *self = owner;

  return pr_users_find_secret (self->server->config, pr_sign_ins_get_key (self->server->sign_ins),
                               mechanism, user);
}

static GBytes *
on_get_binding (gpointer owner, const char *type)
{
  PrConnection *self = owner;

  return pr_channel_is_secure (self->channel) ? pr_channel_get_binding (self->channel, type) : NULL;
}

static void
on_signed_in (gpointer user_data, PrVerdict verdict)
{
  PrConnection *self = user_data;

  self->signing_in = FALSE;
  self->told = verdict.kind != PR_VERDICT_ACCEPT;
  answer (self, verdict);
}

static PrVerdict
on_auth (gpointer owner, const char *user, PrSaslCheck *check, gboolean is_proven)
{
  PrConnection *self = owner;
  PrVerdict verdict = pr_sign_in_begin (&self->sign_in, self->server->sign_ins, &self->ip,
                                        self->live.id, user, check, is_proven, on_signed_in, self);

  self->signing_in = verdict.kind == PR_VERDICT_PENDING;
  return verdict;
}

static gboolean
on_starttls (gpointer owner)
{
  return get_tls (owner) != NULL;
}

static const PrSessionHandler session_handler = {
  .mail = on_mail,
  .rcpt = on_rcpt,
  .data = on_data,
  .body = on_body,
  .end = on_end,
  .abandon = on_abandon,
  .auth_offer = on_auth_offer,
  .find_secret = on_find_secret,
  .get_binding = on_get_binding,
  .auth = on_auth,
  .trace = on_trace,
  .starttls = on_starttls,
};

/* ── How it begins ────────────────────────────────────────────────────────────────────────── */

static void
greet (PrConnection *self, PrVerdict verdict)
{
  g_autoptr (GString) out = g_string_sized_new (128);

  self->stage = STAGE_TALKING;
  pr_session_greet (self->session, verdict, out);
  settle (self, out);
}

/* What the client said in plain text does not count any more (RFC 3207 §4.2). */
static void
begin_again (PrConnection *self)
{
  g_autoptr (GString) out = g_string_new (NULL);

  g_clear_pointer (&self->session, pr_session_free);
  self->session = pr_session_new (&self->port->options, &session_handler, self);
  pr_session_set_secure (self->session);
  self->stage = STAGE_TALKING;
  self->phase = PR_SESSION_CLOSING; /* as at the start: the deadline is another now */
  settle (self, out);
}

static void
on_secured (gpointer owner)
{
  PrConnection *self = owner;
  g_autofree char *line = NULL;

  self->tls = g_strdup (pr_channel_get_tls (self->channel)->text);
  line = g_strdup_printf ("(%s)", self->tls);
  pr_transcript_add (&self->live.transcript, TRUE, line, strlen (line));

  if (self->stage == STAGE_SECURING)
    begin_again (self);
  else
    {
      pr_session_set_secure (self->session);
      greet (self, PR_ACCEPT);
    }
}

static void
begin_looking (PrConnection *self, PrTlsServer *tls)
{
  gboolean implicit = self->port->tls == PR_TLS_IMPLICIT;
  guint delay_ms = pr_ip_is_loopback (&self->ip) ? LOOK_NEAR_MS : LOOK_FAR_MS;

  self->stage = STAGE_LOOKING;
  pr_channel_detect_tls (self->channel, tls, implicit);
  pr_channel_set_deadline (self->channel, implicit ? HANDSHAKE_MS : delay_ms);
}

/* The time to look is over. TRUE: the connection goes on. */
static gboolean
look_no_longer (PrConnection *self)
{
  if (self->port->tls == PR_TLS_IMPLICIT || self->handshake_is_timed)
    return FALSE;

  if (pr_channel_is_securing (self->channel))
    {
      self->handshake_is_timed = TRUE;
      pr_channel_set_deadline (self->channel, HANDSHAKE_MS);
    }
  else
    {
      pr_channel_detect_tls (self->channel, NULL, FALSE);
      greet (self, PR_ACCEPT);
    }
  return TRUE;
}

/* ── The channel tells ────────────────────────────────────────────────────────────────────── */

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  PrConnection *self = owner;
  GString *out;
  gsize taken;

  if (self->stage == STAGE_LOOKING) /* plain text, before it was greeted */
    greet (self, PR_ACCEPT);

  out = g_string_sized_new (256);
  taken = pr_session_feed (self->session, data, len, out);
  settle (self, out);
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

  if (self->stage == STAGE_LOOKING && look_no_longer (self))
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
  .secured = on_secured,
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
    .state = self->signing_in               ? "signing in"
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
  settle (self, out);
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
  self->ending = "Done";
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
  self->session = pr_session_new (&port->options, &session_handler, self);
  self->phase = PR_SESSION_CLOSING; /* none yet: the first settle sets the deadline */
  tell (self, &(PrEvent){ .kind = PR_EVENT_CONNECTED, .text = port->name });

  verdict = refuse (self, greeting (self), NULL, NULL);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      server->counts.n_refused_connections++;
      self->ending = "Refused";
    }
  tls = get_tls (self);
  if (verdict.kind == PR_VERDICT_ACCEPT && tls != NULL)
    begin_looking (self, tls);
  else if (port->tls != PR_TLS_IMPLICIT)
    greet (self, verdict);
  else
    end_at_once (self, verdict.kind == PR_VERDICT_ACCEPT
                         ? "There is no certificate for this port to begin TLS with"
                         : self->ending);
}
