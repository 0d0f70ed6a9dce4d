/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spool files and rows that do not belong together, at start. Only names of our own making are ever
 * removed: whatever else lies in the folder is not ours. */
#include "queue/sweep.h"

#include <string.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "queue/rows.h"
#include "queue/spool-private.h"

typedef void (*VisitFunc) (const char *name, const char *path, gpointer user_data);

static gboolean
is_spool_name (const char *name)
{
  char expected[PR_SPOOL_NAME_SIZE];
  gint64 id;

  if (strlen (name) != PR_SPOOL_NAME_SIZE - 1 || !pr_id_parse (name + 3, &id))
    return FALSE;

  pr_spool_format_name (id, expected);
  return g_str_equal (expected, name);
}

static void
visit_folder (const char *body_path, const char *folder, VisitFunc visit, gpointer user_data)
{
  g_autofree char *path = g_build_filename (body_path, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *name = g_strconcat (folder, "/", entry, NULL);

      if (is_spool_name (name))
        {
          g_autofree char *file = g_build_filename (body_path, name, NULL);

          visit (name, file, user_data);
        }
    }
}

static void
visit_all (const char *body_path, VisitFunc visit, gpointer user_data)
{
  g_autoptr (GDir) dir = g_dir_open (body_path, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (strlen (entry) == 2)
      visit_folder (body_path, entry, visit, user_data);
}

static void
count_file (const char *name, const char *path, gpointer user_data)
{
  ++*(guint *) user_data;
}

gboolean
pr_sweep_check (const char *database, const char *body_path, GError **error)
{
  guint n = 0;

  if (g_file_test (database, G_FILE_TEST_EXISTS))
    return TRUE;

  visit_all (body_path, count_file, &n);
  if (n == 0)
    return TRUE;

  g_set_error (error, PR_ERROR, PR_ERROR_DAMAGED,
               "%s is missing, but %s holds %u messages that belong to it. Nothing was changed. "
               "Put the database back, or move that folder away to start with an empty queue.",
               database, body_path, n);
  return FALSE;
}

typedef struct
{
  GHashTable *names; /* that rows know, and that were not yet found */
  guint n_removed;
} Sweep;

static void
sweep_file (const char *name, const char *path, gpointer user_data)
{
  Sweep *self = user_data;

  if (g_hash_table_remove (self->names, name))
    return;

  g_info ("Removing %s, which belongs to no message in the queue.", path);
  g_remove (path);
  self->n_removed++;
}

static int
load_names (sqlite3 *handle, GHashTable *names)
{
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2 (handle, "SELECT spool, id FROM message WHERE spool IS NOT NULL",
                                 -1, &s, NULL);

  if (code != SQLITE_OK)
    return code;
  while (pr_sql_next (s, &code))
    {
      gint64 id = sqlite3_column_int64 (s, 1);

      g_hash_table_insert (names, pr_sql_dup_text (s, 0), g_memdup2 (&id, sizeof id));
    }
  sqlite3_finalize (s);

  return code;
}

typedef struct
{
  PrJob job;
  gint64 id;
  const char *name;
} MissingJob;

/* Every recipient that still waited has failed, and says why. */
static int
run_missing (PrJob *job, PrWriter *writer)
{
  MissingJob *self = (MissingJob *) job;
  PrDatabase *db = pr_writer_get_database (writer);
  g_autoptr (PrMessage) message = NULL;
  g_autofree char *text = g_strdup_printf (
    "The file body/%s that held this message is missing; it cannot be delivered.", self->name);
  PrEvent event = { .kind = PR_EVENT_FAILED, .message = self->id, .text = text };
  int code = pr_rows_load (db->statements[PR_SQL_SELECT_MESSAGE],
                           db->statements[PR_SQL_SELECT_RECIPIENTS], self->id, &message);

  if (message == NULL || pr_message_n_pending (message) == 0)
    return code;

  for (guint i = 0; i < message->envelope->recipients->len && code == SQLITE_OK; i++)
    {
      PrProgress *p = &message->progress[i];

      if (p->state != PR_RECIPIENT_QUEUED && p->state != PR_RECIPIENT_HELD)
        continue;
      pr_writer_count (writer, p->state, -1);
      pr_writer_count (writer, PR_RECIPIENT_FAILED, 1);
      p->state = PR_RECIPIENT_FAILED;
      g_free (p->last_reply);
      p->last_reply = g_strdup (text);
      code = pr_rows_update (db, self->id, i, p);
    }

  pr_writer_get_draft (writer)->revision++;
  return code == SQLITE_OK ? pr_writer_insert_event (writer, &event) : code;
}

static const PrJobClass missing_class = { .run = run_missing };

int
pr_sweep_run (PrWriter *writer, const char *body_path)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Sweep sweep = { names, 0 };
  GHashTableIter iter;
  gpointer name, id;
  int code = load_names (pr_writer_get_database (writer)->handle, names);

  if (code != SQLITE_OK)
    return code;

  visit_all (body_path, sweep_file, &sweep);
  if (sweep.n_removed > 0)
    g_message ("Removed %u files that a crash had left: their messages were delivered, or never "
               "accepted.",
               sweep.n_removed);
  g_hash_table_iter_init (&iter, names);
  while (code == SQLITE_OK && g_hash_table_iter_next (&iter, &name, &id))
    {
      MissingJob job = { .job.klass = &missing_class, .id = *(gint64 *) id, .name = name };

      code = pr_writer_run_now (writer, &job.job);
    }

  return code;
}
