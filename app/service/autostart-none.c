/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where we do not know how programs start at login. */

#include "service/autostart.h"

#include <glib/gi18n.h>

PrAutostart *
pr_autostart_new (const PrHome *home)
{
  return NULL;
}

void
pr_autostart_free (PrAutostart *self)
{
}

void
pr_autostart_set_bus (PrAutostart *self, GDBusConnection *bus)
{
}

void
pr_autostart_set_changed (PrAutostart *self, void (*changed) (gpointer), gpointer user_data)
{
}

void
pr_autostart_set (PrAutostart *self, gboolean start, PrAutostartDone done, gpointer user_data)
{
  done (FALSE, start ? _ ("This system does not offer it") : NULL, user_data);
}

void
pr_autostart_get (PrAutostart *self, PrAutostartDone done, gpointer user_data)
{
  done (FALSE, NULL, user_data);
}

void
pr_autostart_set_status (PrAutostart *self, const char *text)
{
}
