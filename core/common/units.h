/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "512", "100K", "50M", "2G" (powers of 1024, case does not matter) in octets. FALSE where the
 * text is anything else or does not fit 63 bits. */
gboolean pr_size_parse (const char *text, guint64 *octets);
/* "90", "90s", "5m", "4h", "5d" in seconds. Same errors. */
gboolean pr_duration_parse (const char *text, guint64 *seconds);
/* In the largest unit that divides the value ("50M", "1000", "5m", "90s"): reads well, and the
 * parsers above read it back as the same value. (transfer full) */
char *pr_size_format (guint64 octets);
char *pr_duration_format (guint64 seconds);
/* @us: microseconds since the Unix epoch, UTC; what lies outside the years 1 to 9999 is clamped.
 * RFC 3339 in UTC with milliseconds, "2026-11-23T19:42:26.123Z". (transfer full) */
char *pr_time_format (gint64 us);
/* RFC 5322 §3.3 date-time in local time with numeric zone, "Mon, 23 Nov 2026 20:42:26 +0100",
 * in English whatever the locale. (transfer full) */
char *pr_date_format (gint64 us);

G_END_DECLS
