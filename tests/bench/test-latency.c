/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "crc.h"
#include "latency.h"

#include <glib.h>

static void
test_empty (void)
{
  g_autofree PrBenchLatency *latency = g_new0 (PrBenchLatency, 1);

  g_assert_cmpuint (pr_bench_latency_percentile (latency, 0.5), ==, 0);
}

static void
test_percentiles (void)
{
  g_autofree PrBenchLatency *latency = g_new0 (PrBenchLatency, 1);

  for (guint64 i = 1; i <= 100000; i++)
    pr_bench_latency_add (latency, i);
  g_assert_cmpuint (latency->max_us, ==, 100000);
  for (double share = 0.01; share < 1; share += 0.01)
    {
      double exact = share * 100000;
      double found = (double) pr_bench_latency_percentile (latency, share);

      g_assert_cmpfloat (found, >=, exact * 0.999);
      g_assert_cmpfloat (found, <=, exact * 1.04);
    }
  g_assert_cmpuint (pr_bench_latency_percentile (latency, 1), ==, 100000);
}

static void
test_extremes (void)
{
  g_autofree PrBenchLatency *latency = g_new0 (PrBenchLatency, 1);

  pr_bench_latency_add (latency, 0);
  pr_bench_latency_add (latency, G_MAXUINT64);
  g_assert_cmpuint (pr_bench_latency_percentile (latency, 0), ==, 0);
  g_assert_cmpuint (pr_bench_latency_percentile (latency, 1), ==, G_MAXUINT64);
}

static void
test_crc (void)
{
  /* The check value of CRC-32C, and that it may come in pieces. */
  g_assert_cmphex (pr_bench_crc (0, "123456789", 9), ==, 0xe3069283);
  g_assert_cmphex (pr_bench_crc (pr_bench_crc (0, "1234", 4), "56789", 5), ==, 0xe3069283);
  g_assert_cmphex (pr_bench_crc (0, "", 0), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/bench/latency/empty", test_empty);
  g_test_add_func ("/bench/latency/percentiles", test_percentiles);
  g_test_add_func ("/bench/latency/extremes", test_extremes);
  g_test_add_func ("/bench/crc", test_crc);
  return g_test_run ();
}
