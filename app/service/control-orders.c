/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people order about messages that wait. */

#include "service/control-private.h"
#include "smtp/address.h"

#define STEP 1000 /* messages of a large order that are in hand at once */

static void
on_ordered (guint n_done, const char *why, gpointer user_data)
{
  g_dbus_method_invocation_return_value (user_data,
                                         g_variant_new ("(us)", n_done, why != NULL ? why : ""));
}

static gboolean
read_order (GDBusMethodInvocation *invocation, const char *word, PrOrder *order)
{
  static const char *const orders[] = {
    [PR_ORDER_RETRY] = "retry",
    [PR_ORDER_HOLD] = "hold",
    [PR_ORDER_RELEASE] = "release",
    [PR_ORDER_DELETE] = "delete",
  };
  int value = pr_control_find_word (word, orders, G_N_ELEMENTS (orders));

  if (value < 0)
    {
      pr_control_bad_args (invocation, "An order is retry, hold, release or delete");
      return FALSE;
    }

  *order = (PrOrder) value;
  return TRUE;
}

/* NULL: an id is wrong and the call was answered. */
static GArray *
read_ids (GDBusMethodInvocation *invocation, const char *const *texts)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (; *texts != NULL; texts++)
    {
      gint64 id;

      if (!pr_control_read_id (invocation, *texts, &id))
        return NULL;
      g_array_append_val (ids, id);
    }

  return g_steal_pointer (&ids);
}

static gboolean
on_order (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *word,
          const char *const *texts, gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GArray) ids = NULL;
  PrOrder order;

  if (read_order (invocation, word, &order) && (ids = read_ids (invocation, texts)) != NULL)
    pr_runner_order (pr_engine_get_runner (self->engine), order, (gint64 *) ids->data, ids->len,
                     on_ordered, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_order_all (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *word,
              gpointer user_data)
{
  PrControl *self = user_data;
  PrOrder order;

  if (read_order (invocation, word, &order))
    pr_runner_order_all (pr_engine_get_runner (self->engine), order, on_ordered, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_fail (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *const *texts,
         gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GArray) ids = read_ids (invocation, texts);

  if (ids != NULL)
    pr_runner_order (pr_engine_get_runner (self->engine), PR_ORDER_FAIL, (gint64 *) ids->data,
                     ids->len, on_ordered, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* "" is none. FALSE: there is no such route and the call was answered. */
static gboolean
check_route (PrControl *self, GDBusMethodInvocation *invocation, const char *route)
{
  if (*route == '\0' || pr_config_get_route (pr_engine_get_config (self->engine), route) != NULL)
    return TRUE;

  pr_control_refuse (invocation, "There is no route %s in the configuration", route);
  return FALSE;
}

static gboolean
on_move (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *const *texts,
         const char *route, gpointer user_data)
{
  PrControl *self = user_data;
  g_autoptr (GArray) ids = read_ids (invocation, texts);

  if (ids == NULL)
    return G_DBUS_METHOD_INVOCATION_HANDLED;

  if (check_route (self, invocation, route))
    pr_runner_move (pr_engine_get_runner (self->engine), *route != '\0' ? route : NULL,
                    (gint64 *) ids->data, ids->len, on_ordered, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* Canonical and each once; NULL: one is wrong and the call was answered. (transfer full) */
static char **
read_addresses (GDBusMethodInvocation *invocation, const char *const *texts)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (; *texts != NULL; texts++)
    {
      g_autofree char *address = NULL;
      const char *fault;

      if (!pr_address_parse (*texts, &address, &fault))
        {
          pr_control_refuse (invocation, "%s is not an address mail can go to: %s", *texts, fault);
          return NULL;
        }
      if (!g_hash_table_contains (seen, address))
        g_strv_builder_add (builder, address);
      g_hash_table_add (seen, g_steal_pointer (&address));
    }

  return g_strv_builder_end (builder);
}

static void
on_edited (guint n_done, const char *why, gpointer user_data)
{
  if (n_done == 0)
    pr_control_refuse (user_data, "%s", why);
  else
    g_dbus_method_invocation_return_value (user_data, NULL);
}

static gboolean
on_edit_recipients (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *text,
                    const char *const *remove, const char *const *add, gpointer user_data)
{
  PrControl *self = user_data;
  g_auto (GStrv) removed = NULL;
  g_auto (GStrv) added = NULL;
  gint64 id;

  if (pr_control_read_id (invocation, text, &id) &&
      (removed = read_addresses (invocation, remove)) != NULL &&
      (added = read_addresses (invocation, add)) != NULL)
    pr_runner_edit (pr_engine_get_runner (self->engine), id, (const char *const *) removed,
                    (const char *const *) added, on_edited, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── For all under a filter ───────────────────────────────────────────────────────────────── */

/* An order on its way through the queue, by age: what it changes may leave the filter, and what
 * comes meanwhile is behind its end. */
typedef struct
{
  PrControlCall *call; /* owned */
  GVariant *options;   /* owned: the filter's strings are its */
  PrStoreFilter filter;
  PrOrder order;
  char *route; /* owned, nullable: moves there */
  gint64 after, until;
  guint n_done;
  char *why; /* owned, nullable: of the last that was not */
} Walk;

static void
walk_free (Walk *self)
{
  g_clear_pointer (&self->call, pr_control_call_free);
  g_variant_unref (self->options);
  g_free (self->route);
  g_free (self->why);
  g_free (self);
}

static void walk_on (Walk *self);

static void
on_step (guint n_done, const char *why, gpointer user_data)
{
  Walk *self = user_data;

  self->n_done += n_done;
  if (why != NULL)
    {
      g_free (self->why);
      self->why = g_strdup (why);
    }
  walk_on (self);
}

static void
on_step_ids (const gint64 *ids, guint n, const GError *error, gpointer user_data)
{
  Walk *self = user_data;
  PrRunner *runner;

  if (pr_control_call_is_late (self->call))
    {
      walk_free (self);
      return;
    }
  while (n > 0 && ids[n - 1] > self->until)
    n--;
  if (error != NULL || n == 0)
    {
      const char *why = error != NULL ? error->message : self->why;

      on_ordered (self->n_done, why, self->call->invocation);
      walk_free (self);
      return;
    }

  self->after = ids[n - 1];
  runner = pr_engine_get_runner (self->call->control->engine);
  if (self->order == PR_ORDER_MOVE)
    pr_runner_move (runner, self->route, ids, n, on_step, self);
  else
    pr_runner_order (runner, self->order, ids, n, on_step, self);
}

static void
walk_on (Walk *self)
{
  if (pr_control_call_is_late (self->call))
    walk_free (self);
  else
    pr_store_list_ids (pr_engine_get_store (self->call->control->engine), &self->filter,
                       self->after, STEP, on_step_ids, self);
}

/* As read_order (), and `fail` and `move`. */
static gboolean
read_any_order (GDBusMethodInvocation *invocation, const char *word, PrOrder *order)
{
  if (g_str_equal (word, "fail"))
    *order = PR_ORDER_FAIL;
  else if (g_str_equal (word, "move"))
    *order = PR_ORDER_MOVE;
  else
    return read_order (invocation, word, order);

  return TRUE;
}

static gboolean
on_order_matching (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, const char *word,
                   GVariant *options, const char *route, gpointer user_data)
{
  PrControl *self = user_data;
  PrStoreFilter filter;
  const char *why = pr_control_read_filter (options, &filter);
  PrOrder order;
  Walk *walk;

  if (!read_any_order (invocation, word, &order))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  if (why != NULL)
    {
      pr_control_bad_args (invocation, "%s", why);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  if (!check_route (self, invocation, route))
    return G_DBUS_METHOD_INVOCATION_HANDLED;

  walk = g_new0 (Walk, 1);
  walk->call = pr_control_call_new (self, invocation);
  walk->options = g_variant_ref (options);
  walk->filter = filter;
  walk->order = order;
  walk->route = *route != '\0' ? g_strdup (route) : NULL;
  walk->after = filter.after;
  walk->until = pr_store_get_ids (pr_engine_get_store (self->engine))->last;
  walk_on (walk);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ── Setting aside ────────────────────────────────────────────────────────────────────────── */

/* One step: each message is held by an order of its own, so that it is known which were not. */
typedef struct
{
  PrControlCall *call; /* owned */
  GArray *ids;         /* owned, of gint64 */
  gboolean *held;      /* owned, as `ids`: by this step */
  gint64 until;
  guint n_open; /* orders that are not carried out yet */
  gboolean last;
} Step;

typedef struct
{
  Step *step; /* borrowed: the last one frees it */
  guint index;
} StepItem;

static void
step_free (Step *self)
{
  g_clear_pointer (&self->call, pr_control_call_free);
  g_clear_pointer (&self->ids, g_array_unref);
  g_free (self->held);
  g_free (self);
}

static void
answer_step (Step *self)
{
  GVariantBuilder ids, held;
  char id[PR_ID_LEN + 1];

  g_variant_builder_init (&ids, G_VARIANT_TYPE ("as"));
  g_variant_builder_init (&held, G_VARIANT_TYPE ("ab"));
  for (guint i = 0; i < self->ids->len; i++)
    {
      g_variant_builder_add (&ids, "s", pr_id_format (g_array_index (self->ids, gint64, i), id));
      g_variant_builder_add (&held, "b", self->held[i]);
    }
  g_dbus_method_invocation_return_value (
    self->call->invocation,
    g_variant_new ("(asabsb)", &ids, &held, pr_id_format (self->until, id), self->last));
}

static void
close_item (Step *self)
{
  if (--self->n_open > 0)
    return;
  if (!pr_control_call_is_late (self->call))
    answer_step (self);
  step_free (self);
}

static void
on_item_held (guint n_done, const char *why, gpointer user_data)
{
  g_autofree StepItem *item = user_data;

  item->step->held[item->index] = n_done > 0;
  close_item (item->step);
}

static void
on_ids_to_hold (const gint64 *ids, guint n, const GError *error, gpointer user_data)
{
  Step *self = user_data;
  PrRunner *runner;

  if (pr_control_call_is_late (self->call))
    {
      step_free (self);
      return;
    }
  if (error != NULL)
    {
      pr_control_refuse (self->call->invocation, "%s", error->message);
      step_free (self);
      return;
    }

  self->last = n < self->call->length;
  for (; n > 0 && ids[n - 1] > self->until; n--)
    self->last = TRUE;
  runner = pr_engine_get_runner (self->call->control->engine);
  self->ids = g_array_append_vals (g_array_new (FALSE, FALSE, sizeof (gint64)), ids, n);
  self->held = g_new0 (gboolean, MAX (n, 1));
  self->n_open = n + 1;
  for (guint i = 0; i < n; i++)
    {
      StepItem *item = g_new (StepItem, 1);

      *item = (StepItem){ self, i };
      pr_runner_order (runner, PR_ORDER_HOLD, &ids[i], 1, on_item_held, item);
    }
  close_item (self);
}

static gboolean
on_set_aside (PrDbusQueue1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
              const char *until, guint limit, gpointer user_data)
{
  PrControl *self = user_data;
  PrStore *store = pr_engine_get_store (self->engine);
  PrStoreFilter filter;
  const char *why = pr_control_read_filter (options, &filter);
  gint64 end = pr_store_get_ids (store)->last;
  Step *step;

  if (why != NULL)
    {
      pr_control_bad_args (invocation, "%s", why);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  if (*until != '\0' && !pr_control_read_id (invocation, until, &end))
    return G_DBUS_METHOD_INVOCATION_HANDLED;

  step = g_new0 (Step, 1);
  step->call = pr_control_call_new (self, invocation);
  step->call->length = CLAMP (limit, 1, STEP);
  step->until = end;
  pr_store_list_ids (store, &filter, filter.after, step->call->length, on_ids_to_hold, step);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
pr_control_connect_orders (PrControl *self, PrDbusQueue1 *skeleton)
{
  g_signal_connect (skeleton, "handle-order", G_CALLBACK (on_order), self);
  g_signal_connect (skeleton, "handle-order-all", G_CALLBACK (on_order_all), self);
  g_signal_connect (skeleton, "handle-order-matching", G_CALLBACK (on_order_matching), self);
  g_signal_connect (skeleton, "handle-set-aside", G_CALLBACK (on_set_aside), self);
  g_signal_connect (skeleton, "handle-fail", G_CALLBACK (on_fail), self);
  g_signal_connect (skeleton, "handle-move", G_CALLBACK (on_move), self);
  g_signal_connect (skeleton, "handle-edit-recipients", G_CALLBACK (on_edit_recipients), self);
}
