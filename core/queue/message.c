/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message in the queue. */
#include "queue/message.h"

#include "common/sync.h"

PrMessage *
pr_message_new (gint64 id, gint64 received_us, PrEnvelope *envelope)
{
  PrMessage *self;
  guint n;

  g_return_val_if_fail (envelope != NULL, NULL);

  n = envelope->recipients->len;
  self = g_new0 (PrMessage, 1);
  g_atomic_ref_count_init (&self->refs);
  self->id = id;
  self->received_us = received_us;
  self->envelope = envelope;
  self->progress = g_new0 (PrProgress, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    self->progress[i].due_us = received_us;

  return self;
}

PrMessage *
pr_message_ref (PrMessage *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
pr_message_unref (PrMessage *self)
{
  g_return_if_fail (self != NULL);

  PR_HAPPENS_BEFORE (self);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  PR_HAPPENS_AFTER (self);
  if (self->release != NULL)
    self->release (self);
  for (guint i = 0; i < self->envelope->recipients->len; i++)
    {
      g_free (self->progress[i].hop);
      g_free (self->progress[i].last_reply);
    }
  g_free (self->progress);
  pr_envelope_free (self->envelope);
  g_free (self->client);
  g_free (self->user);
  g_free (self->spool);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}

guint
pr_message_n_pending (const PrMessage *self)
{
  guint n = 0;

  g_return_val_if_fail (self != NULL, 0);

  for (guint i = 0; i < self->envelope->recipients->len; i++)
    if (self->progress[i].state == PR_RECIPIENT_QUEUED ||
        self->progress[i].state == PR_RECIPIENT_HELD)
      n++;

  return n;
}
