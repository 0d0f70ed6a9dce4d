/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "overview-words.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "event-words.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

/* ── The last day ─────────────────────────────────────────────────────────────────────────── */

void
pr_overview_words_fill (GVariant *hours, gint64 now_us, PrHour *out, guint n)
{
  gint64 first_us = now_us - now_us % HOUR_US - (gint64) (n - 1) * HOUR_US;
  GVariantIter iter;
  PrHour hour;

  for (guint i = 0; i < n; i++)
    out[i] = (PrHour){ .begin_us = first_us + i * HOUR_US };

  g_variant_iter_init (&iter, hours);
  while (g_variant_iter_next (&iter, "(xttttt)", &hour.begin_us, &hour.counts[PR_OUTCOME_RECEIVED],
                              &hour.counts[PR_OUTCOME_DELIVERED], &hour.counts[PR_OUTCOME_DEFERRED],
                              &hour.counts[PR_OUTCOME_FAILED], NULL))
    {
      gint64 at = (hour.begin_us - first_us) / HOUR_US;

      if (hour.begin_us >= first_us && at < (gint64) n)
        out[at] = hour;
    }
}

char *
pr_overview_words_clock (gint64 time_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

  /* Translators: the time at which an hour begins, as of g_date_time_format() */
  return local != NULL ? g_date_time_format (local, _ ("%H:%M")) : g_strdup ("");
}

char *
pr_overview_words_hour (const PrHour *hour)
{
  g_autofree char *begin = pr_overview_words_clock (hour->begin_us);
  g_autofree char *end = pr_overview_words_clock (hour->begin_us + HOUR_US);

  return g_strdup_printf (
    /* Translators: from when to when, then how many mails: "14:00–15:00: received 3, …" */
    _ ("%s–%s: received %lu, delivered %lu, delayed %lu, failed %lu"), begin, end,
    (gulong) hour->counts[PR_OUTCOME_RECEIVED], (gulong) hour->counts[PR_OUTCOME_DELIVERED],
    (gulong) hour->counts[PR_OUTCOME_DEFERRED], (gulong) hour->counts[PR_OUTCOME_FAILED]);
}

char *
pr_overview_words_total (PrOutcome outcome, const PrHour *hours, guint n)
{
  guint64 sum = 0;

  for (guint i = 0; i < n; i++)
    sum += hours[i].counts[outcome];
  switch (outcome)
    {
    case PR_OUTCOME_RECEIVED: return g_strdup_printf (_ ("Received %lu"), (gulong) sum);
    case PR_OUTCOME_DELIVERED: return g_strdup_printf (_ ("Delivered %lu"), (gulong) sum);
    case PR_OUTCOME_DEFERRED: return g_strdup_printf (_ ("Delayed %lu"), (gulong) sum);
    case PR_OUTCOME_FAILED:
    case PR_N_OUTCOMES:
    default: return g_strdup_printf (_ ("Failed %lu"), (gulong) sum);
    }
}

/* ── Routes ───────────────────────────────────────────────────────────────────────────────── */

static gboolean
is_waiting (GVariant *route)
{
  return g_strcmp0 (pr_dict_string (route, "state"), "waiting") == 0;
}

char *
pr_overview_words_route (GVariant *route)
{
  const char *reason = pr_dict_string (route, "reason");
  const char *user = pr_dict_string (route, "username");
  const char *provider = pr_dict_string (route, "provider-name");

  if (pr_dict_boolean (route, "sign-in-needed"))
    return g_strdup_printf (_ ("Waits until you sign in again. %s"), reason != NULL ? reason : "");
  if (is_waiting (route))
    return g_strdup_printf (_ ("Waits and is tried again by itself. %s"),
                            reason != NULL ? reason : "");
  if (provider != NULL && user != NULL)
    /* Translators: a route's mail provider and the name it signs in with */
    return g_strdup_printf (_ ("Ready · %s as %s"), provider, user);
  if (provider != NULL || user != NULL)
    /* Translators: a route's mail provider, or the name it signs in with */
    return g_strdup_printf (_ ("Ready · %s"), provider != NULL ? provider : user);

  return g_strdup (_ ("Ready"));
}

const char *
pr_overview_words_route_icon (GVariant *route, const char **style)
{
  if (pr_dict_boolean (route, "sign-in-needed"))
    return *style = "error", "dialog-password-symbolic";
  if (is_waiting (route))
    return *style = "warning", "dialog-warning-symbolic";

  return *style = "success", "emblem-ok-symbolic";
}

/* ── Devices ──────────────────────────────────────────────────────────────────────────────── */

char *
pr_overview_words_device_title (GVariant *device)
{
  const char *user = pr_dict_string (device, "user");
  const char *client = pr_dict_string (device, "client");

  if (user == NULL)
    return g_strdup (client != NULL ? client : "");

  /* Translators: a user's name and the address of their device */
  return g_strdup_printf (_ ("%s at %s"), user, client != NULL ? client : "");
}

char *
pr_overview_words_device (GVariant *device)
{
  gulong n = (gulong) pr_dict_number (device, "messages");
  g_autofree char *when = pr_event_words_time (pr_dict_number (device, "seen"));

  /* Translators: how many mails a device has sent, and when the last one came */
  return g_strdup_printf (ngettext ("%lu mail, the last one %s", "%lu mails, the last one %s", n),
                          n, when);
}
