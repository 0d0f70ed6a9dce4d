/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/channel.h"
#include "server/connection.h"
#include "server/intake.h"

G_BEGIN_DECLS

/* What the parts of a connection share: connection.c begins and ends it and writes what was said,
 * connection-entry.c encrypts it and signs people in, connection-mail.c takes messages. Internal to
 * core/server. */

typedef enum
{
  STAGE_LOOKING,  /* or shaking hands with one that began with TLS */
  STAGE_SECURING, /* by STARTTLS */
  STAGE_TALKING,
} PrStage;

/* Outlives its connection when the client goes before the commit. */
typedef struct
{
  PrConnection *connection; /* borrowed, NULL when it has gone */
  PrServer *server;         /* borrowed */
  PrMessage *message;       /* owned */
  guint64 session;
  char *tls;    /* owned, nullable */
  gint64 event; /* id of the one that is written with it */
} PrStoring;

struct _PrConnection
{
  PrLive live; /* first: a PrLive of ours is a PrConnection */
  PrConnection *next, *prev;
  PrServer *server; /* borrowed */
  PrPort *port;     /* owned */
  PrChannel *channel;
  PrSession *session;
  PrIntake *intake;         /* owned, while a message is coming in */
  PrInspection *inspection; /* owned, nullable: of a stranger's message, from DATA to its answer */
  const PrEnvelope *envelope; /* borrowed from the session: of the message that begins */
  PrEnvelope *inspected;      /* owned, nullable: waits for the inspection's end */
  PrStoring *storing;         /* borrowed from the store's callback, while one is being committed */
  PrSignIn sign_in;           /* while one is not answered */
  gboolean signing_in;
  PrIp ip;
  guint16 peer_port;
  char ip_text[PR_IP_TEXT_SIZE];
  PrStage stage;
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
  char *reply;        /* owned, nullable: of a verdict whose maker is gone */
  char *words;        /* owned, nullable */
  char *tls;          /* owned, nullable: version and cipher */
};

/* What the session asks. */
extern const PrSessionHandler pr_connection_session_handler;

/* An event with what is known of this client. */
void pr_connection_tell (PrConnection *self, PrEvent *event);
/* NULL: nobody signed in, or the user is gone and the connection about to end. */
const PrUserConfig *pr_connection_find_user (PrConnection *self);
/* Writes what the session said and follows it. FALSE: the connection is gone. */
gboolean pr_connection_settle (PrConnection *self, GString *out);
/* The session's answer to what took a while. May end the connection. */
void pr_connection_answer (PrConnection *self, PrVerdict verdict);
void pr_connection_drop_inspection (PrConnection *self);
void pr_connection_greet (PrConnection *self, PrVerdict verdict);
/* A refusal whose sender or recipient is known here and nowhere else. Gives @verdict. */
PrVerdict pr_connection_refuse (PrConnection *self, PrVerdict verdict, const char *sender,
                                const char *recipient);

/* What is shown to this client; NULL: TLS is off, or not available. */
PrTlsServer *pr_connection_get_tls (PrConnection *self);
/* Looks at the first octet before it greets. */
void pr_connection_look (PrConnection *self, PrTlsServer *tls);
/* The time to look is over. TRUE: the connection goes on. */
gboolean pr_connection_look_no_longer (PrConnection *self);
/* STARTTLS was answered. */
void pr_connection_begin_tls (PrConnection *self);

/* The channel's and the session's. */
void pr_connection_on_secured (gpointer owner);
gboolean pr_connection_on_starttls (gpointer owner);
PrAuthOffer pr_connection_on_auth_offer (gpointer owner);
char *pr_connection_on_find_secret (gpointer owner, PrSaslMechanisms mechanism, const char *user);
GBytes *pr_connection_on_get_binding (gpointer owner, const char *type);
PrVerdict pr_connection_on_auth (gpointer owner, const char *user, PrSaslCheck *check,
                                 gboolean is_proven);

G_END_DECLS
