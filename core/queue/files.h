/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the queue asks of the file system beyond GLib. All of it blocks: never on the main loop. */

/* Takes the lock of @home for this process and returns its descriptor: closing it gives the lock
 * back. -1 and BUSY: another process holds it; PERMANENT: cannot be created. */
int pr_files_lock (const char *home, GError **error);
/* Makes the entries of a folder safe on disk. 0 or errno. */
int pr_files_sync_folder (const char *path);
/* Creates the folder, 0700, and makes its name safe in @parent. An existing one is fine.
 * 0 or errno. */
int pr_files_make_folder (const char *path, const char *parent);
/* Creates a file that must not exist, 0600. The descriptor, or -1 and @error_number. */
int pr_files_create (const char *path, int *error_number);
/* Writes all of it, over interrupted and partial writes. 0 or errno. */
int pr_files_write (int fd, const char *data, gsize len);
/* Over what is at the beginning of the file. */
int pr_files_write_start (int fd, const char *data, gsize len);
/* The octets of the file, on disk. 0 or errno. */
int pr_files_sync (int fd);
/* Asks the system to begin writing [offset, offset + len): spreads the cost of the flush. */
void pr_files_start_writing (int fd, guint64 offset, guint64 len);
/* Octets free to this user on the file system of @path; 0 when it cannot be told. */
guint64 pr_files_free_space (const char *path);

G_END_DECLS
