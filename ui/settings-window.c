/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings-window.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "all-settings-page.h"
#include "devices-settings-page.h"
#include "general-settings-page.h"
#include "protection-settings-page.h"
#include "receiving-settings-page.h"
#include "sending-settings-page.h"
#include "storage-settings-page.h"

/* In the order of their tabs; behind them: everything there is. */
static GType (*const pages[]) (void) = {
  pr_general_settings_page_get_type,    pr_receiving_settings_page_get_type,
  pr_devices_settings_page_get_type,    pr_sending_settings_page_get_type,
  pr_protection_settings_page_get_type, pr_storage_settings_page_get_type,
};

GtkWindow *
pr_settings_window_new (GtkWindow *parent, PrService *service)
{
  g_autoptr (PrSettings) settings = pr_settings_new (service);
  GtkWidget *window =
    g_object_new (ADW_TYPE_PREFERENCES_WINDOW, "title", _ ("Settings"), "transient-for", parent,
                  "default-width", 680, "default-height", 640, "search-enabled", TRUE, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    adw_preferences_window_add (ADW_PREFERENCES_WINDOW (window),
                                g_object_new (pages[i](), "settings", settings, NULL));
  adw_preferences_window_add (ADW_PREFERENCES_WINDOW (window),
                              ADW_PREFERENCES_PAGE (pr_all_settings_page_new (settings)));
  return GTK_WINDOW (window);
}
