/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Changes one group of postroom.conf and leaves every other octet, comments above all, as it is.
 * @text: the whole file, key file syntax. */

/* Sets @key of @group; a group that is not there is added at the end. (transfer full) */
char *pr_conf_set (const char *text, const char *group, const char *key, const char *value);
/* Without @key, which then has its default; as it is where there is none. (transfer full) */
char *pr_conf_unset (const char *text, const char *group, const char *key);
/* @group called @name. NULL: there is none, or one of that name already. (transfer full) */
char *pr_conf_rename (const char *text, const char *group, const char *name);
/* @group with the comment right above it before the group @before, NULL: at the end. NULL: one of
 * them is not there. (transfer full) */
char *pr_conf_move (const char *text, const char *group, const char *before);
/* Without @group; comments above the next one stay. NULL: there is none. (transfer full) */
char *pr_conf_remove (const char *text, const char *group);
/* @value as it is written behind "key=". (transfer full) */
char *pr_conf_escape (const char *value);
/* A group can have this name. */
gboolean pr_conf_is_name (const char *name);

G_END_DECLS
