/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "queue/store.h"

G_BEGIN_DECLS

/**
 * PrSpool: one message body on its way in. Up to PR_BODY_INLINE_MAX it stays in memory; beyond,
 * a small private pool of threads appends it to a file in the home's body folder, so that a
 * message of any size costs a few hundred KiB of memory. Owner's thread only.
 */
typedef struct _PrSpool PrSpool;

typedef void (*PrSpoolFunc) (gpointer user_data);

/* @store: gives the folder and the pool; borrowed. @writable: called (on the store's context) when
 * a full spool can take more again. */
PrSpool *pr_spool_new (PrStore *store, gint64 id, PrSpoolFunc writable, gpointer user_data);
/* Discards what was written, the file included. */
void pr_spool_free (PrSpool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrSpool, pr_spool_free)

/* Copies. Returns FALSE when more than 256 KiB wait for the disk: the caller stops reading from
 * its client until @writable. */
gboolean pr_spool_append (PrSpool *self, const char *data, gsize len);
guint64 pr_spool_get_size (const PrSpool *self);
/* Keeps @len octets free at the start, before anything is appended: for a field that is known only
 * at the end. */
void pr_spool_reserve (PrSpool *self, gsize len);
/* What stands there: a field, its CRLF included, of at most the octets reserved. A body that lies
 * in a file already gets blanks at the end of its last line (RFC 5322 §2.2.3) in place of what was
 * not needed. Without this call, what was reserved is blanks: a spool with a reserve must be
 * filled. */
void pr_spool_fill (PrSpool *self, const char *field);
/* Moves the body into @message (body or spool, size_octets) and frees the spool; the store's put
 * waits for the last octets and the flush. */
void pr_spool_finish (PrSpool *self, PrMessage *message);

G_END_DECLS
