/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What programs and the window change in the text of postroom.conf; all else in it, comments above
 * all, stays as it is. Pure; any thread. Words of errors are for people. */

/* @edits: a(ssss) as of Configuration1.Edit in data/dbus. Errors: PR_ERROR_CONFIG. (transfer full)
 */
char *pr_edits_apply (const char *text, GVariant *edits, GError **error);

/* User @name with @password ("": the one it has), @options as of Configuration1.SetUser. Takes
 * milliseconds for a password. Wipe the result: pr_sasl_forget(). (transfer full) */
char *pr_edits_set_user (const char *text, const char *name, const char *password,
                         GVariant *options, GError **error);

G_END_DECLS
