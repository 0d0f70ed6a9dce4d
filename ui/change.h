/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "service.h"

G_BEGIN_DECLS

/* Changes of the configuration that a person made: done at once, told by a toast in the window of
 * the widget, with a button that takes them back. */

/* @fault: in words, NULL: it is in force. Not called when the widget is gone by then. */
typedef void (*PrChangeFunc) (GtkWidget *widget, const char *fault);

/* Changes postroom.conf by @edits (a(ssss) as of Configuration1.Edit, floating) in one step and
 * says @words, or what the service warns of. @done: (nullable): without it faults are told by a
 * toast, too. */
void pr_change_edit (GtkWidget *widget, PrService *service, GVariant *edits, const char *words,
                     PrChangeFunc done);
/* Of an edit alone. */
void pr_change_one (GtkWidget *widget, PrService *service, const char *const edit[4],
                    const char *words, PrChangeFunc done);
/* Calls Configuration1.@method, whose answer of type @reply begins with faults and warnings, as a
 * change of the file that was @before. */
void pr_change_call (GtkWidget *widget, PrService *service, const char *method, GVariant *arguments,
                     const char *reply, const char *before, const char *words, PrChangeFunc done);
/* Says @words, and makes the whole file @before again when a person wants that. */
void pr_change_offer_undo (GtkWidget *widget, PrService *service, const char *words,
                           const char *before);
/* "FILE: [group] key: what is wrong" without what a person knows who sees the key: @group and @key
 * are nullable. (transfer none): in @fault. */
const char *pr_change_trim_fault (const char *fault, const char *group, const char *key);

G_END_DECLS
