/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * PrAttentionCard: one thing that waits for a person, in words, with a button for each thing they
 * can do about it.
 *
 * Signal `answered` (string: one of its actions, or `dismiss`).
 */
#define PR_TYPE_ATTENTION_CARD (pr_attention_card_get_type ())
G_DECLARE_FINAL_TYPE (PrAttentionCard, pr_attention_card, PR, ATTENTION_CARD, GtkWidget)

/* @alert: as of Service1.ListAlerts, or a `kind` and actions of the window's own: `set-up`. */
GtkWidget *pr_attention_card_new (GVariant *alert);
/* Another version of what it shows. */
void pr_attention_card_set_alert (PrAttentionCard *self, GVariant *alert);
/* (transfer none) */
GVariant *pr_attention_card_get_alert (PrAttentionCard *self);

G_END_DECLS
