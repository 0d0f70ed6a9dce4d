/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes, durations and points in time as people write them. */
#include "common/units.h"

#include <string.h>

typedef struct
{
  char letter;
  guint64 factor;
} Unit;

/* Largest first, for formatting. */
static const Unit sizes[] = { { 'G', 1024 * 1024 * 1024 }, { 'M', 1024 * 1024 }, { 'K', 1024 } };
static const Unit durations[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

#define MIN_TIME_S (-62135596800) /* 0001-01-01 */
#define MAX_TIME_S 253402300799   /* 9999-12-31 */

static gboolean
parse (const char *text, const Unit *units, gsize n_units, gboolean any_case, guint64 *out)
{
  guint64 value = 0, factor = 1;
  const char *p = text;

  if (text == NULL || !g_ascii_isdigit (*p))
    return FALSE;
  for (; g_ascii_isdigit (*p); p++)
    {
      guint64 digit = (guint64) (*p - '0');

      if (value > (G_MAXINT64 - digit) / 10)
        return FALSE;
      value = value * 10 + digit;
    }

  if (*p != '\0')
    {
      char letter = any_case ? g_ascii_toupper (*p) : *p;
      gsize i = 0;

      while (i < n_units && units[i].letter != letter)
        i++;
      if (i == n_units || p[1] != '\0')
        return FALSE;
      factor = units[i].factor;
    }

  if (value > G_MAXINT64 / factor)
    return FALSE;
  *out = value * factor;
  return TRUE;
}

static char *
format (guint64 value, const Unit *units, gsize n_units)
{
  for (gsize i = 0; value != 0 && i < n_units; i++)
    if (value % units[i].factor == 0)
      return g_strdup_printf ("%" G_GUINT64_FORMAT "%c", value / units[i].factor, units[i].letter);
  return g_strdup_printf ("%" G_GUINT64_FORMAT, value);
}

gboolean
pr_size_parse (const char *text, guint64 *octets)
{
  return parse (text, sizes, G_N_ELEMENTS (sizes), TRUE, octets);
}

/* Lower case only: "5M" might be taken for months. */
gboolean
pr_duration_parse (const char *text, guint64 *seconds)
{
  return parse (text, durations, G_N_ELEMENTS (durations), FALSE, seconds);
}

char *
pr_size_format (guint64 octets)
{
  return format (octets, sizes, G_N_ELEMENTS (sizes));
}

char *
pr_duration_format (guint64 seconds)
{
  return format (seconds, durations, G_N_ELEMENTS (durations));
}

/* Rounds down, before 1970 too. */
static gint64
to_seconds (gint64 us, gint *milliseconds)
{
  gint64 seconds = us / G_USEC_PER_SEC;
  gint64 rest = us % G_USEC_PER_SEC;

  if (rest < 0)
    {
      seconds--;
      rest += G_USEC_PER_SEC;
    }
  *milliseconds = (gint) (rest / 1000);
  return CLAMP (seconds, MIN_TIME_S, MAX_TIME_S);
}

char *
pr_time_format (gint64 us)
{
  gint milliseconds;
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (to_seconds (us, &milliseconds));

  return g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", g_date_time_get_year (time),
                          g_date_time_get_month (time), g_date_time_get_day_of_month (time),
                          g_date_time_get_hour (time), g_date_time_get_minute (time),
                          g_date_time_get_second (time), milliseconds);
}

char *
pr_date_format (gint64 us)
{
  static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  gint milliseconds;
  gint64 seconds = to_seconds (us, &milliseconds);
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (seconds);
  gint64 zone_minutes;

  if (time == NULL) /* the zone leads out of the years 1 to 9999 */
    time = g_date_time_new_from_unix_utc (seconds);
  zone_minutes = g_date_time_get_utc_offset (time) / (60 * G_USEC_PER_SEC);
  return g_strdup_printf (
    "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", days[g_date_time_get_day_of_week (time) - 1],
    g_date_time_get_day_of_month (time), months[g_date_time_get_month (time) - 1],
    g_date_time_get_year (time), g_date_time_get_hour (time), g_date_time_get_minute (time),
    g_date_time_get_second (time), zone_minutes < 0 ? '-' : '+', (int) (ABS (zone_minutes) / 60),
    (int) (ABS (zone_minutes) % 60));
}
