/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/world.h"

#include <glib/gstdio.h>
#include <string.h>

#include "queue/spool.h"
#include "relay/fake-resolver.h"

#define WAIT_US (60 * G_GINT64_CONSTANT (1000000))

static PrConfig *
parse (const char *text)
{
  g_autoptr (GPtrArray) faults = NULL;
  PrConfig *config = pr_config_parse (text, strlen (text), "/etc/postroom.conf", &faults);

  if (config == NULL)
    g_error ("%s", (const char *) faults->pdata[0]);
  return config;
}

static void
on_event (const PrEvent *event, gpointer user_data)
{
  World *self = user_data;

  g_ptr_array_add (self->events,
                   g_strdup_printf ("%s %s %u %s%s%s", pr_event_kind_to_string (event->kind),
                                    event->address != NULL ? event->address : "-", event->code,
                                    event->text != NULL ? event->text : "-",
                                    event->tls != NULL ? " | " : "",
                                    event->tls != NULL ? event->tls : ""));
}

static void
open_all (World *self, const char *text)
{
  g_autoptr (PrConfig) config = parse (text);
  g_autoptr (GError) error = NULL;

  self->store = pr_store_open (self->home, self->context, &error);
  g_assert_no_error (error);
  self->journal = pr_journal_new (self->store);
  pr_journal_follow (self->journal, on_event, self);
  self->lives = pr_lives_new ();
  self->resolver = pr_resolver_new (self->context);
  self->runner =
    pr_runner_new (self->loop, self->store, self->journal, self->resolver, self->lives, config);
  self->runner->idle_ms = 300;
}

World *
world_new (const char *config)
{
  World *self = g_new0 (World, 1);
  g_autoptr (GError) error = NULL;

  self->context = g_main_context_new ();
  g_main_context_push_thread_default (self->context);
  self->home = g_dir_make_tmp ("postroom-relay-XXXXXX", &error);
  g_assert_no_error (error);
  self->loop = pr_loop_new (self->context);
  self->events = g_ptr_array_new_with_free_func (g_free);
  open_all (self, config);
  return self;
}

static void
on_stopped (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static void
close_all (World *self)
{
  gboolean stopped = FALSE;

  pr_runner_stop (self->runner, 2000, on_stopped, &stopped);
  world_wait (self, stopped, "the runner to stop");
  g_clear_pointer (&self->store, pr_store_close);
  /* Every answer came, and nothing stays in hand but what a mute hop did not answer in time. */
  g_assert_cmpuint (self->runner->n_store_calls, ==, 0);
  if (self->runner->n_connections == 0)
    g_assert_cmpuint (pr_hand_count (self->runner->hand), ==, 0);
  g_clear_pointer (&self->runner, pr_runner_free);
  g_clear_pointer (&self->resolver, pr_resolver_free);
  g_clear_pointer (&self->journal, pr_journal_free);
  g_clear_pointer (&self->lives, pr_lives_free);
}

static void
remove_tree (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_remove (path);
}

void
world_free (World *self)
{
  close_all (self);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  pr_loop_free (self->loop);
  g_ptr_array_unref (self->events);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  remove_tree (self->home);
  g_free (self->home);
  fake_resolver_clear ();
  g_free (self);
}

void
world_end (World *self, FakeHop *hop)
{
  fake_hop_free (hop);
  world_free (self);
}

void
world_on_done (guint n_done, const char *why, gpointer answer)
{
  Answer *self = answer;

  self->n_done = n_done;
  self->why = g_strdup (why);
  self->done = TRUE;
}

void
world_set_config (World *self, const char *text)
{
  g_autoptr (PrConfig) config = parse (text);

  pr_runner_set_config (self->runner, config);
}

void
world_restart (World *self, const char *config)
{
  close_all (self);
  open_all (self, config);
  pr_runner_start (self->runner);
}

/* ── Waiting ──────────────────────────────────────────────────────────────────────────────── */

gint64
world_begin_wait (void)
{
  return g_get_monotonic_time () + WAIT_US;
}

static gboolean
on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

void
world_turn (World *self, gint64 deadline_us, const char *what)
{
  GSource *tick = g_timeout_source_new (20);

  g_source_set_callback (tick, on_tick, NULL, NULL);
  g_source_attach (tick, self->context);
  g_main_context_iteration (self->context, TRUE);
  g_source_destroy (tick);
  g_source_unref (tick);
  if (g_get_monotonic_time () > deadline_us)
    {
      for (guint i = 0; i < self->events->len; i++)
        g_test_message ("%s", (const char *) self->events->pdata[i]);
      g_error ("waited too long for %s", what);
    }
}

void
world_settle (World *self)
{
  world_wait (self, pr_hand_count (self->runner->hand) == 0, "all that was tried to be recorded");
}

void
world_idle (World *self, guint ms)
{
  gint64 until = g_get_monotonic_time () + ms * G_GINT64_CONSTANT (1000);

  while (g_get_monotonic_time () < until)
    world_turn (self, G_MAXINT64, "nothing");
}

/* ── Mail ─────────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  World *world;
  PrMessage *message;
  gboolean done;
} Put;

static void
on_put (const GError *error, gpointer user_data)
{
  Put *put = user_data;

  g_assert_no_error (error);
  pr_runner_take (put->world->runner, put->message);
  put->done = TRUE;
}

gint64
world_put_envelope (World *self, PrEnvelope *envelope, const char *text, gint64 age_s)
{
  gint64 id = pr_id_next (pr_store_get_ids (self->store));
  gint64 received_us = g_get_real_time () - age_s * G_USEC_PER_SEC;
  g_autoptr (PrMessage) message = pr_message_new (id, received_us, envelope);
  PrSpool *spool = pr_spool_new (self->store, id, NULL, NULL);
  Put put = { .world = self, .message = message };

  pr_spool_append (spool, text, strlen (text));
  pr_spool_finish (spool, message);
  pr_runner_assign (self->runner, message);
  pr_store_put (self->store, message, NULL, on_put, &put);
  world_wait (self, put.done, "the commit of a message");
  return id;
}

gint64
world_put_aged (World *self, const char *sender, const char *recipients, gint64 age_s)
{
  PrEnvelope *envelope = pr_envelope_new ();
  g_auto (GStrv) words = g_strsplit (recipients, " ", -1);

  g_free (envelope->sender);
  envelope->sender = g_strdup (sender);
  for (guint i = 0; words[i] != NULL; i++)
    pr_envelope_add_recipient (envelope, words[i], PR_NOTIFY_UNSET, NULL);
  return world_put_envelope (self, envelope, "Subject: test\r\n\r\nHello\r\n.dot\r\n", age_s);
}

gint64
world_put (World *self, const char *sender, const char *recipients)
{
  return world_put_aged (self, sender, recipients, 0);
}

typedef struct
{
  PrMessage *message;
  gboolean done;
} Got;

static void
on_got (PrMessage *message, const GError *error, gpointer user_data)
{
  Got *got = user_data;

  g_assert_no_error (error);
  got->message = message != NULL ? pr_message_ref (message) : NULL;
  got->done = TRUE;
}

PrMessage *
world_get (World *self, gint64 id)
{
  Got got = { 0 };

  pr_store_get (self->store, id, on_got, &got);
  world_wait (self, got.done, "a message to be read");
  return got.message;
}

void
world_counts (World *self, PrStoreCounts *out)
{
  pr_store_get_counts (self->store, out);
}

guint
world_count_messages (World *self)
{
  PrStoreCounts counts;

  pr_store_get_counts (self->store, &counts);
  return (guint) counts.n_messages;
}

guint
world_count_events (World *self, const char *prefix)
{
  guint n = 0;

  for (guint i = 0; i < self->events->len; i++)
    n += g_str_has_prefix (self->events->pdata[i], prefix);
  return n;
}

const char *
world_last_event (World *self, const char *prefix)
{
  for (guint i = self->events->len; i > 0; i--)
    if (g_str_has_prefix (self->events->pdata[i - 1], prefix))
      return self->events->pdata[i - 1];
  g_error ("there was no event \"%s\"", prefix);
}
