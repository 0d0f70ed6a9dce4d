/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * What must stay secret of each route, in the key file `credentials` (mode 0600):
 * [route NAME] password=…, token=…, client-secret=…
 * A secret service will stand before it. All functions block on the disk: call them at start or
 * in a thread, from any number of threads at once. No secret appears in an error.
 */
typedef enum
{
  PR_SECRET_PASSWORD,
  PR_SECRET_TOKEN,         /* the record of a sign-in: any text that its owner can read */
  PR_SECRET_CLIENT_SECRET, /* of a program registered with a provider */
} PrSecretKind;
#define PR_SECRET_MAX_OCTETS (64 * 1024)

/* (transfer full) (nullable): NULL with no error where there is none; free it with
 * pr_secret_free(). A file that others can read is an error (PR_ERROR_CONFIG): its secrets are
 * not secret any more. */
char *pr_secrets_get (const char *path, const char *route, PrSecretKind kind, GError **error);
/* Writes the whole file anew, as pr_config_save() does. @text: (nullable): UTF-8, at most
 * PR_SECRET_MAX_OCTETS; NULL forgets it. */
gboolean pr_secrets_set (const char *path, const char *route, PrSecretKind kind, const char *text,
                         GError **error);
/* Wipes and frees. */
void pr_secret_free (char *secret);

G_END_DECLS
