/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-deletion.h"

#include "common/id.h"

#define STEP 1000     /* messages in one order */
#define RETRY_MS 1000 /* after an answer was lost while there is a connection again */

typedef enum
{
  NOTHING,
  DELETE,
  RESTORE
} Word;

struct _PrDeletion
{
  PrService *service;        /* owned */
  GCancellable *cancellable; /* owned */
  GVariant *filter;          /* owned, nullable: gathers what is under it */
  char *until;               /* owned: as of SetAside */
  GArray *ids;               /* owned, of gint64 */
  GByteArray *held;          /* owned, as `ids`: 1 when this holds it */
  guint at;                  /* how far the present work is, in `ids` */
  guint step;                /* how many the order in flight is about */
  char *error;               /* owned, nullable */
  PrDeletionState state;
  Word word;
  gulong handler; /* of the service; 0: does not wait for it */
  guint retry_source;
  gboolean gathered, asking;
  PrDeletionChanged changed;
  gpointer user_data;
};

static void go_on (PrDeletion *self);

/* The last that is done with @self, which may be freed by it. */
static void
set_state (PrDeletion *self, PrDeletionState state)
{
  if (self->state == state)
    return;

  self->state = state;
  self->changed (self->user_data);
}

/* ── A service that is away ───────────────────────────────────────────────────────────────── */

static void
on_connected (PrDeletion *self)
{
  if (!pr_service_is_connected (self->service))
    return;

  g_clear_handle_id (&self->retry_source, g_source_remove);
  g_clear_signal_handler (&self->handler, self->service);
  go_on (self);
}

static gboolean
on_retry (gpointer user_data)
{
  PrDeletion *self = user_data;

  self->retry_source = 0;
  g_clear_signal_handler (&self->handler, self->service);
  go_on (self);
  return G_SOURCE_REMOVE;
}

static void
wait_for_service (PrDeletion *self)
{
  if (self->handler != 0)
    return;

  self->handler = g_signal_connect_data (self->service, "notify::connected",
                                         G_CALLBACK (on_connected), self, NULL, G_CONNECT_SWAPPED);
  if (pr_service_is_connected (self->service))
    self->retry_source = g_timeout_add (RETRY_MS, on_retry, self);
  self->changed (self->user_data);
}

/* NULL: @self is gone, or waits, or has failed. (transfer full) */
static GVariant *
finish (GObject *source, GAsyncResult *result, PrDeletion *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return NULL;

  self->asking = FALSE;
  if (answer != NULL)
    return g_steal_pointer (&answer);
  if (error->domain == G_IO_ERROR)
    wait_for_service (self);
  else
    {
      self->error = g_strdup (error->message);
      set_state (self, PR_DELETION_FAILED);
    }
  return NULL;
}

/* ── Steps ────────────────────────────────────────────────────────────────────────────────── */

static void
on_ordered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = finish (source, result, user_data);
  PrDeletion *self = user_data;

  if (answer == NULL)
    return;

  /* Those it did not change are there no more, or never to be changed: nothing is to be said. */
  self->at += self->step;
  go_on (self);
}

/* An order for the next messages; without @all only for those that this holds. FALSE: there are
 * none. */
static gboolean
order_next (PrDeletion *self, const char *order, gboolean all)
{
  GVariantBuilder ids;
  char id[PR_ID_LEN + 1];
  guint n = 0;

  g_variant_builder_init (&ids, G_VARIANT_TYPE ("as"));
  self->step = 0;
  while (self->at + self->step < self->ids->len && n < STEP)
    {
      guint i = self->at + self->step++;

      if (!all && self->held->data[i] == 0)
        continue;
      g_variant_builder_add (&ids, "s", pr_id_format (g_array_index (self->ids, gint64, i), id));
      n++;
    }
  if (n == 0)
    {
      g_variant_builder_clear (&ids);
      return FALSE;
    }

  self->asking = TRUE;
  pr_service_call (self->service, "Queue1", "Order", g_variant_new ("(sas)", order, &ids), "(us)",
                   self->cancellable, on_ordered, self);
  return TRUE;
}

static void
take (PrDeletion *self, const char *text, gboolean is_held)
{
  guint8 held = is_held ? 1 : 0;
  gint64 id;

  if (!pr_id_parse (text, &id))
    return;
  g_array_append_val (self->ids, id);
  g_byte_array_append (self->held, &held, 1);
}

static void
on_set_aside (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = finish (source, result, user_data);
  PrDeletion *self = user_data;
  g_autoptr (GVariantIter) ids = NULL;
  g_autoptr (GVariantIter) held = NULL;
  const char *id;
  gboolean is_held;

  if (answer == NULL)
    return;

  g_free (self->until);
  g_variant_get (answer, "(asabsb)", &ids, &held, &self->until, &self->gathered);
  while (g_variant_iter_next (ids, "&s", &id) && g_variant_iter_next (held, "b", &is_held))
    take (self, id, is_held);
  go_on (self);
}

static void
gather (PrDeletion *self)
{
  GVariantDict filter;
  char after[PR_ID_LEN + 1];

  if (self->filter == NULL)
    {
      if (!order_next (self, "hold", FALSE))
        {
          self->gathered = TRUE;
          go_on (self);
        }
      return;
    }

  g_variant_dict_init (&filter, self->filter);
  if (self->ids->len > 0)
    g_variant_dict_insert (
      &filter, "after", "s",
      pr_id_format (g_array_index (self->ids, gint64, self->ids->len - 1), after));
  self->asking = TRUE;
  pr_service_call (
    self->service, "Queue1", "SetAside",
    g_variant_new ("(@a{sv}su)", g_variant_dict_end (&filter), self->until, (guint) STEP),
    "(asabsb)", self->cancellable, on_set_aside, self);
}

static void
work (PrDeletion *self, PrDeletionState state, const char *order, gboolean all)
{
  if (self->state != state)
    {
      self->at = 0;
      self->state = state; /* told when it ends: nobody asks in between */
    }
  if (!order_next (self, order, all))
    set_state (self, PR_DELETION_DONE);
}

static void
go_on (PrDeletion *self)
{
  if (self->asking || self->handler != 0 || self->state >= PR_DELETION_DONE)
    return;

  if (self->word == RESTORE)
    work (self, PR_DELETION_RESTORING, "release", FALSE);
  else if (!self->gathered)
    gather (self);
  else if (self->word == DELETE)
    work (self, PR_DELETION_DELETING, "delete", TRUE);
  else
    set_state (self, PR_DELETION_READY);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static PrDeletion *
make (PrService *service, PrDeletionChanged changed, gpointer user_data)
{
  PrDeletion *self = g_new0 (PrDeletion, 1);

  self->service = g_object_ref (service);
  self->cancellable = g_cancellable_new ();
  self->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->held = g_byte_array_new ();
  self->until = g_strdup ("");
  self->changed = changed;
  self->user_data = user_data;
  return self;
}

PrDeletion *
pr_deletion_new (PrService *service, const char *const *ids, const char *const *held,
                 PrDeletionChanged changed, gpointer user_data)
{
  PrDeletion *self = make (service, changed, user_data);
  g_autoptr (GHashTable) before = g_hash_table_new (g_str_hash, g_str_equal);

  for (; *held != NULL; held++)
    g_hash_table_add (before, (gpointer) *held);
  for (; *ids != NULL; ids++)
    take (self, *ids, !g_hash_table_contains (before, *ids));
  self->gathered = !order_next (self, "hold", FALSE);
  if (self->gathered)
    self->state = PR_DELETION_READY;
  return self;
}

PrDeletion *
pr_deletion_new_matching (PrService *service, GVariant *filter, PrDeletionChanged changed,
                          gpointer user_data)
{
  PrDeletion *self = make (service, changed, user_data);

  self->filter = g_variant_ref_sink (filter);
  go_on (self);
  return self;
}

void
pr_deletion_free (PrDeletion *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_signal_handler (&self->handler, self->service);
  g_clear_handle_id (&self->retry_source, g_source_remove);
  g_object_unref (self->cancellable);
  g_object_unref (self->service);
  g_clear_pointer (&self->filter, g_variant_unref);
  g_array_unref (self->ids);
  g_byte_array_unref (self->held);
  g_free (self->until);
  g_free (self->error);
  g_free (self);
}

void
pr_deletion_delete (PrDeletion *self)
{
  g_return_if_fail (self->word == NOTHING);

  self->word = DELETE;
  go_on (self);
}

void
pr_deletion_restore (PrDeletion *self)
{
  g_return_if_fail (self->word == NOTHING);

  self->word = RESTORE;
  go_on (self);
}

PrDeletionState
pr_deletion_get_state (PrDeletion *self)
{
  return self->state;
}

guint
pr_deletion_get_count (PrDeletion *self)
{
  return self->ids->len;
}

gboolean
pr_deletion_waits (PrDeletion *self)
{
  return self->handler != 0;
}

const char *
pr_deletion_get_error (PrDeletion *self)
{
  return self->error;
}
