/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/providers.h"
#include "net/channel.h"
#include "relay/delivery.h"
#include "relay/feed.h"
#include "relay/prepare.h"
#include "relay/rewrite.h"
#include "relay/targets.h"
#include "relay/way.h"
#include "smtp/client.h"

G_BEGIN_DECLS

/* What the parts of a delivery share: reach.c finds a host that answers, delivery.c has the
 * connection, sending.c the messages that go over it. */

typedef enum
{
  PR_DELIVERY_FINDING,    /* asks for names */
  PR_DELIVERY_WAITING,    /* its host has as many connections as it may */
  PR_DELIVERY_CONNECTING, /* the socket */
  PR_DELIVERY_GREETING,   /* the dialogue, up to EHLO */
  PR_DELIVERY_SECURING,   /* STARTTLS and the handshake */
  PR_DELIVERY_SIGNING_IN,
  PR_DELIVERY_SENDING,
  PR_DELIVERY_IDLE,
  PR_DELIVERY_QUITTING, /* said QUIT, has left its hop */
  PR_DELIVERY_ENDED,
} PrDeliveryState;

struct _PrDelivery
{
  PrLive live;
  PrRunner *runner; /* borrowed */
  PrHop *hop;       /* borrowed; NULL once it has left */
  PrConfig *config; /* owned reference: a connection ends under the one it began with */
  const PrRouteConfig *route;
  PrWay *way; /* owned reference: for the same reason */
  PrDeliveryState state;

  PrTargets *targets;      /* owned */
  PrHost *host;            /* borrowed: whose connection this is, or which it waits for */
  char *label;             /* owned, nullable: "smtp.example.org:587" */
  GSocketAddress *address; /* borrowed from @targets */
  const char *host_name;   /* borrowed from @targets: what its certificate must be for */
  gboolean host_is_proven; /* PrTarget */
  PrDemand demand;         /* PrTarget */
  const char *tls_name;    /* borrowed from @targets */
  GPtrArray *tlsa;         /* borrowed from @targets, nullable */
  const char *domain;      /* borrowed from @targets, nullable */
  gboolean policy_is_tested, policy_names_it; /* PrTarget */
  const char *policy_lack;                    /* borrowed from @targets, nullable */
  gboolean proof_failed; /* a host was not used for want of what its domain demands */
  gboolean waives;       /* demands do not count: it takes only mail that says so */
  PrReply proof_failure; /* @waives: what the other mail of the hop is told */
  PrReply failure;       /* what the last host that was tried met */
  gboolean unreachable;  /* no address could even be routed to: it is our network */

  PrChannel *channel; /* owned, nullable */
  PrClient *client;   /* owned, nullable */
  GString *out;       /* owned */
  gboolean closed;    /* the channel said so: nothing can be written */
  gboolean leaving;   /* takes no more work */
  gboolean plain;     /* its handshake failed: this connection says no word of TLS */
  gboolean signed_in;
  guint token_serial; /* of the way's token it signs in with; 0: a password */
  char *tls;          /* owned, nullable: what protects it, in words */
  guint n_messages;
  GList idle_link; /* in runner->idle, then in runner->quitting */

  /* What the client said during a call; pr_delivery_settle() acts on it afterwards. */
  gboolean said_ready, said_wants_tls, said_signed_in, said_wants_body, said_finished, said_failed;
  GError *broken_error; /* owned, nullable */
  PrReply broken_reply;
  PrReply sign_in_refusal; /* of said_signed_in; code 0: none */

  /* The work being sent */
  PrWork *work;
  const PrRecipient **pointers; /* owned: to @recipients */
  PrRecipient *recipients;      /* owned array, fields borrowed: as they go on the wire */
  PrReply *replies;             /* owned array: code 0: no answer yet */
  guint room;                   /* of the three arrays */
  guint64 octets_before;        /* the channel's incoming octets when it began */
  PrFeed *feed;                 /* owned, nullable */
  PrRewrite *rewrite;           /* owned, nullable: the body goes through it */
  PrPrepare *prepare;           /* owned, nullable: converts the message for this hop */
  const PrPrepared *prepared;   /* of @prepare, when it is done */
};

/* ── reach.c ──────────────────────────────────────────────────────────────────────────────── */

void pr_reach_start (PrDelivery *self);
/* The last address is done with: the next one, or the hop fails and the delivery ends. */
void pr_reach_next (PrDelivery *self);
/* The current host failed. @text: for people; @reply: (nullable): what it said, whose code counts
 * if it is 4yz. */
void pr_reach_note_failure (PrDelivery *self, const char *text, const PrReply *reply);
/* The current address cannot even be routed to. */
gboolean pr_reach_is_unreachable (const PrDelivery *self, const GError *error);
/* The same address once more, with a new connection. */
void pr_reach_again (PrDelivery *self);
/* Its connection to the host no longer counts; who waits for one goes on. */
void pr_reach_release (PrDelivery *self);

/* ── entry.c ──────────────────────────────────────────────────────────────────────────────── */

typedef enum
{
  PR_ENTRY_OPEN,      /* messages may go */
  PR_ENTRY_UNDER_WAY, /* something was said: wait for the answer */
  PR_ENTRY_REFUSED,   /* not here: the delivery is trying elsewhere, or leaves */
} PrEntry;

/* The socket is connected and the client made. */
void pr_entry_begin (PrDelivery *self);
/* The client is idle: what stands before the first message? */
PrEntry pr_entry_go_on (PrDelivery *self);
/* The server waits for the handshake. */
void pr_entry_secure (PrDelivery *self);
void pr_entry_note_secured (PrDelivery *self);
/* What the server said to the sign-in. */
PrEntry pr_entry_note_signed_in (PrDelivery *self);
/* Whether a message that demands REQUIRETLS may go over this connection. FALSE: @refusal says why
 * not, as a bounce has it. */
gboolean pr_entry_is_safe (const PrDelivery *self, PrReply *refusal);
/* The server wants another sign-in, by what is known of @reply: the route's mail waits for it. */
void pr_entry_need_sign_in (PrDelivery *self, const PrReply *reply, const PrAdvice *advice);
/* It broke while it was being opened. TRUE: it is connecting again, without TLS. */
gboolean pr_entry_fall_back (PrDelivery *self);

/* ── sending.c ────────────────────────────────────────────────────────────────────────────── */

extern const PrClientHandler pr_sending_handler;

/* Takes the next work and begins to send it; FALSE: there is none. */
gboolean pr_sending_next (PrDelivery *self);
/* Gives the body that the client wants. */
void pr_sending_body (PrDelivery *self);
/* The channel has room for more of it. */
void pr_sending_more (PrDelivery *self);
/* Each recipient has its answer: records them. */
void pr_sending_finish (PrDelivery *self);
/* The connection broke: what was answered is recorded, the rest returns or is deferred. */
void pr_sending_break (PrDelivery *self);
/* Never mind: returns the work untried. */
void pr_sending_return (PrDelivery *self);
void pr_sending_clear (PrDelivery *self);

/* ── delivery.c ───────────────────────────────────────────────────────────────────────────── */

/* Connects to the current target. */
void pr_delivery_connect (PrDelivery *self);
/* Leaves everything; freed on a later turn. */
void pr_delivery_end (PrDelivery *self);
/* Acts on what the client said, writes, sets the deadline. The last thing any callback does. */
void pr_delivery_settle (PrDelivery *self);

G_END_DECLS
