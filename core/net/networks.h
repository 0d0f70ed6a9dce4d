/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An address of this computer that others can reach, and the network it is in. */
typedef struct
{
  char *interface;     /* owned: "eth0" */
  char *address;       /* owned: "192.168.1.7" */
  char *network;       /* owned: "192.168.1.0/24" */
  gboolean is_private; /* RFC 1918 §3 or RFC 4193: nobody else's */
} PrNetwork;

void pr_network_free (PrNetwork *self);

/* All of them but loopback and link-local ones, as the system lists them, at most 64. Asks the
 * kernel alone. (transfer full) (element-type PrNetwork) */
GPtrArray *pr_networks_list (void);

G_END_DECLS
