/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/feed.h"

#include <errno.h>
#include <unistd.h>

#include "common/error.h"

struct _PrFeed
{
  guint refs;      /* the owner's, and one of the store or a thread that reads */
  PrFeedFunc func; /* NULL: nobody wants any more */
  gpointer user_data;

  /* From a message: */
  PrStore *store;     /* borrowed */
  PrMessage *message; /* owned reference */
  guint *n_calls;     /* borrowed */
  /* or from a file: */
  PrWorker *worker; /* borrowed */
  int fd;           /* borrowed */
  gpointer keep;    /* owned: what @fd belongs to */
  GDestroyNotify free_keep;

  guint64 offset;   /* of what is to be read next */
  gboolean reading; /* an answer is owed */
  gboolean wanted;
  gboolean at_end; /* nothing is left to read */

  GBytes *piece; /* owned, nullable: read, not yet given */
  GError *error; /* owned, nullable: what came instead */
};

static void read_ahead (PrFeed *self);

static void
unref (gpointer data)
{
  PrFeed *self = data;

  if (--self->refs > 0)
    return;
  g_clear_pointer (&self->message, pr_message_unref);
  g_clear_pointer (&self->piece, g_bytes_unref);
  g_clear_error (&self->error);
  if (self->free_keep != NULL)
    self->free_keep (self->keep);
  g_free (self);
}

static void
give (PrFeed *self)
{
  g_autoptr (GBytes) piece = g_steal_pointer (&self->piece);
  gboolean last = self->at_end;
  gsize len = 0;
  const char *data = NULL;

  self->wanted = FALSE;
  if (self->error != NULL)
    {
      g_autoptr (GError) error = g_steal_pointer (&self->error);

      self->func (NULL, 0, FALSE, error, self->user_data);
      return;
    }
  if (piece != NULL)
    data = g_bytes_get_data (piece, &len);
  read_ahead (self);
  self->func (data, len, last, NULL, self->user_data);
}

/* Something was read, or @error. */
static void
take (PrFeed *self, GBytes *piece, gboolean last, const GError *error)
{
  self->reading = FALSE;
  if (self->func == NULL)
    return;
  if (error != NULL)
    {
      self->error = g_error_copy (error);
      self->at_end = TRUE;
    }
  else
    {
      self->piece = g_bytes_ref (piece);
      self->offset += g_bytes_get_size (piece);
      self->at_end = last;
    }
  if (self->wanted)
    give (self);
}

static void
on_piece (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  PrFeed *self = user_data;

  (*self->n_calls)--;
  take (self, chunk, last, error);
  unref (self);
}

typedef struct
{
  PrFeed *feed; /* a reference */
  int fd;
  guint64 offset;
  GBytes *piece; /* owned, nullable */
  gboolean last;
  GError *error; /* owned, nullable */
} Reading;

static void
read_file (gpointer data)
{
  Reading *reading = data;
  g_autofree char *buffer = g_malloc (PR_FEED_PIECE);
  gssize n;

  do
    n = pread (reading->fd, buffer, PR_FEED_PIECE, (off_t) reading->offset);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    {
      g_set_error (&reading->error, PR_ERROR, PR_ERROR_TEMPORARY, "The message cannot be read: %s",
                   g_strerror (errno));
      return;
    }
  reading->last = n == 0;
  reading->piece = g_bytes_new (buffer, (gsize) n);
}

static void
on_file_read (gpointer data)
{
  Reading *reading = data;

  take (reading->feed, reading->piece, reading->last, reading->error);
}

static void
free_reading (gpointer data)
{
  Reading *reading = data;

  unref (reading->feed);
  g_clear_pointer (&reading->piece, g_bytes_unref);
  g_clear_error (&reading->error);
  g_free (reading);
}

static void
read_ahead (PrFeed *self)
{
  Reading *reading;

  if (self->reading || self->at_end || self->piece != NULL)
    return;
  self->reading = TRUE;
  self->refs++;
  if (self->store != NULL)
    {
      (*self->n_calls)++;
      pr_store_read_body (self->store, self->message, self->offset, PR_FEED_PIECE, on_piece, self);
      return;
    }
  reading = g_new0 (Reading, 1);
  reading->feed = self;
  reading->fd = self->fd;
  reading->offset = self->offset;
  pr_worker_run (self->worker, read_file, on_file_read, reading, free_reading);
}

PrFeed *
pr_feed_new (PrStore *store, PrMessage *message, guint *n_calls, PrFeedFunc func,
             gpointer user_data)
{
  PrFeed *self = g_new0 (PrFeed, 1);

  self->refs = 1;
  self->store = store;
  self->message = pr_message_ref (message);
  self->n_calls = n_calls;
  self->func = func;
  self->user_data = user_data;
  return self;
}

PrFeed *
pr_feed_new_from_file (PrWorker *worker, int fd, gpointer keep, GDestroyNotify free_keep,
                       PrFeedFunc func, gpointer user_data)
{
  PrFeed *self = g_new0 (PrFeed, 1);

  self->refs = 1;
  self->worker = worker;
  self->fd = fd;
  self->keep = keep;
  self->free_keep = free_keep;
  self->func = func;
  self->user_data = user_data;
  return self;
}

void
pr_feed_free (PrFeed *self)
{
  if (self == NULL)
    return;
  self->func = NULL;
  unref (self);
}

void
pr_feed_want (PrFeed *self)
{
  self->wanted = TRUE;
  if (self->piece != NULL || self->error != NULL)
    give (self);
  else
    read_ahead (self);
}
