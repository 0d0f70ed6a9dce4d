/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrWorker: two threads for what would block the loop: delivery into a Maildir, conversion,
 * files of our own. Owner's thread only.
 */
typedef struct _PrWorker PrWorker;
typedef void (*PrWorkerFunc) (gpointer data);

PrWorker *pr_worker_new (GMainContext *context);
/* Waits for what runs. Of what has not been told, @done is not called any more, but its data is
 * freed. */
void pr_worker_free (PrWorker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrWorker, pr_worker_free)

/* @func runs in a thread, then @done in the context; @data is freed behind it. @data belongs to
 * the thread while it runs. */
void pr_worker_run (PrWorker *self, PrWorkerFunc func, PrWorkerFunc done, gpointer data,
                    GDestroyNotify free_data);
guint pr_worker_count (const PrWorker *self); /* not yet told */

G_END_DECLS
