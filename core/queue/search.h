/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* Finding a part of a text without case, as two functions that SQL of a reader may call:
 * found (text) and found_id (id). */

/* What shall be found from now on; NULL: everything is. SQLite code. */
int pr_search_set (sqlite3 *handle, const char *text);
/* A copy, bounded and valid UTF-8; NULL for NULL and for empty. (transfer full) */
char *pr_search_dup (const char *text);

G_END_DECLS
