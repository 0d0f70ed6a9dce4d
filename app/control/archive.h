/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A .tar.gz (POSIX ustar) that is made in memory, a piece at a time. */
typedef struct _PrArchive PrArchive;

PrArchive *pr_archive_new (void);
void pr_archive_free (PrArchive *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrArchive, pr_archive_free)

/* The next file: @name of at most 99 octets, @size_octets of contents, which pr_archive_write ()
 * must bring, mode 0600. */
void pr_archive_begin (PrArchive *self, const char *name, guint64 size_octets, gint64 time_us);
void pr_archive_write (PrArchive *self, const char *data, gsize len);
/* Both at once. */
void pr_archive_add (PrArchive *self, const char *name, const char *text, gint64 time_us);
/* The whole archive; nothing may follow. (transfer full) */
GBytes *pr_archive_finish (PrArchive *self);

G_END_DECLS
