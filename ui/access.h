/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/change.h"

G_BEGIN_DECLS

/* Who may send without signing in, changed for one @address: at once, with an undo, as change.h
 * does it. */
void pr_access_allow (GtkWidget *widget, PrService *service, const char *address);
void pr_access_block (GtkWidget *widget, PrService *service, const char *address);

G_END_DECLS
