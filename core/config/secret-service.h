/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * The desktop's secret service (libsecret): a keyring on the session bus, or in a flatpak the
 * portal's. Internal to core/config; secrets.h is the door. All calls block for at most some
 * seconds and belong into a thread. No password appears in an error.
 */
typedef enum
{
  PR_KEYRING_DONE,
  PR_KEYRING_NONE,   /* no secret service answers, or this build knows none */
  PR_KEYRING_FAILED, /* there is one, but it is locked or in trouble: error */
} PrKeyring;

/* @owner, @route: whose. *@secret: (transfer full): NULL where it keeps none; free it with
 * pr_secret_free(). Never asks a person to unlock it. */
PrKeyring pr_keyring_get (const char *owner, const char *route, char **secret, GError **error);
/* @secret: (nullable): NULL forgets it. May ask a person to unlock it. */
PrKeyring pr_keyring_set (const char *owner, const char *route, const char *secret, GError **error);

G_END_DECLS
