/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The name of an SQLite VFS that writes the write-ahead log in large pieces; the system's own in
 * all else. Only for connections with synchronous=FULL (or that only read). Any thread.
 * Returns: for sqlite3_open_v2; NULL, which means the system's own, if it cannot be had. */
const char *pr_vfs_get_name (void);

G_END_DECLS
