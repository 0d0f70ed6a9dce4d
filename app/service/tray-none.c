/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where there is no tray that we know. */

#include "service/tray.h"

PrTray *
pr_tray_new (GDBusConnection *bus, PrTrayFunc func, gpointer user_data)
{
  return NULL;
}

void
pr_tray_free (PrTray *self)
{
}

void
pr_tray_update (PrTray *self, const PrTrayStatus *status)
{
}
