/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hierarchical timer wheel: level 0 has a slot for each tick of 8 ms, each level above one for
 * 64 slots of the level below. A timer lies in the lowest level that reaches its tick; when time
 * comes to a slot of a higher level, its timers move down. Positions are absolute (tick modulo
 * 64), so empty stretches are jumped over.
 */
#include "net/wheel.h"

#define BITS 6 /* of PR_WHEEL_SLOTS */
#define MASK (PR_WHEEL_SLOTS - 1)
#define TICK_US (PR_WHEEL_TICK_MS * 1000)
#define MAX_DELAY_MS (G_GUINT64_CONSTANT (10) * 366 * 86400 * 1000)

G_STATIC_ASSERT (PR_WHEEL_SLOTS == 1 << BITS);

static void
push (PrTimer **list, PrTimer *timer)
{
  timer->reserved = list;
  timer->prev = NULL;
  timer->next = *list;
  if (timer->next != NULL)
    timer->next->prev = timer;
  *list = timer;
}

static guint64
expiry_tick (const PrTimer *timer)
{
  return ((guint64) timer->deadline_ms + PR_WHEEL_TICK_MS - 1) / PR_WHEEL_TICK_MS;
}

static void
place (PrWheel *self, PrTimer *timer)
{
  guint64 tick = expiry_tick (timer);

  if (tick <= self->tick)
    {
      push (&self->due, timer);
      return;
    }
  for (guint level = 0; level < PR_WHEEL_LEVELS; level++)
    {
      guint64 slot = tick >> (BITS * level);

      if (slot - (self->tick >> (BITS * level)) >= PR_WHEEL_SLOTS)
        continue;
      push (&self->slots[level][slot & MASK], timer);
      self->occupied[level] |= G_GUINT64_CONSTANT (1) << (slot & MASK);
      return;
    }
  g_assert_not_reached (); /* MAX_DELAY_MS is within the highest level */
}

void
pr_wheel_init (PrWheel *self, gint64 now_us)
{
  *self = (PrWheel){ .tick = (guint64) now_us / TICK_US };
}

void
pr_wheel_add (PrWheel *self, PrTimer *timer, gint64 now_us, guint64 delay_ms)
{
  guint64 now_tick = (guint64) now_us / TICK_US;

  if (self->n_timers++ == 0 && now_tick > self->tick)
    self->tick = now_tick; /* nothing to miss on the way */
  timer->deadline_ms = (now_us + 999) / 1000 + (gint64) MIN (delay_ms, MAX_DELAY_MS);
  /* What is due by now is fired on a later turn, not by the turn that started it. */
  if (expiry_tick (timer) <= self->tick)
    timer->deadline_ms = (gint64) (self->tick + 1) * PR_WHEEL_TICK_MS;
  place (self, timer);
}

static void
unlink_timer (PrWheel *self, PrTimer *timer)
{
  PrTimer **list = timer->reserved;

  if (timer->next != NULL)
    timer->next->prev = timer->prev;
  if (timer->prev != NULL)
    timer->prev->next = timer->next;
  else
    *list = timer->next;

  if (*list == NULL && list != &self->due)
    {
      gsize at = (gsize) (list - &self->slots[0][0]);

      self->occupied[at / PR_WHEEL_SLOTS] &= ~(G_GUINT64_CONSTANT (1) << (at % PR_WHEEL_SLOTS));
    }
  timer->next = timer->prev = NULL;
  timer->reserved = NULL;
}

void
pr_wheel_remove (PrWheel *self, PrTimer *timer)
{
  unlink_timer (self, timer);
  self->n_timers--;
}

/* The start of the first occupied slot behind self->tick; G_MAXUINT64 where all are empty. */
static guint64
next_tick (const PrWheel *self)
{
  guint64 next = G_MAXUINT64;

  for (guint level = 0; level < PR_WHEEL_LEVELS; level++)
    {
      guint64 here = self->tick >> (BITS * level), bits = self->occupied[level];
      guint from = (guint) (here + 1) & MASK;

      if (bits == 0)
        continue;
      if (from != 0)
        bits = bits >> from | bits << (PR_WHEEL_SLOTS - from);
      next = MIN (next, (here + 1 + (guint) __builtin_ctzll (bits)) << (BITS * level));
    }
  return next;
}

gint64
pr_wheel_get_next_us (const PrWheel *self)
{
  if (self->due != NULL)
    return 0;
  if (self->n_timers == 0)
    return -1;
  return (gint64) next_tick (self) * TICK_US;
}

/* Empties a slot that self->tick has come to. */
static void
move_down (PrWheel *self, guint level)
{
  PrTimer **slot = &self->slots[level][(self->tick >> (BITS * level)) & MASK];

  while (*slot != NULL)
    {
      PrTimer *timer = *slot;

      unlink_timer (self, timer);
      place (self, timer);
    }
}

void
pr_wheel_advance (PrWheel *self, gint64 now_us)
{
  guint64 now_tick = (guint64) now_us / TICK_US;
  guint64 next;

  while (self->tick < now_tick && (next = next_tick (self)) <= now_tick)
    {
      self->tick = next;
      for (guint level = PR_WHEEL_LEVELS; level-- > 0;)
        if ((next & ((G_GUINT64_CONSTANT (1) << (BITS * level)) - 1)) == 0)
          move_down (self, level);
    }
  self->tick = MAX (self->tick, now_tick);
}

PrTimer *
pr_wheel_pop (PrWheel *self)
{
  PrTimer *timer = self->due;

  if (timer != NULL)
    pr_wheel_remove (self, timer);
  return timer;
}
