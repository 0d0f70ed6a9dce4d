/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"

G_BEGIN_DECLS

/**
 * PrWheel: the timers of a loop without its clock, so that tests can turn days in no time.
 * Internal to core/net. Times are monotonic microseconds.
 */
#define PR_WHEEL_LEVELS 6
#define PR_WHEEL_SLOTS 64
#define PR_WHEEL_TICK_MS 8

typedef struct
{
  guint64 tick; /* all that was due up to this tick is in @due or gone */
  guint n_timers;
  guint64 occupied[PR_WHEEL_LEVELS]; /* one bit for each slot */
  PrTimer *slots[PR_WHEEL_LEVELS][PR_WHEEL_SLOTS];
  PrTimer *due; /* what waits to be fired */
} PrWheel;

void pr_wheel_init (PrWheel *self, gint64 now_us);
/* @timer must not be in the wheel. Sets its deadline. */
void pr_wheel_add (PrWheel *self, PrTimer *timer, gint64 now_us, guint64 delay_ms);
void pr_wheel_remove (PrWheel *self, PrTimer *timer);
/* When pr_wheel_advance() has something to do: 0 is now, -1 never. */
gint64 pr_wheel_get_next_us (const PrWheel *self);
void pr_wheel_advance (PrWheel *self, gint64 now_us);
/* Takes one due timer out, NULL when there is none. */
PrTimer *pr_wheel_pop (PrWheel *self);

G_END_DECLS
