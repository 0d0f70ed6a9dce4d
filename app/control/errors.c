/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors and their names on the control interface. */

#include "control/errors.h"

#include <gio/gio.h>

static const GDBusErrorEntry entries[] = {
  { PR_ERROR_PERMANENT, "io.github.postroom.Error.Refused" },
  { PR_ERROR_TEMPORARY, "io.github.postroom.Error.Later" },
  { PR_ERROR_CONFIG, "io.github.postroom.Error.Configuration" },
};

void
pr_control_errors_init (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    g_dbus_error_register_error (PR_ERROR, entries[i].error_code, entries[i].dbus_error_name);
}
