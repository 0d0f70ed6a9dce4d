/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/database.h"

G_BEGIN_DECLS

/* Makes the tables of PR_DATABASE_VERSION out of those of @version, in one transaction.
 * SQLITE_OK or what went wrong; then nothing was changed. */
int pr_schema_migrate (sqlite3 *handle, int version);
/* The text of a statement of the writer. */
const char *pr_schema_get_sql (PrSql which);

G_END_DECLS
