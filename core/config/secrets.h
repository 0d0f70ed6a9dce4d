/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * The passwords of routes, in the key file `credentials` (mode 0600): [route NAME] password=…
 * A secret service will stand before it. All functions block on the disk: call them at start or
 * in a thread. No password appears in an error.
 */

/* (transfer full) (nullable): NULL with no error where there is none; free it with
 * pr_secret_free(). A file that others can read is an error (PR_ERROR_CONFIG): its passwords are
 * not secret any more. */
char *pr_secrets_get (const char *path, const char *route, GError **error);
/* Writes the whole file anew, as pr_config_save() does. @password: (nullable): NULL forgets it. */
gboolean pr_secrets_set (const char *path, const char *route, const char *password, GError **error);
/* Wipes and frees. */
void pr_secret_free (char *secret);

G_END_DECLS
