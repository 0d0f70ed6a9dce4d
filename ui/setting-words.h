/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What keys of postroom.conf and their values are called where people see them. @group: "server",
 * "route office". All (transfer none), in the person's language. */

/* "Largest Message"; @key itself where there is no better name. */
const char *pr_setting_words_get_title (const char *group, const char *key);
/* "Required (STARTTLS)"; @value itself where there are no better words. */
const char *pr_setting_words_get_value (const char *group, const char *key, const char *value);
/* A text of the service's, "" where it says nothing: Describe speaks English. */
const char *pr_setting_words_translate (const char *text);

G_END_DECLS
