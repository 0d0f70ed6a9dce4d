/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrPage: what stands in the window's stack: a composite template `ui/NAME-page.[ch].ui`, made by
 * the window from its row in the table of pages.c.
 *
 * Properties: `service` (PrService, construct-only), which the window gives; `badge` (uint, read
 * only), a number beside its name: what waits for a person there.
 * All functions are optional.
 */
#define PR_TYPE_PAGE (pr_page_get_type ())
G_DECLARE_INTERFACE (PrPage, pr_page, PR, PAGE, GtkWidget)

struct _PrPageInterface
{
  GTypeInterface parent_interface;

  /* Buttons for the window's header while the page is shown. (nullable) (transfer none) */
  GtkWidget *(*get_controls) (PrPage *self);
  /* Shows one item: a message id, a session's number, as the page understands it. */
  void (*show_item) (PrPage *self, const char *item);
  /* Ctrl+F was pressed, wherever the focus is. */
  void (*search) (PrPage *self);
};

GtkWidget *pr_page_get_controls (PrPage *self);
void pr_page_show_item (PrPage *self, const char *item);
void pr_page_search (PrPage *self);

G_END_DECLS
