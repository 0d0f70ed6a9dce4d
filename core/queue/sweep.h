/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/writer.h"

G_BEGIN_DECLS

/* Spool files and rows that do not belong together, at start. Blocking. */

/* DAMAGED when there are spool files but no database: they are mail of somebody. */
gboolean pr_sweep_check (const char *database, const char *body_path, GError **error);
/* Removes files that no row names: their put was never answered. Messages whose file is gone become
 * failed, in words. Before the writer's thread starts. SQLite code. */
int pr_sweep_run (PrWriter *writer, const char *body_path);

G_END_DECLS
