/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrHome: where a Postroom keeps its things. With --home=DIR all of it is in DIR; without, in
 * the XDG base directories: postroom.conf and credentials in the configuration's, queue.db, body/
 * and tls/ in the data's, control in the runtime's (the data's where there is none; in a flatpak
 * its folder that all starts of one application share).
 */
typedef struct
{
  char *data;          /* folder of queue.db, body/, tls/ and the lock */
  char *config;        /* path of postroom.conf */
  char *credentials;   /* path of credentials */
  char *control;       /* path of the control socket */
  gboolean is_default; /* of the XDG base directories */
} PrHome;

/* @directory: (nullable): --home. Makes nothing. */
PrHome *pr_home_new (const char *directory);
PrHome *pr_home_copy (const PrHome *self);
void pr_home_free (PrHome *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrHome, pr_home_free)

/* Makes the folders that are missing, mode 0700. PR_ERROR_PERMANENT names the one that cannot be.
 * Blocking. */
gboolean pr_home_create (const PrHome *self, GError **error);

G_END_DECLS
