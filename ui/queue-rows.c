/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One array as long as the queue.
 *
 *       rows      [ before │   window: removed, added, kept by id   │ after ]
 *                   forgotten                                         forgotten
 */

#include "queue-rows.h"

#include "control/client.h"

#define LOOK_AROUND 700 /* rows on either side in which one that moved is looked for */

static void
unref_row (gpointer item)
{
  if (item != NULL)
    g_object_unref (item);
}

/* In place of @removed rows at @position come @added ones: @items (transfer full each, nullable:
 * nothing is known of them). */
static void
splice (PrQueueRows *self, guint position, guint removed, PrQueueItem **items, guint added)
{
  guint length = self->items->len;
  gpointer *data;

  if (removed == 0 && added == 0)
    return;

  for (guint i = 0; i < removed; i++)
    g_clear_object ((PrQueueItem **) &self->items->pdata[position + i]);
  if (added > removed)
    g_ptr_array_set_size (self->items, (int) (length + added - removed));
  data = self->items->pdata;
  memmove (data + position + added, data + position + removed,
           (length - position - removed) * sizeof *data);
  if (added < removed)
    {
      for (guint i = length - (removed - added); i < length; i++)
        data[i] = NULL; /* moved, not gone */
      g_ptr_array_set_size (self->items, (int) (length - (removed - added)));
    }
  for (guint i = 0; i < added; i++)
    self->items->pdata[position + i] = items != NULL ? items[i] : NULL;
  g_list_model_items_changed (self->model, position, removed, added);
}

/* Where the old row with each known id is: id to position + 1. */
static GHashTable *
index_rows (PrQueueRows *self, guint from, guint to)
{
  GHashTable *index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = from; i < to; i++)
    {
      PrQueueItem *item = self->items->pdata[i];
      const char *id = item != NULL ? pr_queue_item_get_id (item) : NULL;

      if (id != NULL)
        g_hash_table_insert (index, g_strdup (id), GUINT_TO_POINTER (i + 1));
    }

  return index;
}

/* Where the window's first row was before: by the first of its messages that is known, or as if
 * nothing had come or gone before it. */
static guint
find_old_start (PrQueueRows *self, guint first, GVariant *messages)
{
  guint around = LOOK_AROUND;
  guint from = first > around ? first - around : 0;
  g_autoptr (GHashTable) index =
    index_rows (self, MIN (from, self->items->len), MIN (first + around, self->items->len));
  guint n = (guint) g_variant_n_children (messages);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);
      guint old = GPOINTER_TO_UINT (g_hash_table_lookup (index, pr_dict_string (message, "id")));

      if (old != 0)
        return old - 1 > i ? old - 1 - i : 0;
    }

  return MIN (first, self->items->len);
}

/* The rows [from, to) become @messages: kept where the order allows, else removed and added. */
static void
merge (PrQueueRows *self, guint from, guint to, GVariant *messages)
{
  g_autoptr (GHashTable) olds = index_rows (self, from, to);
  g_autoptr (GPtrArray) added = g_ptr_array_new ();
  guint n = (guint) g_variant_n_children (messages);
  guint position = from, left = to - from, removed = 0, gone = 0;

  /* `position`: the next row to compare; before it `added` is still to be put in place of the
   * `removed` rows that begin there. `gone`: rows of the old window passed so far. */
  for (guint j = 0; j < n; j++)
    {
      g_autoptr (GVariant) message = g_variant_get_child_value (messages, j);
      guint old = GPOINTER_TO_UINT (g_hash_table_lookup (olds, pr_dict_string (message, "id")));

      if (old == 0 || old - 1 < from + gone)
        {
          g_ptr_array_add (added, pr_queue_item_new (message));
          continue;
        }

      removed += old - 1 - (from + gone);
      splice (self, position, removed, (PrQueueItem **) added->pdata, added->len);
      left -= removed;
      position += added->len;
      pr_queue_item_set_message (self->items->pdata[position], message);
      gone = old - from;
      position++;
      left--;
      removed = 0;
      g_ptr_array_set_size (added, 0);
    }
  splice (self, position, left, (PrQueueItem **) added->pdata, added->len);
}

void
pr_queue_rows_init (PrQueueRows *self, GListModel *model)
{
  self->model = model;
  self->items = g_ptr_array_new_with_free_func (unref_row);
}

void
pr_queue_rows_clear (PrQueueRows *self)
{
  g_clear_pointer (&self->items, g_ptr_array_unref);
}

PrQueueItem *
pr_queue_rows_get (PrQueueRows *self, guint position)
{
  if (position >= self->items->len)
    return NULL;
  if (self->items->pdata[position] == NULL)
    self->items->pdata[position] = pr_queue_item_new (NULL);

  return self->items->pdata[position];
}

void
pr_queue_rows_remove_all (PrQueueRows *self)
{
  splice (self, 0, self->items->len, NULL, 0);
}

gboolean
pr_queue_rows_fill (PrQueueRows *self, guint first, GVariant *messages)
{
  guint n = (guint) g_variant_n_children (messages);

  for (guint i = 0; i < n && first + i < self->items->len; i++)
    {
      g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);
      PrQueueItem *item = self->items->pdata[first + i];

      if (item == NULL)
        self->items->pdata[first + i] = pr_queue_item_new (message);
      else if (pr_queue_item_get_id (item) == NULL ||
               g_strcmp0 (pr_queue_item_get_id (item), pr_dict_string (message, "id")) == 0)
        pr_queue_item_set_message (item, message);
      else
        return FALSE;
    }

  return TRUE;
}

void
pr_queue_rows_take (PrQueueRows *self, guint first, GVariant *messages, guint total)
{
  guint n = (guint) g_variant_n_children (messages);
  guint end = MIN (first + n, total);
  guint old_first = find_old_start (self, first, messages);
  guint old_end = MIN (old_first + n, self->items->len);

  if (total <= end) /* nothing lies behind: all that was there is gone or in the window */
    old_end = self->items->len;
  /* From the back, so that positions before stay true. */
  splice (self, old_end, self->items->len - old_end, NULL, total - end);
  merge (self, old_first, old_end, messages);
  splice (self, 0, old_first, NULL, first);
}
