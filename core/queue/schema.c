/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables, how old ones become new ones, and every statement the writer runs.
 *
 * message    one row each; the body comes last, so that what is before it is read without it
 * recipient  lies beside its message's others in the tree, so that one seek finds all of them (a
 *            row id made of both was measured 0.2 us cheaper a life, and would bound their number);
 *            recipient_due holds the queued ones by bucket and time: a million that wait for one
 *            dead hop are never stepped over on the way to another's. recipient_other holds the few
 *            that are in any other state. Both are partial, so an ordinary delivery pays for one
 *            entry once.
 * event      its id is the time in microseconds, made increasing: a time range is an id range.
 *            skew is id - time, 0 unless the clock went back.
 * counter    one row: what nobody should have to count.
 * history    how many of each outcome in one hour since the epoch (tally.h): no graph scans events.
 * device     who sent mail, and when last (tally.h).
 * value      small things by name that outlive a restart, such as who is refused.
 */
#include "queue/schema.h"

static const char version_1[] =
  "CREATE TABLE message ("
  "  id INTEGER PRIMARY KEY,"
  "  received INTEGER NOT NULL,"
  "  size INTEGER NOT NULL,"
  "  flags INTEGER NOT NULL," /* rows.c */
  "  sender TEXT NOT NULL,"
  "  envid TEXT,"
  "  client TEXT,"
  "  user TEXT,"
  "  spool TEXT," /* file below body/; then body is NULL */
  "  body BLOB);"
  "CREATE INDEX message_spool ON message (spool) WHERE spool IS NOT NULL;"
  "CREATE TABLE recipient ("
  "  message INTEGER NOT NULL,"
  "  idx INTEGER NOT NULL," /* in the envelope */
  "  state INTEGER NOT NULL,"
  "  attempts INTEGER NOT NULL,"
  "  due INTEGER NOT NULL,"
  "  notify INTEGER NOT NULL,"
  "  warned INTEGER NOT NULL,"
  "  hop TEXT NOT NULL,"
  "  address TEXT NOT NULL,"
  "  orcpt TEXT,"
  "  last_reply TEXT,"
  "  PRIMARY KEY (message, idx)) WITHOUT ROWID;"
  "CREATE INDEX recipient_due ON recipient (hop, due) WHERE state = 0;"
  "CREATE INDEX recipient_other ON recipient (state) WHERE state <> 0;"
  "CREATE TABLE event ("
  "  id INTEGER PRIMARY KEY,"
  "  skew INTEGER NOT NULL,"
  "  kind INTEGER NOT NULL,"
  "  message INTEGER,"
  "  session INTEGER,"
  "  code INTEGER,"
  "  size INTEGER,"
  "  peer TEXT,"
  "  sender TEXT,"
  "  address TEXT,"
  "  route TEXT,"
  "  text TEXT,"
  "  tls TEXT);"
  "CREATE INDEX event_message ON event (message) WHERE message IS NOT NULL;"
  "CREATE TABLE counter ("
  "  one INTEGER PRIMARY KEY CHECK (one = 1),"
  "  last_message INTEGER NOT NULL,"
  "  last_event INTEGER NOT NULL,"
  "  revision INTEGER NOT NULL,"
  "  messages INTEGER NOT NULL,"
  "  queued INTEGER NOT NULL,"
  "  held INTEGER NOT NULL,"
  "  failed INTEGER NOT NULL,"
  "  octets INTEGER NOT NULL,"
  "  events INTEGER NOT NULL,"
  "  event_octets INTEGER NOT NULL);"
  "INSERT INTO counter VALUES (1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);";

static const char version_2[] = "CREATE TABLE value ("
                                "  name TEXT PRIMARY KEY,"
                                "  value TEXT NOT NULL) WITHOUT ROWID;";

/* The last day of an older queue is counted once, so that its graph is not empty. */
static const char version_3[] =
  "CREATE TABLE history ("
  "  hour INTEGER PRIMARY KEY,"
  "  received INTEGER NOT NULL,"
  "  delivered INTEGER NOT NULL,"
  "  deferred INTEGER NOT NULL,"
  "  failed INTEGER NOT NULL,"
  "  refused INTEGER NOT NULL);"
  "INSERT INTO history SELECT (id - skew) / 3600000000, sum (kind = 7), sum (kind = 8),"
  "  sum (kind = 9), sum (kind = 10), sum (kind = 6) FROM event"
  "  WHERE id > (SELECT max (id) FROM event) - 86400000000 AND kind BETWEEN 6 AND 10 GROUP BY 1;"
  "CREATE TABLE device ("
  "  client TEXT NOT NULL,"
  "  user TEXT NOT NULL," /* "": did not sign in */
  "  seen INTEGER NOT NULL,"
  "  messages INTEGER NOT NULL,"
  "  PRIMARY KEY (client, user)) WITHOUT ROWID;";

static const char *const statements[PR_N_SQL] = {
  [PR_SQL_BEGIN] = "BEGIN",
  [PR_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
  [PR_SQL_COMMIT] = "COMMIT",
  [PR_SQL_ROLLBACK] = "ROLLBACK",
  [PR_SQL_SELECT_COUNTER] = "SELECT last_message, last_event, revision, messages, queued, held,"
                            " failed, octets, events, event_octets FROM counter WHERE one = 1",
  [PR_SQL_UPDATE_COUNTER] = "UPDATE counter SET last_message = ?1, last_event = ?2, revision = ?3,"
                            " messages = ?4, queued = ?5, held = ?6, failed = ?7, octets = ?8,"
                            " events = ?9, event_octets = ?10 WHERE one = 1",
  [PR_SQL_INSERT_MESSAGE] = "INSERT INTO message (id, received, size, flags, sender, envid, client,"
                            " user, spool, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
  [PR_SQL_INSERT_RECIPIENT] = "INSERT INTO recipient (message, idx, state, attempts, due, notify,"
                              " warned, hop, address, orcpt, last_reply)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
  [PR_SQL_SELECT_MESSAGE] = "SELECT received, size, flags, sender, envid, client, user, spool"
                            " FROM message WHERE id = ?1",
  [PR_SQL_SELECT_RECIPIENTS] = "SELECT state, attempts, due, notify, warned, hop, address, orcpt,"
                               " last_reply FROM recipient WHERE message = ?1 ORDER BY idx",
  [PR_SQL_SELECT_BODY] = "SELECT body FROM message WHERE id = ?1",
  [PR_SQL_SELECT_STATE] = "SELECT state FROM recipient WHERE message = ?1 AND idx = ?2",
  [PR_SQL_SELECT_STATES] = "SELECT state FROM recipient WHERE message = ?1",
  [PR_SQL_UPDATE_RECIPIENT] = "UPDATE recipient SET state = ?3, attempts = ?4, due = ?5,"
                              " warned = ?6, hop = ?7, last_reply = ?8"
                              " WHERE message = ?1 AND idx = ?2",
  [PR_SQL_DELETE_RECIPIENTS] = "DELETE FROM recipient WHERE message = ?1",
  [PR_SQL_DELETE_ONLY] = "DELETE FROM recipient WHERE message = ?1 AND idx = 0 AND state = 0",
  [PR_SQL_DELETE_MESSAGE] = "DELETE FROM message WHERE id = ?1",
  [PR_SQL_SELECT_FILE] = "SELECT size, spool FROM message WHERE id = ?1",
  [PR_SQL_SELECT_FIRST_HOP] = "SELECT hop, due FROM recipient WHERE state = 0"
                              " ORDER BY hop, due LIMIT 1",
  [PR_SQL_SELECT_NEXT_HOP] = "SELECT hop, due FROM recipient WHERE state = 0 AND hop > ?1"
                             " ORDER BY hop, due LIMIT 1",
  [PR_SQL_SELECT_DUE] = "SELECT message, idx, due FROM recipient WHERE state = 0 AND hop = ?1"
                        " ORDER BY due LIMIT ?2",
  [PR_SQL_SELECT_IDS] = "SELECT id FROM message WHERE id > ?1 ORDER BY id LIMIT ?2",
  [PR_SQL_SELECT_QUEUED] = "SELECT message, idx FROM recipient WHERE state = 0"
                           " AND (message, idx) > (?1, ?2) ORDER BY message, idx LIMIT ?3",
  [PR_SQL_SELECT_OTHERS] = "SELECT message, idx FROM recipient WHERE state <> 0 AND state = ?4"
                           " AND (message, idx) > (?1, ?2) ORDER BY message, idx LIMIT ?3",
  [PR_SQL_UPDATE_STATE] = "UPDATE recipient SET state = ?3, due = ifnull (?4, due)"
                          " WHERE message = ?1 AND idx = ?2",
  [PR_SQL_INSERT_EVENT] = "INSERT INTO event (id, skew, kind, message, session, code, size, peer,"
                          " sender, address, route, text, tls)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
  [PR_SQL_SELECT_OLDEST_EVENT] = "SELECT id - skew FROM event ORDER BY id LIMIT 1",
  [PR_SQL_DELETE_EVENTS] = "DELETE FROM event WHERE id IN"
                           " (SELECT id FROM event WHERE id < ?1 ORDER BY id LIMIT ?2)",
  [PR_SQL_PUT_VALUE] = "INSERT INTO value (name, value) VALUES (?1, ?2)"
                       " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  [PR_SQL_DELETE_VALUE] = "DELETE FROM value WHERE name = ?1",
  [PR_SQL_SELECT_VALUES] = "SELECT name, value FROM value WHERE name >= ?1"
                           " ORDER BY name LIMIT ?2",
  [PR_SQL_ADD_HOUR] =
    "INSERT INTO history (hour, received, delivered, deferred, failed, refused)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (hour) DO UPDATE SET"
    " received = received + excluded.received, delivered = delivered + excluded.delivered,"
    " deferred = deferred + excluded.deferred, failed = failed + excluded.failed,"
    " refused = refused + excluded.refused",
  [PR_SQL_DELETE_HOURS] = "DELETE FROM history WHERE hour < ?1",
  [PR_SQL_UPDATE_DEVICE] = "UPDATE device SET seen = max (seen, ?3), messages = messages + ?4"
                           " WHERE client = ?1 AND user = ?2",
  [PR_SQL_INSERT_DEVICE] = "INSERT INTO device (client, user, seen, messages)"
                           " VALUES (?1, ?2, ?3, ?4)",
  [PR_SQL_COUNT_DEVICES] = "SELECT count (*) FROM device",
  [PR_SQL_DELETE_DEVICES] = "DELETE FROM device WHERE (client, user) IN"
                            " (SELECT client, user FROM device ORDER BY seen LIMIT ?1)",
};

const char *
pr_schema_get_sql (PrSql which)
{
  return statements[which];
}

int
pr_schema_migrate (sqlite3 *handle, int version)
{
  int code = sqlite3_exec (handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  g_autofree char *stamp = g_strdup_printf ("PRAGMA user_version = %d", PR_DATABASE_VERSION);

  if (code != SQLITE_OK)
    return code;

  switch (version)
    {
    case 0: code = sqlite3_exec (handle, version_1, NULL, NULL, NULL); G_GNUC_FALLTHROUGH;
    case 1:
      if (code == SQLITE_OK)
        code = sqlite3_exec (handle, version_2, NULL, NULL, NULL);
      G_GNUC_FALLTHROUGH;
    case 2:
      if (code == SQLITE_OK)
        code = sqlite3_exec (handle, version_3, NULL, NULL, NULL);
      /* The next version's step goes here, and each falls through to the one behind it. */
      break;
    default: code = SQLITE_MISMATCH; break;
    }

  if (code == SQLITE_OK)
    code = sqlite3_exec (handle, stamp, NULL, NULL, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_exec (handle, "COMMIT", NULL, NULL, NULL);
  if (code != SQLITE_OK)
    sqlite3_exec (handle, "ROLLBACK", NULL, NULL, NULL);

  return code;
}
