/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the service says, as JSON on one line. Numbers of type x are times, but for an `id`: RFC
 * 3339 in UTC. (transfer full) */
char *pr_json_value (GVariant *value);
/* One message of the queue with exactly the fields that CONTRACT promises, null where one does not
 * apply, and behind them whatever else there is. */
char *pr_json_message (GVariant *message);
/* The same with @events (aa{sv}) as `history`. */
char *pr_json_message_with_history (GVariant *message, GVariant *events);
/* {"key": text, ...}; pairs of strings, ended by NULL. A NULL-less value only. */
char *pr_json_object (const char *key, ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
