/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   window ─────────────────────────────────────────────► now
 *   │ slot (3) │ slot (1) │        │ slot (7) │ under way (2)
 *     leaves first: then so much more may go
 *
 * What went within a thousandth of a window shares a slot, and leaves with the last of it: later
 * than need be, never earlier.
 */
#include "relay/pace.h"

#define SLOTS 1024     /* of a window */
#define COMPACT_AT 512 /* dead slots before the array is moved */

typedef struct
{
  gint64 first_us, last_us;
  guint n_messages, n_recipients;
} Slot;

typedef struct
{
  PrRateLimit limit;
  GArray *slots; /* owned, of Slot, by time */
  guint head;    /* slots before it have left the window */
  guint used;    /* of the others, in what the limit counts */
} Window;

struct _PrPace
{
  Window *windows; /* owned: n_windows */
  guint n_windows;
  guint n_messages, n_recipients; /* under way */
};

static gint64
length_us (const Window *window)
{
  return (gint64) window->limit.window_s * G_USEC_PER_SEC;
}

static guint
weight (const Window *window, const Slot *slot)
{
  return window->limit.per_recipient ? slot->n_recipients : slot->n_messages;
}

static Slot *
slot_at (const Window *window, guint i)
{
  return &g_array_index (window->slots, Slot, i);
}

/* ── What went ────────────────────────────────────────────────────────────────────────────── */

static void
add (Window *window, gint64 at_us, guint n_messages, guint n_recipients)
{
  Slot slot = { at_us, at_us, n_messages, n_recipients };
  Slot *last = window->slots->len > window->head ? slot_at (window, window->slots->len - 1) : NULL;

  window->used += weight (window, &slot);
  if (last != NULL)
    at_us = slot.first_us = slot.last_us = MAX (at_us, last->last_us);
  if (last != NULL && at_us - last->first_us < length_us (window) / SLOTS)
    {
      last->last_us = at_us;
      last->n_messages += n_messages;
      last->n_recipients += n_recipients;
    }
  else
    g_array_append_val (window->slots, slot);
}

/* The clock may have been set back: what lies ahead of it is as good as now. */
static void
pull_back (Window *window, gint64 now_us)
{
  for (guint i = window->slots->len; i > window->head; i--)
    {
      Slot *slot = slot_at (window, i - 1);

      if (slot->last_us <= now_us)
        break;
      slot->last_us = now_us;
      slot->first_us = MIN (slot->first_us, now_us);
    }
}

static void
let_leave (Window *window, gint64 now_us)
{
  pull_back (window, now_us);
  while (window->head < window->slots->len)
    {
      const Slot *slot = slot_at (window, window->head);

      if (slot->last_us + length_us (window) >= now_us)
        break;
      window->used -= weight (window, slot);
      window->head++;
    }
  if (window->head >= COMPACT_AT || window->head == window->slots->len)
    {
      g_array_remove_range (window->slots, 0, window->head);
      window->head = 0;
    }
}

/* When @excess of what is counted will have left. */
static gint64
when_left (const Window *window, guint excess)
{
  for (guint i = window->head; i < window->slots->len; i++)
    {
      const Slot *slot = slot_at (window, i);

      if (weight (window, slot) >= excess)
        return slot->last_us + length_us (window) + 1;
      excess -= weight (window, slot);
    }
  return G_MAXINT64;
}

void
pr_pace_note (PrPace *self, gint64 at_us, guint n_messages, guint n_recipients)
{
  for (guint i = 0; i < self->n_windows; i++)
    add (&self->windows[i], at_us, n_messages, n_recipients);
}

void
pr_pace_forget (PrPace *self)
{
  for (guint i = 0; i < self->n_windows; i++)
    {
      g_array_set_size (self->windows[i].slots, 0);
      self->windows[i].head = self->windows[i].used = 0;
    }
}

/* ── What may go ──────────────────────────────────────────────────────────────────────────── */

static guint
count_used (const PrPace *self, const Window *window)
{
  return window->used + (window->limit.per_recipient ? self->n_recipients : self->n_messages);
}

guint
pr_pace_ask (PrPace *self, gint64 now_us, guint n_recipients, gint64 *due_us, guint *limit)
{
  guint n = n_recipients;

  for (guint i = 0; i < self->n_windows; i++)
    if (self->windows[i].limit.per_recipient)
      n = MIN (n, self->windows[i].limit.number);

  *due_us = 0;
  for (guint i = 0; i < self->n_windows; i++)
    {
      Window *window = &self->windows[i];
      guint need = window->limit.per_recipient ? n : 1;
      gint64 left_us;

      let_leave (window, now_us);
      if ((guint64) count_used (self, window) + need <= window->limit.number)
        continue;
      left_us = when_left (window, count_used (self, window) + need - window->limit.number);
      if (left_us > *due_us)
        {
          *due_us = left_us;
          *limit = i;
        }
    }
  return *due_us == 0 ? n : 0;
}

void
pr_pace_take (PrPace *self, guint n_recipients)
{
  self->n_messages++;
  self->n_recipients += n_recipients;
}

void
pr_pace_settle (PrPace *self, gint64 now_us, guint n_taken, guint n_sent)
{
  g_return_if_fail (self->n_messages > 0 && self->n_recipients >= n_taken);

  self->n_messages--;
  self->n_recipients -= n_taken;
  if (n_sent > 0)
    pr_pace_note (self, now_us, 1, n_sent);
}

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

guint
pr_pace_count_limits (const PrPace *self)
{
  return self->n_windows;
}

void
pr_pace_get_use (PrPace *self, gint64 now_us, guint limit, PrPaceUse *out)
{
  g_return_if_fail (limit < self->n_windows);

  let_leave (&self->windows[limit], now_us);
  *out = (PrPaceUse){ self->windows[limit].limit, count_used (self, &self->windows[limit]) };
}

guint64
pr_pace_get_longest_s (const PrPace *self)
{
  guint64 longest_s = 0;

  for (guint i = 0; i < self->n_windows; i++)
    longest_s = MAX (longest_s, self->windows[i].limit.window_s);
  return longest_s;
}

guint
pr_pace_get_largest (const PrPace *self)
{
  guint largest = 0;

  for (guint i = 0; i < self->n_windows; i++)
    largest = MAX (largest, self->windows[i].limit.number);
  return largest;
}

/* ── Life ─────────────────────────────────────────────────────────────────────────────────── */

static void
clear_windows (Window *windows, guint n)
{
  for (guint i = 0; i < n; i++)
    g_array_unref (windows[i].slots);
  g_free (windows);
}

gboolean
pr_pace_has_limits (const PrPace *self, const PrRateLimit *limits, guint n)
{
  if (n != self->n_windows)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (limits[i].number != self->windows[i].limit.number ||
        limits[i].window_s != self->windows[i].limit.window_s ||
        limits[i].per_recipient != self->windows[i].limit.per_recipient)
      return FALSE;
  return TRUE;
}

void
pr_pace_set_limits (PrPace *self, const PrRateLimit *limits, guint n)
{
  Window *before = self->windows;
  const Window *longest = NULL;
  guint n_before = self->n_windows;

  self->windows = g_new0 (Window, n);
  self->n_windows = n;
  for (guint i = 0; i < n; i++)
    {
      self->windows[i].limit = limits[i];
      self->windows[i].slots = g_array_new (FALSE, FALSE, sizeof (Slot));
    }
  for (guint i = 0; i < n_before; i++)
    if (longest == NULL || before[i].limit.window_s > longest->limit.window_s)
      longest = &before[i];
  for (guint i = longest != NULL ? longest->head : 0; longest != NULL && i < longest->slots->len;
       i++)
    {
      const Slot *slot = slot_at (longest, i);

      pr_pace_note (self, slot->last_us, slot->n_messages, slot->n_recipients);
    }
  clear_windows (before, n_before);
}

PrPace *
pr_pace_new (const PrRateLimit *limits, guint n)
{
  PrPace *self = g_new0 (PrPace, 1);

  pr_pace_set_limits (self, limits, n);
  return self;
}

void
pr_pace_free (PrPace *self)
{
  clear_windows (self->windows, self->n_windows);
  g_free (self);
}
