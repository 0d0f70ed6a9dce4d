/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * Message ids: microseconds since the Unix epoch at the time of receipt, made strictly
 * increasing, so that they never repeat and sort by age. Their text form is 11 characters of
 * Crockford's base 32 in lower case ("1kh3zs5v8qg"), which also sorts by age.
 */
#define PR_ID_LEN 11
/* 55 bits: enough until the year 3111. Ids are 0..PR_ID_MAX. */
#define PR_ID_MAX ((G_GINT64_CONSTANT (1) << 55) - 1)

typedef struct
{
  gint64 last; /* the highest id ever given; the store restores it at start */
} PrIdSource;

gint64 pr_id_next (PrIdSource *self);
const char *pr_id_format (gint64 id, char buf[PR_ID_LEN + 1]);
/* FALSE unless @text is exactly one id; upper case is accepted. */
gboolean pr_id_parse (const char *text, gint64 *id);

G_END_DECLS
