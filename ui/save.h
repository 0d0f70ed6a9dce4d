/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ui/mail-outline.h"
#include "ui/service.h"

G_BEGIN_DECLS

/* What is in the queue, into a file that a person chooses: a piece at a time, however large it is.
 * What becomes of it is told by a toast in @widget's window. */

/* The whole message. @name: a proposal for the file's name, without the ending. */
void pr_save_message (GtkWidget *widget, PrService *service, const char *id, const char *name);
/* One part of it, decoded. @name: a proposal for the file's name. */
void pr_save_part (GtkWidget *widget, PrService *service, const char *id, const PrMailPart *part,
                   const char *name);

G_END_DECLS
