/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A new route by the preset of a provider, in the text of postroom.conf. Pure but for the data of
 * the providers; any thread. @options: as of Configuration1.AddRoute in data/dbus.
 * @name: (out) (transfer full): of the route. Errors: PR_ERROR_CONFIG, in words for people.
 * (transfer full) */
char *pr_add_route (const char *text, GVariant *options, char **name, GError **error);

G_END_DECLS
