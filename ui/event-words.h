/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Events of Journal1, a{sv}, in words for people: what the log, a message's timeline and the
 * overview say. Pure. What a peer said in it is quoted, never taken as markup. */

typedef enum
{
  PR_TONE_PLAIN,
  PR_TONE_GOOD,
  PR_TONE_WARNING, /* it goes on by itself */
  PR_TONE_BAD,     /* somebody should know */
} PrEventTone;

/* "Delivered to you@example.org by gmail". (transfer full) */
char *pr_event_words_title (GVariant *event);
/* What was answered or what else is to be said; "" where there is nothing. (transfer full) */
char *pr_event_words_detail (GVariant *event);
PrEventTone pr_event_words_tone (GVariant *event);
/* The name of a symbolic icon. */
const char *pr_event_words_icon (GVariant *event);
/* The name of a style class of libadwaita, NULL: none. */
const char *pr_event_words_class (GVariant *event);

/* Today: "14:05:12"; else with the date. As the locale writes it. (transfer full) */
char *pr_event_words_time (gint64 time_us);

G_END_DECLS
