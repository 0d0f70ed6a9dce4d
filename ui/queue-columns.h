/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/**
 * PrQueueColumns: what the queue's view shows of each PrQueueItem: a column for each thing worth
 * knowing, or one of two lines where there is little room. Headers sort, where Queue1.List can.
 *
 * A secondary click in a row activates the widget action `queue.menu-at` (udd: the row's position,
 * the place in the view).
 */
typedef struct _PrQueueColumns PrQueueColumns;

/* Adds the columns to @view, which it must not outlive. */
PrQueueColumns *pr_queue_columns_new (GtkColumnView *view);
void pr_queue_columns_free (PrQueueColumns *self);

/* Which there are. Not while widgets get their places. */
void pr_queue_columns_set_narrow (PrQueueColumns *self, gboolean narrow);
/* The order that the headers ask for, as of Queue1.List; NULL: none, the newest first. */
const char *pr_queue_columns_get_order (PrQueueColumns *self, gboolean *descending);

G_END_DECLS
