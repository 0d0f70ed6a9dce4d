/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"
#include "oauth/token.h"

G_BEGIN_DECLS

/**
 * PrKeep: the tokens of routes on the disk, and on their way there. For each route the disk has one
 * question at a time, in the order they came: who reads gets what was written before. What cannot
 * be written stays here, is what readers get, and is tried again: soon, then ever more seldom, and
 * a last time when this is freed. One thread, the loop's. Internal to core/oauth.
 *
 *   idle ──► reading ──► idle
 *    └─────► writing ──► idle
 *               │ ▲ later, each time twice as late, up to an hour
 *               └─┴ failed
 */
typedef struct _PrKeep PrKeep;

/* What waits for @route could not be written, once more; @error NULL: now it could. */
typedef void (*PrKeepTold) (const char *route, const GError *error, gpointer user_data);

/* @credentials: copied. @again_ms: before the second try. */
PrKeep *pr_keep_new (PrLoop *loop, const char *credentials, guint again_ms, PrKeepTold told,
                     gpointer user_data);
/* Waits for the disk. Who has not been answered is, with PR_ERROR_TEMPORARY; but not readers. */
void pr_keep_free (PrKeep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrKeep, pr_keep_free)

/* @token, @client_secret: (transfer full) (nullable). */
typedef void (*PrKeepRead) (PrToken *token, char *client_secret, const GError *error,
                            gpointer user_data);
void pr_keep_read (PrKeep *self, const char *route, PrKeepRead func, gpointer user_data);
/* Reads of @route with this @user_data are not answered any more. */
void pr_keep_forget (PrKeep *self, const char *route, gpointer user_data);

/* Once for each write: after the first try, or after that of a later write that took its place. */
typedef void (*PrKeepDone) (const GError *error, gpointer user_data);
/* @token: (nullable): NULL forgets what is kept. */
void pr_keep_write (PrKeep *self, const char *route, const PrToken *token, PrKeepDone done,
                    gpointer user_data);
/* NULL: what was written last is on the disk, or on its way there for the first time; else why it
 * is not. Valid until the next turn. */
const char *pr_keep_get_fault (PrKeep *self, const char *route);

G_END_DECLS
