/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * Parts of Postroom that lie in a module of their own, because the libraries they need are large
 * and most services never use them: HTTP, DNSSEC, the keyring. A module is a file
 * `postroom-NAME.so` beside the program, or where modules are installed; never anywhere else.
 */

/* (transfer none): what @symbol names in `postroom-@name`, which is opened at the first call and
 * stays open. That call reads the disk: a person or a peer waits for it, mail does not. Any
 * thread. Errors: PR_ERROR_UNSUPPORTED, in words. */
gpointer pr_module_open (const char *name, const char *symbol, GError **error);
/* (transfer full) (nullable): the path of @file, a program or a module of Postroom's own, in the
 * same places. Any thread. */
char *pr_module_find (const char *file);
/* Looks in @folder before anywhere else; for programs that lie elsewhere, such as tests. Before
 * the first call and from one thread. @folder: (nullable): copied. */
void pr_module_set_folder (const char *folder);

G_END_DECLS
