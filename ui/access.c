/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "access.h"

#include <glib/gi18n.h>

/* From one list of networks into the other. */
static void
move_address (GtkWidget *widget, PrService *service, const char *address, const char *from,
              const char *to, const char *words)
{
  GVariantBuilder edits;

  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  g_variant_builder_add (&edits, "(ssss)", "take", "access", from, address);
  g_variant_builder_add (&edits, "(ssss)", "add", "access", to, address);
  pr_change_edit (widget, service, g_variant_builder_end (&edits), words, NULL);
}

void
pr_access_allow (GtkWidget *widget, PrService *service, const char *address)
{
  g_autofree char *words = g_strdup_printf (_ ("%s may send without signing in"), address);

  move_address (widget, service, address, "deny-networks", "relay-networks", words);
}

void
pr_access_block (GtkWidget *widget, PrService *service, const char *address)
{
  g_autofree char *words = g_strdup_printf (_ ("%s is turned away from now on"), address);

  move_address (widget, service, address, "relay-networks", "deny-networks", words);
}
