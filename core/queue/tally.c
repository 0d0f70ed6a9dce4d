/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue/tally.h"

#include "queue/rows.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
#define FORGET_AT_ONCE 100 /* devices: so that not each new one makes the oldest be looked for */

typedef struct
{
  char *client, *user; /* owned */
  gint64 seen_us, n_messages;
} Device;

static void
device_free (gpointer data)
{
  Device *device = data;

  g_free (device->client);
  g_free (device->user);
  g_free (device);
}

static guint
device_hash (gconstpointer data)
{
  const Device *device = data;

  return g_str_hash (device->client) * 31 + g_str_hash (device->user);
}

static gboolean
device_equal (gconstpointer a, gconstpointer b)
{
  const Device *one = a, *other = b;

  return g_str_equal (one->client, other->client) && g_str_equal (one->user, other->user);
}

void
pr_tally_init (PrTally *self)
{
  *self = (PrTally){
    .devices = g_hash_table_new_full (device_hash, device_equal, device_free, NULL),
    .n_devices = -1,
  };
}

void
pr_tally_clear (PrTally *self)
{
  g_clear_pointer (&self->devices, g_hash_table_unref);
}

void
pr_tally_forget (PrTally *self)
{
  self->received = self->delivered = self->deferred = self->failed = self->refused = 0;
  g_hash_table_remove_all (self->devices);
  self->n_devices = -1;
}

/* ── Hours ────────────────────────────────────────────────────────────────────────────────── */

static int
write_hour (PrTally *self, PrDatabase *db)
{
  sqlite3_stmt *s = db->statements[PR_SQL_ADD_HOUR];
  int code;

  if (self->received + self->delivered + self->deferred + self->failed + self->refused == 0)
    return SQLITE_OK;

  pr_sql_bind_int (s, 1, self->hour);
  pr_sql_bind_int (s, 2, self->received);
  pr_sql_bind_int (s, 3, self->delivered);
  pr_sql_bind_int (s, 4, self->deferred);
  pr_sql_bind_int (s, 5, self->failed);
  pr_sql_bind_int (s, 6, self->refused);
  code = pr_sql_run (s);
  if (code != SQLITE_OK)
    return code;

  self->received = self->delivered = self->deferred = self->failed = self->refused = 0;
  s = db->statements[PR_SQL_DELETE_HOURS];
  pr_sql_bind_int (s, 1, self->hour - PR_TALLY_KEEP_HOURS);
  return pr_sql_run (s);
}

static gint64 *
find_count (PrTally *self, PrEventKind kind)
{
  if (kind == PR_EVENT_ACCEPTED)
    return &self->received;
  if (kind == PR_EVENT_DELIVERED)
    return &self->delivered;
  if (kind == PR_EVENT_DEFERRED)
    return &self->deferred;
  if (kind == PR_EVENT_FAILED)
    return &self->failed;
  if (kind == PR_EVENT_REFUSED)
    return &self->refused;

  return NULL;
}

int
pr_tally_event (PrTally *self, PrDatabase *db, const PrEvent *event)
{
  gint64 *count = find_count (self, event->kind);
  gint64 hour = event->time_us / HOUR_US;
  int code = SQLITE_OK;

  if (count == NULL)
    return SQLITE_OK;
  if (hour != self->hour)
    code = write_hour (self, db);

  self->hour = hour;
  (*count)++;
  return code;
}

/* ── Devices ──────────────────────────────────────────────────────────────────────────────── */

void
pr_tally_device (PrTally *self, const char *client, const char *user, gint64 seen_us)
{
  Device key = { (char *) client, (char *) (user != NULL ? user : ""), 0, 0 };
  Device *device;

  if (client == NULL || *client == '\0')
    return;

  device = g_hash_table_lookup (self->devices, &key);
  if (device == NULL)
    {
      device = g_new0 (Device, 1);
      device->client = g_strdup (client);
      device->user = g_strdup (key.user);
      g_hash_table_add (self->devices, device);
    }
  device->seen_us = MAX (device->seen_us, seen_us);
  device->n_messages++;
}

static int
run_device (sqlite3_stmt *s, const Device *device)
{
  pr_sql_bind_text (s, 1, device->client);
  pr_sql_bind_text (s, 2, device->user);
  pr_sql_bind_int (s, 3, device->seen_us);
  pr_sql_bind_int (s, 4, device->n_messages);

  return pr_sql_run (s);
}

static int
write_device (PrTally *self, PrDatabase *db, const Device *device)
{
  int code = run_device (db->statements[PR_SQL_UPDATE_DEVICE], device);

  if (code != SQLITE_OK || sqlite3_changes (db->handle) > 0)
    return code;

  self->n_devices++;
  return run_device (db->statements[PR_SQL_INSERT_DEVICE], device);
}

static int
count_devices (PrTally *self, PrDatabase *db)
{
  sqlite3_stmt *s = db->statements[PR_SQL_COUNT_DEVICES];
  int code;

  if (pr_sql_next (s, &code))
    self->n_devices = sqlite3_column_int64 (s, 0);
  sqlite3_reset (s);

  return self->n_devices >= 0 ? SQLITE_OK : code;
}

static int
forget_devices (PrTally *self, PrDatabase *db)
{
  sqlite3_stmt *s = db->statements[PR_SQL_DELETE_DEVICES];
  int code;

  pr_sql_bind_int (s, 1, self->n_devices - PR_TALLY_MAX_DEVICES + FORGET_AT_ONCE);
  code = pr_sql_run (s);
  if (code == SQLITE_OK)
    self->n_devices -= sqlite3_changes (db->handle);

  return code;
}

static int
write_devices (PrTally *self, PrDatabase *db)
{
  int code = SQLITE_OK;
  GHashTableIter iter;
  gpointer device;

  if (g_hash_table_size (self->devices) == 0)
    return SQLITE_OK;
  if (self->n_devices < 0)
    code = count_devices (self, db);

  g_hash_table_iter_init (&iter, self->devices);
  while (code == SQLITE_OK && g_hash_table_iter_next (&iter, &device, NULL))
    code = write_device (self, db, device);
  g_hash_table_remove_all (self->devices);
  if (code == SQLITE_OK && self->n_devices > PR_TALLY_MAX_DEVICES)
    code = forget_devices (self, db);

  return code;
}

int
pr_tally_write (PrTally *self, PrDatabase *db)
{
  int code = write_hour (self, db);

  return code == SQLITE_OK ? write_devices (self, db) : code;
}
