/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *             fail                     its time comes, or a person or the network says so
 *   well ────────────► blocked ──────────────────────────► probing: one connection
 *     ▲                   ▲                                     │
 *     │                   └───────────────── fail ──────────────┤
 *     └────────────── a transaction was finished ───────────────┘
 */
#include "relay/hop.h"

#include "relay/bucket.h"
#include "relay/delivery.h"
#include "relay/http.h"
#include "relay/local.h"
#include "relay/pacer.h"
#include "relay/record.h"
#include "relay/schedule.h"
#include "relay/way.h"

#define WORKS_PER_OPENING 4 /* so many waiting works justify one more connection */
#define HURRY_MS 1000       /* what waits longer justifies one too */
#define NETWORK_PROBE_US (60 * G_GINT64_CONSTANT (1000000))
#define FEW_IN_HAND 4 /* allowed whatever other hops hold */
#define PACED_WINDOW 256
#define FEW_AT_ONCE 100 /* recipients: what a connection takes in one go */
#define MAX_DOUBLINGS 4 /* of a wait that a provider asked for */
#define LONGEST_WAIT_US (4 * 3600 * G_GINT64_CONSTANT (1000000))
#define MEMORY_US (3600 * G_GINT64_CONSTANT (1000000)) /* a failure is forgotten after */

gboolean
pr_hop_may_send (const PrHop *self)
{
  const PrRunner *runner = self->runner;

  return !pr_runner_is_quiet (runner) && self->route != NULL;
}

/* What waits for its time must not take the place of what could go. */
guint
pr_hop_get_window (const PrHop *self)
{
  gboolean paced = self->route != NULL && self->route->n_limits > 0;

  return paced ? MIN (self->runner->window, PACED_WINDOW) : self->runner->window;
}

gboolean
pr_hop_has_room (const PrHop *self)
{
  const PrRunner *runner = self->runner;

  if (self->n_in_hand >= pr_hop_get_window (self))
    return FALSE;
  return self->n_in_hand < FEW_IN_HAND || pr_hand_count (runner->hand) < runner->total_window;
}

gboolean
pr_hop_is_blocked (const PrHop *self)
{
  return self->blocked_until_us != 0 && g_get_real_time () < self->blocked_until_us;
}

/* ── When to wake ─────────────────────────────────────────────────────────────────────────── */

static gint64
next_wake (const PrHop *self)
{
  const PrRunner *runner = self->runner;

  if (pr_runner_is_quiet (runner) || self->refilling || self->more_due_us == 0 ||
      self->n_in_hand > pr_hop_get_window (self) / 2)
    return 0;
  if (pr_hop_is_blocked (self))
    return self->is_not_its_fault ? self->blocked_until_us
                                  : MAX (self->more_due_us, self->sweep_us);
  if (!pr_hop_has_room (self))
    return MAX (self->more_due_us, g_get_real_time () + PR_HOP_SWEEP_US);
  return self->more_due_us;
}

static gint
compare_wakes (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const PrHop *first = a, *second = b;

  return first->wake_us < second->wake_us ? -1 : first->wake_us > second->wake_us;
}

void
pr_hop_update_wake (PrHop *self)
{
  gint64 wake_us = next_wake (self);

  if (wake_us == self->wake_us)
    return;
  if (self->wake_iter != NULL)
    g_sequence_remove (self->wake_iter);
  self->wake_us = wake_us;
  self->wake_iter =
    wake_us != 0 ? g_sequence_insert_sorted (self->runner->wakes, self, compare_wakes, NULL) : NULL;
  pr_runner_arm (self->runner);
}

void
pr_hop_note_due (PrHop *self, gint64 due_us)
{
  if (self->more_due_us != 0 && self->more_due_us <= due_us)
    return;
  self->more_due_us = MAX (due_us, 1);
  pr_hop_update_wake (self);
}

/* ── Connections ──────────────────────────────────────────────────────────────────────────── */

static gboolean
wants_connection (const PrHop *self)
{
  guint n = self->deliveries.length;

  if (self->works.n_works == 0)
    return FALSE;
  if (n == 0)
    return TRUE;
  if (self->failures > 0 || self->n_breaks > 0 || n >= self->route->max_connections)
    return FALSE;
  if (n >= self->cap && self->cap_until_us > g_get_monotonic_time ())
    return FALSE;
  return self->works.n_works > WORKS_PER_OPENING * (self->n_opening + 1) ||
         (self->hurried && self->n_opening == 0);
}

/* Under the bound of all connections; an idle one of another hop makes room. */
static gboolean
find_slot (PrHop *self)
{
  PrRunner *runner = self->runner;

  if (runner->n_connections < runner->max_connections)
    return TRUE;
  pr_delivery_evict_idle (runner); /* the connection is free when its goodbye was said */
  if (!self->waits_for_slot)
    {
      self->waits_for_slot = TRUE;
      g_queue_push_tail (&runner->slot_waiters, self);
    }
  return FALSE;
}

static void
on_hurry (gpointer user_data)
{
  PrHop *self = user_data;

  if (self->works.n_works == 0)
    return;
  self->hurried = TRUE;
  pr_hop_pump (self);
}

static gboolean
use_idle (PrHop *self)
{
  for (GList *link = self->deliveries.head; link != NULL; link = link->next)
    if (pr_delivery_is_idle (link->data))
      {
        pr_delivery_use (link->data);
        return TRUE;
      }
  return FALSE;
}

/* FALSE: not now; the hop has failed, or looks again when it is known. */
static gboolean
may_enter (PrHop *self)
{
  const char *why = NULL;
  PrWayState state = pr_way_check (pr_way_get (self->runner, self->route), &why);
  PrReply reply = { 0 };

  if (state == PR_WAY_OPEN || state == PR_WAY_UNKNOWN)
    return state == PR_WAY_OPEN;
  if (state == PR_WAY_SIGN_IN_NEEDED)
    {
      pr_hop_await_sign_in (self, why);
      return FALSE;
    }
  pr_reply_set (&reply, 0, "4.7.0", why);
  pr_hop_fail (self, &reply, NULL, state == PR_WAY_LOCKED); /* no more than a missing network */
  pr_reply_clear (&reply);
  return FALSE;
}

static void
pump_connections (PrHop *self)
{
  if (!may_enter (self) ||
      pr_pacer_ask (self, MIN (self->works.first->n_indexes, FEW_AT_ONCE)) == 0)
    return;
  while (self->works.n_works > 0 && self->n_idle > 0 && !pr_pacer_is_waiting (self, NULL) &&
         use_idle (self))
    ;
  while (wants_connection (self) && find_slot (self))
    {
      self->hurried = FALSE;
      pr_delivery_open (self);
    }
  if (self->works.n_works > 0 && !pr_timer_is_running (&self->hurry_timer))
    pr_timer_start (&self->hurry_timer, self->runner->loop, HURRY_MS, on_hurry, self);
}

static void
pump_uploads (PrHop *self)
{
  if (may_enter (self))
    pr_http_pump (self);
}

void
pr_hop_pump (PrHop *self)
{
  if (self->works.n_works == 0 || !pr_hop_may_send (self) || pr_hop_is_blocked (self) ||
      pr_pacer_is_waiting (self, NULL))
    return;
  if (self->route->via == PR_VIA_MAILDIR || self->route->via == PR_VIA_DISCARD)
    pr_local_pump (self);
  else if (self->route->via == PR_VIA_GMAIL_API || self->route->via == PR_VIA_GRAPH)
    pump_uploads (self);
  else
    pump_connections (self);
}

void
pr_hop_remove_delivery (PrHop *self, PrDelivery *delivery)
{
  g_queue_remove (&self->deliveries, delivery);
  self->last_used_us = g_get_monotonic_time ();
}

/* ── How it fares ─────────────────────────────────────────────────────────────────────────── */

static void
note_change (PrHop *self, PrEventKind kind, const char *peer, const PrReply *reply)
{
  PrEvent event = {
    .kind = kind,
    .peer = peer != NULL ? peer : self->name,
    .route = self->route != NULL ? self->route->name : NULL,
    .code = reply != NULL ? reply->code : 0,
    .text = reply != NULL ? reply->text : NULL,
  };

  pr_journal_add (self->runner->journal, &event);
}

void
pr_hop_note_success (PrHop *self, const char *peer)
{
  self->n_breaks = 0;
  if (self->failures == 0 && self->blocked_until_us == 0)
    return;
  if (self->failures > 0)
    note_change (self, PR_EVENT_HOP_RECOVERED, peer, NULL);
  self->failures = 0;
  pr_hop_unblock (self);
}

/* All that waits shares the hop's answer. */
static void
end_waiting (PrHop *self, const char *peer)
{
  PrRecordFacts facts = { .peer = peer, .due_us = self->blocked_until_us };
  PrWork *work;

  while ((work = self->works.first) != NULL)
    {
      pr_work_queue_remove (&self->works, work);
      pr_record_results (self->runner, work, &self->failure, TRUE, &facts);
    }
}

static void
block (PrHop *self, gint64 until_us, gboolean not_its_fault)
{
  self->is_not_its_fault = not_its_fault;
  self->is_slowed = FALSE;
  self->blocked_until_us = until_us;
  self->sweep_us = g_get_real_time () + PR_HOP_SWEEP_US;
}

/* The longer, the more often it was said. */
void
pr_hop_slow_down (PrHop *self, const PrReply *reply, const PrAdvice *advice, const char *peer)
{
  g_autofree char *said = pr_reply_to_string (reply);
  g_autofree char *text = g_strdup_printf ("%s (%s)", advice->words, said);
  guint doublings = MIN (self->failures, MAX_DOUBLINGS);
  gint64 wait_us = ((gint64) advice->wait_s << doublings) * G_USEC_PER_SEC;

  if (pr_hop_is_blocked (self)) /* several connections may find out at once */
    return;
  pr_reply_set (&self->failure, 0, "4.7.0", text);
  if (self->failures++ == 0)
    note_change (self, PR_EVENT_HOP_FAILED, peer, &self->failure);
  block (self, g_get_real_time () + MIN (wait_us, LONGEST_WAIT_US), TRUE);
  self->is_slowed = TRUE;
  pr_hop_give_back (self);
  pr_hop_update_wake (self);
}

void
pr_hop_fail (PrHop *self, const PrReply *reply, const char *peer, gboolean network)
{
  gint64 now = g_get_real_time ();
  PrAdvice advice;

  self->n_breaks = 0;
  pr_provider_advise (self->route != NULL ? self->route->provider : NULL, reply, &advice);
  if (advice.kind == PR_ADVICE_SLOW_DOWN)
    {
      pr_hop_slow_down (self, reply, &advice, peer);
      return;
    }
  pr_reply_copy (&self->failure, reply);
  if (pr_reply_is_permanent (reply))
    {
      end_waiting (self, peer);
      return;
    }
  if (network)
    {
      block (self, now + NETWORK_PROBE_US, TRUE);
      pr_hop_give_back (self);
    }
  else if (!pr_hop_is_blocked (self)) /* several connections may find out at once */
    {
      self->failures++;
      if (self->failures == 1)
        note_change (self, PR_EVENT_HOP_FAILED, peer, reply);
      block (self,
             now + pr_schedule_back_off_us (self->runner->config, self->failures, g_random_int ()),
             FALSE);
    }
  end_waiting (self, peer);
  pr_hop_update_wake (self);
}

void
pr_hop_await_sign_in (PrHop *self, const char *why)
{
  pr_reply_set (&self->failure, 0, "4.7.8", why);
  block (self, G_MAXINT64, TRUE);
  pr_hop_give_back (self);
  pr_hop_update_wake (self);
}

void
pr_hop_unblock (PrHop *self)
{
  self->blocked_until_us = 0;
  self->is_not_its_fault = FALSE;
  pr_hop_update_wake (self);
}

void
pr_hop_forgive (PrHop *self)
{
  if (self->is_not_its_fault)
    pr_hop_unblock (self);
}

gboolean
pr_hop_is_unused (const PrHop *self)
{
  gint64 now = g_get_real_time ();

  return self->n_in_hand == 0 && self->deliveries.length == 0 && !self->refilling &&
         self->overdue == NULL && !self->waits_for_slot && self->more_due_us == 0 &&
         self->n_tasks == 0 && (self->failures == 0 || self->blocked_until_us + MEMORY_US < now);
}

/* ── Life ─────────────────────────────────────────────────────────────────────────────────── */

void
pr_hop_set_config (PrHop *self)
{
  g_autofree char *route = pr_bucket_route_name (self->name);

  pr_pacer_leave (self);
  self->route = pr_config_get_route (self->runner->config, route);
  if (self->route != NULL && self->route->via == PR_VIA_HOLD)
    self->route = NULL; /* nothing is sent there: what is queued moves */
}

PrHop *
pr_hop_get (PrRunner *runner, const char *name)
{
  PrHop *self;

  name = name != NULL ? name : "";
  self = g_hash_table_lookup (runner->hops, name);
  if (self != NULL)
    return self;
  self = g_new0 (PrHop, 1);
  self->runner = runner;
  self->name = g_strdup (name);
  g_queue_init (&self->deliveries);
  pr_hop_set_config (self);
  g_hash_table_insert (runner->hops, self->name, self);
  return self;
}

void
pr_hop_free (PrHop *self)
{
  pr_timer_stop (&self->hurry_timer);
  pr_pacer_leave (self);
  if (self->wake_iter != NULL)
    g_sequence_remove (self->wake_iter);
  if (self->waits_for_slot)
    g_queue_remove (&self->runner->slot_waiters, self);
  pr_reply_clear (&self->failure);
  g_free (self->name);
  g_free (self);
}
