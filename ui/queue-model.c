/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of the service, and when; what the answers mean for the rows is queue-rows.c.
 *
 *   get_item () of an unknown row ─► an empty item, its page is wanted ─► List ─► filled in place
 *   queue-changed ─► refresh: List around the last place looked at, compared by id
 *
 * Positions of an answer count only while nothing moved since the question: `generation`. */

#include "queue-model.h"

#include "control/client.h"
#include "queue-rows.h"

#define PAGE 50         /* rows asked for at once */
#define PAGES_AROUND 3  /* kept fresh on either side of the last place looked at */
#define MAX_WANTED 12   /* pages that wait to be asked for: a fast scroll leaves the rest behind */
#define REFRESH_MS 400  /* from one refresh to the next */
#define MAX_NAMED 10000 /* messages in one order */
#define MAX_ROWS 20000000 /* a longer list is shown so far */

struct _PrQueueModel
{
  GObject parent_instance;

  PrService *service;                 /* owned */
  GCancellable *cancellable;          /* owned: of all that is asked */
  char *text, *state, *route, *order; /* owned, nullable */
  char *error;                        /* owned, nullable */
  gboolean descending;

  PrQueueRows rows;
  GQueue wanted;            /* of page numbers; the newest first */
  guint last_page;          /* the last one looked at */
  guint generation, filter; /* counted */
  guint refresh_source;
  gboolean page_asked, refresh_asked;
  gboolean is_old;   /* something changed since the refresh was asked for */
  gboolean is_other; /* another filter or order: what is there means nothing */
  gboolean loading;
};

static GType
get_item_type (GListModel *model)
{
  return PR_TYPE_QUEUE_ITEM;
}

static guint
get_n_items (GListModel *model)
{
  return PR_QUEUE_MODEL (model)->rows.items->len;
}

static gpointer get_item (GListModel *model, guint position);

static void
init_list_model (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (PrQueueModel, pr_queue_model, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, init_list_model))

typedef enum
{
  PROP_LOADING = 1,
  PROP_ERROR
} PrQueueModelProperty;

static GParamSpec *props[PROP_ERROR + 1];

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

static void
add_text (GVariantBuilder *builder, const char *key, const char *value)
{
  if (value != NULL && *value != '\0')
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

static void
begin_filter (PrQueueModel *self, GVariantBuilder *out)
{
  g_variant_builder_init (out, G_VARIANT_TYPE_VARDICT);
  add_text (out, "text", self->text);
  add_text (out, "state", self->state);
  add_text (out, "route", self->route);
}

static void
ask (PrQueueModel *self, guint first, guint count, GAsyncReadyCallback callback, gpointer user_data)
{
  GVariantBuilder filter;

  begin_filter (self, &filter);
  add_text (&filter, "order", self->order);
  g_variant_builder_add (&filter, "{sv}", "descending", g_variant_new_boolean (self->descending));
  g_variant_builder_add (&filter, "{sv}", "subjects", g_variant_new_boolean (TRUE));
  pr_service_call (self->service, "Queue1", "List",
                   g_variant_new ("(a{sv}tu)", &filter, (guint64) first, count), "(aa{sv}tt)",
                   self->cancellable, callback, user_data);
}

static void
set_error (PrQueueModel *self, const char *text)
{
  if (g_strcmp0 (self->error, text) == 0)
    return;

  g_free (self->error);
  self->error = g_strdup (text);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ERROR]);
}

/* ── Pages ────────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrQueueModel *model; /* borrowed: cancelled before it goes */
  guint page;
  guint generation;
} PageQuestion;

static void ask_page (PrQueueModel *self);

static void
want_page (PrQueueModel *self, guint page)
{
  g_queue_remove (&self->wanted, GUINT_TO_POINTER (page));
  g_queue_push_head (&self->wanted, GUINT_TO_POINTER (page));
  if (g_queue_get_length (&self->wanted) > MAX_WANTED)
    g_queue_pop_tail (&self->wanted);
  ask_page (self);
}

static void
on_page (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree PageQuestion *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrQueueModel *self;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the model may be gone */

  self = question->model;
  self->page_asked = FALSE;
  if (answer == NULL)
    {
      set_error (self, error->message);
    }
  else if (question->generation != self->generation)
    {
      if (!self->is_other && question->page * PAGE < self->rows.items->len)
        want_page (self, question->page);
    }
  else
    {
      g_autoptr (GVariant) messages = g_variant_get_child_value (answer, 0);

      guint first = question->page * PAGE;
      gsize n = g_variant_n_children (messages);

      if (!pr_queue_rows_fill (&self->rows, first, messages) ||
          n != MIN (PAGE, self->rows.items->len - MIN (first, self->rows.items->len)))
        pr_queue_model_refresh (self);
    }
  ask_page (self);
}

/* One at a time, the last wanted first. */
static void
ask_page (PrQueueModel *self)
{
  PageQuestion *question;

  if (self->page_asked || g_queue_is_empty (&self->wanted) ||
      !pr_service_is_connected (self->service))
    return;

  self->page_asked = TRUE;
  question = g_new (PageQuestion, 1);
  *question =
    (PageQuestion){ self, GPOINTER_TO_UINT (g_queue_pop_head (&self->wanted)), self->generation };
  ask (self, question->page * PAGE, PAGE, on_page, question);
}

static gpointer
get_item (GListModel *model, guint position)
{
  PrQueueModel *self = PR_QUEUE_MODEL (model);
  PrQueueItem *item = pr_queue_rows_get (&self->rows, position);

  if (item == NULL)
    return NULL;

  self->last_page = position / PAGE;
  if (pr_queue_item_get_message (item) == NULL)
    want_page (self, position / PAGE);

  return g_object_ref (item);
}

/* ── Refresh ──────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrQueueModel *model; /* borrowed: cancelled before it goes */
  guint first;         /* row of the window */
  guint filter;        /* which filter and order it was about */
} RefreshQuestion;

static void
take_refresh (PrQueueModel *self, guint first, GVariant *messages, guint64 matching)
{
  self->generation++;
  g_queue_clear (&self->wanted);
  if (self->is_other)
    pr_queue_rows_remove_all (&self->rows);
  self->is_other = FALSE;
  pr_queue_rows_take (&self->rows, first, messages, (guint) MIN (matching, (guint64) MAX_ROWS));
}

static void refresh_in (PrQueueModel *self, guint delay_ms);

static void
set_loading (PrQueueModel *self, gboolean loading)
{
  if (self->loading == loading)
    return;

  self->loading = loading;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LOADING]);
}

static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree RefreshQuestion *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) messages = NULL;
  PrQueueModel *self;
  guint64 matching;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the model may be gone */

  self = question->model;
  self->refresh_asked = FALSE;
  set_error (self, error != NULL ? error->message : NULL);
  if (answer == NULL)
    return;

  messages = g_variant_get_child_value (answer, 0);
  g_variant_get_child (answer, 1, "t", &matching);
  if (question->first > 0 && question->first >= matching)
    { /* the queue is shorter than where we looked */
      self->last_page = 0;
      self->is_old = TRUE;
    }
  else if (question->filter == self->filter) /* else it answers a question of before */
    {
      take_refresh (self, question->first, messages, matching);
      set_loading (self, FALSE);
    }
  if (self->is_old)
    refresh_in (self, self->is_other ? 0 : REFRESH_MS);
}

static gboolean
on_refresh_due (gpointer user_data)
{
  PrQueueModel *self = user_data;
  guint first = self->last_page > PAGES_AROUND ? (self->last_page - PAGES_AROUND) * PAGE : 0;
  guint end = (self->last_page + PAGES_AROUND) * PAGE;
  RefreshQuestion *question;

  self->refresh_source = 0;
  if (self->refresh_asked || !pr_service_is_connected (self->service))
    return G_SOURCE_REMOVE; /* the answer asks again; the next connection, too */

  if (self->is_other)
    first = self->last_page = 0;
  self->is_old = FALSE;
  self->refresh_asked = TRUE;
  question = g_new (RefreshQuestion, 1);
  *question = (RefreshQuestion){ self, first, self->filter };
  ask (self, first, end - first, on_refreshed, question);
  return G_SOURCE_REMOVE;
}

static void
refresh_in (PrQueueModel *self, guint delay_ms)
{
  self->is_old = TRUE;
  if (self->refresh_source != 0 || self->refresh_asked)
    return;

  /* Below drawing: a busy queue must not stop the picture. */
  self->refresh_source =
    g_timeout_add_full (G_PRIORITY_DEFAULT_IDLE, delay_ms, on_refresh_due, self, NULL);
  g_source_set_name_by_id (self->refresh_source, "refresh the queue");
}

void
pr_queue_model_refresh (PrQueueModel *self)
{
  g_return_if_fail (PR_IS_QUEUE_MODEL (self));

  refresh_in (self, REFRESH_MS);
}

static void
on_queue_changed (PrQueueModel *self)
{
  refresh_in (self, self->loading ? 0 : REFRESH_MS);
}

/* ── Filter and order ─────────────────────────────────────────────────────────────────────── */

static gboolean
replace (char **field, const char *value)
{
  if (g_strcmp0 (*field, value) == 0)
    return FALSE;

  g_free (*field);
  *field = g_strdup (value);
  return TRUE;
}

static void
ask_other (PrQueueModel *self)
{
  self->is_other = TRUE;
  self->filter++;
  self->generation++;
  g_queue_clear (&self->wanted);
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  refresh_in (self, 0);
}

void
pr_queue_model_set_filter (PrQueueModel *self, const char *text, const char *state,
                           const char *route)
{
  gboolean changed;

  g_return_if_fail (PR_IS_QUEUE_MODEL (self));

  changed = replace (&self->text, text);
  changed = replace (&self->state, state) || changed;
  changed = replace (&self->route, route) || changed;
  if (changed)
    ask_other (self);
}

void
pr_queue_model_set_order (PrQueueModel *self, const char *order, gboolean descending)
{
  gboolean changed;

  g_return_if_fail (PR_IS_QUEUE_MODEL (self));

  changed = replace (&self->order, order) || self->descending != descending;
  self->descending = descending;
  if (changed)
    ask_other (self);
}

gboolean
pr_queue_model_is_filtered (PrQueueModel *self)
{
  g_return_val_if_fail (PR_IS_QUEUE_MODEL (self), FALSE);

  return self->text != NULL || self->state != NULL || self->route != NULL;
}

char **
pr_queue_model_get_ids (PrQueueModel *self, GtkBitset *rows, char ***held)
{
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) still = g_strv_builder_new ();
  guint64 n = gtk_bitset_get_size (rows);

  g_return_val_if_fail (PR_IS_QUEUE_MODEL (self), NULL);

  if (n > MAX_NAMED)
    return NULL;
  for (guint i = 0; i < n; i++)
    {
      guint position = gtk_bitset_get_nth (rows, i);
      PrQueueItem *item =
        position < self->rows.items->len ? self->rows.items->pdata[position] : NULL;
      const char *id = item != NULL ? pr_queue_item_get_id (item) : NULL;

      if (id == NULL)
        return NULL;
      g_strv_builder_add (ids, id);
      if (g_strcmp0 (pr_dict_string (pr_queue_item_get_message (item), "state"), "held") == 0)
        g_strv_builder_add (still, id);
    }
  if (held != NULL)
    *held = g_strv_builder_end (still);
  return g_strv_builder_end (ids);
}

GVariant *
pr_queue_model_get_filter (PrQueueModel *self)
{
  GVariantBuilder filter;

  g_return_val_if_fail (PR_IS_QUEUE_MODEL (self), NULL);

  begin_filter (self, &filter);
  return g_variant_builder_end (&filter);
}

gboolean
pr_queue_model_is_loading (PrQueueModel *self)
{
  g_return_val_if_fail (PR_IS_QUEUE_MODEL (self), FALSE);

  return self->loading;
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_queue_model_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrQueueModel *self = PR_QUEUE_MODEL (object);

  switch ((PrQueueModelProperty) id)
    {
    case PROP_LOADING: g_value_set_boolean (value, self->loading); break;
    case PROP_ERROR: g_value_set_string (value, self->error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_queue_model_dispose (GObject *object)
{
  PrQueueModel *self = PR_QUEUE_MODEL (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->refresh_source, g_source_remove);
  G_OBJECT_CLASS (pr_queue_model_parent_class)->dispose (object);
}

static void
pr_queue_model_finalize (GObject *object)
{
  PrQueueModel *self = PR_QUEUE_MODEL (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->service);
  pr_queue_rows_clear (&self->rows);
  g_queue_clear (&self->wanted);
  g_free (self->text);
  g_free (self->state);
  g_free (self->route);
  g_free (self->order);
  g_free (self->error);
  G_OBJECT_CLASS (pr_queue_model_parent_class)->finalize (object);
}

static void
pr_queue_model_class_init (PrQueueModelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = pr_queue_model_get_property;
  object_class->dispose = pr_queue_model_dispose;
  object_class->finalize = pr_queue_model_finalize;
  props[PROP_LOADING] = g_param_spec_boolean ("loading", NULL, NULL, TRUE, flags);
  props[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_queue_model_init (PrQueueModel *self)
{
  pr_queue_rows_init (&self->rows, G_LIST_MODEL (self));
  self->cancellable = g_cancellable_new ();
  self->loading = TRUE;
  self->descending = TRUE;
}

PrQueueModel *
pr_queue_model_new (PrService *service)
{
  PrQueueModel *self = g_object_new (PR_TYPE_QUEUE_MODEL, NULL);

  self->service = g_object_ref (service);
  g_signal_connect_object (service, "queue-changed", G_CALLBACK (on_queue_changed), self,
                           G_CONNECT_SWAPPED);
  if (pr_service_is_connected (service))
    refresh_in (self, 0);
  return self;
}
