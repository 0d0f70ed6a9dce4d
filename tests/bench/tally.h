/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#define PR_BENCH_MAX_RUNS 1000
#define PR_BENCH_TALLY_MAGIC 0x31544e4348435250u

/* What arrived of one run. Times are CLOCK_MONOTONIC in microseconds. */
typedef struct
{
  guint64 run;
  guint64 arrived; /* complete messages, damaged ones too */
  guint64 unique;  /* different undamaged messages */
  guint64 doubled; /* undamaged ones that had arrived before */
  guint64 damaged; /* wrong checksum, or sent to another recipient */
  guint64 octets;
  guint64 first_us;
  guint64 last_us;
} PrBenchRun;

/* The shared part: other processes map it and read the counters as they move.
 * All fields are 64 bits wide, so a reader needs no lock and no library. */
typedef struct
{
  guint64 magic;
  guint64 n_runs;
  guint64 stray;       /* messages that are not of the bench, e.g. bounces */
  guint64 connections; /* ever accepted */
  PrBenchRun runs[PR_BENCH_MAX_RUNS];
} PrBenchShared;

/**
 * PrBenchTally:
 *
 * Counts arriving messages by run and sequence number.
 */
typedef struct PrBenchTally PrBenchTally;

/**
 * pr_bench_tally_new:
 * @path: (nullable): file that is made anew to hold the shared part
 * @error: what failed
 *
 * Returns: (nullable): an empty tally
 */
PrBenchTally *pr_bench_tally_new (const char *path, GError **error);
void pr_bench_tally_free (PrBenchTally *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrBenchTally, pr_bench_tally_free)

/* Returns: (transfer none): the counters, valid as long as @self */
PrBenchShared *pr_bench_tally_shared (PrBenchTally *self);

/**
 * pr_bench_tally_add:
 * @self: a tally
 * @run: the run a message says it is of
 * @seq: its number there, below 2^32
 * @intact: whether its checksum and its recipient were right
 * @size_octets: its size
 *
 * Counts one complete message.
 */
void pr_bench_tally_add (PrBenchTally *self, guint64 run, guint64 seq, gboolean intact,
                         gsize size_octets);

/* Returns: (transfer full): one JSON document; @expected is the number of messages of
 * each run, used to tell how many are lost, or 0 if it is not known */
char *pr_bench_tally_to_json (PrBenchTally *self, guint64 expected);
