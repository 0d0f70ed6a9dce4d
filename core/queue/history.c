/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tally has counted: hours, and who sends. Some hundred rows at most, so the writer is
 * not asked and no event is looked at. */
#include "queue/reader.h"
#include "queue/rows.h"
#include "queue/store-private.h"
#include "queue/tally.h"

#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

/* ── Hours ────────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrReaderJob base;
  gint64 from_hour;
  GArray *hours; /* owned, of PrStoreHour */
  PrStoreHistoryDone done;
  gpointer user_data;
} HistoryJob;

static int
read_history (PrReaderJob *job, sqlite3 *handle)
{
  HistoryJob *self = (HistoryJob *) job;
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2 (handle,
                                 "SELECT hour, received, delivered, deferred, failed, refused"
                                 " FROM history WHERE hour >= ?1 ORDER BY hour",
                                 -1, &s, NULL);

  g_array_set_size (self->hours, 0);
  if (code != SQLITE_OK)
    return code;

  pr_sql_bind_int (s, 1, self->from_hour);
  while (pr_sql_next (s, &code))
    {
      PrStoreHour hour = {
        .begin_us = sqlite3_column_int64 (s, 0) * HOUR_US,
        .n_received = (guint64) sqlite3_column_int64 (s, 1),
        .n_delivered = (guint64) sqlite3_column_int64 (s, 2),
        .n_deferred = (guint64) sqlite3_column_int64 (s, 3),
        .n_failed = (guint64) sqlite3_column_int64 (s, 4),
        .n_refused = (guint64) sqlite3_column_int64 (s, 5),
      };

      g_array_append_val (self->hours, hour);
    }
  sqlite3_finalize (s);

  return code;
}

static void
reply_history (PrJob *job, const GError *error)
{
  HistoryJob *self = (HistoryJob *) job;

  self->done ((const PrStoreHour *) (gpointer) self->hours->data,
              error == NULL ? self->hours->len : 0, error, self->user_data);
}

static void
free_history (PrJob *job)
{
  g_array_unref (((HistoryJob *) job)->hours);
  pr_job_free (job);
}

static const PrJobClass history_class = { .reply = reply_history, .free = free_history };

void
pr_store_history (PrStore *self, gint64 from_us, PrStoreHistoryDone done, gpointer user_data)
{
  HistoryJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (HistoryJob, 1);
  pr_store_init_job (self, &job->base.job, &history_class);
  job->base.read = read_history;
  job->from_hour = from_us / HOUR_US;
  job->hours = g_array_new (FALSE, FALSE, sizeof (PrStoreHour));
  job->done = done;
  job->user_data = user_data;
  pr_reader_push (self->reader, &job->base);
}

/* ── Devices ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrReaderJob base;
  guint limit;
  GArray *devices; /* owned, of PrStoreDevice whose strings are owned */
  PrStoreDevicesDone done;
  gpointer user_data;
} DevicesJob;

static void
clear_device (gpointer data)
{
  PrStoreDevice *device = data;

  g_free ((char *) device->client);
  g_free ((char *) device->user);
}

static int
read_devices (PrReaderJob *job, sqlite3 *handle)
{
  DevicesJob *self = (DevicesJob *) job;
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2 (handle,
                                 "SELECT client, user, seen, messages FROM device"
                                 " ORDER BY seen DESC, client, user LIMIT ?1",
                                 -1, &s, NULL);

  g_array_set_size (self->devices, 0);
  if (code != SQLITE_OK)
    return code;

  pr_sql_bind_int (s, 1, self->limit);
  while (pr_sql_next (s, &code))
    {
      PrStoreDevice device = {
        .client = pr_sql_dup_text (s, 0),
        .user = pr_sql_dup_text (s, 1),
        .seen_us = sqlite3_column_int64 (s, 2),
        .n_messages = (guint64) sqlite3_column_int64 (s, 3),
      };

      g_array_append_val (self->devices, device);
    }
  sqlite3_finalize (s);

  return code;
}

static void
reply_devices (PrJob *job, const GError *error)
{
  DevicesJob *self = (DevicesJob *) job;

  self->done ((const PrStoreDevice *) (gpointer) self->devices->data,
              error == NULL ? self->devices->len : 0, error, self->user_data);
}

static void
free_devices (PrJob *job)
{
  g_array_unref (((DevicesJob *) job)->devices);
  pr_job_free (job);
}

static const PrJobClass devices_class = { .reply = reply_devices, .free = free_devices };

void
pr_store_devices (PrStore *self, guint limit, PrStoreDevicesDone done, gpointer user_data)
{
  DevicesJob *job;

  g_return_if_fail (self != NULL && done != NULL);

  job = g_new0 (DevicesJob, 1);
  pr_store_init_job (self, &job->base.job, &devices_class);
  job->base.read = read_devices;
  job->limit = MIN (limit, PR_TALLY_MAX_DEVICES);
  job->devices = g_array_new (FALSE, FALSE, sizeof (PrStoreDevice));
  g_array_set_clear_func (job->devices, clear_device);
  job->done = done;
  job->user_data = user_data;
  pr_reader_push (self->reader, &job->base);
}
