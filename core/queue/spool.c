/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message body on its way in.
 *
 *   append ──► buffer ──(64 KiB)──► chunks ──► the file, by one thread of the pool at a time
 *
 * The owner's side is PrSpool; what the pool's threads see is SpoolFile, which outlives it: it
 * belongs to the message after pr_spool_finish, and to the thread that works on it.
 */
#include "queue/spool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "common/sync.h"
#include "queue/files.h"
#include "queue/spool-private.h"
#include "queue/store-private.h"

#define CHUNK_OCTETS (64 * 1024)
#define HIGH_OCTETS (256 * 1024) /* the client waits from here */
#define LOW_OCTETS (128 * 1024)  /* until here */
#define WRITE_OUT_OCTETS (4 * 1024 * 1024)

typedef struct
{
  PrJob job;
  PrSpool *spool; /* borrowed; NULL when it is gone */
} WritableJob;

typedef struct
{
  gatomicrefcount refs;
  PrPool *pool;                    /* owned */
  char *body_path, *folder, *path; /* owned */
  char name[PR_SPOOL_NAME_SIZE];

  GMutex lock;
  /* Under the lock */
  GQueue chunks; /* of GByteArray, owned */
  gsize n_waiting;
  gboolean working, discarded;
  PrJob *flush;          /* waits for the flush */
  WritableJob *writable; /* waits for room */
  char *start;           /* owned, nullable: to be written over the reserve */

  /* The working thread's */
  int fd, error_number;
  guint64 written, started;
} SpoolFile;

struct _PrSpool
{
  PrStore *store; /* borrowed */
  gint64 id;
  PrSpoolFunc func;
  gpointer user_data;
  guint64 size_octets;
  gsize reserved_octets;
  GByteArray *buffer;    /* owned, nullable */
  SpoolFile *file;       /* owned, nullable: all fits in memory */
  WritableJob *writable; /* borrowed: asked for and not answered */
};

void
pr_spool_format_name (gint64 id, char buf[PR_SPOOL_NAME_SIZE])
{
  char text[PR_ID_LEN + 1];

  g_snprintf (buf, PR_SPOOL_NAME_SIZE, "%02x/%s", (guint) (id >> 4) & 0xff,
              pr_id_format (id, text));
}

/* ── In the pool ──────────────────────────────────────────────────────────────────────────── */

static void
file_unref (SpoolFile *self)
{
  PR_HAPPENS_BEFORE (self);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  PR_HAPPENS_AFTER (self);
  g_mutex_clear (&self->lock);
  pr_pool_unref (self->pool);
  g_free (self->body_path);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->start);
  g_free (self);
}

static void
open_file (SpoolFile *self)
{
  self->error_number = pr_files_make_folder (self->folder, self->body_path);
  if (self->error_number == 0)
    self->fd = pr_files_create (self->path, &self->error_number);
}

static void
write_chunk (SpoolFile *self, const GByteArray *chunk)
{
  if (self->fd < 0 && self->error_number == 0)
    open_file (self);
  if (self->error_number != 0)
    return; /* the put will say so; until then what comes is let go */

  self->error_number = pr_files_write (self->fd, (const char *) chunk->data, chunk->len);
  self->written += chunk->len;
  if (self->written - self->started >= WRITE_OUT_OCTETS)
    {
      pr_files_start_writing (self->fd, self->started, self->written - self->started);
      self->started = self->written;
    }
}

static void
close_file (SpoolFile *self)
{
  if (self->fd >= 0)
    g_close (self->fd, NULL);
  self->fd = -1;
}

static void
flush_file (SpoolFile *self)
{
  /* It was set before the flush was asked for, and nobody sets it afterwards. */
  if (self->error_number == 0 && self->start != NULL)
    self->error_number = pr_files_write_start (self->fd, self->start, strlen (self->start));
  if (self->error_number == 0)
    self->error_number = pr_files_sync (self->fd);
  if (self->error_number == 0)
    self->error_number = pr_files_sync_folder (self->folder);
  close_file (self);
}

static void
discard_file (SpoolFile *self)
{
  if (self->fd >= 0 || self->written > 0)
    g_remove (self->path);
  close_file (self);
}

static void
answer_writable (WritableJob *job)
{
  PrJobList jobs = { 0 };

  pr_job_list_push (&jobs, &job->job);
  pr_store_answer (job->job.store, &jobs);
}

/* What the working thread shall do next. Lock held. */
typedef struct
{
  GByteArray *chunk;     /* owned */
  WritableJob *writable; /* to answer */
  PrJob *flush;
  gboolean discard, ends;
} Step;

static void
free_chunk (gpointer chunk)
{
  g_byte_array_unref (chunk);
}

static Step
get_step (SpoolFile *self)
{
  Step step = { 0 };

  if (self->discarded)
    {
      g_queue_clear_full (&self->chunks, free_chunk);
      self->n_waiting = 0;
      step.discard = TRUE;
    }
  step.chunk = g_queue_pop_head (&self->chunks);
  if (step.chunk == NULL)
    step.flush = g_steal_pointer (&self->flush);
  if (self->n_waiting <= LOW_OCTETS)
    step.writable = g_steal_pointer (&self->writable);
  if (step.chunk == NULL && step.flush == NULL)
    {
      step.ends = TRUE;
      self->working = FALSE;
    }

  return step;
}

static void
work (gpointer data)
{
  SpoolFile *self = data;
  gboolean ends = FALSE;

  while (!ends)
    {
      Step step;

      pr_lock (&self->lock);
      step = get_step (self);
      pr_unlock (&self->lock);
      ends = step.ends;
      if (step.writable != NULL)
        answer_writable (step.writable);
      if (step.discard)
        discard_file (self);
      if (step.chunk != NULL)
        {
          write_chunk (self, step.chunk);
          pr_lock (&self->lock);
          self->n_waiting -= step.chunk->len;
          pr_unlock (&self->lock);
          free_chunk (step.chunk);
        }
      else if (step.flush != NULL)
        {
          flush_file (self);
          pr_job_file_done (step.flush, self->error_number);
        }
    }

  file_unref (self);
}

/* Lock held; the caller pushes when TRUE. One thread at a time works on a file. */
static gboolean
must_start (SpoolFile *self)
{
  if (self->working)
    return FALSE;

  self->working = TRUE;
  g_atomic_ref_count_inc (&self->refs);
  return TRUE;
}

/* ── The owner's side ─────────────────────────────────────────────────────────────────────── */

static SpoolFile *
file_new (PrStore *store, gint64 id)
{
  SpoolFile *self = g_new0 (SpoolFile, 1);
  char folder[3];

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_queue_init (&self->chunks);
  self->pool = pr_pool_ref (store->pool);
  self->fd = -1;
  pr_spool_format_name (id, self->name);
  g_strlcpy (folder, self->name, sizeof folder);
  self->body_path = g_strdup (store->body_path);
  self->folder = g_build_filename (store->body_path, folder, NULL);
  self->path = g_build_filename (store->body_path, self->name, NULL);

  return self;
}

/* Takes @chunk. */
static void
file_push (SpoolFile *self, GByteArray *chunk)
{
  gboolean start;

  pr_lock (&self->lock);
  self->n_waiting += chunk->len;
  g_queue_push_tail (&self->chunks, chunk);
  start = must_start (self);
  pr_unlock (&self->lock);
  if (start)
    pr_pool_push (self->pool, work, self);
}

static void
file_discard (SpoolFile *self)
{
  gboolean start;

  pr_lock (&self->lock);
  self->discarded = TRUE;
  start = must_start (self);
  pr_unlock (&self->lock);
  if (start)
    pr_pool_push (self->pool, work, self);
  file_unref (self);
}

static void
release_file (PrMessage *message)
{
  file_discard (g_steal_pointer (&message->hold));
}

gboolean
pr_spool_is_held (const PrMessage *message)
{
  return message->release == release_file && message->hold != NULL;
}

void
pr_spool_flush (PrMessage *message, PrJob *job)
{
  SpoolFile *file = message->hold;
  gboolean start;

  pr_lock (&file->lock);
  file->flush = job;
  start = must_start (file);
  pr_unlock (&file->lock);
  if (start)
    pr_pool_push (file->pool, work, file);
}

void
pr_spool_settle (PrMessage *message, gboolean keep)
{
  SpoolFile *file = g_steal_pointer (&message->hold);

  message->release = NULL;
  if (keep)
    file_unref (file);
  else
    file_discard (file);
}

static void
reply_writable (PrJob *job, const GError *error)
{
  PrSpool *spool = ((WritableJob *) job)->spool;

  if (spool == NULL)
    return;

  spool->writable = NULL;
  if (spool->func != NULL)
    spool->func (spool->user_data);
}

static const PrJobClass writable_class = { .reply = reply_writable, .free = pr_job_free };

/* TRUE when there is room; else asks to be told. */
static gboolean
has_room (PrSpool *self)
{
  gboolean room;

  if (self->writable != NULL)
    return FALSE;
  if (self->file == NULL)
    return TRUE;

  pr_lock (&self->file->lock);
  room = self->file->n_waiting <= HIGH_OCTETS;
  if (!room)
    {
      self->writable = g_new0 (WritableJob, 1);
      self->writable->spool = self;
      pr_store_init_job (self->store, &self->writable->job, &writable_class);
      self->file->writable = self->writable;
    }
  pr_unlock (&self->file->lock);

  return room;
}

PrSpool *
pr_spool_new (PrStore *store, gint64 id, PrSpoolFunc writable, gpointer user_data)
{
  PrSpool *self;

  g_return_val_if_fail (store != NULL, NULL);

  self = g_new0 (PrSpool, 1);
  self->store = store;
  self->id = id;
  self->func = writable;
  self->user_data = user_data;

  return self;
}

void
pr_spool_free (PrSpool *self)
{
  g_return_if_fail (self != NULL);

  if (self->writable != NULL)
    self->writable->spool = NULL;
  g_clear_pointer (&self->file, file_discard);
  g_clear_pointer (&self->buffer, g_byte_array_unref);
  g_free (self);
}

gboolean
pr_spool_append (PrSpool *self, const char *data, gsize len)
{
  g_return_val_if_fail (self != NULL && (data != NULL || len == 0), FALSE);

  if (len == 0)
    return has_room (self);

  self->size_octets += len;
  if (self->buffer == NULL)
    self->buffer = g_byte_array_new ();
  g_byte_array_append (self->buffer, (const guint8 *) data, (guint) len);
  if (self->size_octets > PR_BODY_INLINE_MAX && self->buffer->len >= CHUNK_OCTETS)
    {
      if (self->file == NULL)
        self->file = file_new (self->store, self->id);
      file_push (self->file, g_steal_pointer (&self->buffer));
    }

  return has_room (self);
}

guint64
pr_spool_get_size (const PrSpool *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->size_octets;
}

void
pr_spool_reserve (PrSpool *self, gsize len)
{
  g_autofree char *blanks = g_strnfill (len, ' ');

  g_return_if_fail (self->size_octets == 0 && len < CHUNK_OCTETS);

  self->reserved_octets = len;
  pr_spool_append (self, blanks, len);
}

/* @field, as long as the reserve. */
static char *
pad (const PrSpool *self, const char *field)
{
  gsize len = strlen (field) - strlen ("\r\n");
  char *padded = g_strnfill (self->reserved_octets, ' ');

  memcpy (padded, field, len);
  memcpy (padded + self->reserved_octets - strlen ("\r\n"), "\r\n", strlen ("\r\n"));

  return padded;
}

void
pr_spool_fill (PrSpool *self, const char *field)
{
  gsize len = strlen (field);
  GByteArray *whole;

  g_return_if_fail (len <= self->reserved_octets && g_str_has_suffix (field, "\r\n"));

  if (self->file != NULL)
    {
      pr_lock (&self->file->lock);
      g_free (self->file->start);
      self->file->start = pad (self, field);
      pr_unlock (&self->file->lock);
      return;
    }

  whole = g_byte_array_sized_new ((guint) self->size_octets);
  g_byte_array_append (whole, (const guint8 *) field, (guint) len);
  g_byte_array_append (whole, self->buffer->data + self->reserved_octets,
                       self->buffer->len - (guint) self->reserved_octets);
  g_byte_array_unref (self->buffer);
  self->buffer = whole;
  self->size_octets = whole->len;
  self->reserved_octets = len;
}

void
pr_spool_finish (PrSpool *self, PrMessage *message)
{
  g_return_if_fail (self != NULL && message != NULL);

  message->size_octets = self->size_octets;
  if (self->file != NULL)
    {
      if (self->buffer != NULL)
        file_push (self->file, g_steal_pointer (&self->buffer));
      message->spool = g_strdup (self->file->name);
      message->hold = g_steal_pointer (&self->file);
      message->release = release_file;
    }
  else if (self->buffer != NULL)
    message->body = g_byte_array_free_to_bytes (g_steal_pointer (&self->buffer));
  else
    message->body = g_bytes_new (NULL, 0);

  pr_spool_free (self);
}
