/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ui/queue-item.h"
#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrQueueModel: the service's queue as a list of PrQueueItem, as long as the queue is and never
 * read whole: what somebody looks at is asked for in pages, and when the queue changes only what is
 * around there is asked for again. What stays keeps its object, so that a view keeps its place and
 * its selection; what lies beyond is forgotten.
 *
 * Properties: `loading` (boolean: nothing is known yet), `error` (string: why it could not be read,
 * NULL when it could).
 */
#define PR_TYPE_QUEUE_MODEL (pr_queue_model_get_type ())
G_DECLARE_FINAL_TYPE (PrQueueModel, pr_queue_model, PR, QUEUE_MODEL, GObject)

PrQueueModel *pr_queue_model_new (PrService *service);

/* Each (nullable), copied: as in the filter of Queue1.List. What is there stays until the answer
 * comes. */
void pr_queue_model_set_filter (PrQueueModel *self, const char *text, const char *state,
                                const char *route);
/* @order: as in Queue1.List. */
void pr_queue_model_set_order (PrQueueModel *self, const char *order, gboolean descending);
gboolean pr_queue_model_is_filtered (PrQueueModel *self);
/* (transfer full): the ids of @rows, NULL-terminated; NULL: one is not known yet, or there are more
 * than an order can name (10,000). @held: (out) (nullable): those of them that are held, likewise.
 */
char **pr_queue_model_get_ids (PrQueueModel *self, GtkBitset *rows, char ***held);
/* (transfer floating): what is shown, as a filter of Queue1, without its order. */
GVariant *pr_queue_model_get_filter (PrQueueModel *self);
gboolean pr_queue_model_is_loading (PrQueueModel *self);
/* Asks anew, soon. */
void pr_queue_model_refresh (PrQueueModel *self);

G_END_DECLS
