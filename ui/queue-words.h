/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the queue's columns say of a message (a{sv} as of Queue1.List). All (transfer full), never
 * NULL. */
char *pr_queue_words_from (GVariant *message);
char *pr_queue_words_to (GVariant *message);
char *pr_queue_words_subject (GVariant *message);
char *pr_queue_words_size (GVariant *message);
char *pr_queue_words_received (GVariant *message);
char *pr_queue_words_next_try (GVariant *message);
char *pr_queue_words_state (GVariant *message);
char *pr_queue_words_route (GVariant *message);
/* Recipients and state in one line. */
char *pr_queue_words_summary (GVariant *message);

/* A time as people say it in a list: the hour alone today. @us: since the epoch; 0: "". */
char *pr_queue_words_time (gint64 us);
/* "pending", "delivered", "failed", held: one recipient (a{sv}) in words. */
char *pr_queue_words_recipient (GVariant *recipient);

G_END_DECLS
