/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading bodies back, in bounded pieces: from memory, from the row by the writer, from the spool
 * file by the pool. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "queue/spool-private.h"
#include "queue/store-private.h"

#define MAX_CHUNK_OCTETS (1024 * 1024)

typedef struct
{
  PrJob job;
  PrMessage *message; /* owned */
  char *path;         /* owned, nullable: of the spool file */
  guint64 offset;
  gsize len;
  GBytes *chunk; /* owned, nullable */
  gboolean last;
  PrStoreBodyDone done;
  gpointer user_data;
} BodyJob;

static void
set_gone (BodyJob *self, const char *why)
{
  g_clear_error (&self->job.error);
  g_set_error_literal (&self->job.error, PR_ERROR, PR_ERROR_PERMANENT, why);
}

/* @size of the whole body; @chunk is the piece that was asked for. */
static void
set_chunk (BodyJob *self, gconstpointer data, gsize len, guint64 size)
{
  g_clear_pointer (&self->chunk, g_bytes_unref);
  self->chunk = g_bytes_new (data, len);
  self->last = self->offset + len >= size;
}

static void
take_piece (BodyJob *self, const char *data, gsize size)
{
  gsize offset = (gsize) MIN (self->offset, size);

  set_chunk (self, size > 0 ? data + offset : NULL, MIN (self->len, size - offset), size);
}

static int
run_body (PrJob *job, PrWriter *writer)
{
  BodyJob *self = (BodyJob *) job;
  sqlite3_stmt *s = pr_writer_get_database (writer)->statements[PR_SQL_SELECT_BODY];
  int code;

  pr_sql_bind_int (s, 1, self->message->id);
  if (!pr_sql_next (s, &code))
    {
      if (code == SQLITE_OK)
        set_gone (self, "The message is no longer in the queue.");
      return code;
    }

  take_piece (self, sqlite3_column_blob (s, 0), (gsize) sqlite3_column_bytes (s, 0));
  sqlite3_reset (s);
  return SQLITE_OK;
}

/* @got: how many octets were read, fewer at the end of the file. 0 or errno. */
static int
read_piece (int fd, char *buffer, gsize len, guint64 offset, gsize *got)
{
  *got = 0;
  if (lseek (fd, (off_t) offset, SEEK_SET) < 0)
    return errno;
  while (*got < len)
    {
      gssize n = read (fd, buffer + *got, len - *got);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno;
      if (n == 0)
        break;
      *got += (gsize) n;
    }

  return 0;
}

static int
read_file (BodyJob *self)
{
  g_autofree char *buffer = NULL;
  int fd = g_open (self->path, O_RDONLY | O_CLOEXEC, 0), result;
  gsize got;

  if (fd < 0)
    return errno;

  buffer = g_malloc (self->len);
  result = read_piece (fd, buffer, self->len, self->offset, &got);
  g_close (fd, NULL);
  if (result == 0)
    set_chunk (self, buffer, got, self->message->size_octets);

  /* Half a message must never pass for a whole one. */
  return result == 0 && !self->last && got < self->len ? ENODATA : result;
}

static void
read_in_pool (gpointer data)
{
  BodyJob *self = data;
  PrJobList jobs = { 0 };
  int result = read_file (self);

  if (result == ENOENT)
    set_gone (self, "The file that held this message is missing.");
  else if (result == ENODATA)
    set_gone (self, "The file that holds this message was cut short.");
  else if (result != 0)
    g_set_error (&self->job.error, PR_ERROR, PR_ERROR_TEMPORARY, "%s cannot be read: %s.",
                 self->path, g_strerror (result));
  pr_job_list_push (&jobs, &self->job);
  pr_store_answer (self->job.store, &jobs);
}

static void
reply_body (PrJob *job, const GError *error)
{
  BodyJob *self = (BodyJob *) job;

  self->done (error == NULL ? self->chunk : NULL, error == NULL && self->last, error,
              self->user_data);
}

static void
free_body (PrJob *job)
{
  BodyJob *self = (BodyJob *) job;

  g_clear_pointer (&self->chunk, g_bytes_unref);
  pr_message_unref (self->message);
  g_free (self->path);
  pr_job_free (job);
}

static const PrJobClass body_class = {
  .run = run_body,
  .reply = reply_body,
  .free = free_body,
  .flags = PR_JOB_READS,
};

void
pr_store_read_body (PrStore *self, PrMessage *message, guint64 offset, gsize len,
                    PrStoreBodyDone done, gpointer user_data)
{
  BodyJob *job;

  g_return_if_fail (self != NULL && message != NULL && done != NULL);

  job = g_new0 (BodyJob, 1);
  pr_store_init_job (self, &job->job, &body_class);
  job->message = pr_message_ref (message);
  job->offset = offset;
  job->len = CLAMP (len, 1, MAX_CHUNK_OCTETS);
  job->done = done;
  job->user_data = user_data;
  if (message->body != NULL)
    {
      gsize size;
      const char *data = g_bytes_get_data (message->body, &size);

      take_piece (job, data, size);
      pr_store_answer_later (self, &job->job);
    }
  else if (message->spool != NULL)
    {
      job->path = g_build_filename (self->body_path, message->spool, NULL);
      pr_pool_push (self->pool, read_in_pool, job);
    }
  else
    pr_store_submit (self, &job->job);
}

char *
pr_store_get_spool_path (PrStore *self, const PrMessage *message)
{
  if (message->spool == NULL)
    return NULL;
  return g_build_filename (self->body_path, message->spool, NULL);
}

char *
pr_store_new_spool_path (PrStore *self)
{
  char name[PR_SPOOL_NAME_SIZE];

  pr_spool_format_name (pr_id_next (pr_store_get_ids (self)), name);
  return g_build_filename (self->body_path, name, NULL);
}
