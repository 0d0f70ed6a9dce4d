/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <gio/gio.h>

#include "net/networks.h"

static void
test_list (void)
{
  g_autoptr (GPtrArray) networks = pr_networks_list ();

  for (guint i = 0; i < networks->len; i++)
    {
      const PrNetwork *network = networks->pdata[i];
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (network->address);
      g_autoptr (GInetAddressMask) mask =
        g_inet_address_mask_new_from_string (network->network, NULL);

      g_assert_nonnull (address);
      g_assert_nonnull (mask);
      g_assert_true (g_inet_address_mask_matches (mask, address));
      g_assert_false (g_inet_address_get_is_loopback (address));
      g_assert_false (g_inet_address_get_is_link_local (address));
      g_assert_cmpstr (network->interface, !=, "");
      if (g_inet_address_get_is_site_local (address))
        g_assert_true (network->is_private);
    }
}

static void
test_free (void)
{
  PrNetwork *network = g_new0 (PrNetwork, 1);

  network->interface = g_strdup ("eth0");
  pr_network_free (network);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/networks/list", test_list);
  g_test_add_func ("/networks/free", test_free);
  return g_test_run ();
}
