/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/live.h"
#include "config/config.h"
#include "journal/journal.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "oauth/oauth.h"
#include "queue/store.h"
#include "relay/pace.h"
#include "relay/probe.h"

G_BEGIN_DECLS

/**
 * PrRunner: carries what is due to its next hop and records what became of it.
 *
 *   take or refill ──► hand (message × next hop) ──► hop (one bucket's queue) ──► delivery (one
 *   connection) ──► record (outcome, events, reports: one transaction) ──► gone, or due later
 *
 * Memory is bounded: a hop holds a window of due recipients and reads the rest from the store
 * when there is room. Nothing is marked as "being sent" on disk; a crash finds every recipient
 * whose outcome was not committed still due. Owner's thread only.
 */
typedef struct _PrRunner PrRunner;

/* All borrowed but @config (referenced); they outlive the runner. Sends nothing before
 * pr_runner_start(). */
PrRunner *pr_runner_new (PrLoop *loop, PrStore *store, PrJournal *journal, PrResolver *resolver,
                         PrLives *lives, PrConfig *config);
/* Closes all connections at once. The store must have answered all it was asked: free the runner
 * after pr_store_close(). */
void pr_runner_free (PrRunner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrRunner, pr_runner_free)

/* Asks the store what is due, and begins. */
void pr_runner_start (PrRunner *self);
/* Takes no more work and gives back what is not yet behind its final dot; what is, is waited for
 * (at most @grace_ms) and recorded. @done: (nullable): called once, on a later turn. */
void pr_runner_stop (PrRunner *self, guint grace_ms, void (*done) (gpointer), gpointer user_data);

/* Puts each recipient of a new message into the bucket of its route, by the configuration in
 * force; HELD where none carries it. Call it before pr_store_put(). Returns how many are held. */
guint pr_runner_assign (PrRunner *self, PrMessage *message);
/* @message was put and is on disk (to be called from within the answer to that): what of it is due
 * goes out without another read of the database, if there is room; else it waits for its turn. */
void pr_runner_take (PrRunner *self, PrMessage *message);

/* Where passwords of routes are, with a secret service before it (config/secrets.h): once, before
 * starting. */
void pr_runner_set_credentials (PrRunner *self, const char *path);
/* Where tokens come from: once, before starting; it outlives the runner. What waits for a token or
 * a sign-in goes on by itself when there is one. */
void pr_runner_set_oauth (PrRunner *self, PrOauth *oauth);
/* The password of @route may be another one: mail that waits for a sign-in is tried at once. */
void pr_runner_renew_way (PrRunner *self, const char *route);
/* Why mail of @route waits for a person to sign in, in words; NULL: it does not. Valid until the
 * next turn. */
const char *pr_runner_get_sign_in_need (PrRunner *self, const char *route);

/* Queued mail follows the new routes at its next try; mail that was held because no route carried
 * it is released when one does. Connections made under the old one end after their message. */
void pr_runner_set_config (PrRunner *self, PrConfig *config);

/* Pausing lets each connection end the message it is sending. */
void pr_runner_set_paused (PrRunner *self, gboolean paused);
gboolean pr_runner_is_paused (PrRunner *self);

/* Follows the system's network monitor. */
void pr_runner_watch_network (PrRunner *self);
/* The network went or came back (also by pr_runner_watch_network). While there is none, a next
 * hop that cannot be reached counts no attempt; when it returns, everything that waits for its
 * hop is tried at once. */
void pr_runner_set_network (PrRunner *self, gboolean available);

/* Asks the server of @route, of the configuration in force, for its certificate
 * (relay/probe.h). */
PrProbe *pr_runner_probe (PrRunner *self, const PrRouteConfig *route, PrProbeFunc func,
                          gpointer user_data);

/* ── Orders of people ─────────────────────────────────────────────────────────────────────── */

typedef enum
{
  PR_ORDER_RETRY,   /* now, failed ones too; a backed-off hop is tried at once */
  PR_ORDER_HOLD,    /* until released */
  PR_ORDER_RELEASE, /* held ones; also from a hold route, if another route carries it */
  PR_ORDER_DELETE,  /* from the queue; what is behind its final dot may still be delivered */
  PR_ORDER_FAIL,    /* gives up now and tells the sender; not for all */
  PR_ORDER_MOVE,    /* see pr_runner_move */
} PrOrder;

/* @n_done: messages it changed. @why: (nullable): in words, why the last one of the others was
 * not ("There is no such message in the queue"). After the commit. */
typedef void (*PrOrderDone) (guint n_done, const char *why, gpointer user_data);
/* Carries out @order for the messages @ids (copied), in hand or not. */
void pr_runner_order (PrRunner *self, PrOrder order, const gint64 *ids, guint n, PrOrderDone done,
                      gpointer user_data);
/* Moves them to @route (copied) at once, whatever its patterns say, held and failed ones too. NULL:
 * the routes decide again. */
void pr_runner_move (PrRunner *self, const char *route, const gint64 *ids, guint n,
                     PrOrderDone done, gpointer user_data);
/* Takes waiting or failed recipients of message @id away and adds others: all of it or nothing.
 * @remove, @add: NULL-terminated, canonical addresses, copied. @why is set when nothing changed. */
void pr_runner_edit (PrRunner *self, gint64 id, const char *const *remove, const char *const *add,
                     PrOrderDone done, gpointer user_data);
/* For every message in the queue, in bounded steps. @order: RETRY, HOLD, RELEASE or DELETE. */
void pr_runner_order_all (PrRunner *self, PrOrder order, PrOrderDone done, gpointer user_data);

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  guint n_in_hand;                           /* recipients */
  guint n_connections;                       /* made or being made */
  guint n_idle;                              /* of them: kept for reuse */
  guint n_hops_blocked;                      /* next hops that are left alone for a while */
  guint n_hops_await_sign_in;                /* of them: until a person signs in */
  guint n_hops_paced;                        /* whose limits are reached */
  guint64 n_delivered, n_deferred, n_failed; /* recipients, since start */
  guint64 n_octets_out;                      /* of messages delivered */
  gboolean paused, network_available;
} PrRunnerStats;
void pr_runner_get_stats (PrRunner *self, PrRunnerStats *out);

/* Why mail of bucket @hop waits for its next hop as a whole: "Could not connect to ...", and until
 * when (0: until a person does something). NULL: it does not. Valid until the next turn. */
const char *pr_runner_get_hop_failure (PrRunner *self, const char *hop, gint64 *until_us);

/* Whether something of message @id is on its way to a next hop right now. */
gboolean pr_runner_is_active (PrRunner *self, gint64 id);

typedef enum
{
  PR_BLOCKED_FAILED,
  PR_BLOCKED_NETWORK, /* ours, or the password cannot be read */
  PR_BLOCKED_SIGN_IN, /* a person must do something */
  PR_BLOCKED_PACED,   /* a limit is reached */
} PrBlockedKind;

typedef struct
{
  const char *hop, *reason;
  gint64 until_us; /* 0: until a person does something */
  PrBlockedKind kind;
} PrBlocked;

typedef void (*PrRunnerBlocked) (const PrBlocked *blocked, gpointer user_data);
/* Calls @func for next hops that are left alone for a while, at most @max of them. */
void pr_runner_list_blocked (PrRunner *self, guint max, PrRunnerBlocked func, gpointer user_data);

/* How far the limits of @route, of the configuration in force, are used, in their order; nothing
 * is used before its first message. At most @max of them are written to @out; how many were. */
guint pr_runner_get_pace (PrRunner *self, const PrRouteConfig *route, PrPaceUse *out, guint max);

G_END_DECLS
