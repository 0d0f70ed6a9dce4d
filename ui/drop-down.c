/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drop-down.h"

static void
on_set_up (GtkSignalListItemFactory *factory, GtkListItem *row, gpointer user_data)
{
  GtkWidget *label = gtk_label_new (NULL);
  GtkExpression *item = gtk_property_expression_new (GTK_TYPE_LIST_ITEM, NULL, "item");
  GtkExpression *text = gtk_property_expression_new (GTK_TYPE_STRING_OBJECT, item, "string");

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_expression_bind (text, label, "label", row);
  gtk_list_item_set_child (row, label);
}

void
pr_drop_down_let_shrink (GtkDropDown *self)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();

  g_return_if_fail (GTK_IS_DROP_DOWN (self));

  g_signal_connect_data (factory, "setup", G_CALLBACK (on_set_up), NULL, NULL, 0);
  gtk_drop_down_set_list_factory (self, gtk_drop_down_get_factory (self));
  gtk_drop_down_set_factory (self, factory);
}
