/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * The passwords of routes: in the keyring of the desktop where a secret service answers, else in
 * the key file `credentials` (mode 0600): [route NAME] password=…
 * All functions block, for some seconds at worst: call them in a thread. No password appears in an
 * error.
 */

/* (transfer full) (nullable): NULL with no error where there is none; free it with
 * pr_secret_free(). @path: of `credentials`; it tells homes apart in the keyring, too. The
 * file is asked first: what is in it is newer. A file that others can read is an error
 * (PR_ERROR_CONFIG): its passwords are not secret any more. */
char *pr_secrets_get (const char *path, const char *route, GError **error);
/* Into the keyring, and then no copy stays in the file; or, where that does not take it, into the
 * file, written anew as pr_config_save() does. @password: (nullable): NULL forgets it in both. */
gboolean pr_secrets_set (const char *path, const char *route, const char *password, GError **error);
/* Wipes and frees. */
void pr_secret_free (char *secret);

G_END_DECLS
