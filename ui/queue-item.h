/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* PrQueueItem: one row of the queue. Its message comes, and changes, while it is shown: property
 * `message` (a{sv} of Queue1.List, NULL while it is being asked for). */
#define PR_TYPE_QUEUE_ITEM (pr_queue_item_get_type ())
G_DECLARE_FINAL_TYPE (PrQueueItem, pr_queue_item, PR, QUEUE_ITEM, GObject)

/* @message: (nullable): referenced. (transfer full) */
PrQueueItem *pr_queue_item_new (GVariant *message);
/* (nullable) (transfer none) */
GVariant *pr_queue_item_get_message (PrQueueItem *self);
/* Its id; NULL while it is being asked for. */
const char *pr_queue_item_get_id (PrQueueItem *self);
/* Tells who looks only when something is different. */
void pr_queue_item_set_message (PrQueueItem *self, GVariant *message);

G_END_DECLS
