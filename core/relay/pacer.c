/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   first message ──► reading the history ──► asked for each message ──► it may go: taken, settled
 *                                                    └─► not now: its hop waits ──► asked again
 *
 * What waits stays in hand, in its order: a small window of it (runner-private.h), the rest in the
 * store.
 */
#include "relay/pacer.h"

#include "config/providers.h"
#include "relay/hop.h"
#include "relay/overdue.h"

#define EVENTS_AT_ONCE 1000
#define SOON_US (120 * G_GINT64_CONSTANT (1000000)) /* nearer than this, seconds are named */

struct _PrPacer
{
  PrRunner *runner; /* borrowed */
  char *account;    /* owned */
  PrPace *pace;     /* owned */
  gboolean known;   /* the history was read */
  gboolean reading;
  gint64 before_id, from_us; /* what of the history comes next */
  GArray *history;           /* owned, of Went: the newest first */
};

/* One message, as the history has it: an event for each recipient, side by side. */
typedef struct
{
  gint64 time_us, message;
  guint64 session;
  guint n_recipients;
} Went;

/* ── Whose ────────────────────────────────────────────────────────────────────────────────── */

static char *
name_account (const PrRouteConfig *route)
{
  if (route->provider == NULL || route->username == NULL)
    return g_strdup (route->name);
  return g_strdup_printf ("%s\t%s", route->provider->id, route->username);
}

PrPacer *
pr_pacer_find (PrRunner *runner, const PrRouteConfig *route)
{
  g_autofree char *account = name_account (route);

  return g_hash_table_lookup (runner->pacers, account);
}

PrPace *
pr_pacer_get_pace (PrPacer *self)
{
  return self->pace;
}

static gboolean
is_of (const PrPacer *self, const char *route_name)
{
  const PrRouteConfig *route =
    route_name != NULL ? pr_config_get_route (self->runner->config, route_name) : NULL;
  g_autofree char *account = route != NULL ? name_account (route) : NULL;

  return g_strcmp0 (account, self->account) == 0;
}

/* ── Waiting ──────────────────────────────────────────────────────────────────────────────── */

static void
on_pace_timer (gpointer user_data)
{
  PrHop *hop = user_data;

  hop->paced_until_us = 0;
  pr_hop_pump (hop);
  pr_hop_update_wake (hop);
}

/* Not from within: whoever settles a work is in the middle of something. */
static void
look_again (PrPacer *self)
{
  GHashTableIter iter;
  PrHop *hop;

  g_hash_table_iter_init (&iter, self->runner->hops);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &hop))
    if (hop->pacer == self && hop->paced_until_us == G_MAXINT64)
      pr_timer_start (&hop->pace_timer, self->runner->loop, 0, on_pace_timer, hop);
}

static char *
format_time (gint64 due_us, gint64 now_us)
{
  g_autoptr (GDateTime) due = g_date_time_new_from_unix_local (due_us / G_USEC_PER_SEC + 1);
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_local (now_us / G_USEC_PER_SEC);
  gboolean today = g_date_time_get_day_of_year (due) == g_date_time_get_day_of_year (now);

  return g_date_time_format (due, due_us - now_us < SOON_US ? "%H:%M:%S"
                                  : today                   ? "%H:%M"
                                                            : "%A %H:%M");
}

static void
wait_until (PrHop *hop, gint64 due_us, guint limit)
{
  PrPacer *self = hop->pacer;
  gint64 now_us = g_get_real_time ();
  g_autofree char *until = NULL;
  g_autofree char *words = NULL;
  PrPaceUse use;

  hop->paced_until_us = due_us;
  g_clear_pointer (&hop->pace_words, g_free);
  if (due_us == G_MAXINT64)
    return;
  pr_pace_get_use (self->pace, now_us, limit, &use);
  hop->paced_limit = use.limit;
  words = pr_rate_limit_describe (&use.limit);
  until = format_time (due_us, now_us);
  hop->pace_words = g_strdup_printf (
    "Waits until %s: %s takes %s (limit= changes it)", until,
    hop->route->provider != NULL ? hop->route->provider->name : "this route", words);
  pr_timer_start (&hop->pace_timer, self->runner->loop, (guint64) (due_us - now_us) / 1000 + 1,
                  on_pace_timer, hop);
  pr_overdue_note_wait (hop);
}

gboolean
pr_pacer_is_waiting (const PrHop *hop, const char **words)
{
  if (words != NULL)
    *words = hop->pace_words;
  return hop->paced_until_us > g_get_real_time ();
}

void
pr_pacer_leave (PrHop *hop)
{
  pr_timer_stop (&hop->pace_timer);
  pr_overdue_leave (hop);
  g_clear_pointer (&hop->pace_words, g_free);
  hop->paced_until_us = 0;
  hop->pacer = NULL;
}

/* ── What went before the start ───────────────────────────────────────────────────────────── */

static void read_history (PrPacer *self);

static void
take_event (PrPacer *self, const PrEvent *event)
{
  Went *last =
    self->history->len > 0 ? &g_array_index (self->history, Went, self->history->len - 1) : NULL;
  Went went = { event->time_us, event->message, event->session, 1 };

  self->before_id = event->id;
  if (!is_of (self, event->route))
    return;
  if (last != NULL && last->message == went.message && last->session == went.session)
    last->n_recipients++;
  else
    g_array_append_val (self->history, went);
}

static void
know (PrPacer *self)
{
  for (guint i = self->history->len; i > 0; i--)
    {
      const Went *went = &g_array_index (self->history, Went, i - 1);

      pr_pace_note (self->pace, went->time_us, 1, went->n_recipients);
    }
  g_array_set_size (self->history, 0);
  self->known = TRUE;
  look_again (self);
}

/* The newest suffice, as soon as they fill every limit. */
static void
on_events (const PrEvent *events, guint n, const GError *error, gpointer user_data)
{
  PrPacer *self = user_data;

  self->runner->n_store_calls--;
  self->reading = FALSE;
  if (error != NULL)
    g_warning ("The history could not be read, so what was sent before the start counts towards "
               "no limit: %s",
               error->message);
  for (guint i = 0; i < n; i++)
    take_event (self, &events[i]);
  if (error != NULL || n < EVENTS_AT_ONCE || self->history->len >= pr_pace_get_largest (self->pace))
    know (self);
  else
    read_history (self);
  pr_runner_check_stopped (self->runner);
}

static void
read_history (PrPacer *self)
{
  PrEventFilter filter = {
    .kinds = 1 << PR_EVENT_DELIVERED,
    .before_id = self->before_id,
    .from_us = self->from_us,
  };

  self->reading = TRUE;
  self->runner->n_store_calls++;
  pr_store_events (self->runner->store, &filter, EVENTS_AT_ONCE, on_events, self);
}

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

static void
begin_history (PrPacer *self)
{
  self->known = FALSE;
  self->before_id = 0;
  self->from_us = g_get_real_time () - (gint64) pr_pace_get_longest_s (self->pace) * G_USEC_PER_SEC;
  read_history (self);
}

static PrPacer *
get_pacer (PrHop *hop)
{
  PrRunner *runner = hop->runner;
  const PrRouteConfig *route = hop->route;
  PrPacer *self = pr_pacer_find (runner, route);

  if (self == NULL)
    {
      self = g_new0 (PrPacer, 1);
      self->runner = runner;
      self->account = name_account (route);
      self->pace = pr_pace_new (route->limits, route->n_limits);
      self->history = g_array_new (FALSE, FALSE, sizeof (Went));
      g_hash_table_insert (runner->pacers, self->account, self);
      begin_history (self);
    }
  else if (!self->reading && !pr_pace_has_limits (self->pace, route->limits, route->n_limits))
    {
      guint64 reach_s = pr_pace_get_longest_s (self->pace);

      pr_pace_set_limits (self->pace, route->limits, route->n_limits);
      if (pr_pace_get_longest_s (self->pace) > reach_s)
        {
          pr_pace_forget (self->pace);
          begin_history (self);
        }
    }
  return self;
}

guint
pr_pacer_ask (PrHop *hop, guint n_recipients)
{
  gint64 now_us = g_get_real_time (), due_us;
  guint limit = 0, n;

  if (hop->route->n_limits == 0)
    return n_recipients;
  hop->pacer = get_pacer (hop);
  if (!hop->pacer->known)
    {
      wait_until (hop, G_MAXINT64, 0);
      return 0;
    }
  n = pr_pace_ask (hop->pacer->pace, now_us, n_recipients, &due_us, &limit);
  if (n == 0)
    wait_until (hop, due_us, limit);
  return n;
}

void
pr_pacer_take (PrHop *hop, PrWork *work)
{
  if (hop->pacer == NULL || hop->route->n_limits == 0)
    return;
  work->pacer = hop->pacer;
  work->n_paced = work->n_indexes;
  pr_pace_take (hop->pacer->pace, work->n_paced);
}

void
pr_pacer_settle (PrWork *work, guint n_sent)
{
  PrPacer *self = work->pacer;

  if (self == NULL)
    return;
  pr_pace_settle (self->pace, g_get_real_time (), work->n_paced, n_sent);
  work->pacer = NULL;
  work->n_paced = 0;
  look_again (self);
}

void
pr_pacer_free (PrPacer *self)
{
  pr_pace_free (self->pace);
  g_array_unref (self->history);
  g_free (self->account);
  g_free (self);
}
