/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two parts in one array: those that go on, as Sessions1.List orders them, then those that ended.
 *
 *   List ──► in place by number ──► who is missing in it has ended
 *   `disconnected` events ──► why it ended; or a row for one that was too short to be listed
 */
#include "session-list.h"

#include "control/client.h"

#define LOOK_AGAIN_S 1

struct _PrSessionList
{
  GObject parent_instance;

  PrService *service; /* owned */
  GPtrArray *rows;    /* owned, of PrSession: the first n_listed go on */
  guint n_listed, n_alive;
  GCancellable *cancellable; /* owned: ends with the object */
  guint timer;               /* 0: nobody looks */
  gboolean is_asking;
};

static void init_list (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (PrSessionList, pr_session_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, init_list))

typedef enum
{
  PROP_ALIVE = 1
} PrSessionListProperty;

static GParamSpec *props[PROP_ALIVE + 1];

/* ── The model ────────────────────────────────────────────────────────────────────────────── */

static GType
get_item_type (GListModel *list)
{
  return PR_TYPE_SESSION;
}

static guint
get_n_items (GListModel *list)
{
  return PR_SESSION_LIST (list)->rows->len;
}

static gpointer
get_item (GListModel *list, guint position)
{
  PrSessionList *self = PR_SESSION_LIST (list);

  return position < self->rows->len ? g_object_ref (self->rows->pdata[position]) : NULL;
}

static void
init_list (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

/* @session: (transfer full) */
static void
insert (PrSessionList *self, guint position, PrSession *session)
{
  g_ptr_array_insert (self->rows, (int) position, session);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 0, 1);
}

static void
remove_at (PrSessionList *self, guint position)
{
  g_ptr_array_remove_index (self->rows, position);
  g_list_model_items_changed (G_LIST_MODEL (self), position, 1, 0);
}

static void
drop_oldest_ended (PrSessionList *self)
{
  while (self->rows->len - self->n_listed > PR_SESSION_LIST_ENDED)
    remove_at (self, self->rows->len - 1);
}

/* The row at @position goes on no more: it moves to the top of those that ended. */
static void
end_at (PrSessionList *self, guint position)
{
  g_autoptr (PrSession) session = g_object_ref (self->rows->pdata[position]);

  remove_at (self, position);
  self->n_listed--;
  pr_session_end (session, NULL);
  insert (self, self->n_listed, g_steal_pointer (&session));
  drop_oldest_ended (self);
}

static void
set_alive (PrSessionList *self, guint alive)
{
  if (self->n_alive == alive)
    return;

  self->n_alive = alive;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ALIVE]);
}

/* ── What the service says ────────────────────────────────────────────────────────────────── */

/* Both are ordered by falling number, so one walk over both is enough. */
static void
merge (PrSessionList *self, GVariant *sessions)
{
  guint at = 0;
  GVariantIter iter;
  GVariant *facts;

  g_variant_iter_init (&iter, sessions);
  while ((facts = g_variant_iter_next_value (&iter)) != NULL)
    {
      guint64 id = (guint64) pr_dict_number (facts, "id");

      while (at < self->n_listed && pr_session_get_id (self->rows->pdata[at]) > id)
        end_at (self, at);
      if (at < self->n_listed && pr_session_get_id (self->rows->pdata[at]) == id)
        pr_session_update (self->rows->pdata[at], facts);
      else
        {
          self->n_listed++;
          insert (self, at, pr_session_new (facts));
        }
      at++;
      g_variant_unref (facts);
    }
  while (self->n_listed > at)
    end_at (self, self->n_listed - 1);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) sessions = NULL;
  PrSessionList *self;
  guint total;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the list is gone */

  self = user_data;
  self->is_asking = FALSE;
  if (answer == NULL)
    return; /* the window says that the service is away */

  g_variant_get (answer, "(@aa{sv}ut)", &sessions, &total, NULL);
  merge (self, sessions);
  set_alive (self, total);
}

static void
ask (PrSessionList *self)
{
  if (self->is_asking || !pr_service_is_connected (self->service))
    return;

  self->is_asking = TRUE;
  pr_service_call (self->service, "Sessions1", "List",
                   g_variant_new ("(uu)", 0u, PR_SESSION_LIST_ALIVE), "(aa{sv}ut)",
                   self->cancellable, on_listed, self);
}

static gboolean
on_time (gpointer user_data)
{
  ask (user_data);
  return G_SOURCE_CONTINUE;
}

static void
take_event (PrSessionList *self, GVariant *event)
{
  guint64 id = (guint64) pr_dict_number (event, "session");
  PrSession *session;
  guint position;

  if (id == 0 || g_strcmp0 (pr_dict_string (event, "kind"), "disconnected") != 0)
    return;

  session = pr_session_list_find (self, id, &position);
  if (session == NULL)
    {
      insert (self, self->n_listed, pr_session_new_ended (event));
      drop_oldest_ended (self);
      return;
    }
  pr_session_end (session, pr_dict_string (event, "text"));
  if (position < self->n_listed)
    end_at (self, position);
}

static void
on_events (PrSessionList *self, GVariant *events, guint missed)
{
  GVariantIter iter;
  GVariant *event;

  g_variant_iter_init (&iter, events);
  while ((event = g_variant_iter_next_value (&iter)) != NULL)
    {
      take_event (self, event);
      g_variant_unref (event);
    }
}

/* Numbers begin anew with each start of the service: old ones would be taken for new ones. */
static void
on_state_changed (PrSessionList *self)
{
  guint gone = self->rows->len;

  if (pr_service_is_connected (self->service))
    return;

  g_ptr_array_set_size (self->rows, 0);
  self->n_listed = 0;
  g_list_model_items_changed (G_LIST_MODEL (self), 0, gone, 0);
  set_alive (self, 0);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_session_list_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrSessionListProperty) id)
    {
    case PROP_ALIVE: g_value_set_uint (value, PR_SESSION_LIST (object)->n_alive); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_session_list_dispose (GObject *object)
{
  PrSessionList *self = PR_SESSION_LIST (object);

  g_cancellable_cancel (self->cancellable);
  if (self->service != NULL)
    pr_session_list_watch (self, FALSE);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_session_list_parent_class)->dispose (object);
}

static void
pr_session_list_finalize (GObject *object)
{
  PrSessionList *self = PR_SESSION_LIST (object);

  g_ptr_array_unref (self->rows);
  g_object_unref (self->cancellable);
  G_OBJECT_CLASS (pr_session_list_parent_class)->finalize (object);
}

static void
pr_session_list_class_init (PrSessionListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = pr_session_list_get_property;
  object_class->dispose = pr_session_list_dispose;
  object_class->finalize = pr_session_list_finalize;
  props[PROP_ALIVE] =
    g_param_spec_uint ("alive", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_session_list_init (PrSessionList *self)
{
  self->rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->cancellable = g_cancellable_new ();
}

PrSessionList *
pr_session_list_new (PrService *service)
{
  PrSessionList *self = g_object_new (PR_TYPE_SESSION_LIST, NULL);

  self->service = g_object_ref (service);
  g_signal_connect_object (service, "sessions-changed", G_CALLBACK (ask), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "events", G_CALLBACK (on_events), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "notify::state", G_CALLBACK (on_state_changed), self,
                           G_CONNECT_SWAPPED);
  return self;
}

void
pr_session_list_watch (PrSessionList *self, gboolean watch)
{
  g_return_if_fail (PR_IS_SESSION_LIST (self));

  if (watch == (self->timer != 0))
    return;

  if (watch)
    {
      self->timer = g_timeout_add_seconds (LOOK_AGAIN_S, on_time, self);
      pr_service_follow (self->service, PR_FOLLOW_ENDINGS);
      ask (self);
    }
  else
    {
      g_clear_handle_id (&self->timer, g_source_remove);
      pr_service_unfollow (self->service, PR_FOLLOW_ENDINGS);
    }
}

guint
pr_session_list_count_alive (PrSessionList *self)
{
  return self->n_alive;
}

PrSession *
pr_session_list_find (PrSessionList *self, guint64 id, guint *position)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (pr_session_get_id (self->rows->pdata[i]) == id)
      {
        if (position != NULL)
          *position = i;
        return self->rows->pdata[i];
      }

  return NULL;
}
