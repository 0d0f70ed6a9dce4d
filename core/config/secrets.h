/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * What must stay secret of each route: in the keyring of the desktop where a secret service
 * answers, else in the key file `credentials` (mode 0600): [route NAME] password=…, token=…,
 * client-secret=…
 * All functions block, for some ten seconds at worst: call them in a thread, from any number of
 * threads at once. A keyring that is locked is an error (PR_ERROR_TEMPORARY) in words, at once: no
 * one is asked to unlock it, and nothing goes into the file instead. No secret appears in an error.
 */
typedef enum
{
  PR_SECRET_PASSWORD,
  PR_SECRET_TOKEN,         /* the record of a sign-in: any text that its owner can read */
  PR_SECRET_CLIENT_SECRET, /* of a program registered with a provider */
} PrSecretKind;
#define PR_SECRET_MAX_OCTETS (64 * 1024)

/* (transfer full) (nullable): NULL with no error where there is none; free it with
 * pr_secret_free(). @path: of `credentials`; it tells homes apart in the keyring, too. The file is
 * asked first: what is in it was written by hand, or where no keyring was. A file that others can
 * read is an error (PR_ERROR_CONFIG): its secrets are not secret any more. */
char *pr_secrets_get (const char *path, const char *route, PrSecretKind kind, GError **error);
/* Into the keyring, and then no copy stays in the file; where there is none, into the file, which
 * is written anew as pr_config_save() does. @text: (nullable): UTF-8, at most
 * PR_SECRET_MAX_OCTETS; NULL forgets it in both. */
gboolean pr_secrets_set (const char *path, const char *route, PrSecretKind kind, const char *text,
                         GError **error);
/* Wipes and frees. @secret: (nullable) */
void pr_secret_free (char *secret);
void pr_secret_wipe (gpointer data, gsize len);

G_END_DECLS
