/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/service.h"
#include "ui/session.h"

G_BEGIN_DECLS

/**
 * PrSessionList: a GListModel of PrSession: what goes on, newest first, and below it what ended
 * since, at most PR_SESSION_LIST_ENDED. It asks the service only while it is watched.
 *
 * Property `alive` (uint, read-only): how many go on, listed or not. Main thread only.
 */
#define PR_TYPE_SESSION_LIST (pr_session_list_get_type ())
G_DECLARE_FINAL_TYPE (PrSessionList, pr_session_list, PR, SESSION_LIST, GObject)

#define PR_SESSION_LIST_ALIVE 1000
#define PR_SESSION_LIST_ENDED 100

PrSessionList *pr_session_list_new (PrService *service);
/* While somebody looks: asked again each second, for what is said moves without a signal. */
void pr_session_list_watch (PrSessionList *self, gboolean watch);
guint pr_session_list_count_alive (PrSessionList *self);
/* NULL: not listed. (transfer none) */
PrSession *pr_session_list_find (PrSessionList *self, guint64 id, guint *position);

G_END_DECLS
