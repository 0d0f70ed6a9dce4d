/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrMessagePane: one message beside the queue: its recipients, what happened to it, and its source
 * a piece at a time, however large it is. It follows the message until that has left the queue.
 *
 * Signal: `closed` (the person wants it away).
 */
#define PR_TYPE_MESSAGE_PANE (pr_message_pane_get_type ())
G_DECLARE_FINAL_TYPE (PrMessagePane, pr_message_pane, PR, MESSAGE_PANE, AdwBin)

/* Before anything else, once. @service: referenced. */
void pr_message_pane_set_service (PrMessagePane *self, PrService *service);
/* @id: of a message; NULL: none. */
void pr_message_pane_show (PrMessagePane *self, const char *id);

G_END_DECLS
