/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/hand.h"

#include <string.h>

#define FEW 64 /* recipients that one word tells apart */

struct _PrHand
{
  GHashTable *parcels; /* owned: message id (in the message) → PrParcel */
  guint n_recipients;
};

static void
mark (PrParcel *parcel, guint index, gboolean in_hand)
{
  if (parcel->many != NULL)
    parcel->many[index] = in_hand;
  else if (in_hand)
    parcel->few |= G_GUINT64_CONSTANT (1) << index;
  else
    parcel->few &= ~(G_GUINT64_CONSTANT (1) << index);
}

static gboolean
is_marked (const PrParcel *parcel, guint index)
{
  if (parcel->many != NULL)
    return parcel->many[index];
  return (parcel->few >> index & 1) != 0;
}

static PrParcel *
open_parcel (PrHand *self, PrMessage *message)
{
  PrParcel *parcel = g_hash_table_lookup (self->parcels, &message->id);

  if (parcel != NULL)
    return parcel;
  parcel = g_new0 (PrParcel, 1);
  parcel->message = pr_message_ref (message);
  if (message->envelope->recipients->len > FEW)
    parcel->many = g_new0 (guint8, message->envelope->recipients->len);
  g_hash_table_insert (self->parcels, &parcel->message->id, parcel);
  return parcel;
}

static void
close_parcel (PrHand *self, PrParcel *parcel)
{
  g_hash_table_remove (self->parcels, &parcel->message->id);
  pr_message_unref (parcel->message);
  g_free (parcel->many);
  g_free (parcel);
}

static void
set_indexes (PrWork *work, const guint *indexes, guint n)
{
  work->indexes = n == 1 ? &work->only : g_new (guint, n);
  memcpy (work->indexes, indexes, n * sizeof *indexes);
  work->n_indexes = n;
}

static PrWork *
new_work (PrParcel *parcel, PrHop *hop, const guint *indexes, guint n)
{
  PrWork *work = g_new0 (PrWork, 1);

  work->parcel = parcel;
  work->hop = hop;
  work->sibling = parcel->works;
  parcel->works = work;
  set_indexes (work, indexes, n);
  return work;
}

static void
free_work (PrWork *work)
{
  if (work->indexes != &work->only)
    g_free (work->indexes);
  g_clear_pointer (&work->reports, g_ptr_array_unref);
  g_free (work);
}

PrHand *
pr_hand_new (void)
{
  PrHand *self = g_new0 (PrHand, 1);

  self->parcels = g_hash_table_new (g_int64_hash, g_int64_equal);
  return self;
}

void
pr_hand_free (PrHand *self)
{
  GHashTableIter iter;
  PrParcel *parcel;

  if (self == NULL)
    return;
  g_hash_table_iter_init (&iter, self->parcels);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &parcel))
    {
      while (parcel->works != NULL)
        {
          PrWork *work = parcel->works;

          parcel->works = work->sibling;
          free_work (work);
        }
      g_hash_table_iter_steal (&iter);
      pr_message_unref (parcel->message);
      g_free (parcel->many);
      g_free (parcel);
    }
  g_hash_table_unref (self->parcels);
  g_free (self);
}

PrParcel *
pr_hand_find (PrHand *self, gint64 id)
{
  return g_hash_table_lookup (self->parcels, &id);
}

gboolean
pr_hand_has (PrHand *self, gint64 id, guint index)
{
  const PrParcel *parcel = pr_hand_find (self, id);

  return parcel != NULL && index < parcel->message->envelope->recipients->len &&
         is_marked (parcel, index);
}

guint
pr_hand_count (PrHand *self)
{
  return self->n_recipients;
}

PrWork *
pr_hand_add (PrHand *self, PrMessage *message, PrHop *hop, const guint *indexes, guint n_indexes)
{
  PrParcel *parcel = open_parcel (self, message);

  g_assert (n_indexes > 0);
  for (guint i = 0; i < n_indexes; i++)
    {
      g_assert (!is_marked (parcel, indexes[i]));
      mark (parcel, indexes[i], TRUE);
    }
  self->n_recipients += n_indexes;
  return new_work (parcel, hop, indexes, n_indexes);
}

void
pr_hand_extend (PrHand *self, PrWork *work, guint index)
{
  guint n = work->n_indexes;

  g_assert (!is_marked (work->parcel, index));
  mark (work->parcel, index, TRUE);
  self->n_recipients++;
  if (work->indexes == &work->only)
    {
      work->indexes = g_new (guint, 2);
      work->indexes[0] = work->only;
    }
  else
    work->indexes = g_renew (guint, work->indexes, n + 1);
  work->indexes[n] = index;
  work->n_indexes = n + 1;
}

PrWork *
pr_hand_split (PrHand *self, PrWork *work, guint n)
{
  PrWork *rest;
  guint *all = work->indexes;

  g_assert (n > 0 && n < work->n_indexes);
  rest = new_work (work->parcel, work->hop, all + n, work->n_indexes - n);
  rest->n_broken = work->n_broken;
  rest->owner = work->owner;
  set_indexes (work, all, n);
  g_free (all); /* had at least two: never &only */
  return rest;
}

void
pr_hand_remove (PrHand *self, PrWork *work)
{
  PrParcel *parcel = work->parcel;
  PrWork **link = &parcel->works;

  while (*link != work)
    link = &(*link)->sibling;
  *link = work->sibling;

  for (guint i = 0; i < work->n_indexes; i++)
    mark (parcel, work->indexes[i], FALSE);
  self->n_recipients -= work->n_indexes;
  free_work (work);
  if (parcel->works == NULL)
    close_parcel (self, parcel);
}

void
pr_work_queue_push (PrWorkQueue *self, PrWork *work)
{
  work->next = NULL;
  work->prev = self->last;
  if (self->last != NULL)
    self->last->next = work;
  else
    self->first = work;
  self->last = work;
  self->n_works++;
}

void
pr_work_queue_push_front (PrWorkQueue *self, PrWork *work)
{
  work->prev = NULL;
  work->next = self->first;
  if (self->first != NULL)
    self->first->prev = work;
  else
    self->last = work;
  self->first = work;
  self->n_works++;
}

void
pr_work_queue_remove (PrWorkQueue *self, PrWork *work)
{
  if (work->prev != NULL)
    work->prev->next = work->next;
  else
    self->first = work->next;
  if (work->next != NULL)
    work->next->prev = work->prev;
  else
    self->last = work->prev;
  work->next = work->prev = NULL;
  self->n_works--;
}
