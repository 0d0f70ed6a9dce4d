/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "settings.h"

G_BEGIN_DECLS

/* What devices must be told: one place where they may connect. */
typedef struct
{
  char *group;       /* owned: "listener office"; one that is not in the file: the default's */
  char *address;     /* owned: "192.168.1.7" */
  guint port;        /* 1 to 65535 */
  gboolean is_local; /* programs on this computer alone come here */
  gboolean is_open;  /* mail is taken here now */
} PrDeviceAddress;

/* All there are by the listeners of @settings, those for others first. @networks: (nullable):
 * aa{sv} as of Service1.GetNetworks, what stands for "all addresses"; @open: `addresses` of
 * GetStatus. (transfer full) (element-type PrDeviceAddress) */
GPtrArray *pr_device_addresses_list (PrSettings *settings, GVariant *networks,
                                     const char *const *open);
/* Every listener of the file, or the one that is there without any. (transfer full) */
char **pr_device_addresses_list_listeners (PrSettings *settings);

G_END_DECLS
