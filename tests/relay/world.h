/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/fake-hop.h"
#include "relay/runner-private.h"

G_BEGIN_DECLS

/**
 * World: a runner with all that it stands on: a real store in a folder of its own, real sockets
 * on loopback, names from fake-resolver.h, one main context.
 */
typedef struct
{
  GMainContext *context;
  char *home;
  PrLoop *loop;
  PrStore *store;
  PrJournal *journal;
  PrResolver *resolver;
  PrLives *lives;
  PrRunner *runner;
  GPtrArray *events; /* of char: "delivered user@example.org 250 text | TLS" */
} World;

/* @config: postroom.conf. Not started. */
World *world_new (const char *config);
void world_free (World *self);
/* With the hop that its mail went to. */
void world_end (World *self, FakeHop *hop);
void world_set_config (World *self, const char *config);
/* Closes the store as a stop would and opens it again with a new runner, started. */
void world_restart (World *self, const char *config);

/* Puts a message from @sender to @recipients ("a@b c@d") as an accepted one, and waits for the
 * commit. @age_s: it was received so long ago. Its id. */
gint64 world_put (World *self, const char *sender, const char *recipients);
gint64 world_put_aged (World *self, const char *sender, const char *recipients, gint64 age_s);
gint64 world_put_envelope (World *self, PrEnvelope *envelope, const char *text, gint64 age_s);

/* Turns until @condition; fails the test after a generous while, naming @what. */
#define world_wait(self, condition, what)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 world_deadline = world_begin_wait ();                                                   \
    while (!(condition))                                                                           \
      world_turn (self, world_deadline, what);                                                     \
  }                                                                                                \
  G_STMT_END
gint64 world_begin_wait (void);
void world_turn (World *self, gint64 deadline_us, const char *what);
/* Turns until nothing is in hand: all that was tried is recorded. */
void world_settle (World *self);
/* Turns for @ms: for what must not happen. */
void world_idle (World *self, guint ms);

/* What became of an order: pass one as the data of world_on_done, and wait for done. */
typedef struct
{
  guint n_done;
  char *why; /* owned, nullable */
  gboolean done;
} Answer;

void world_on_done (guint n_done, const char *why, gpointer answer);

/* The message as the store has it now; NULL: it left. (transfer full) */
PrMessage *world_get (World *self, gint64 id);
void world_counts (World *self, PrStoreCounts *out);
guint world_count_messages (World *self);
/* Events that begin with @prefix. */
guint world_count_events (World *self, const char *prefix);
/* The next events must tell why this much is so. */
const char *world_last_event (World *self, const char *prefix);

G_END_DECLS
