/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/service.h"

G_BEGIN_DECLS

/**
 * PrDeletion: messages that a person wants gone, and may want back. First they are held, so that
 * none is sent meanwhile; then it waits for a word, at any time: delete or restore. Both go on in
 * steps, however many messages there are. When the service goes away it waits, and goes on when it
 * is back.
 *
 *   gathering ──► ready ──► deleting ──► done
 *       │           └─────► restoring ─► done          an order that is refused: failed
 *       └─── delete: gathers on · restore: at once
 */
typedef struct _PrDeletion PrDeletion;

typedef enum
{
  PR_DELETION_GATHERING,
  PR_DELETION_READY,
  PR_DELETION_DELETING,
  PR_DELETION_RESTORING,
  PR_DELETION_DONE,
  PR_DELETION_FAILED,
} PrDeletionState;

/* Its state is another, or whether it waits. It may be freed from within. */
typedef void (*PrDeletionChanged) (gpointer user_data);

/* Begins. @ids: of messages, NULL-terminated, copied; @held: those of them that were held before,
 * which restoring does not release. */
PrDeletion *pr_deletion_new (PrService *service, const char *const *ids, const char *const *held,
                             PrDeletionChanged changed, gpointer user_data);
/* The same for all that is in the queue now under @filter (a{sv} of Queue1, referenced). */
PrDeletion *pr_deletion_new_matching (PrService *service, GVariant *filter,
                                      PrDeletionChanged changed, gpointer user_data);
void pr_deletion_free (PrDeletion *self);

/* The word. Once. */
void pr_deletion_delete (PrDeletion *self);
void pr_deletion_restore (PrDeletion *self);

PrDeletionState pr_deletion_get_state (PrDeletion *self);
/* How many messages it is about, so far. */
guint pr_deletion_get_count (PrDeletion *self);
/* The service is away. */
gboolean pr_deletion_waits (PrDeletion *self);
/* (nullable): why it failed, for people. */
const char *pr_deletion_get_error (PrDeletion *self);

G_END_DECLS
