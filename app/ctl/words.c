/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers and times as people read them. */

#include "ctl/words.h"

#include "common/units.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

char *
pr_words_size (guint64 octets)
{
  static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
  double value = (double) octets;
  guint unit = 0;

  while (value >= 1024 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      unit++;
    }

  return g_strdup_printf (unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

char *
pr_words_when (gint64 us, gint64 now_us)
{
  gint64 seconds = ABS (us - now_us) / G_USEC_PER_SEC;
  const char *unit = "s";
  gint64 n = seconds;

  if (us == 0)
    return g_strdup ("");
  if (seconds < 1)
    return g_strdup (us > now_us ? "now" : "just now");

  if (seconds >= 2 * DAY_S)
    n = seconds / DAY_S, unit = "d";
  else if (seconds >= 2 * HOUR_S)
    n = seconds / HOUR_S, unit = "h";
  else if (seconds >= 2 * MINUTE_S)
    n = seconds / MINUTE_S, unit = "min";

  return g_strdup_printf (
    us > now_us ? "in %" G_GINT64_FORMAT " %s" : "%" G_GINT64_FORMAT " %s ago", n, unit);
}

char *
pr_words_time (gint64 us)
{
  g_autoptr (GDateTime) time =
    us != 0 ? g_date_time_new_from_unix_local (us / G_USEC_PER_SEC) : NULL;

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup ("");
}

char *
pr_words_count (guint64 n, const char *singular)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %s%s", n, singular, n == 1 ? "" : "s");
}

char *
pr_words_list (const char *const *items)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; items[i] != NULL; i++)
    {
      if (i > 0)
        g_string_append (out, items[i + 1] == NULL ? " and " : ", ");
      g_string_append (out, items[i]);
    }

  return g_string_free (out, FALSE);
}

static GDateTime *
parse_time (const char *text)
{
  static const char *const rests[] = { "", ":00", " 00:00:00" }; /* what a person left out */
  g_autoptr (GTimeZone) zone = g_time_zone_new_local ();

  for (gsize i = 0; i < G_N_ELEMENTS (rests); i++)
    {
      g_autofree char *whole = g_strconcat (text, rests[i], NULL);
      GDateTime *time = g_date_time_new_from_iso8601 (whole, zone);

      if (time != NULL)
        return time;
    }

  return NULL;
}

gboolean
pr_words_parse_since (const char *text, gint64 now_us, gint64 *us)
{
  g_autoptr (GDateTime) time = NULL;
  guint64 seconds;

  if (pr_duration_parse (text, &seconds))
    {
      *us = now_us - (gint64) MIN (seconds, (guint64) now_us / G_USEC_PER_SEC) * G_USEC_PER_SEC;
      return TRUE;
    }

  time = parse_time (text);
  if (time == NULL)
    return FALSE;
  *us = g_date_time_to_unix (time) * G_USEC_PER_SEC;
  return TRUE;
}
