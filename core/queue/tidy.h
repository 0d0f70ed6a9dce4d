/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/writer.h"

G_BEGIN_DECLS

/* What the writer does when nothing waits, one short step at a time: forgets old events, gives free
 * pages back to the file system, empties the log, gives memory back. The writer's thread only. */

/* How long and how much history is kept; 0: without limit. */
typedef struct
{
  guint64 keep_s, max_octets;
} PrRetention;

typedef enum
{
  PR_TIDY_EVENTS,
  PR_TIDY_PAGES,
  PR_TIDY_LOG,
  PR_TIDY_DONE,
} PrTidyStage;

typedef struct
{
  PrTidyStage stage;
  gint64 next_us; /* monotonic; G_MAXINT64: nothing to do */
} PrTidy;

/* Something happened: begin again a while from now. */
void pr_tidy_defer (PrTidy *self);
/* One step, if it is time. */
void pr_tidy_step (PrTidy *self, PrWriter *writer, const PrRetention *retention);

G_END_DECLS
