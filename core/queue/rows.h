/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "queue/database.h"
#include "queue/event.h"
#include "queue/message.h"

G_BEGIN_DECLS

/* Messages and events as rows, both ways. All return an SQLite code. */

/* The message and all its recipients; body included when it has no spool file. */
int pr_rows_insert (PrDatabase *db, const PrMessage *message);
int pr_rows_insert_recipients (PrDatabase *db, const PrMessage *message);
/* One progress, to a recipient that is there. */
int pr_rows_update (PrDatabase *db, gint64 id, guint index, const PrProgress *progress);
/* The statements are those of PR_SQL_SELECT_MESSAGE and PR_SQL_SELECT_RECIPIENTS, of any
 * connection. @out: (transfer full): NULL when there is no such message. */
int pr_rows_load (sqlite3_stmt *messages, sqlite3_stmt *recipients, gint64 id, PrMessage **out);

/* One block of memory, strings and all: g_free. */
PrEvent *pr_event_dup (const PrEvent *event);
int pr_rows_insert_event (PrDatabase *db, const PrEvent *event);
/* What the event takes on disk, about. */
gsize pr_event_get_octets (const PrEvent *event);
/* The columns of an event as pr_rows_load_event reads them. */
#define PR_EVENT_COLUMNS                                                                           \
  "id, skew, kind, message, session, code, size, peer, sender, address, route, text, tls"
/* The row under the statement; strings copied in one block: g_free. */
PrEvent *pr_rows_load_event (sqlite3_stmt *statement);

G_END_DECLS
