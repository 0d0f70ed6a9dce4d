/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroom.conf from arbitrary octets: either a whole configuration or faults that a terminal can
 * show, never both and never neither. */
#include "fuzz.h"

#include "config/config.h"

static void
check_config (const PrConfig *config)
{
  g_assert_nonnull (config->hostname);
  g_assert_cmpuint (config->listeners->len, >, 0);
  g_assert_cmpuint (config->n_retry_schedule, >, 0);
  for (guint i = 0; i < config->listeners->len; i++)
    g_assert_nonnull (((PrListenerConfig *) config->listeners->pdata[i])->listen[0]);
  for (guint i = 0; i < config->routes->len; i++)
    {
      const PrRouteConfig *route = config->routes->pdata[i];

      g_assert_true (pr_config_get_route (config, route->name) == route);
      g_assert_true (route->via != PR_VIA_SMARTHOST || route->n_hosts > 0);
      for (guint j = 0; j < route->n_hosts; j++)
        g_assert_cmpuint (route->hosts[j].port, >, 0);
    }
  pr_config_find_route (config, "someone@example.org", "");
}

static void
check_faults (const GPtrArray *faults)
{
  g_assert_cmpuint (faults->len, >, 0);
  for (guint i = 0; i < faults->len; i++)
    {
      g_assert_true (g_str_has_prefix (faults->pdata[i], "fuzz.conf: "));
      g_assert_true (g_utf8_validate (faults->pdata[i], -1, NULL));
      for (const char *p = faults->pdata[i]; *p != '\0'; p++)
        g_assert_false (g_ascii_iscntrl (*p));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = pr_config_parse ((const char *) data, size, "fuzz.conf", &faults);

  g_assert_true ((config == NULL) == (faults != NULL));
  if (config != NULL)
    check_config (config);
  else
    check_faults (faults);
  return 0;
}
