/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/store.h"
#include "net/worker.h"

G_BEGIN_DECLS

/**
 * PrFeed: the body of one message, piece by piece, read ahead by one piece so that disk and
 * network work at the same time: at most two pieces are in memory. One thread.
 */
typedef struct _PrFeed PrFeed;

#define PR_FEED_PIECE (256 * 1024)

/* @error set: the body cannot be read, nothing follows. Free is legal from within. */
typedef void (*PrFeedFunc) (const char *data, gsize len, gboolean last, const GError *error,
                            gpointer user_data);

/* @n_calls: counts the store's answers that are still to come; outlives them. */
PrFeed *pr_feed_new (PrStore *store, PrMessage *message, guint *n_calls, PrFeedFunc func,
                     gpointer user_data);
/* The same from a file, by threads. @fd: owned by the caller, until free was called and no
 * piece is being read: @keep is freed then. */
PrFeed *pr_feed_new_from_file (PrWorker *worker, int fd, gpointer keep, GDestroyNotify free_keep,
                               PrFeedFunc func, gpointer user_data);
void pr_feed_free (PrFeed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrFeed, pr_feed_free)

/* Wants one more piece: func is called, from within or later. */
void pr_feed_want (PrFeed *self);

G_END_DECLS
