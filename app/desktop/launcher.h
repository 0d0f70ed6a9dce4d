/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/home.h"

G_BEGIN_DECLS

/* Called when a service that was started stopped again before anybody could talk to it, or could
 * not be started at all. @text: why, for people. */
typedef void (*PrLauncherFailed) (const char *text, gpointer user_data);

/**
 * PrLauncher: starts postroomd: the one beside this program, else the one in PATH. It outlives
 * this program and its terminal.
 */
typedef struct _PrLauncher PrLauncher;

/* @home: copied. */
PrLauncher *pr_launcher_new (const PrHome *home, PrLauncherFailed failed, gpointer user_data);
/* What it started goes on. */
void pr_launcher_free (PrLauncher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrLauncher, pr_launcher_free)

/* Starts it, unless one that was started is still there. Never blocks, never fails at once. */
void pr_launcher_start (PrLauncher *self);

G_END_DECLS
