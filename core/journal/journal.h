/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/store.h"

G_BEGIN_DECLS

/**
 * PrJournal: what happened to which message, session and route. Keeps events in the store, tells
 * those who follow, counts. Cheap at full load: no event is formatted unless somebody follows or
 * the log asks for it. Owner's thread only.
 */
typedef struct _PrJournal PrJournal;

/* Since start; recipients but for the first and the last. */
typedef struct
{
  guint64 n_received; /* messages accepted */
  guint64 n_delivered, n_deferred, n_failed;
  guint64 n_refused; /* verdicts: connections, senders, recipients, messages */
} PrJournalCounts;

/* @store: borrowed, outlives it, but for pr_journal_free. */
PrJournal *pr_journal_new (PrStore *store);
void pr_journal_free (PrJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrJournal, pr_journal_free)

/* Keeps one event and tells it. Strings are copied, as of pr_event_clean_text. Not after
 * pr_store_close(). */
void pr_journal_add (PrJournal *self, const PrEvent *event);
/* Tells an event that the store keeps already: @event->id is what pr_store_put returned for it. */
void pr_journal_tell (PrJournal *self, const PrEvent *event);

/* @event: valid during the call. Its id is the one the store gave it, 0 if it was not kept. */
typedef void (*PrJournalFollower) (const PrEvent *event, gpointer user_data);
/* Called for each event from now on, from within add and tell. A token, never 0. */
guint pr_journal_follow (PrJournal *self, PrJournalFollower func, gpointer user_data);
/* Also from within a follower. */
void pr_journal_unfollow (PrJournal *self, guint token);

void pr_journal_get_counts (const PrJournal *self, PrJournalCounts *out);

/* One line for people: "accepted 1kh3zs5v8qg from me@example.org by 192.0.2.7 (4096 octets)".
 * (transfer full) */
char *pr_journal_format (const PrEvent *event);

G_END_DECLS
