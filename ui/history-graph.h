/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ui/overview-words.h"

G_BEGIN_DECLS

#define PR_HISTORY_HOURS 24

/**
 * PrHistoryGraph: what came and went in the last day, four bars for each hour. One hour is chosen,
 * by the arrow keys, Home, End or a click; a screen reader reads it out.
 *
 * Property `words` (string, read-only): the chosen hour in words.
 */
#define PR_TYPE_HISTORY_GRAPH (pr_history_graph_get_type ())
G_DECLARE_FINAL_TYPE (PrHistoryGraph, pr_history_graph, PR, HISTORY_GRAPH, GtkWidget)

/* @hours: oldest first, copied. Draws only when they are others. */
void pr_history_graph_set_hours (PrHistoryGraph *self, const PrHour hours[PR_HISTORY_HOURS]);

G_END_DECLS
