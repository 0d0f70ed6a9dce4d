/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrTags: a list "v=1; d=example.org; p=" (RFC 6376 §3.2), as DKIM, its keys, DMARC and ARC write
 * it. Names are told apart by case, and none comes twice. Immutable.
 */
typedef struct _PrTags PrTags;

#define PR_TAGS_MAX 64 /* tags in one list */

/* NULL: it is no such list. */
PrTags *pr_tags_parse (const char *text, gsize len);
void pr_tags_free (PrTags *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTags, pr_tags_free)

/* Without the blanks around it, those within as they came; NULL: not there. Borrowed. */
const char *pr_tags_get (const PrTags *self, const char *name);
/* The name at @index, in the order they came; NULL: past the last. Borrowed. */
const char *pr_tags_get_name (const PrTags *self, guint index);
/* Where the value is in the parsed text, from behind its "=" to in front of its ";" or the end,
 * blanks included. FALSE: not there. */
gboolean pr_tags_find (const PrTags *self, const char *name, gsize *offset, gsize *len);
/* The value without any blanks, decoded from base64. NULL: not there, or no base64. (transfer full)
 */
GBytes *pr_tags_get_base64 (const PrTags *self, const char *name);
/* A decimal number of at most 12 digits. FALSE: not there, or no number. */
gboolean pr_tags_get_number (const PrTags *self, const char *name, guint64 *number);
/* Whether @word is one of the words that the colons of the value separate, without regard to case.
 * @missing: the answer where there is no such tag. */
gboolean pr_tags_has_word (const PrTags *self, const char *name, const char *word,
                           gboolean missing);

G_END_DECLS
