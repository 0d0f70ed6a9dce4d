/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How the devices of a home or an office reach this computer: what of postroom.conf and of
 * Service1.GetNetworks it depends on. No input and no output. */

/* Edits of Configuration1.Edit, a(ssss), that open the service to the network.
 * @conf: postroom.conf as it is; @networks: aa{sv} of Service1.GetNetworks; @without_password:
 * every device of the private networks may send, else only who signs in. @undo: (out) (transfer
 * full): edits that take it back. Both are empty where nothing is to do. (transfer full) */
GVariant *pr_reach_make_edits (const char *conf, GVariant *networks, gboolean without_password,
                               GVariant **undo);

/* The first that nobody else's network is, IPv4 before IPv6; NULL: there is none. Borrowed from
 * @networks. @network: (out) (optional): the network it is in. */
const char *pr_reach_find_address (GVariant *networks, const char **network);

G_END_DECLS
