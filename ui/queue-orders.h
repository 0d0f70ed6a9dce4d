/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/* What people do with messages. @ids: (transfer none): of messages, NULL-terminated. What goes
 * wrong, and what can be taken back, is told by a toast in @widget's window. */

/* @order: as of Queue1.Order, but for `delete`. */
void pr_queue_orders_send (GtkWidget *widget, PrService *service, const char *order,
                           const char *const *ids);
/* For all that is in the queue now under @filter (a{sv} of Queue1, floating). @order: as of
 * Queue1.OrderMatching, but for `delete`; @route: of `move`, else "". */
void pr_queue_orders_send_matching (GtkWidget *widget, PrService *service, const char *order,
                                    GVariant *filter, const char *route);
/* Gives up and tells the sender. */
void pr_queue_orders_fail (GtkWidget *widget, PrService *service, const char *const *ids);
/* @route: "" lets the routes decide again. */
void pr_queue_orders_move (GtkWidget *widget, PrService *service, const char *const *ids,
                           const char *route);
/* Holds them at once and deletes them when the toast that offers to undo it has gone; a window
 * that closes counts as that. @held: (transfer none): those of @ids that were held before, which
 * undoing does not release. */
void pr_queue_orders_delete (GtkWidget *widget, PrService *service, const char *const *ids,
                             const char *const *held);
/* The same for all that is in the queue now under @filter (a{sv} of Queue1, floating). */
void pr_queue_orders_delete_matching (GtkWidget *widget, PrService *service, GVariant *filter);

G_END_DECLS
