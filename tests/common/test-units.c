/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/units.h"

#include <stdlib.h>
#include <time.h>

static void
test_sizes (void)
{
  static const struct
  {
    const char *text;
    guint64 octets;
  } right[] = { { "0", 0 },          { "512", 512 },
                { "100K", 102400 },  { "100k", 102400 },
                { "50M", 52428800 }, { "2G", G_GUINT64_CONSTANT (2147483648) },
                { "007", 7 },        { "8589934591G", G_GUINT64_CONSTANT (9223372035781033984) } };
  static const char *const wrong[] = { "",
                                       "K",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1KB",
                                       "1T",
                                       "1.5M",
                                       "0x10",
                                       "1K1",
                                       "8589934592G",
                                       "9223372036854775808",
                                       "99999999999999999999999999" };
  guint64 octets;

  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_assert_true (pr_size_parse (right[i].text, &octets));
      g_assert_cmpuint (octets, ==, right[i].octets);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (pr_size_parse (wrong[i], &octets));
  g_assert_false (pr_size_parse (NULL, &octets));
}

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    guint64 seconds;
  } right[] = { { "0", 0 },    { "90", 90 },    { "90s", 90 },
                { "5m", 300 }, { "4h", 14400 }, { "5d", 432000 } };
  static const char *const wrong[] = {
    "", "s", "5M", "5 m", "-5m", "1w", "1h30m", "1e3", "106751991167301d", "9999999999999999999999d"
  };
  guint64 seconds;

  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_assert_true (pr_duration_parse (right[i].text, &seconds));
      g_assert_cmpuint (seconds, ==, right[i].seconds);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (pr_duration_parse (wrong[i], &seconds));
}

static void
test_formats (void)
{
  static const struct
  {
    guint64 value;
    const char *size, *duration;
  } cases[] = { { 0, "0", "0" },
                { 1, "1", "1s" },
                { 90, "90", "90s" },
                { 1024, "1K", "1024s" },
                { 3600, "3600", "1h" },
                { 86400, "86400", "1d" },
                { 1 << 20, "1M", "1048576s" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *size = pr_size_format (cases[i].value);
      g_autofree char *duration = pr_duration_format (cases[i].value);

      g_assert_cmpstr (size, ==, cases[i].size);
      g_assert_cmpstr (duration, ==, cases[i].duration);
    }
}

static void
test_round_trip (void)
{
  for (guint i = 0; i < 10000; i++)
    {
      guint64 value = (((guint64) g_test_rand_int () << 32) | g_test_rand_int ()) >>
                      g_test_rand_int_range (1, 64);
      g_autofree char *size = pr_size_format (value), *duration = pr_duration_format (value);
      guint64 back;

      g_assert_true (pr_size_parse (size, &back));
      g_assert_cmpuint (back, ==, value);
      g_assert_true (pr_duration_parse (duration, &back));
      g_assert_cmpuint (back, ==, value);
    }
}

static void
test_times (void)
{
  static const struct
  {
    gint64 us;
    const char *text;
  } cases[] = { { 0, "1970-01-01T00:00:00.000Z" },
                { G_GINT64_CONSTANT (1795462946123456), "2026-11-23T19:42:26.123Z" },
                { -1, "1969-12-31T23:59:59.999Z" },
                { G_MAXINT64, "9999-12-31T23:59:59.775Z" },
                { G_MININT64, "0001-01-01T00:00:00.224Z" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = pr_time_format (cases[i].us);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_dates (void)
{
  g_autofree char *text = pr_date_format (G_GINT64_CONSTANT (1795462946123456));
  g_autofree char *past = pr_date_format (G_MININT64);
  g_autofree char *future = pr_date_format (G_MAXINT64);

  /* main() set the zone. */
  g_assert_cmpstr (text, ==, "Mon, 23 Nov 2026 16:12:26 -0330");
  g_assert_nonnull (past);
  g_assert_nonnull (future);
}

int
main (int argc, char *argv[])
{
  g_setenv ("TZ", "NST3:30", TRUE); /* Newfoundland: west, and half an hour */
  tzset ();
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/units/sizes", test_sizes);
  g_test_add_func ("/units/durations", test_durations);
  g_test_add_func ("/units/formats", test_formats);
  g_test_add_func ("/units/round-trip", test_round_trip);
  g_test_add_func ("/units/times", test_times);
  g_test_add_func ("/units/dates", test_dates);
  return g_test_run ();
}
