/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/dnssec.h"
#include "relay/hand.h"
#include "relay/hosts.h"
#include "relay/runner.h"
#include "relay/sts.h"
#include "net/web.h"
#include "net/worker.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/* What the parts of the runner share; nothing outside core/relay and its tests includes this. */

struct _PrRunner
{
  PrLoop *loop;         /* borrowed */
  PrStore *store;       /* borrowed */
  PrJournal *journal;   /* borrowed */
  PrResolver *resolver; /* borrowed */
  PrDnssec *dnssec;     /* owned */
  PrSts *sts;           /* owned */
  PrLives *lives;       /* borrowed */
  PrConfig *config;     /* owned reference */

  PrWorker *worker;   /* owned */
  PrHand *hand;       /* owned */
  PrHosts *hosts;     /* owned */
  GHashTable *hops;   /* owned: bucket name → PrHop */
  char *credentials;  /* owned, nullable: file of passwords */
  PrOauth *oauth;     /* borrowed, nullable */
  guint oauth_token;  /* to stop listening to it */
  GHashTable *ways;   /* owned: route name → PrWay */
  GHashTable *pacers; /* owned: account → PrPacer */
  PrWeb *web;         /* owned, nullable: for uploads */
  GQueue uploads;     /* of what http.c has under way */
  GQueue abandoned;   /* of PrHttpParts whose drafts are being deleted */

  GHashTable *deleting; /* owned: ids whose deletion is not yet committed: never taken again */

  GSequence *wakes; /* owned: hops by wake_us */
  PrTimer wake_timer, start_timer;
  gint64 swept_us;     /* (monotonic) unused hops were let go */
  GQueue slot_waiters; /* of PrHop: want a connection when one is free, in turn */
  GQueue graveyard;    /* of PrDelivery: ended, freed on a later turn */
  PrTimer burial_timer;
  GQueue unrecorded;     /* of PrWork: the store could not record them; tried again */
  gboolean record_fails; /* since the last one that was recorded; said once */
  PrTimer record_timer;

  gboolean started, paused, stopping, network_available;
  guint n_quiet; /* orders for all messages that are being carried out: nothing is taken */
  gboolean walking, walk_again; /* releasing what now has a route */
  PrTimer stop_timer;
  void (*stopped) (gpointer user_data);
  gpointer stopped_data;
  gulong network_handler;

  guint n_connections; /* with a socket, or about to have one */
  GQueue quitting;     /* of PrDelivery: said QUIT, have left their hop */
  GQueue idle;         /* of PrDelivery: kept for reuse, oldest first */
  guint n_store_calls; /* answers that are still to come */
  PrRunnerStats totals;

  /* Bounds; tests make them small. */
  guint window, total_window; /* recipients in hand: of one hop, of all */
  guint max_connections;
  guint idle_ms, overdue_ms;
  guint16 mx_port;
};

/* One bucket's next hop. */
struct _PrHop
{
  PrRunner *runner;           /* borrowed */
  char *name;                 /* owned: the bucket */
  const PrRouteConfig *route; /* of runner->config; NULL: the route is gone, mail moves on */

  PrWorkQueue works; /* waiting, by due time */
  guint n_in_hand;   /* recipients: waiting, sending, recording */

  GQueue deliveries; /* of PrDelivery, all */
  guint n_idle;      /* of them: kept for reuse */
  guint n_opening;   /* of them: cannot take work yet */
  guint n_tasks;     /* maildir: works in the pool */
  PrTimer hurry_timer;
  gboolean hurried, waits_for_slot;
  guint cap;           /* so many connections, while */
  gint64 cap_until_us; /* (monotonic) the hop answers no more of them */

  gint64 more_due_us; /* the earliest that is due and not in hand; 0: none */
  gboolean refilling;
  gint64 wake_us; /* 0: not in runner->wakes */
  GSequenceIter *wake_iter;
  gint64 last_used_us;

  guint failures; /* in a row, of the hop as a whole */
  guint n_breaks; /* connections that broke in a row, without one finished transaction */
  gint64 blocked_until_us;
  gint64 sweep_us;           /* blocked: when mail that came due is next told so */
  gboolean is_not_its_fault; /* our network or a sign-in is missing: nothing counts */
  gboolean reachable;        /* it answered while the monitor saw no network */
  gboolean is_slowed;        /* it said that it was sent too much */
  PrReply failure;           /* what blocks it */

  struct _PrPacer *pacer;  /* borrowed, nullable */
  gint64 paced_until_us;   /* its limits allow no more before; G_MAXINT64: until the pacer says */
  PrRateLimit paced_limit; /* then: which one */
  char *pace_words;        /* owned, nullable */
  PrTimer pace_timer;

  struct _PrOverdue *overdue; /* nullable: looks at what waits for the pace */
  gint64 overdue_us;          /* (monotonic) when it last had; 0: never */
  PrTimer overdue_timer;
};

/* Nothing is sent now: not started, paused, stopping, or the whole queue is being changed. */
gboolean pr_runner_is_quiet (const PrRunner *self);
/* What stood against sending is gone, or new mail came: every hop looks again. */
void pr_runner_look_again (PrRunner *self);
/* Lets go of all that is not behind its final dot, and of idle connections. */
void pr_runner_take_back (PrRunner *self);
void pr_runner_unblock_hops (PrRunner *self);
/* The earliest hop to wake may have changed. */
void pr_runner_arm (PrRunner *self);
/* Asks the store for all buckets and when they are due. */
void pr_runner_read_hops (PrRunner *self);
/* A connection ended: the next hop that wants one may have it. */
void pr_runner_note_free_slot (PrRunner *self);
/* A stop may be complete. */
void pr_runner_check_stopped (PrRunner *self);

G_END_DECLS
