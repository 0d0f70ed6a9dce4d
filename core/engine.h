/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "common/home.h"
#include "common/live.h"
#include "config/config.h"
#include "journal/journal.h"
#include "queue/store.h"
#include "relay/runner.h"
#include "server/server.h"

G_BEGIN_DECLS

/**
 * PrEngine: the whole relay, built from a home and a configuration: the only door into core.
 * Belongs to the thread that made it and to that thread's main context.
 */
typedef struct _PrEngine PrEngine;

/* Opens the store under @home (blocking) and builds everything; listens and sends nothing yet.
 * Errors are those of pr_store_open. @config: referenced. */
PrEngine *pr_engine_new (const PrHome *home, PrConfig *config, GMainContext *context,
                         GError **error);
/* Stops politely: conversations hear 421, but those whose message is on its way to the disk hear
 * their true answer first; deliveries behind their final dot are waited for (at most @grace_ms).
 * @done: called once, on a later turn; the engine is then freed. */
void pr_engine_stop (PrEngine *self, guint grace_ms, void (*done) (gpointer), gpointer user_data);
/* Commits what was asked of the store and closes it. Blocking for as long as the disk needs. */
void pr_engine_free (PrEngine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrEngine, pr_engine_free)

/* A socket from the service manager, before pr_engine_start. (transfer full) */
void pr_engine_adopt (PrEngine *self, int fd);
/* Listens and sends. @faults: (out) (transfer full): addresses that could not be opened, in
 * words. FALSE when there is none at all to listen on. */
gboolean pr_engine_start (PrEngine *self, GPtrArray **faults);
/* Puts another configuration in force, all of it. The caller has parsed it. @faults as above: what
 * listens already keeps listening. */
void pr_engine_set_config (PrEngine *self, PrConfig *config, GPtrArray **faults);
/* Journals that a configuration was not taken; @faults: one line for each fault. */
void pr_engine_note_bad_config (PrEngine *self, GPtrArray *faults);

/* Puts a small message of our own to @to into the queue, from the postmaster (or
 * postroom@hostname). Its id, for following it. @done: as pr_store_put. */
gint64 pr_engine_send_test (PrEngine *self, const char *to, PrStoreDone done, gpointer user_data);

PrConfig *pr_engine_get_config (PrEngine *self); /* borrowed, until the next set_config */
PrServer *pr_engine_get_server (PrEngine *self);
PrRunner *pr_engine_get_runner (PrEngine *self);
PrOauth *pr_engine_get_oauth (PrEngine *self);
PrStore *pr_engine_get_store (PrEngine *self);
PrJournal *pr_engine_get_journal (PrEngine *self);
PrLives *pr_engine_get_lives (PrEngine *self);
gint64 pr_engine_get_started_us (PrEngine *self);

G_END_DECLS
