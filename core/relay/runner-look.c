/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the runner and its hops fare, for those who look at them. */
#include "relay/bucket.h"
#include "relay/hop.h"
#include "relay/pacer.h"
#include "relay/runner-private.h"

static gboolean
awaits_sign_in (const PrHop *hop)
{
  return hop->blocked_until_us == G_MAXINT64;
}

static gboolean
is_paced (const PrHop *hop)
{
  return (pr_hop_is_blocked (hop) && hop->is_slowed) ||
         (!pr_hop_is_blocked (hop) && pr_pacer_is_waiting (hop, NULL));
}

void
pr_runner_get_stats (PrRunner *self, PrRunnerStats *out)
{
  GHashTableIter iter;
  PrHop *hop;

  *out = self->totals;
  out->n_in_hand = pr_hand_count (self->hand);
  out->n_connections = self->n_connections;
  out->n_idle = self->idle.length;
  out->paused = self->paused;
  out->network_available = self->network_available;
  g_hash_table_iter_init (&iter, self->hops);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &hop))
    {
      out->n_hops_blocked += pr_hop_is_blocked (hop) && !hop->is_slowed;
      out->n_hops_await_sign_in += pr_hop_is_blocked (hop) && awaits_sign_in (hop);
      out->n_hops_paced += is_paced (hop);
    }
}

static gint64
shown_until (const PrHop *hop)
{
  gint64 until_us = pr_hop_is_blocked (hop) ? hop->blocked_until_us : hop->paced_until_us;

  return until_us == G_MAXINT64 ? 0 : until_us;
}

/* NULL: nothing stands in the way. */
static const char *
shown_reason (const PrHop *hop)
{
  const char *words;

  if (pr_hop_is_blocked (hop))
    return hop->failure.text;
  return pr_pacer_is_waiting (hop, &words) ? words : NULL;
}

static PrBlockedKind
shown_kind (const PrHop *hop)
{
  if (is_paced (hop))
    return PR_BLOCKED_PACED;
  if (awaits_sign_in (hop))
    return PR_BLOCKED_SIGN_IN;
  return hop->is_not_its_fault ? PR_BLOCKED_NETWORK : PR_BLOCKED_FAILED;
}

const char *
pr_runner_get_hop_failure (PrRunner *self, const char *hop, gint64 *until_us)
{
  const PrHop *found = g_hash_table_lookup (self->hops, hop);

  if (found == NULL || shown_reason (found) == NULL)
    return NULL;
  *until_us = shown_until (found);
  return shown_reason (found);
}

void
pr_runner_list_blocked (PrRunner *self, guint max, PrRunnerBlocked func, gpointer user_data)
{
  GHashTableIter iter;
  PrHop *hop;

  g_hash_table_iter_init (&iter, self->hops);
  while (max > 0 && g_hash_table_iter_next (&iter, NULL, (gpointer *) &hop))
    if (shown_reason (hop) != NULL)
      {
        PrBlocked blocked = { pr_bucket_shown (hop->name), shown_reason (hop), shown_until (hop),
                              shown_kind (hop) };

        func (&blocked, user_data);
        max--;
      }
}

guint
pr_runner_get_pace (PrRunner *self, const PrRouteConfig *route, PrPaceUse *out, guint max)
{
  PrPacer *pacer = pr_pacer_find (self, route);
  PrPace *pace = pacer != NULL ? pr_pacer_get_pace (pacer) : NULL;
  guint n = MIN (route->n_limits, max);

  for (guint i = 0; i < n; i++)
    if (pace != NULL && pr_pace_has_limits (pace, route->limits, route->n_limits))
      pr_pace_get_use (pace, g_get_real_time (), i, &out[i]);
    else
      out[i] = (PrPaceUse){ route->limits[i], 0 };
  return n;
}

gboolean
pr_runner_is_active (PrRunner *self, gint64 id)
{
  PrParcel *parcel = pr_hand_find (self->hand, id);

  for (PrWork *work = parcel != NULL ? parcel->works : NULL; work != NULL; work = work->sibling)
    if (work->state == PR_WORK_SENDING)
      return TRUE;

  return FALSE;
}
