/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/queue-item.h"

G_BEGIN_DECLS

/* PrQueueRows: the rows of a queue of which some are known. It tells who looks at @model what comes
 * and goes; what stays keeps its object. Messages are a{sv} of Queue1.List. */
typedef struct
{
  GListModel *model; /* borrowed */
  GPtrArray *items;  /* of PrQueueItem, owned, nullable each: nobody has asked for that row */
} PrQueueRows;

void pr_queue_rows_init (PrQueueRows *self, GListModel *model);
void pr_queue_rows_clear (PrQueueRows *self);

/* (nullable) (transfer none): what stands at @position; one that was not known comes to be, empty.
 */
PrQueueItem *pr_queue_rows_get (PrQueueRows *self, guint position);
/* All go. */
void pr_queue_rows_remove_all (PrQueueRows *self);
/* @messages (aa{sv}) stand at @first. FALSE: the queue moved, and others stand there. */
gboolean pr_queue_rows_fill (PrQueueRows *self, guint first, GVariant *messages);
/* Now there are @total rows, and @messages (aa{sv}) stand at @first; what lies beyond is not known
 * any more. */
void pr_queue_rows_take (PrQueueRows *self, guint first, GVariant *messages, guint total);

G_END_DECLS
