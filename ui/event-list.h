/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/event.h"
#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrEventList: a GListModel of PrLogEvent, newest first, that knows a range of the journal: it
 * begins with the newest, asks for older ones when a person comes near its end, and for newer ones
 * as they happen while it is watched. Millions of events cost what is looked at: while it follows,
 * the oldest rows go beyond PR_EVENT_LIST_MAX, and are asked for again when they are wanted.
 *
 * Properties, read-only: `busy` (boolean: an answer is awaited), `fault` (string, nullable: why
 * there is none). Main thread only.
 */
#define PR_TYPE_EVENT_LIST (pr_event_list_get_type ())
G_DECLARE_FINAL_TYPE (PrEventList, pr_event_list, PR, EVENT_LIST, GObject)

#define PR_EVENT_LIST_PAGE 64 /* more than fit a window; rows are dear to make */
#define PR_EVENT_LIST_MAX 10000

PrEventList *pr_event_list_new (PrService *service);
/* @filter: (nullable) (transfer floating): a{sv} as of Journal1.Query, without `before` and
 * `after`. Begins anew. */
void pr_event_list_set_filter (PrEventList *self, GVariant *filter);
/* While somebody looks, what happens is added. */
void pr_event_list_watch (PrEventList *self, gboolean watch);
/* While somebody reads further down, nothing is added above. */
void pr_event_list_hold (PrEventList *self, gboolean hold);
/* The row at @position is shown: asks for older ones when few are left below it. */
void pr_event_list_reach (PrEventList *self, guint position);
gboolean pr_event_list_is_busy (PrEventList *self);

G_END_DECLS
