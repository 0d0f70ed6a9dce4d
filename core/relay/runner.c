/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/runner-private.h"

#include <gio/gio.h>
#include <gmime/gmime.h>
#include <sys/resource.h>

#include "relay/bucket.h"
#include "relay/delivery.h"
#include "relay/hop.h"
#include "relay/http.h"
#include "relay/order.h"
#include "relay/overdue.h"
#include "relay/pacer.h"
#include "relay/record.h"
#include "relay/way.h"

#define WINDOW 4000        /* recipients in hand for one hop */
#define TOTAL_WINDOW 20000 /* for all */
#define MAX_CONNECTIONS 500
#define IDLE_MS 3000
#define LOOK_AGAIN_MS 60000 /* the wall clock may jump; unused hops are let go */
#define UNUSED_US (60 * G_GINT64_CONSTANT (1000000))
#define START_AGAIN_MS 5000

static void on_wake_timer (gpointer user_data);

gboolean
pr_runner_is_quiet (const PrRunner *self)
{
  return !self->started || self->paused || self->stopping || self->n_quiet > 0;
}

/* ── Waking hops ──────────────────────────────────────────────────────────────────────────── */

void
pr_runner_arm (PrRunner *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->wakes);
  gint64 delay_ms = LOOK_AGAIN_MS;

  if (!g_sequence_iter_is_end (first))
    {
      const PrHop *hop = g_sequence_get (first);
      gint64 until_us = hop->wake_us - g_get_real_time ();

      delay_ms = CLAMP (until_us / 1000 + 1, 0, LOOK_AGAIN_MS);
      if (until_us <= 0)
        delay_ms = 0;
    }
  pr_timer_start (&self->wake_timer, self->loop, (guint64) delay_ms, on_wake_timer, self);
}

static gboolean
let_go_unused (gpointer key, gpointer value, gpointer user_data)
{
  PrHop *hop = value;

  return hop->last_used_us + UNUSED_US < g_get_monotonic_time () && pr_hop_is_unused (hop);
}

static void
on_wake_timer (gpointer user_data)
{
  PrRunner *self = user_data;
  gint64 now = g_get_real_time ();
  GSequenceIter *first;

  while (!g_sequence_iter_is_end (first = g_sequence_get_begin_iter (self->wakes)))
    {
      PrHop *hop = g_sequence_get (first);

      if (hop->wake_us > now)
        break;
      pr_hop_wake (hop); /* leaves the sequence until the store has answered */
    }
  if (self->swept_us + UNUSED_US < g_get_monotonic_time ())
    {
      self->swept_us = g_get_monotonic_time ();
      g_hash_table_foreach_remove (self->hops, let_go_unused, NULL);
    }
  pr_runner_arm (self);
}

void
pr_runner_note_free_slot (PrRunner *self)
{
  PrHop *hop;

  while (self->n_connections < self->max_connections &&
         (hop = g_queue_pop_head (&self->slot_waiters)) != NULL)
    {
      hop->waits_for_slot = FALSE;
      pr_hop_pump (hop);
    }
}

void
pr_runner_look_again (PrRunner *self)
{
  g_autoptr (GList) hops = g_hash_table_get_values (self->hops);

  for (GList *link = hops; link != NULL; link = link->next)
    {
      pr_hop_update_wake (link->data);
      pr_hop_pump (link->data);
    }
}

static void
give_all_back (PrRunner *self)
{
  g_autoptr (GList) hops = g_hash_table_get_values (self->hops);

  for (GList *link = hops; link != NULL; link = link->next)
    {
      pr_hop_give_back (link->data);
      pr_hop_update_wake (link->data);
    }
}

static void
quit_idle (PrRunner *self)
{
  while (self->idle.head != NULL)
    pr_delivery_quit (self->idle.head->data);
}

/* ── Life ─────────────────────────────────────────────────────────────────────────────────── */

static guint
connection_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return MAX_CONNECTIONS;
  return (guint) CLAMP (limit.rlim_cur / 4, 1, MAX_CONNECTIONS);
}

static void
free_hop (gpointer data)
{
  pr_hop_free (data);
}

static void
free_pacer (gpointer data)
{
  pr_pacer_free (data);
}

static void
forget_way (gpointer data)
{
  pr_way_forget (data);
}

PrRunner *
pr_runner_new (PrLoop *loop, PrStore *store, PrJournal *journal, PrResolver *resolver,
               PrLives *lives, PrConfig *config)
{
  PrRunner *self = g_new0 (PrRunner, 1);

  g_mime_init (); /* for reports and conversion; it is never shut down: it could not begin again */
  self->loop = loop;
  self->store = store;
  self->journal = journal;
  self->resolver = resolver;
  self->lives = lives;
  self->config = pr_config_ref (config);
  self->dnssec = pr_dnssec_new (loop);
  pr_dnssec_set_anchor (self->dnssec, config->trust_anchor_file);
  self->sts = pr_sts_new (loop, store, resolver);
  self->worker = pr_worker_new (pr_loop_get_context (loop));
  self->hand = pr_hand_new ();
  self->hosts = pr_hosts_new ();
  self->hops = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_hop);
  self->ways = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, forget_way);
  self->pacers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_pacer);
  self->deleting = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->wakes = g_sequence_new (NULL);
  self->network_available = TRUE;
  self->window = WINDOW;
  self->total_window = TOTAL_WINDOW;
  self->max_connections = connection_limit ();
  self->idle_ms = IDLE_MS;
  self->overdue_ms = PR_OVERDUE_MS;
  self->mx_port = 25;
  g_queue_init (&self->slot_waiters);
  g_queue_init (&self->graveyard);
  g_queue_init (&self->unrecorded);
  g_queue_init (&self->idle);
  g_queue_init (&self->uploads);
  g_queue_init (&self->abandoned);
  return self;
}

static void
kill_deliveries (PrRunner *self)
{
  GHashTableIter iter;
  PrHop *hop;

  g_hash_table_iter_init (&iter, self->hops);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &hop))
    while (hop->deliveries.head != NULL)
      pr_delivery_kill (hop->deliveries.head->data);
  while (self->quitting.head != NULL)
    pr_delivery_kill (self->quitting.head->data);
  pr_delivery_bury (self);
}

void
pr_runner_free (PrRunner *self)
{
  if (self == NULL)
    return;
  if (self->network_handler != 0)
    g_signal_handler_disconnect (g_network_monitor_get_default (), self->network_handler);
  self->stopping = TRUE;
  self->stopped = NULL;
  kill_deliveries (self);
  pr_http_kill_all (self);
  pr_timer_stop (&self->wake_timer);
  pr_timer_stop (&self->burial_timer);
  pr_timer_stop (&self->record_timer);
  pr_timer_stop (&self->stop_timer);
  pr_timer_stop (&self->start_timer);
  pr_dnssec_free (self->dnssec);
  pr_sts_free (self->sts);
  pr_worker_free (self->worker);
  if (self->oauth != NULL)
    {
      pr_oauth_unlisten (self->oauth, self->oauth_token);
      pr_oauth_set_unkept_func (self->oauth, NULL, NULL);
    }
  g_hash_table_unref (self->ways);
  g_free (self->credentials);
  g_queue_clear (&self->slot_waiters);
  g_queue_clear (&self->unrecorded);
  g_hash_table_unref (self->hops);
  g_hash_table_unref (self->pacers);
  g_sequence_free (self->wakes);
  pr_hosts_free (self->hosts);
  pr_hand_free (self->hand);
  g_hash_table_unref (self->deleting);
  pr_config_unref (self->config);
  g_free (self);
}

static void on_start_timer (gpointer user_data);

static void
on_hops (const PrStoreHop *hops, guint n, const GError *error, gpointer user_data)
{
  PrRunner *self = user_data;

  self->n_store_calls--;
  if (error != NULL)
    {
      g_warning ("The queue could not be read, trying again: %s", error->message);
      pr_timer_start (&self->start_timer, self->loop, START_AGAIN_MS, on_start_timer, self);
      return;
    }
  for (guint i = 0; i < n; i++)
    pr_hop_note_due (pr_hop_get (self, hops[i].hop), hops[i].due_us);
}

void
pr_runner_read_hops (PrRunner *self)
{
  self->n_store_calls++;
  pr_store_hops (self->store, on_hops, self);
}

static void
on_start_timer (gpointer user_data)
{
  pr_runner_read_hops (user_data);
}

/* Policies are kept fresh from the start, whether or not mail comes. */
static void
start_sts (PrRunner *self)
{
  gboolean is_used = FALSE;

  for (guint i = 0; i < self->config->routes->len; i++)
    {
      const PrRouteConfig *route = self->config->routes->pdata[i];

      is_used |= route->via == PR_VIA_MX && route->mta_sts && route->tls != PR_TLS_OFF;
    }
  if (is_used)
    pr_sts_start (self->sts);
}

void
pr_runner_start (PrRunner *self)
{
  g_return_if_fail (!self->started);
  self->started = TRUE;
  start_sts (self);
  pr_runner_look_again (self);
  pr_runner_read_hops (self);
  pr_order_release_routed (self);
}

/* ── Stopping ─────────────────────────────────────────────────────────────────────────────── */

static void
say_stopped (gpointer user_data)
{
  PrRunner *self = user_data;
  void (*stopped) (gpointer) = g_steal_pointer (&self->stopped);

  pr_timer_stop (&self->stop_timer);
  if (stopped != NULL)
    stopped (self->stopped_data);
}

static gboolean
is_done (const PrRunner *self)
{
  return self->n_connections == 0 && self->uploads.length == 0 && self->abandoned.length == 0 &&
         pr_worker_count (self->worker) == 0 &&
         (self->oauth == NULL || !pr_oauth_is_asking (self->oauth));
}

void
pr_runner_check_stopped (PrRunner *self)
{
  if (self->stopping && self->stopped != NULL && is_done (self))
    pr_timer_start (&self->stop_timer, self->loop, 0, say_stopped, self);
}

static void
cancel_deliveries (PrRunner *self)
{
  g_autoptr (GList) hops = g_hash_table_get_values (self->hops);

  for (GList *link = hops; link != NULL; link = link->next)
    {
      PrHop *hop = link->data;
      g_autoptr (GList) deliveries = g_list_copy (hop->deliveries.head);

      for (GList *each = deliveries; each != NULL; each = each->next)
        if (!pr_delivery_is_idle (each->data))
          pr_delivery_cancel (each->data);
    }
}

void
pr_runner_take_back (PrRunner *self)
{
  give_all_back (self);
  quit_idle (self);
  cancel_deliveries (self);
  pr_http_cancel_all (self);
}

void
pr_runner_unblock_hops (PrRunner *self)
{
  g_autoptr (GList) hops = g_hash_table_get_values (self->hops);

  g_hash_table_remove_all (self->ways); /* passwords that were refused are tried once more */
  for (GList *link = hops; link != NULL; link = link->next)
    pr_hop_unblock (link->data);
}

void
pr_runner_stop (PrRunner *self, guint grace_ms, void (*done) (gpointer), gpointer user_data)
{
  self->stopping = TRUE;
  self->stopped = done;
  self->stopped_data = user_data;
  pr_runner_take_back (self);
  pr_timer_start (&self->stop_timer, self->loop, is_done (self) ? 0 : grace_ms, say_stopped, self);
}

/* ── Mail ─────────────────────────────────────────────────────────────────────────────────── */

guint
pr_runner_assign (PrRunner *self, PrMessage *message)
{
  return pr_bucket_assign (self->config, message);
}

static void
note_held (PrRunner *self, const PrMessage *message, guint index)
{
  PrEvent event = {
    .kind = PR_EVENT_HELD,
    .message = message->id,
    .sender = message->envelope->sender,
    .address = pr_envelope_recipient (message->envelope, index)->address,
    .text = message->progress[index].last_reply,
  };

  pr_journal_add (self->journal, &event);
}

void
pr_runner_take (PrRunner *self, PrMessage *message)
{
  guint n = message->envelope->recipients->len;
  PrHop *hop = NULL;

  for (guint i = 0; i < n; i++)
    {
      const PrProgress *progress = &message->progress[i];
      PrHop *next;

      if (progress->state == PR_RECIPIENT_HELD)
        note_held (self, message, i);
      if (progress->state != PR_RECIPIENT_QUEUED)
        continue;
      next = pr_hop_get (self, progress->hop);
      pr_hop_take (next, message, i);
      if (hop != NULL && next != hop)
        pr_hop_pump (hop);
      hop = next;
    }
  if (hop != NULL)
    pr_hop_pump (hop);
}

/* ── What changes under it ────────────────────────────────────────────────────────────────── */

void
pr_runner_set_config (PrRunner *self, PrConfig *config)
{
  g_autoptr (PrConfig) before = self->config;
  g_autoptr (GList) hops = g_hash_table_get_values (self->hops);

  give_all_back (self);
  self->config = pr_config_ref (config);
  g_hash_table_remove_all (self->ways);
  pr_dnssec_set_anchor (self->dnssec, config->trust_anchor_file);
  pr_sts_forget_failures (self->sts); /* another ca-file may be what was missing */
  quit_idle (self);
  for (GList *link = hops; link != NULL; link = link->next)
    {
      pr_hop_set_config (link->data);
      pr_hop_forgive (link->data);
    }
  if (self->started)
    {
      start_sts (self);
      pr_order_release_routed (self);
    }
  pr_runner_look_again (self);
}

void
pr_runner_set_paused (PrRunner *self, gboolean paused)
{
  if (self->paused == paused)
    return;
  self->paused = paused;
  if (paused)
    {
      give_all_back (self);
      quit_idle (self);
    }
  pr_journal_add (self->journal, &(PrEvent){ .kind = paused ? PR_EVENT_PAUSED : PR_EVENT_RESUMED,
                                             .text = "Sending" });
  pr_runner_look_again (self);
}

gboolean
pr_runner_is_paused (PrRunner *self)
{
  return self->paused;
}

void
pr_runner_set_credentials (PrRunner *self, const char *path)
{
  g_return_if_fail (self->credentials == NULL && !self->started);

  self->credentials = g_strdup (path);
}

/* What kept the hops of @route waiting without their fault may be gone. */
static void
forgive_route (PrRunner *self, const char *route)
{
  g_autoptr (GList) hops = g_hash_table_get_values (self->hops);

  for (GList *link = hops; link != NULL; link = link->next)
    {
      PrHop *hop = link->data;

      if (hop->route == NULL || !g_str_equal (hop->route->name, route))
        continue;
      pr_hop_forgive (hop);
      pr_hop_pump (hop);
    }
}

void
pr_runner_renew_way (PrRunner *self, const char *route)
{
  if (self->oauth != NULL)
    pr_oauth_renew (self->oauth, route);
  g_hash_table_remove (self->ways, route);
  forgive_route (self, route);
}

static void
on_oauth_changed (const char *name, gpointer user_data)
{
  PrRunner *self = user_data;
  const PrRouteConfig *route = pr_config_get_route (self->config, name);
  PrOauthState state;
  PrOauthFacts facts;

  pr_runner_check_stopped (self);
  if (route == NULL || !pr_oauth_get_facts (self->oauth, name, &state, &facts))
    return;
  if (state == PR_OAUTH_SIGN_IN)
    {
      pr_way_need_sign_in (pr_way_get (self, route), facts.why, NULL);
      return;
    }
  if (state == PR_OAUTH_READY && pr_runner_get_sign_in_need (self, name) != NULL)
    g_hash_table_remove (self->ways, name);
  if (state == PR_OAUTH_LATER)
    pr_runner_look_again (self);
  else
    forgive_route (self, name);
}

static void
on_oauth_unkept (const char *name, const char *why, gpointer user_data)
{
  PrRunner *self = user_data;
  g_autofree char *text = NULL;

  if (why != NULL)
    text = g_strdup_printf ("The sign-in could not be stored: %s. It is tried again; until it "
                            "works, a restart of Postroom goes back to the stored one",
                            why);
  pr_journal_add (self->journal,
                  &(PrEvent){
                    .kind = why != NULL ? PR_EVENT_SIGN_IN_UNKEPT : PR_EVENT_SIGN_IN_KEPT,
                    .route = name,
                    .text = text,
                  });
}

void
pr_runner_set_oauth (PrRunner *self, PrOauth *oauth)
{
  g_return_if_fail (self->oauth == NULL && !self->started);

  self->oauth = oauth;
  self->oauth_token = pr_oauth_listen (oauth, on_oauth_changed, self);
  pr_oauth_set_unkept_func (oauth, on_oauth_unkept, self);
}

const char *
pr_runner_get_sign_in_need (PrRunner *self, const char *route)
{
  PrWay *way = g_hash_table_lookup (self->ways, route);

  return way != NULL ? pr_way_get_need (way) : NULL;
}
