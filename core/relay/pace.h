/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"

G_BEGIN_DECLS

/**
 * PrPace: when the next message may go, so that no limit is ever exceeded. Each limit holds for
 * any window of its length (a rolling one), which keeps a calendar one as well. What is under way
 * counts from the moment it is taken; what went counts for a whole window from the moment it was
 * known to have gone, which is no earlier than the provider's own moment.
 *
 * Memory is bounded: about a thousand numbers for each limit, whatever is sent. No clock, no I/O.
 * Times are microseconds since the epoch; a clock that is set back makes nothing wait longer than
 * one window. One thread.
 */
typedef struct _PrPace PrPace;

/* @limits: copied; of n 0 anything may go. */
PrPace *pr_pace_new (const PrRateLimit *limits, guint n);
void pr_pace_free (PrPace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrPace, pr_pace_free)

/* Other limits from now on. What went is remembered as far back as the longest of the old windows
 * reached; what is under way stays so. */
void pr_pace_set_limits (PrPace *self, const PrRateLimit *limits, guint n);
gboolean pr_pace_has_limits (const PrPace *self, const PrRateLimit *limits, guint n);
guint64 pr_pace_get_longest_s (const PrPace *self); /* of the windows; 0: there is none */
guint pr_pace_get_largest (const PrPace *self);     /* of the numbers */

/* Whether a message for @n_recipients (at least 1) may go now: for how many of them, which is less
 * than all only where a limit never allows so many at once. 0: not now, and *@due_us is when to
 * ask again (G_MAXINT64: when something that is under way has ended), *@limit which one it is. */
guint pr_pace_ask (PrPace *self, gint64 now_us, guint n_recipients, gint64 *due_us, guint *limit);
/* One message for so many begins. */
void pr_pace_take (PrPace *self, guint n_recipients);
/* It ended: of @n_taken recipients @n_sent got it, as far as the provider counts; 0: none. */
void pr_pace_settle (PrPace *self, gint64 now_us, guint n_taken, guint n_sent);
/* History: so much went at @at_us; in order of time, the oldest first. */
void pr_pace_note (PrPace *self, gint64 at_us, guint n_messages, guint n_recipients);
/* Forgets what went. */
void pr_pace_forget (PrPace *self);

typedef struct
{
  PrRateLimit limit;
  guint used; /* in the window that ends now, with what is under way */
} PrPaceUse;
guint pr_pace_count_limits (const PrPace *self);
void pr_pace_get_use (PrPace *self, gint64 now_us, guint limit, PrPaceUse *out);

G_END_DECLS
