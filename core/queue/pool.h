/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrPool: the few threads that read, write and remove spool files. Reference-counted, because a
 * message that outlives the store may still have a file to remove. Any thread.
 */
typedef struct _PrPool PrPool;
typedef void (*PrPoolFunc) (gpointer data);

PrPool *pr_pool_new (GError **error);
PrPool *pr_pool_ref (PrPool *self);
void pr_pool_unref (PrPool *self);
/* Runs @func in a thread of the pool; on a closed pool at once, before this returns. */
void pr_pool_push (PrPool *self, PrPoolFunc func, gpointer data);
/* Waits until everything pushed has run. */
void pr_pool_close (PrPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrPool, pr_pool_unref)

G_END_DECLS
