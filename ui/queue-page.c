/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-page.h"

#include <string.h>
#include <glib/gi18n.h>

#include "common/id.h"
#include "control/client.h"
#include "message-pane.h"
#include "queue-columns.h"
#include "queue-filter.h"
#include "queue-model.h"
#include "queue-orders.h"
#include "queue-words.h"
#include "save.h"
#include "toast.h"

#define NARROW 720  /* pixels: below it only what matters most is shown */
#define MIN_ALL 100 /* selected rows that can be "all" */

struct _PrQueuePage
{
  AdwBin parent_instance;

  PrService *service;           /* owned */
  PrQueueModel *model;          /* owned */
  GtkMultiSelection *selection; /* owned */
  GtkWidget *popover;           /* owned by us as its parent */
  GCancellable *cancellable;    /* owned: of the question for routes */
  PrQueueColumns *columns;      /* owned */
  guint badge;                  /* messages that nothing moves by itself */
  guint fit_source;
  gboolean is_narrow;
  gboolean is_all; /* all that is shown is selected, known or not */

  GtkSearchBar *search_bar; /* template children */
  PrQueueFilter *filter;
  GtkStack *states;
  GtkColumnView *view;
  GtkActionBar *bar;
  GtkLabel *count;
  AdwLeaflet *leaflet;
  PrMessagePane *pane;
  GtkWidget *search_button;
  GMenuModel *menu;
  GMenu *routes;
};

static GtkWidget *
get_controls (PrPage *page)
{
  return PR_QUEUE_PAGE (page)->search_button;
}

static void show_item (PrPage *page, const char *item);
static void search (PrPage *page);

static void
init_page (PrPageInterface *iface)
{
  iface->get_controls = get_controls;
  iface->show_item = show_item;
  iface->search = search;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (PrQueuePage, pr_queue_page, ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (PR_TYPE_PAGE, init_page))

typedef enum
{
  PROP_SERVICE = 1,
  PROP_BADGE,
  PROP_MODEL
} PrQueuePageProperty;

/* ── Selected messages ────────────────────────────────────────────────────────────────────── */

/* (transfer full): ids, NULL-terminated; NULL: not all of them are known yet, and a toast said so.
 * @held: (out) (nullable): those of them that are held, likewise. */
static char **
get_selected (PrQueuePage *self, char ***held)
{
  g_autoptr (GtkBitset) selected =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  char **ids = pr_queue_model_get_ids (self->model, selected, held);

  if (ids == NULL)
    pr_toast_show (GTK_WIDGET (self->view), _ ("These are too many at once: select all, or fewer"));
  return ids;
}

/* ── Actions ──────────────────────────────────────────────────────────────────────────────── */

/* TRUE: all were meant, and that was seen to. */
static gboolean
order_all (PrQueuePage *self, const char *order, const char *route)
{
  if (!self->is_all)
    return FALSE;

  pr_queue_orders_send_matching (GTK_WIDGET (self->view), self->service, order,
                                 pr_queue_model_get_filter (self->model), route);
  return TRUE;
}

/* queue.retry, queue.hold, queue.release: the order is the action's own name. */
static void
on_order (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  const char *order = name + sizeof "queue." - 1;
  g_auto (GStrv) ids = NULL;

  if (!order_all (self, order, "") && (ids = get_selected (self, NULL)) != NULL)
    pr_queue_orders_send (GTK_WIDGET (self->view), self->service, order, (const char *const *) ids);
}

static void
on_fail (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  g_auto (GStrv) ids = NULL;

  if (!order_all (self, "fail", "") && (ids = get_selected (self, NULL)) != NULL)
    pr_queue_orders_fail (GTK_WIDGET (self->view), self->service, (const char *const *) ids);
}

static void
on_delete (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  g_auto (GStrv) held = NULL;
  g_auto (GStrv) ids = NULL;

  if (self->is_all)
    pr_queue_orders_delete_matching (GTK_WIDGET (self->view), self->service,
                                     pr_queue_model_get_filter (self->model));
  else if ((ids = get_selected (self, &held)) != NULL)
    pr_queue_orders_delete (GTK_WIDGET (self->view), self->service, (const char *const *) ids,
                            (const char *const *) held);
}

static void
on_move (GtkWidget *widget, const char *name, GVariant *route)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  const char *to = g_variant_get_string (route, NULL);
  g_auto (GStrv) ids = NULL;

  if (!order_all (self, "move", to) && (ids = get_selected (self, NULL)) != NULL)
    pr_queue_orders_move (GTK_WIDGET (self->view), self->service, (const char *const *) ids, to);
}

static void
on_save (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  g_autoptr (GtkBitset) selected =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  g_autoptr (PrQueueItem) item =
    g_list_model_get_item (G_LIST_MODEL (self->selection), gtk_bitset_get_minimum (selected));
  g_autofree char *subject = NULL;

  if (item == NULL || pr_queue_item_get_id (item) == NULL)
    return;

  subject = pr_queue_words_subject (pr_queue_item_get_message (item));
  pr_save_message (GTK_WIDGET (self->view), self->service, pr_queue_item_get_id (item), subject);
}

static void
search (PrPage *page)
{
  PrQueuePage *self = PR_QUEUE_PAGE (page);

  gtk_search_bar_set_search_mode (self->search_bar, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (pr_queue_filter_get_entry (self->filter)));
}

static void
show_selection (PrQueuePage *self)
{
  g_autoptr (GtkBitset) selected =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint64 n = gtk_bitset_get_size (selected);
  gulong count = (gulong) n;
  /* Translators: the first where all that is in the list is selected. */
  g_autofree char *text =
    self->is_all ? g_strdup_printf (ngettext ("All %lu selected", "All %lu selected", count), count)
                 : g_strdup_printf (ngettext ("%lu selected", "%lu selected", count), count);
  static const char *const names[] = { "queue.retry",  "queue.hold", "queue.release",
                                       "queue.delete", "queue.fail", "queue.move" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), names[i], n > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "queue.save", n == 1);
  gtk_label_set_label (self->count, text);
  gtk_action_bar_set_revealed (self->bar, n > 0);
}

/* Nobody selects as many as there are one by one: "all" is meant, those too that come. */
static void
on_selection_changed (PrQueuePage *self)
{
  g_autoptr (GtkBitset) selected =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->model));

  self->is_all = n >= MIN_ALL && gtk_bitset_get_size (selected) == n;
  show_selection (self);
}

/* Rows that come and go are not selected: where all are meant, they are selected anew. */
static void
on_items_changed (PrQueuePage *self)
{
  if (self->is_all && g_list_model_get_n_items (G_LIST_MODEL (self->model)) > 0)
    gtk_selection_model_select_all (GTK_SELECTION_MODEL (self->selection));
  else
    on_selection_changed (self);
}

/* ── The menu ─────────────────────────────────────────────────────────────────────────────── */

static void
show_menu (PrQueuePage *self, GtkWidget *at, double x, double y)
{
  graphene_point_t point;

  if (!gtk_widget_compute_point (at, GTK_WIDGET (self), &GRAPHENE_POINT_INIT ((float) x, (float) y),
                                 &point))
    return;

  gtk_popover_set_pointing_to (GTK_POPOVER (self->popover),
                               &(GdkRectangle){ (int) point.x, (int) point.y, 1, 1 });
  gtk_popover_popup (GTK_POPOVER (self->popover));
}

/* A row that is not selected becomes the selection; what is selected stays it. */
static void
on_menu_at (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  guint position;
  double x, y;

  g_variant_get (parameter, "(udd)", &position, &x, &y);
  if (!gtk_selection_model_is_selected (GTK_SELECTION_MODEL (self->selection), position))
    gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  show_menu (self, GTK_WIDGET (self->view), x, y);
}

static void
on_menu_key (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (widget));

  if (focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->view)))
    show_menu (self, focus, gtk_widget_get_width (focus) / 2.0, gtk_widget_get_height (focus));
}

static void
on_order_changed (PrQueuePage *self)
{
  gboolean descending;
  const char *order;

  if (self->columns == NULL) /* while the page goes away */
    return;

  order = pr_queue_columns_get_order (self->columns, &descending);
  pr_queue_model_set_order (self->model, order, descending);
}

/* ── Width ────────────────────────────────────────────────────────────────────────────────── */

static gboolean
on_width_changed (gpointer user_data)
{
  PrQueuePage *self = user_data;
  gboolean narrow = self->is_narrow || gtk_widget_get_visible (GTK_WIDGET (self->pane));

  self->fit_source = 0;
  pr_queue_columns_set_narrow (self->columns, narrow);
  pr_queue_filter_set_narrow (self->filter, narrow);
  gtk_widget_set_visible (GTK_WIDGET (self->count), !narrow);

  return G_SOURCE_REMOVE;
}

/* Later: columns may not come and go while they get their places. */
static void
fit_columns (PrQueuePage *self)
{
  if (self->fit_source == 0)
    self->fit_source = g_idle_add (on_width_changed, self);
}

static void
on_layout (PrQueuePage *self, int width)
{
  gboolean narrow = width < NARROW;

  if (narrow == self->is_narrow)
    return;

  self->is_narrow = narrow;
  fit_columns (self);
}

static void
pr_queue_page_realize (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (pr_queue_page_parent_class)->realize (widget);
  g_signal_connect_object (gtk_native_get_surface (gtk_widget_get_native (widget)), "layout",
                           G_CALLBACK (on_layout), widget, G_CONNECT_SWAPPED);
}

/* ── What is shown ────────────────────────────────────────────────────────────────────────── */

static void
choose_state (PrQueuePage *self)
{
  g_autofree char *error = NULL;
  const char *state = "list";

  g_object_get (self->model, "error", &error, NULL);
  if (error != NULL && pr_service_is_connected (self->service))
    state = "failed";
  else if (pr_queue_model_is_loading (self->model))
    state = "loading";
  else if (g_list_model_get_n_items (G_LIST_MODEL (self->model)) == 0)
    state = pr_queue_model_is_filtered (self->model) ? "nothing-found" : "empty";
  gtk_stack_set_visible_child_name (self->states, state);
}

static void
on_status_changed (PrQueuePage *self)
{
  GVariant *status = pr_service_get_status (self->service);
  guint badge = status != NULL ? (guint) pr_dict_number (status, "failed") : 0;

  if (self->badge != badge)
    {
      self->badge = badge;
      g_object_notify (G_OBJECT (self), "badge");
    }
}

static void
open_message (PrQueuePage *self, const char *id)
{
  pr_message_pane_show (self->pane, id);
  gtk_widget_set_visible (GTK_WIDGET (self->pane), TRUE);
  adw_leaflet_set_visible_child_name (self->leaflet, "message");
  fit_columns (self);
}

static void
on_activated (PrQueuePage *self, guint position)
{
  g_autoptr (PrQueueItem) item = g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  if (item != NULL && pr_queue_item_get_id (item) != NULL)
    open_message (self, pr_queue_item_get_id (item));
}

static void
on_pane_closed (PrQueuePage *self)
{
  adw_leaflet_set_visible_child_name (self->leaflet, "list");
  gtk_widget_set_visible (GTK_WIDGET (self->pane), FALSE);
  pr_message_pane_show (self->pane, NULL);
  fit_columns (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

static void
show_item (PrPage *page, const char *item)
{
  PrQueuePage *self = PR_QUEUE_PAGE (page);
  gint64 id;

  if (pr_id_parse (item, &id)) /* else the name of a route: its mail is among the rest */
    open_message (self, item);
}

/* ── Routes ───────────────────────────────────────────────────────────────────────────────── */

static void
show_routes (PrQueuePage *self, const char *configuration)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_menu_remove_all (self->routes);
  g_menu_append (self->routes, C_ ("route", "As the Routes Decide"), "queue.move::");
  if (g_key_file_load_from_data (file, configuration, strlen (configuration), G_KEY_FILE_NONE,
                                 NULL))
    groups = g_key_file_get_groups (file, NULL);
  for (char **group = groups; group != NULL && *group != NULL; group++)
    if (g_str_has_prefix (*group, "route "))
      {
        const char *name = *group + sizeof "route " - 1;
        g_autoptr (GMenuItem) item = g_menu_item_new (name, NULL);

        g_menu_item_set_action_and_target (item, "queue.move", "s", name);
        g_menu_append_item (self->routes, item);
        g_ptr_array_add (names, (gpointer) name);
      }
  g_ptr_array_add (names, NULL);
  pr_queue_filter_set_routes (self->filter, (const char *const *) names->pdata);
}

static void
on_configuration (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  const char *text;

  if (answer == NULL)
    return; /* the page may be gone; the next connection asks again */

  g_variant_get_child (answer, 0, "&s", &text);
  show_routes (user_data, text);
}

static void
ask_routes (PrQueuePage *self)
{
  pr_service_call (self->service, "Configuration1", "Read", NULL, "(ss)", self->cancellable,
                   on_configuration, self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_queue_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  switch ((PrQueuePageProperty) id)
    {
    case PROP_SERVICE: g_value_set_object (value, self->service); break;
    case PROP_BADGE: g_value_set_uint (value, self->badge); break;
    case PROP_MODEL: g_value_set_object (value, self->model); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_queue_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  switch ((PrQueuePageProperty) id)
    {
    case PROP_SERVICE: self->service = g_value_dup_object (value); break;
    case PROP_BADGE:
    case PROP_MODEL:
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
connect (PrQueuePage *self, gpointer source, const char *signal, void (*handler) (PrQueuePage *))
{
  g_signal_connect_object (source, signal, G_CALLBACK (handler), self, G_CONNECT_SWAPPED);
}

static void
pr_queue_page_constructed (GObject *object)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  G_OBJECT_CLASS (pr_queue_page_parent_class)->constructed (object);
  pr_message_pane_set_service (self->pane, self->service);
  self->model = pr_queue_model_new (self->service);
  g_object_notify (object, "model");
  pr_queue_filter_set_model (self->filter, self->model);
  self->selection = gtk_multi_selection_new (G_LIST_MODEL (g_object_ref (self->model)));
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  self->columns = pr_queue_columns_new (self->view);

  connect (self, gtk_column_view_get_sorter (self->view), "changed", on_order_changed);
  connect (self, self->selection, "selection-changed", on_selection_changed);
  connect (self, self->selection, "items-changed", on_items_changed);
  connect (self, self->model, "items-changed", choose_state);
  connect (self, self->model, "notify", choose_state);
  connect (self, self->service, "notify::status", on_status_changed);
  connect (self, self->service, "configuration-changed", ask_routes);
  on_selection_changed (self);
  choose_state (self);
  on_status_changed (self);
  if (pr_service_is_connected (self->service))
    ask_routes (self);
}

static void
pr_queue_page_dispose (GObject *object)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->fit_source, g_source_remove);
  g_clear_pointer (&self->columns, pr_queue_columns_free);
  g_clear_pointer (&self->popover, gtk_widget_unparent);
  G_OBJECT_CLASS (pr_queue_page_parent_class)->dispose (object);
}

static void
pr_queue_page_finalize (GObject *object)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->selection);
  g_clear_object (&self->model);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_queue_page_parent_class)->finalize (object);
}

static void
add_actions (GtkWidgetClass *class)
{
  static const GdkModifierType control = GDK_CONTROL_MASK, shift = GDK_SHIFT_MASK;

  gtk_widget_class_install_action (class, "queue.retry", NULL, on_order);
  gtk_widget_class_install_action (class, "queue.hold", NULL, on_order);
  gtk_widget_class_install_action (class, "queue.release", NULL, on_order);
  gtk_widget_class_install_action (class, "queue.fail", NULL, on_fail);
  gtk_widget_class_install_action (class, "queue.delete", NULL, on_delete);
  gtk_widget_class_install_action (class, "queue.move", "s", on_move);
  gtk_widget_class_install_action (class, "queue.save", NULL, on_save);
  gtk_widget_class_install_action (class, "queue.menu", NULL, on_menu_key);
  gtk_widget_class_install_action (class, "queue.menu-at", "(udd)", on_menu_at);
  gtk_widget_class_add_binding_action (class, GDK_KEY_t, control, "queue.retry", NULL);
  gtk_widget_class_add_binding_action (class, GDK_KEY_h, control, "queue.hold", NULL);
  gtk_widget_class_add_binding_action (class, GDK_KEY_r, control, "queue.release", NULL);
  gtk_widget_class_add_binding_action (class, GDK_KEY_s, control, "queue.save", NULL);
  gtk_widget_class_add_binding_action (class, GDK_KEY_Delete, 0, "queue.delete", NULL);
  gtk_widget_class_add_binding_action (class, GDK_KEY_F10, shift, "queue.menu", NULL);
  gtk_widget_class_add_binding_action (class, GDK_KEY_Menu, 0, "queue.menu", NULL);
}

static void
pr_queue_page_class_init (PrQueuePageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_queue_page_get_property;
  object_class->set_property = pr_queue_page_set_property;
  object_class->constructed = pr_queue_page_constructed;
  object_class->dispose = pr_queue_page_dispose;
  object_class->finalize = pr_queue_page_finalize;
  widget_class->realize = pr_queue_page_realize;
  g_object_class_override_property (object_class, PROP_SERVICE, "service");
  g_object_class_override_property (object_class, PROP_BADGE, "badge");
  g_object_class_install_property (object_class, PROP_MODEL,
                                   g_param_spec_object ("model", NULL, NULL, PR_TYPE_QUEUE_MODEL,
                                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  add_actions (widget_class);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "queue-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, search_bar);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, filter);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, states);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, view);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, bar);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, count);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, leaflet);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, pane);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, search_button);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, menu);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, routes);
  gtk_widget_class_bind_template_callback (widget_class, on_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_pane_closed);
}

static void
pr_queue_page_init (PrQueuePage *self)
{
  self->cancellable = g_cancellable_new ();
  g_type_ensure (PR_TYPE_MESSAGE_PANE);
  g_type_ensure (PR_TYPE_QUEUE_FILTER);
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_search_bar_connect_entry (self->search_bar, pr_queue_filter_get_entry (self->filter));
  self->popover = gtk_popover_menu_new_from_model (self->menu);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->popover), FALSE);
  gtk_widget_set_halign (self->popover, GTK_ALIGN_START);
  gtk_widget_set_parent (self->popover, GTK_WIDGET (self));
}
