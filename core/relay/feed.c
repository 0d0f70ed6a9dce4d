/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/feed.h"

struct _PrFeed
{
  PrStore *store;     /* borrowed */
  PrMessage *message; /* owned reference */
  guint *n_calls;     /* borrowed */
  PrFeedFunc func;
  gpointer user_data;

  guint64 offset;   /* of what is to be read next */
  gboolean reading; /* the store owes an answer */
  gboolean wanted;
  gboolean at_end; /* nothing is left to read */
  gboolean dead;   /* freed while reading: the answer ends it */

  GBytes *piece; /* owned, nullable: read, not yet given */
  GError *error; /* owned, nullable: what came instead */
};

static void on_piece (GBytes *chunk, gboolean last, const GError *error, gpointer user_data);

static void
destroy (PrFeed *self)
{
  pr_message_unref (self->message);
  g_clear_pointer (&self->piece, g_bytes_unref);
  g_clear_error (&self->error);
  g_free (self);
}

static void
read_ahead (PrFeed *self)
{
  if (self->reading || self->at_end || self->piece != NULL)
    return;
  self->reading = TRUE;
  (*self->n_calls)++;
  pr_store_read_body (self->store, self->message, self->offset, PR_FEED_PIECE, on_piece, self);
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

static void
on_piece (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  PrFeed *self = user_data;

  (*self->n_calls)--;
  self->reading = FALSE;
  if (self->dead)
    {
      destroy (self);
      return;
    }
  if (error != NULL)
    {
      self->error = g_error_copy (error);
      self->at_end = TRUE;
    }
  else
    {
      self->piece = g_bytes_ref (chunk);
      self->offset += g_bytes_get_size (chunk);
      self->at_end = last;
    }
  if (self->wanted)
    give (self);
}

PrFeed *
pr_feed_new (PrStore *store, PrMessage *message, guint *n_calls, PrFeedFunc func,
             gpointer user_data)
{
  PrFeed *self = g_new0 (PrFeed, 1);

  self->store = store;
  self->message = pr_message_ref (message);
  self->n_calls = n_calls;
  self->func = func;
  self->user_data = user_data;
  return self;
}

void
pr_feed_free (PrFeed *self)
{
  if (self == NULL)
    return;
  if (self->reading)
    self->dead = TRUE;
  else
    destroy (self);
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
