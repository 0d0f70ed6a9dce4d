/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Files that a person chooses. Nothing blocks; what went wrong is told by a toast. */

/* Asks where, proposing @name, writes @contents and says @done. @is_private: for the person's own
 * eyes (mode 0600). */
void pr_files_save (GtkWidget *widget, const char *title, const char *name, GBytes *contents,
                    gboolean is_private, const char *done);

/* @text: UTF-8, what is in the file. Not called when it could not be read. */
typedef void (*PrFilesFunc) (GtkWidget *widget, const char *text);
/* Asks for a text file of at most 4 MiB and reads it. */
void pr_files_open_text (GtkWidget *widget, const char *title, PrFilesFunc func);

G_END_DECLS
