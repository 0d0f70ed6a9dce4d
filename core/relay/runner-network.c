/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as the runner sees it: whether there is one, and what a server shows. */
#include "relay/runner-private.h"

#include <gio/gio.h>

#include "relay/delivery.h"
#include "relay/hop.h"

static void
cancel_opening (PrHop *hop)
{
  g_autoptr (GList) deliveries = g_list_copy (hop->deliveries.head);

  for (GList *link = deliveries; link != NULL; link = link->next)
    if (pr_delivery_is_opening (link->data))
      pr_delivery_cancel (link->data);
}

void
pr_runner_set_network (PrRunner *self, gboolean available)
{
  g_autoptr (GList) hops = NULL;

  if (self->network_available == available)
    return;
  self->network_available = available;
  pr_resolver_forget (self->resolver);
  pr_dnssec_forget (self->dnssec);
  pr_sts_forget_failures (self->sts);
  hops = g_hash_table_get_values (self->hops);
  for (GList *link = hops; link != NULL; link = link->next)
    {
      PrHop *hop = link->data;

      hop->reachable = FALSE;
      if (!available)
        continue;
      pr_hop_unblock (hop);
      cancel_opening (hop); /* what hangs in the old network begins anew */
    }
  if (available)
    pr_hosts_forget_failures (self->hosts);
  pr_runner_look_again (self);
}

static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, gpointer user_data)
{
  pr_runner_set_network (user_data, available);
}

void
pr_runner_watch_network (PrRunner *self)
{
  GNetworkMonitor *monitor = g_network_monitor_get_default ();

  g_return_if_fail (self->network_handler == 0);
  self->network_handler = g_signal_connect_data (
    monitor, "network-changed", G_CALLBACK (on_network_changed), self, NULL, (GConnectFlags) 0);
  pr_runner_set_network (self, g_network_monitor_get_network_available (monitor));
}

PrProbe *
pr_runner_probe (PrRunner *self, const PrRouteConfig *route, PrProbeFunc func, gpointer user_data)
{
  PrProbeOptions options = {
    .loop = self->loop,
    .resolver = self->resolver,
    .hosts = self->hosts,
    .config = self->config,
    .route = route,
  };

  return pr_probe_new (&options, func, user_data);
}
