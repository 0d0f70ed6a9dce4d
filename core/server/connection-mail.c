/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages: who may send what to whom, the body on its way to the store, and the answer once it is
 * safe. What the session asks of its connection is answered here, or in connection-entry.c. */

#include "common/error.h"
#include "guard/access.h"
#include "guard/users.h"
#include "server/connection-private.h"

static gboolean
may_relay (PrConnection *self)
{
  return self->trusted || pr_connection_get_user (self) != NULL;
}

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

          pr_connection_tell (self, &(PrEvent){ .kind = PR_EVENT_REFUSED,
                                                .code = (guint) g_ascii_strtoull (line, NULL, 10),
                                                .text = text });
        }
      self->told = FALSE;
    }
}

/* A refusal whose sender or recipient is known here and nowhere else. */
PrVerdict
pr_connection_refuse (PrConnection *self, PrVerdict verdict, const char *sender,
                      const char *recipient)
{
  if (verdict.kind == PR_VERDICT_REFUSE || verdict.kind == PR_VERDICT_CLOSE)
    {
      g_autofree char *text = g_strconcat (verdict.enhanced, " ", verdict.text, NULL);

      pr_connection_tell (self, &(PrEvent){ .kind = PR_EVENT_REFUSED,
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
  const PrUserConfig *user = pr_connection_find_user (self);
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

  return pr_connection_refuse (self, verdict, envelope->sender, NULL);
}

static PrVerdict
on_rcpt (gpointer owner, const PrEnvelope *envelope, const PrRecipient *recipient)
{
  PrConnection *self = owner;
  PrVerdict verdict =
    pr_access_check_recipient (self->server->config, may_relay (self), recipient->address);

  return pr_connection_refuse (self, verdict, envelope->sender, recipient->address);
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

static void
open_intake (PrConnection *self, const PrEnvelope *envelope)
{
  const PrUserConfig *user = pr_connection_find_user (self);
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
    .inspection = self->inspection,
  };

  self->intake = pr_intake_new (self->server->world.store, &facts, on_spool_writable, self);
}

void
pr_connection_drop_inspection (PrConnection *self)
{
  g_clear_pointer (&self->inspection, pr_inspection_free);
  g_clear_pointer (&self->inspected, pr_envelope_free);
}

/* The inspection has said its last word: what it said outlives it. */
static PrVerdict
dismiss_inspection (PrConnection *self, PrVerdict verdict)
{
  g_free (self->reply);
  self->reply = g_strdup (verdict.text);
  verdict.text = self->reply;
  pr_connection_drop_inspection (self);

  return verdict;
}

/* What the client is gives @verdict; ACCEPT opens the message. */
static PrVerdict
begin_message (PrConnection *self, PrVerdict verdict)
{
  if (verdict.kind == PR_VERDICT_ACCEPT)
    open_intake (self, self->envelope);
  else if (verdict.kind == PR_VERDICT_REFUSE)
    verdict = dismiss_inspection (self, verdict);

  return pr_connection_refuse (self, verdict, self->envelope->sender, NULL);
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
  pr_connection_drop_inspection (self);
}

static PrEvent
accepted_event (const PrStoring *storing)
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
  PrStoring *storing = user_data;
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
  pr_connection_answer (
    self, error == NULL
            ? (PrVerdict){ .kind = PR_VERDICT_ACCEPT, .enhanced = "2.6.0", .text = text }
            : PR_REFUSE (452, "4.3.1", "The message could not be stored; try again later"));
}

static PrVerdict
check_authors (PrConnection *self)
{
  const PrUserConfig *user = pr_connection_find_user (self);
  gsize len;
  const char *header = pr_intake_get_header (self->intake, &len);

  return user != NULL && header != NULL ? pr_users_check_authors (user, header, len) : PR_ACCEPT;
}

/* Everybody who is to get it waits until a person has looked. */
static void
hold (PrMessage *message, const char *words)
{
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    {
      message->progress[i].state = PR_RECIPIENT_HELD;
      g_free (message->progress[i].last_reply);
      message->progress[i].last_reply = g_strdup (words);
    }
}

/* @envelope: (transfer full). */
static PrVerdict
store (PrConnection *self, PrEnvelope *envelope, const char *held_because)
{
  PrStoring *storing = g_new0 (PrStoring, 1);
  PrEvent event;

  self->storing = storing;
  storing->connection = self;
  storing->server = self->server;
  storing->session = self->live.id;
  storing->tls = g_strdup (self->tls);
  storing->message = pr_intake_finish (g_steal_pointer (&self->intake), envelope);
  storing->message->client = g_strdup (self->ip_text);
  storing->message->user = g_strdup (pr_connection_get_user (self));
  self->server->world.arriving (storing->message, self->server->world.user_data);
  if (held_because != NULL)
    hold (storing->message, held_because);
  event = accepted_event (storing);
  storing->event =
    pr_store_put (self->server->world.store, storing->message, &event, on_stored, storing);

  return PR_PENDING;
}

/* @envelope: (transfer full). */
static PrVerdict
refuse_message (PrConnection *self, PrEnvelope *envelope, PrVerdict verdict)
{
  self->server->counts.n_refused_messages++;
  pr_connection_refuse (self, verdict, envelope->sender, NULL);
  g_clear_pointer (&self->intake, pr_intake_free);
  pr_envelope_free (envelope);

  return verdict;
}

static PrVerdict
check_message (PrConnection *self)
{
  PrVerdict verdict = check_authors (self);

  if (verdict.kind != PR_VERDICT_ACCEPT)
    return verdict;
  if (pr_intake_get_n_received (self->intake) > PR_MAX_RECEIVED)
    return PR_REFUSE (554, "5.4.6", "The message goes round in circles: too many Received fields");
  if (pr_intake_is_obscure (self->intake))
    return PR_REFUSE (552, "5.3.4", "The header of the message is too long to be checked");

  return has_space (self, 0) ? PR_ACCEPT : NO_SPACE;
}

/* What the inspection found is said in the log, and on top of the message. */
static void
tell_findings (PrConnection *self, const PrEnvelope *envelope)
{
  g_autofree char *field = pr_inspection_format_results (self->inspection);
  const char *words = pr_inspection_get_words (self->inspection);

  pr_intake_set_results (self->intake, field);
  if (words != NULL)
    pr_connection_tell (self, &(PrEvent){ .kind = PR_EVENT_CHECKED,
                                          .message = pr_intake_get_id (self->intake),
                                          .sender = envelope->sender,
                                          .text = words });
}

/* The verdict about a whole message. */
static PrVerdict
conclude (PrConnection *self, PrVerdict verdict)
{
  PrEnvelope *envelope = g_steal_pointer (&self->inspected);
  PrVerdict answer;

  tell_findings (self, envelope);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    {
      g_clear_pointer (&self->intake, pr_intake_free); /* it looks at the inspection */
      return refuse_message (self, envelope, dismiss_inspection (self, verdict));
    }

  answer = store (self, envelope, pr_inspection_get_hold (self->inspection));
  pr_connection_drop_inspection (self);
  return answer;
}

static void
on_inspected (PrVerdict verdict, gpointer user_data)
{
  PrConnection *self = user_data;

  if (self->inspected != NULL)
    verdict = conclude (self, verdict);
  else
    verdict = begin_message (self, verdict);
  if (verdict.kind != PR_VERDICT_PENDING)
    pr_connection_answer (self, verdict);
}

static PrVerdict
on_data (gpointer owner, const PrEnvelope *envelope)
{
  PrConnection *self = owner;
  PrServer *server = self->server;

  if (!has_space (self, envelope->declared_size_octets))
    return pr_connection_refuse (self, NO_SPACE, envelope->sender, NULL);

  pr_connection_drop_inspection (self);
  self->envelope = envelope;
  if (may_relay (self) || !pr_inspection_is_due (server->config, &self->ip))
    return begin_message (self, PR_ACCEPT);

  self->inspection =
    pr_inspection_new (&(PrInspectionFacts){ .loop = server->world.loop,
                                             .resolver = server->resolver,
                                             .config = server->config,
                                             .client = &self->ip,
                                             .hostname = self->port->config->hostname,
                                             .helo = pr_session_get_helo (self->session),
                                             .sender = envelope->sender },
                       on_inspected, self);
  return begin_message (self, pr_inspection_begin (self->inspection));
}

static PrVerdict
on_end (gpointer owner, PrEnvelope *envelope)
{
  PrConnection *self = owner;
  PrVerdict verdict;

  pr_intake_end (self->intake);
  verdict = check_message (self);
  if (verdict.kind != PR_VERDICT_ACCEPT)
    return refuse_message (self, envelope, verdict);
  if (self->inspection == NULL)
    return store (self, envelope, NULL);

  self->inspected = envelope;
  verdict = pr_inspection_end (self->inspection);
  return verdict.kind == PR_VERDICT_PENDING ? verdict : conclude (self, verdict);
}

const PrSessionHandler pr_connection_session_handler = {
  .mail = on_mail,
  .rcpt = on_rcpt,
  .data = on_data,
  .body = on_body,
  .end = on_end,
  .abandon = on_abandon,
  .auth_offer = pr_connection_on_auth_offer,
  .find_secret = pr_connection_on_find_secret,
  .get_binding = pr_connection_on_get_binding,
  .auth = pr_connection_on_auth,
  .trace = on_trace,
  .starttls = pr_connection_on_starttls,
};
