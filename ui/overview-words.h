/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the overview says, made of what the service answers. Pure. */

/* What is counted, in the order in which it is shown. */
typedef enum
{
  PR_OUTCOME_RECEIVED,
  PR_OUTCOME_DELIVERED,
  PR_OUTCOME_DEFERRED,
  PR_OUTCOME_FAILED,
  PR_N_OUTCOMES
} PrOutcome;

typedef struct
{
  gint64 begin_us;
  guint64 counts[PR_N_OUTCOMES];
} PrHour;

/* The last @n hours up to the one of @now_us, oldest first; those that @hours, a(xttttt) as of
 * Journal1.GetHistory, does not have are empty. */
void pr_overview_words_fill (GVariant *hours, gint64 now_us, PrHour *out, guint n);
/* "14:00–15:00: received 3, delivered 2, delayed 1, failed 0". (transfer full) */
char *pr_overview_words_hour (const PrHour *hour);
/* "Received 3": of all @hours together. (transfer full) */
char *pr_overview_words_total (PrOutcome outcome, const PrHour *hours, guint n);
/* "14:00". (transfer full) */
char *pr_overview_words_clock (gint64 time_us);

/* How a route of Configuration1.GetRoutes fares. (transfer full) */
char *pr_overview_words_route (GVariant *route);
/* An icon for that, and the style class of its colour. */
const char *pr_overview_words_route_icon (GVariant *route, const char **style);
/* What is known of a device of Sessions1.ListDevices. Both (transfer full). */
char *pr_overview_words_device_title (GVariant *device);
char *pr_overview_words_device (GVariant *device);

G_END_DECLS
