/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#define PR_BENCH_LATENCY_BUCKETS (64 * 32)

/* A histogram of durations with 32 buckets for each doubling: percentiles are
 * exact to 3 %, whatever their number. Zero-initialised it is empty. */
typedef struct
{
  guint64 n;
  guint64 max_us;
  guint64 buckets[PR_BENCH_LATENCY_BUCKETS];
} PrBenchLatency;

void pr_bench_latency_add (PrBenchLatency *self, guint64 duration_us);

/* @share is 0 to 1. Returns: microseconds; 0 when nothing was added */
guint64 pr_bench_latency_percentile (const PrBenchLatency *self, double share);
