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

static PrVerdict
on_data (gpointer owner, const PrEnvelope *envelope)
{
  PrConnection *self = owner;
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
  };

  if (!has_space (self, envelope->declared_size_octets))
    return pr_connection_refuse (self, NO_SPACE, envelope->sender, NULL);

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
      pr_connection_refuse (self, verdict, envelope->sender, NULL);
      g_clear_pointer (&self->intake, pr_intake_free);
      pr_envelope_free (envelope);
      return verdict;
    }

  self->storing = g_new0 (PrStoring, 1);
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
