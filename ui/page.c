/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "page.h"

G_DEFINE_INTERFACE (PrPage, pr_page, GTK_TYPE_WIDGET)

static void
pr_page_default_init (PrPageInterface *iface)
{
  g_object_interface_install_property (
    iface,
    g_param_spec_object ("service", NULL, NULL, PR_TYPE_SERVICE,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
  g_object_interface_install_property (
    iface, g_param_spec_uint ("badge", NULL, NULL, 0, G_MAXUINT, 0,
                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

GtkWidget *
pr_page_get_controls (PrPage *self)
{
  g_return_val_if_fail (PR_IS_PAGE (self), NULL);

  return PR_PAGE_GET_IFACE (self)->get_controls != NULL
           ? PR_PAGE_GET_IFACE (self)->get_controls (self)
           : NULL;
}

void
pr_page_show_item (PrPage *self, const char *item)
{
  g_return_if_fail (PR_IS_PAGE (self) && item != NULL);

  if (PR_PAGE_GET_IFACE (self)->show_item != NULL)
    PR_PAGE_GET_IFACE (self)->show_item (self, item);
}

void
pr_page_search (PrPage *self)
{
  g_return_if_fail (PR_IS_PAGE (self));

  if (PR_PAGE_GET_IFACE (self)->search != NULL)
    PR_PAGE_GET_IFACE (self)->search (self);
}
