/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/secrets.h"

G_BEGIN_DECLS

/**
 * The desktop's keyring, asked by a program of its own, `postroom-keyring`, for each question:
 * libsecret and its libraries are in no memory but while one is asked. Internal to core/config;
 * secrets.h is the door. All calls block for at most some ten seconds and belong into a thread.
 * No secret appears in an error or in an argument.
 */
typedef enum
{
  PR_KEYRING_DONE,
  PR_KEYRING_NONE,   /* no secret service answers, or this installation has no such program */
  PR_KEYRING_FAILED, /* there is one, but it is locked or in trouble: error, TEMPORARY */
} PrKeyring;

/* How the program ends. */
typedef enum
{
  PR_KEYRING_EXIT_DONE = 0,
  PR_KEYRING_EXIT_NOTHING = 1, /* it keeps no such secret */
  PR_KEYRING_EXIT_USAGE = 64,
  PR_KEYRING_EXIT_NO_SERVICE = 69,
  PR_KEYRING_EXIT_FAILED = 75, /* in words on standard output */
} PrKeyringExit;

/* @owner: path of the file `credentials`: tells homes apart. *@secret: (out) (transfer full)
 * (nullable): free it with pr_secret_free(). Asks nobody to unlock anything. */
PrKeyring pr_keyring_get (const char *owner, const char *route, const char *kind, char **secret,
                          GError **error);
/* @secret: (nullable): NULL forgets it. */
PrKeyring pr_keyring_set (const char *owner, const char *route, const char *kind,
                          const char *secret, GError **error);

G_END_DECLS
