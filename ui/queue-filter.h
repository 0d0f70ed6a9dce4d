/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/queue-model.h"

G_BEGIN_DECLS

/* PrQueueFilter: what narrows the queue down: words, a state, a route. */
#define PR_TYPE_QUEUE_FILTER (pr_queue_filter_get_type ())
G_DECLARE_FINAL_TYPE (PrQueueFilter, pr_queue_filter, PR, QUEUE_FILTER, AdwBin)

/* What it says @model (referenced) shows, from now on. Once. */
void pr_queue_filter_set_model (PrQueueFilter *self, PrQueueModel *model);
/* The routes to choose from. */
void pr_queue_filter_set_routes (PrQueueFilter *self, const char *const *names);
/* One thing below the other. */
void pr_queue_filter_set_narrow (PrQueueFilter *self, gboolean narrow);
/* Where one types. (transfer none) */
GtkEditable *pr_queue_filter_get_entry (PrQueueFilter *self);

G_END_DECLS
