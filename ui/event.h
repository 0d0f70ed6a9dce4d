/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * PrLogEvent: one line of the log. Properties, all read-only: `title`, `detail`, `time`,
 * `icon-name` (strings) and `css-classes` (strv), as of event-words.h; words are made when they are
 * asked for, for most lines are never seen.
 */
#define PR_TYPE_LOG_EVENT (pr_log_event_get_type ())
G_DECLARE_FINAL_TYPE (PrLogEvent, pr_log_event, PR, LOG_EVENT, GObject)

PrLogEvent *pr_log_event_new (GVariant *event);
gint64 pr_log_event_get_id (PrLogEvent *self);
/* NULL: it is about none. (transfer none) */
const char *pr_log_event_get_message (PrLogEvent *self);
/* 0: none. */
guint64 pr_log_event_get_session (PrLogEvent *self);
/* One line of text, to be copied. (transfer full) */
char *pr_log_event_to_text (PrLogEvent *self);

G_END_DECLS
