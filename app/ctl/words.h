/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers and times as people read them. All results (transfer full). */

char *pr_words_size (guint64 octets); /* "812 B", "4.1 KiB", "50 MiB" */
/* "just now", "3 min ago", "in 2 h", "5 d ago", as seen at @now_us; "" for 0. */
char *pr_words_when (gint64 us, gint64 now_us);
/* Local time, "2026-11-23 20:44:02"; "" for 0. */
char *pr_words_time (gint64 us);
/* "1 message", "3 messages" */
char *pr_words_count (guint64 n, const char *singular);
/* "a", "a and b", "a, b and c" */
char *pr_words_list (const char *const *items);

/* How far back a person wants to look: a duration ("90", "2h", "3d"), a day ("2026-11-23"), a
 * local time ("2026-11-23 20:44") or RFC 3339 ("2026-11-23T19:44:02Z"); microseconds since the
 * epoch. FALSE for anything else. */
gboolean pr_words_parse_since (const char *text, gint64 now_us, gint64 *us);

G_END_DECLS
