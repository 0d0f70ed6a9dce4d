/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "latency.h"

#define STEPS_BITS 5 /* 32 buckets for each doubling */
#define STEPS (1u << STEPS_BITS)

static guint
bucket_of (guint64 duration_us)
{
  guint shift;

  if (duration_us < STEPS)
    return (guint) duration_us;
  shift = 63 - (guint) __builtin_clzll (duration_us) - STEPS_BITS;
  return (shift + 1) * STEPS + (guint) ((duration_us >> shift) - STEPS);
}

static guint64
highest_in (guint bucket)
{
  guint shift;

  if (bucket < STEPS)
    return bucket;
  shift = bucket / STEPS - 1;
  return (((guint64) (bucket % STEPS) + STEPS + 1) << shift) - 1;
}

void
pr_bench_latency_add (PrBenchLatency *self, guint64 duration_us)
{
  self->n++;
  self->max_us = MAX (self->max_us, duration_us);
  self->buckets[bucket_of (duration_us)]++;
}

guint64
pr_bench_latency_percentile (const PrBenchLatency *self, double share)
{
  guint64 rank = (guint64) (share * (double) self->n);
  guint64 seen = 0;

  for (guint i = 0; i < PR_BENCH_LATENCY_BUCKETS; i++)
    {
      seen += self->buckets[i];
      if (seen > rank || (seen == self->n && seen > 0))
        return MIN (highest_in (i), self->max_us);
    }
  return 0;
}
