/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Other recipients for a message that waits. What the store was once given does not change in
 * memory, so the message is read, a changed one is made and takes its place; until that is on the
 * disk nothing is sent of either. */
#include "relay/bucket.h"
#include "relay/hop.h"
#include "relay/order.h"
#include "smtp/address.h"

#define NOBODY_LEFT "Nobody would be left to send it to; delete it instead"
#define NEEDS_UTF8 "was not sent as SMTPUTF8, which this address needs"

typedef struct
{
  PrRunner *runner; /* borrowed */
  gint64 id;
  char **remove, **add; /* owned */
  PrMessage *changed;   /* owned, nullable */
  PrOrderDone done;
  gpointer user_data;
} Edit;

/* @why: NULL: done. */
static void
end (Edit *self, const char *why)
{
  g_hash_table_remove (self->runner->deleting, &self->id);
  if (self->done != NULL)
    self->done (why == NULL, why, self->user_data);
  g_strfreev (self->remove);
  g_strfreev (self->add);
  g_clear_pointer (&self->changed, pr_message_unref);
  g_free (self);
}

static gboolean
is_waiting (const PrMessage *message, guint index)
{
  return message->progress[index].state != PR_RECIPIENT_DELIVERED;
}

/* Of the waiting recipients of @message, -1: none. */
static int
find_waiting (const PrMessage *message, const char *address)
{
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    if (is_waiting (message, i) &&
        g_str_equal (pr_envelope_recipient (message->envelope, i)->address, address))
      return (int) i;
  return -1;
}

/* ── The changed message ──────────────────────────────────────────────────────────────────── */

/* NULL: it can be done; else why not. (transfer full) */
static char *
find_fault (const Edit *self, const PrMessage *message)
{
  guint n_left = 0;

  for (guint i = 0; i < message->envelope->recipients->len; i++)
    n_left += message->progress[i].state == PR_RECIPIENT_QUEUED ||
              message->progress[i].state == PR_RECIPIENT_HELD;
  for (guint i = 0; self->remove[i] != NULL; i++)
    {
      int index = find_waiting (message, self->remove[i]);

      if (index < 0)
        return g_strdup_printf ("%s is none of its recipients that wait", self->remove[i]);
      if (message->progress[index].state != PR_RECIPIENT_FAILED)
        n_left--;
    }
  for (guint i = 0; self->add[i] != NULL; i++)
    {
      if (find_waiting (message, self->add[i]) >= 0)
        return g_strdup_printf ("%s is one of its recipients already", self->add[i]);
      if (pr_address_is_utf8 (self->add[i]) && !message->envelope->smtputf8)
        return g_strdup_printf ("The message " NEEDS_UTF8 ": %s", self->add[i]);
      n_left++;
    }

  if (message->envelope->recipients->len + g_strv_length (self->add) >
      self->runner->config->max_recipients)
    return g_strdup ("It would have more recipients than max-recipients allows");
  return n_left == 0 ? g_strdup (NOBODY_LEFT) : NULL;
}

static void
copy_progress (PrProgress *out, const PrProgress *progress)
{
  *out = *progress;
  out->hop = g_strdup (progress->hop);
  out->last_reply = g_strdup (progress->last_reply);
}

static void
assign_bucket (const PrConfig *config, PrMessage *message, guint index)
{
  PrProgress *progress = &message->progress[index];
  PrBucket bucket =
    pr_bucket_find (config, pr_envelope_recipient (message->envelope, index)->address,
                    message->envelope->sender, NULL);

  progress->hop = pr_bucket_name (&bucket);
  progress->due_us = g_get_real_time ();
  if (bucket.held == NULL)
    return;
  progress->state = PR_RECIPIENT_HELD;
  progress->last_reply = g_strdup (bucket.held);
}

/* Its recipients are what matters: the store replaces nothing else. */
static PrMessage *
make_changed (const Edit *self, const PrMessage *message)
{
  PrEnvelope *envelope = pr_envelope_new ();
  g_autoptr (GArray) kept = g_array_new (FALSE, FALSE, sizeof (guint));
  PrMessage *changed;

  g_free (envelope->sender);
  envelope->sender = g_strdup (message->envelope->sender);
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    {
      const PrRecipient *recipient = pr_envelope_recipient (message->envelope, i);

      if (is_waiting (message, i) &&
          g_strv_contains ((const char *const *) self->remove, recipient->address))
        continue;
      pr_envelope_add_recipient (envelope, recipient->address, recipient->notify, recipient->orcpt);
      g_array_append_val (kept, i);
    }
  for (guint i = 0; self->add[i] != NULL; i++)
    pr_envelope_add_recipient (envelope, self->add[i], PR_NOTIFY_UNSET, NULL);

  changed = pr_message_new (message->id, message->received_us, envelope);
  for (guint i = 0; i < envelope->recipients->len; i++)
    if (i < kept->len)
      copy_progress (&changed->progress[i], &message->progress[g_array_index (kept, guint, i)]);
    else
      assign_bucket (self->runner->config, changed, i);
  return changed;
}

/* ── Putting it in its place ──────────────────────────────────────────────────────────────── */

static void
add_event (Edit *self)
{
  g_autofree char *removed = g_strjoinv (", ", self->remove);
  g_autofree char *added = g_strjoinv (", ", self->add);
  g_autofree char *text = g_strdup_printf ("Recipients changed by a person's order%s%s%s%s",
                                           *removed != '\0' ? "; no more: " : "", removed,
                                           *added != '\0' ? "; now also: " : "", added);
  PrEvent event = {
    .kind = PR_EVENT_EDITED,
    .message = self->id,
    .sender = self->changed->envelope->sender,
    .text = text,
  };

  pr_journal_add (self->runner->journal, &event);
}

static void
on_replaced (const GError *error, gpointer user_data)
{
  Edit *self = user_data;
  PrRunner *runner = self->runner;
  g_autoptr (PrMessage) changed = pr_message_ref (self->changed);

  runner->n_store_calls--;
  if (error != NULL)
    {
      end (self, "The queue could not be written");
      return;
    }

  add_event (self);
  end (self, NULL);
  for (guint i = 0; i < changed->envelope->recipients->len; i++)
    if (changed->progress[i].state == PR_RECIPIENT_QUEUED)
      pr_hop_note_due (pr_hop_get (runner, changed->progress[i].hop), changed->progress[i].due_us);
}

static void
on_message (PrMessage *message, const GError *error, gpointer user_data)
{
  Edit *self = user_data;
  g_autofree char *why = NULL;

  self->runner->n_store_calls--;
  if (message == NULL)
    why = g_strdup (error != NULL ? "The queue could not be read" : PR_ORDER_NO_SUCH_MESSAGE);
  else
    why = find_fault (self, message);
  if (why != NULL)
    {
      end (self, why);
      return;
    }

  self->changed = make_changed (self, message);
  self->runner->n_store_calls++;
  pr_store_replace (self->runner->store, self->changed, on_replaced, self);
}

void
pr_runner_edit (PrRunner *self, gint64 id, const char *const *remove, const char *const *add,
                PrOrderDone done, gpointer user_data)
{
  Edit *edit;

  pr_order_recall (self, id, FALSE);
  if (pr_hand_find (self->hand, id) != NULL || g_hash_table_contains (self->deleting, &id))
    {
      done (0, pr_hand_find (self->hand, id) != NULL ? PR_ORDER_TOO_LATE : PR_ORDER_CHANGING,
            user_data);
      return;
    }

  edit = g_new0 (Edit, 1);
  edit->runner = self;
  edit->id = id;
  edit->remove = g_strdupv ((char **) remove);
  edit->add = g_strdupv ((char **) add);
  edit->done = done;
  edit->user_data = user_data;
  g_hash_table_add (self->deleting, g_memdup2 (&id, sizeof id));
  self->n_store_calls++;
  pr_store_get (self->store, id, on_message, edit);
}
