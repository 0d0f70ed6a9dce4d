/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All conversations that are going on. */

#include "common/live.h"

struct _PrLives
{
  PrLive *first;
  GHashTable *by_id; /* of PrLive, borrowed */
  guint64 last_id;
  guint64 revision;
  guint n[2]; /* inbound, outbound */
};

PrLives *
pr_lives_new (void)
{
  PrLives *self = g_new0 (PrLives, 1);

  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  return self;
}

void
pr_lives_free (PrLives *self)
{
  g_return_if_fail (self->first == NULL);

  g_hash_table_unref (self->by_id);
  g_free (self);
}

void
pr_live_enter (PrLive *self, PrLives *set)
{
  g_return_if_fail (self->set == NULL);

  self->set = set;
  self->id = ++set->last_id;
  self->started_us = g_get_real_time ();
  self->prev = NULL;
  self->next = set->first;
  if (self->next != NULL)
    self->next->prev = self;
  set->first = self;
  g_hash_table_insert (set->by_id, &self->id, self);
  set->n[self->outbound]++;
  set->revision++;
}

void
pr_live_leave (PrLive *self)
{
  PrLives *set = self->set;

  if (set == NULL)
    return;

  g_hash_table_remove (set->by_id, &self->id);
  if (self->prev != NULL)
    self->prev->next = self->next;
  else
    set->first = self->next;
  if (self->next != NULL)
    self->next->prev = self->prev;
  set->n[self->outbound]--;
  set->revision++;
  self->set = NULL;
  self->next = self->prev = NULL;
  pr_transcript_clear (&self->transcript);
}

PrLive *
pr_lives_find (PrLives *self, guint64 id)
{
  return g_hash_table_lookup (self->by_id, &id);
}

PrLive *
pr_lives_first (PrLives *self)
{
  return self->first;
}

guint
pr_lives_count (PrLives *self, gboolean outbound)
{
  return self->n[outbound ? 1 : 0];
}

guint64
pr_lives_get_revision (PrLives *self)
{
  return self->revision;
}
