/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "corpus.h"
#include "latency.h"
#include "tls.h"

/* What to do; filled in before the first session, read-only afterwards. */
typedef struct
{
  const char *host; /* IPv4 address */
  guint16 port;
  guint64 run;
  guint64 n_messages;  /* 0: no limit but the time */
  gint64 duration_us;  /* 0: no limit but the number */
  gint64 stall_us;     /* without any reply for so long: give up */
  gboolean pipelining; /* where the server offers it */
  gboolean reconnect;  /* a connection for each message */
  PrBenchSecurity security;
  gboolean handshakes; /* no messages: connections that are greeted under TLS and say QUIT */
  gint64 spoil_seq;    /* faults for testing the sink; -1: none */
  gint64 repeat_seq;
  gint64 omit_seq;
} PrBenchPlan;

/**
 * PrBenchLoad:
 *
 * What all sessions of a run share: what is to be sent next, and the results.
 */
typedef struct
{
  const PrBenchPlan *plan;
  PrBenchCorpus *corpus;
  PrBenchTls *tls; /* owned; NULL in plain text */
  int epoll_fd;
  GQueue sessions; /* owned; those that have not ended yet */

  guint64 next_seq;
  gboolean repeated;
  gint64 first_us; /* the first MAIL, CLOCK_MONOTONIC; 0: none yet */
  gint64 last_us;  /* the last reply to a final dot */

  guint64 n_accepted; /* or handshakes */
  guint64 n_refused;
  guint64 n_broken; /* connections that failed */
  guint n_idle;     /* sessions of pr_bench_session_new_idle that are ready */
  char first_fault[512];
  PrBenchLatency latency; /* final dot to its reply */
} PrBenchLoad;

/**
 * PrBenchSession:
 *
 * One client connection. It sends messages of the load until there are none, then
 * QUITs; it frees itself when it ends and counts itself out of the load.
 */
typedef struct PrBenchSession PrBenchSession;

/* Connects. @load is borrowed. @source: 0 or the IPv4 address to come from, host order. */
void pr_bench_session_start (PrBenchLoad *load, guint32 source);

/* The same, but it only says EHLO and stays idle for ever. */
void pr_bench_session_start_idle (PrBenchLoad *load, guint32 source);

/* Begins TLS and never goes on; it counts as idle, and comes again when the server ends it. */
void pr_bench_session_start_stalled (PrBenchLoad *load, guint32 source);

/* Ends every session at once, without a word to the server. */
void pr_bench_session_end_all (PrBenchLoad *load);

/* To be called for each epoll event; the event's data is the session. */
void pr_bench_session_on_event (PrBenchSession *self, guint32 events);
