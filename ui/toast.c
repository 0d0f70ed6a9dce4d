/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "toast.h"

void
pr_toast_add (GtkWidget *widget, AdwToast *toast)
{
  GtkWidget *overlay = gtk_widget_get_ancestor (widget, ADW_TYPE_TOAST_OVERLAY);

  if (overlay != NULL)
    adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), toast);
  else
    g_object_unref (toast);
}

void
pr_toast_show (GtkWidget *widget, const char *text)
{
  /* A toast's title is markup, and what it quotes may be anything. */
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  pr_toast_add (widget, adw_toast_new (escaped));
}
