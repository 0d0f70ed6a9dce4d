/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question at a time:
 *
 *   nothing known ──► the newest page          (FRESH)
 *   events happened ──► all after the newest   (NEWER); a full page takes the place of all
 *   the end is near ──► a page before the last (OLDER)
 */
#include "event-list.h"

#include "control/client.h"

#define NEAR 50         /* rows */
#define WRITTEN_MS 1500 /* what the service told can be asked for after a second */

typedef enum
{
  QUESTION_NONE,
  QUESTION_FRESH,
  QUESTION_NEWER,
  QUESTION_OLDER,
} Question;

struct _PrEventList
{
  GObject parent_instance;

  PrService *service;        /* owned */
  GVariant *filter;          /* owned, nullable */
  GPtrArray *rows;           /* owned, of PrLogEvent, newest first */
  GCancellable *cancellable; /* owned, nullable: of the question on its way */
  Question asked;
  gboolean is_complete; /* there are none older */
  gboolean is_stale;    /* events happened that were not asked for yet */
  gboolean is_watched;
  gboolean is_held; /* what is newer is not wanted now */
  guint written;    /* timer; 0: all that was told was asked for */
  char *fault;      /* owned, nullable */
};

static void init_list (GListModelInterface *iface);
static void ask (PrEventList *self, Question question);

G_DEFINE_FINAL_TYPE_WITH_CODE (PrEventList, pr_event_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, init_list))

typedef enum
{
  PROP_BUSY = 1,
  PROP_FAULT
} PrEventListProperty;

static GParamSpec *props[PROP_FAULT + 1];

/* ── The model ────────────────────────────────────────────────────────────────────────────── */

static GType
get_item_type (GListModel *list)
{
  return PR_TYPE_LOG_EVENT;
}

static guint
get_n_items (GListModel *list)
{
  return PR_EVENT_LIST (list)->rows->len;
}

static gpointer
get_item (GListModel *list, guint position)
{
  PrEventList *self = PR_EVENT_LIST (list);

  return position < self->rows->len ? g_object_ref (self->rows->pdata[position]) : NULL;
}

static void
init_list (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
insert (PrEventList *self, guint position, GVariant *events)
{
  guint n = (guint) g_variant_n_children (events);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i);

      g_ptr_array_insert (self->rows, (int) (position + i), pr_log_event_new (event));
    }
  if (n > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), position, 0, n);
}

/* In one step: what shows the old rows shows the new ones in their place. */
static void
replace (PrEventList *self, GVariant *events)
{
  guint gone = self->rows->len;
  guint n = (guint) g_variant_n_children (events);

  g_ptr_array_set_size (self->rows, 0);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i);

      g_ptr_array_add (self->rows, pr_log_event_new (event));
    }
  if (gone > 0 || n > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, gone, n);
}

static void
keep (PrEventList *self, guint n)
{
  guint gone = self->rows->len > n ? self->rows->len - n : 0;

  if (gone == 0)
    return;

  g_ptr_array_set_size (self->rows, (int) n);
  self->is_complete = FALSE;
  g_list_model_items_changed (G_LIST_MODEL (self), n, gone, 0);
}

static gint64
get_id (PrEventList *self, guint position)
{
  return pr_log_event_get_id (self->rows->pdata[position]);
}

/* ── Questions ────────────────────────────────────────────────────────────────────────────── */

static void
set_fault (PrEventList *self, const char *fault)
{
  if (g_strcmp0 (self->fault, fault) == 0)
    return;

  g_free (self->fault);
  self->fault = g_strdup (fault);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_FAULT]);
}

static void
ask_what_is_left (PrEventList *self)
{
  if (self->is_watched && self->is_stale && !(self->is_held && self->rows->len > 0))
    ask (self, self->rows->len > 0 ? QUESTION_NEWER : QUESTION_FRESH);
}

static void
take_answer (PrEventList *self, Question question, GVariant *events)
{
  gsize n = g_variant_n_children (events);

  if (question == QUESTION_NEWER && n < PR_EVENT_LIST_PAGE)
    {
      insert (self, 0, events);
      keep (self, PR_EVENT_LIST_MAX);
    }
  else if (question == QUESTION_OLDER)
    {
      insert (self, self->rows->len, events);
      self->is_complete = n < PR_EVENT_LIST_PAGE;
    }
  else
    {
      replace (self, events);
      self->is_complete = question == QUESTION_FRESH && n < PR_EVENT_LIST_PAGE;
    }
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) events = NULL;
  PrEventList *self;
  Question question;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* another filter, or the list is gone */

  self = user_data;
  question = self->asked;
  g_clear_object (&self->cancellable);
  self->asked = QUESTION_NONE;
  if (answer != NULL)
    {
      g_variant_get (answer, "(@aa{sv})", &events);
      take_answer (self, question, events);
    }
  set_fault (self, error != NULL ? error->message : NULL);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BUSY]);
  if (answer != NULL)
    ask_what_is_left (self);
}

static GVariant *
make_filter (PrEventList *self, Question question)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, self->filter);
  if (question == QUESTION_NEWER)
    g_variant_dict_insert (&dict, "after", "x", get_id (self, 0));
  else if (question == QUESTION_OLDER)
    g_variant_dict_insert (&dict, "before", "x", get_id (self, self->rows->len - 1));
  return g_variant_dict_end (&dict);
}

static void
ask (PrEventList *self, Question question)
{
  if (self->asked != QUESTION_NONE || !pr_service_is_connected (self->service))
    return;

  self->asked = question;
  if (question != QUESTION_OLDER)
    self->is_stale = FALSE;
  self->cancellable = g_cancellable_new ();
  pr_service_call (self->service, "Journal1", "Query",
                   g_variant_new ("(@a{sv}u)", make_filter (self, question), PR_EVENT_LIST_PAGE),
                   "(aa{sv})", self->cancellable, on_answer, self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BUSY]);
}

static void
forget_question (PrEventList *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->asked = QUESTION_NONE;
}

static gboolean
on_written (gpointer user_data)
{
  PrEventList *self = user_data;

  self->written = 0;
  self->is_stale = TRUE;
  ask_what_is_left (self);
  return G_SOURCE_REMOVE;
}

/* Asked now, for most are written with a message, and once more when all of them are. */
static void
ask_twice (PrEventList *self)
{
  self->is_stale = TRUE;
  ask_what_is_left (self);
  if (self->written == 0)
    self->written = g_timeout_add (WRITTEN_MS, on_written, self);
}

static void
on_state_changed (PrEventList *self)
{
  forget_question (self);
  ask_twice (self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_event_list_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrEventList *self = PR_EVENT_LIST (object);

  switch ((PrEventListProperty) id)
    {
    case PROP_BUSY: g_value_set_boolean (value, pr_event_list_is_busy (self)); break;
    case PROP_FAULT: g_value_set_string (value, self->fault); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_event_list_dispose (GObject *object)
{
  PrEventList *self = PR_EVENT_LIST (object);

  forget_question (self);
  g_clear_handle_id (&self->written, g_source_remove);
  if (self->service != NULL)
    pr_event_list_watch (self, FALSE);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_event_list_parent_class)->dispose (object);
}

static void
pr_event_list_finalize (GObject *object)
{
  PrEventList *self = PR_EVENT_LIST (object);

  g_ptr_array_unref (self->rows);
  g_clear_pointer (&self->filter, g_variant_unref);
  g_free (self->fault);
  G_OBJECT_CLASS (pr_event_list_parent_class)->finalize (object);
}

static void
pr_event_list_class_init (PrEventListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = pr_event_list_get_property;
  object_class->dispose = pr_event_list_dispose;
  object_class->finalize = pr_event_list_finalize;
  props[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  props[PROP_FAULT] = g_param_spec_string ("fault", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_event_list_init (PrEventList *self)
{
  self->rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->is_stale = TRUE;
}

PrEventList *
pr_event_list_new (PrService *service)
{
  PrEventList *self = g_object_new (PR_TYPE_EVENT_LIST, NULL);

  self->service = g_object_ref (service);
  g_signal_connect_object (service, "events", G_CALLBACK (ask_twice), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "notify::state", G_CALLBACK (on_state_changed), self,
                           G_CONNECT_SWAPPED);
  return self;
}

void
pr_event_list_set_filter (PrEventList *self, GVariant *filter)
{
  g_return_if_fail (PR_IS_EVENT_LIST (self));

  forget_question (self);
  g_clear_pointer (&self->filter, g_variant_unref);
  self->filter = filter != NULL ? g_variant_ref_sink (filter) : NULL;
  keep (self, 0);
  self->is_stale = TRUE;
  ask_what_is_left (self);
}

void
pr_event_list_watch (PrEventList *self, gboolean watch)
{
  g_return_if_fail (PR_IS_EVENT_LIST (self));

  if (self->is_watched == watch)
    return;

  self->is_watched = watch;
  if (watch)
    {
      pr_service_follow (self->service, PR_FOLLOW_NEWS);
      ask_twice (self); /* nobody listened until now */
    }
  else
    pr_service_unfollow (self->service, PR_FOLLOW_NEWS);
}

void
pr_event_list_hold (PrEventList *self, gboolean hold)
{
  g_return_if_fail (PR_IS_EVENT_LIST (self));

  if (self->is_held == hold)
    return;

  self->is_held = hold;
  ask_what_is_left (self);
}

void
pr_event_list_reach (PrEventList *self, guint position)
{
  g_return_if_fail (PR_IS_EVENT_LIST (self));

  if (!self->is_complete && self->rows->len > 0 && position + NEAR >= self->rows->len)
    ask (self, QUESTION_OLDER);
}

gboolean
pr_event_list_is_busy (PrEventList *self)
{
  return self->asked != QUESTION_NONE;
}
