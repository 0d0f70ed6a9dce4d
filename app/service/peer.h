/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether the process at the other end of a local socket is our own user's: what the kernel says
 * of it, or where the system cannot tell that, @credentials (nullable) as the two ends exchanged
 * them. */
gboolean pr_peer_is_own_user (GIOStream *stream, GCredentials *credentials);

G_END_DECLS
