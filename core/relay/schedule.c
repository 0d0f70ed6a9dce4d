/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Retry times. RFC 5321 §4.5.4.1 asks for at least 30 minutes between attempts and 4 to 5 days
 * before giving up; the contract's default starts quicker, because most refusals of a user's own
 * provider (greylisting, a short outage) pass within minutes. */
#include "relay/schedule.h"

#define BACK_OFF_FIRST_S 60
#define BACK_OFF_LAST_S 3600

/* Durations come from a file: a century is as good as for ever and cannot overflow. */
#define DURATION_MAX_S (100 * 366 * G_GINT64_CONSTANT (86400))

static gint64
to_us (guint64 seconds)
{
  return (gint64) MIN (seconds, (guint64) DURATION_MAX_S) * G_USEC_PER_SEC;
}

static gint64
interval_us (const PrConfig *config, guint attempts)
{
  guint last = config->n_retry_schedule - 1;

  return to_us (config->retry_schedule_s[MIN (MAX (attempts, 1) - 1, last)]);
}

/* @value ±10 %. */
static gint64
jitter (gint64 value, guint32 random)
{
  gint64 span = value / 5;

  return value - span / 2 + (gint64) ((double) random / G_MAXUINT32 * (double) span);
}

/* The earlier of @due and @instant, where that lies ahead of @now. */
static gint64
not_beyond (gint64 due, gint64 instant, gint64 now)
{
  return instant > now ? MIN (due, instant) : due;
}

gint64
pr_schedule_next (const PrConfig *config, guint attempts, gint64 received_us, gint64 now_us,
                  guint32 random)
{
  gint64 due = now_us + jitter (interval_us (config, attempts), random);

  if (config->warn_after_s != 0)
    due = not_beyond (due, received_us + to_us (config->warn_after_s), now_us);
  return not_beyond (due, received_us + to_us (config->give_up_s), now_us);
}

gboolean
pr_schedule_is_over (const PrConfig *config, gint64 received_us, gint64 now_us)
{
  return now_us - received_us >= to_us (config->give_up_s);
}

gboolean
pr_schedule_is_late (const PrConfig *config, gint64 received_us, gint64 now_us)
{
  return config->warn_after_s != 0 && now_us - received_us >= to_us (config->warn_after_s);
}

gint64
pr_schedule_back_off_us (const PrConfig *config, guint failures, guint32 random)
{
  guint doublings = MIN (MAX (failures, 1) - 1, 10);
  guint64 seconds = MIN ((guint64) BACK_OFF_FIRST_S << doublings, (guint64) BACK_OFF_LAST_S);

  return jitter (MIN (to_us (seconds), interval_us (config, failures)), random);
}
