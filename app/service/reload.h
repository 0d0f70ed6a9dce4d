/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/secrets.h"
#include "engine.h"

G_BEGIN_DECLS

/**
 * PrReloader: the one way by which another configuration comes into force, whether a signal, a
 * program or a window asks. Reads and writes postroom.conf off the main thread, one request after
 * the other.
 */
typedef struct _PrReloader PrReloader;

/* Both borrowed, outlive it. */
PrReloader *pr_reloader_new (PrEngine *engine, const PrHome *home);
/* What is being written is finished first; requests under way hear that the service is stopping. */
void pr_reloader_free (PrReloader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrReloader, pr_reloader_free)

/* @faults: why it was not done, one line each; empty when it is in force.
 * @warnings: addresses that could not be opened. Both (element-type utf8), valid during the call.
 */
typedef void (*PrReloadDone) (GPtrArray *faults, GPtrArray *warnings, gpointer user_data);

/* Puts the file on disk in force. @done: (nullable). */
void pr_reloader_reload (PrReloader *self, PrReloadDone done, gpointer user_data);
/* Writes @text to the file, then puts it in force; with a fault neither happens. All of these call
 * @done on a later turn. */
void pr_reloader_apply (PrReloader *self, const char *text, PrReloadDone done, gpointer user_data);
/* What @text, the file as it is, should become. Called once, in another thread. NULL and @error:
 * nothing is to be done. (transfer full) */
typedef char *(*PrReloadEdit) (const char *text, gpointer user_data, GError **error);
/* Changes the file as one step, so that no two clients take back each other's changes, then puts it
 * in force; with a fault neither happens. */
void pr_reloader_edit (PrReloader *self, PrReloadEdit edit, PrReloadDone done, gpointer user_data);
/* Only tells what is wrong with @text. */
void pr_reloader_validate (PrReloader *self, const char *text, PrReloadDone done,
                           gpointer user_data);
/* Keeps @password (nullable: forgets it) for @route where secrets are kept; mail that waits for it
 * is tried at once. @done: @faults tells
 * why it could not be. */
void pr_reloader_set_password (PrReloader *self, const char *route, const char *password,
                               PrReloadDone done, gpointer user_data);
/* The same for any kind of secret. */
void pr_reloader_set_secret (PrReloader *self, const char *route, PrSecretKind kind,
                             const char *secret, PrReloadDone done, gpointer user_data);

/* @func: (nullable): called whenever another configuration came into force. */
void pr_reloader_set_changed (PrReloader *self, void (*func) (gpointer), gpointer user_data);

G_END_DECLS
