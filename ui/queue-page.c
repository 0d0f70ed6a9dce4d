/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-page.h"

#include <string.h>
#include <glib/gi18n.h>

#include "control/client.h"
#include "message-pane.h"
#include "queue-model.h"
#include "queue-orders.h"
#include "queue-words.h"
#include "toast.h"

#define NARROW 720         /* pixels: below it only what matters most is shown */
#define MAX_SELECTED 10000 /* messages an order names; more only as the whole queue */

typedef struct
{
  const char *title; /* as C_ ("column", …) */
  char *(*format) (GVariant *message);
  const char *order; /* of Queue1.List; NULL: it cannot be sorted by */
  int width;         /* pixels */
  gboolean expand, narrow;
  gboolean number; /* aligned at the end */
} Column;

static const Column columns[] = {
  { NC_ ("column", "From"), pr_queue_words_from, "sender", 160, FALSE, FALSE, FALSE },
  { NC_ ("column", "To"), pr_queue_words_to, NULL, 180, FALSE, TRUE, FALSE },
  { NC_ ("column", "Subject"), pr_queue_words_subject, NULL, 160, TRUE, TRUE, FALSE },
  { NC_ ("column", "State"), pr_queue_words_state, NULL, 130, FALSE, TRUE, FALSE },
  { NC_ ("column", "Next Try"), pr_queue_words_next_try, "next-attempt", 90, FALSE, FALSE, FALSE },
  { NC_ ("column", "Route"), pr_queue_words_route, NULL, 80, FALSE, FALSE, FALSE },
  { NC_ ("column", "Received"), pr_queue_words_received, "received", 90, FALSE, FALSE, FALSE },
  { NC_ ("column", "Size"), pr_queue_words_size, "size", 90, FALSE, FALSE, TRUE },
};

/* What sorts by a column: asked which one is on top, it says so. See on_order_changed (). */
typedef struct
{
  const Column **asked; /* of the page */
  const Column *column;
} SortProbe;

struct _PrQueuePage
{
  AdwBin parent_instance;

  PrService *service;           /* owned */
  PrQueueModel *model;          /* owned */
  GtkMultiSelection *selection; /* owned */
  GtkWidget *popover;           /* owned by us as its parent */
  GCancellable *cancellable;    /* owned: of the question for routes */
  const Column *asked;          /* by the sorter that is on top */
  guint badge;                  /* messages that nothing moves by itself */
  GPtrArray *columns;           /* of GtkColumnViewColumn, owned: as `columns`, shown or not */
  guint narrow_source;
  gboolean is_narrow;

  GtkSearchBar *search_bar; /* template children */
  GtkSearchEntry *search;
  GtkDropDown *state_filter;
  GtkDropDown *route_filter;
  GtkStringList *route_names;
  GtkStack *states;
  GtkColumnView *view;
  GtkActionBar *bar;
  GtkLabel *count;
  AdwLeaflet *leaflet;
  PrMessagePane *pane;
  GtkWidget *release_button;
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
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) still = g_ptr_array_new_with_free_func (g_free);
  guint64 n = gtk_bitset_get_size (selected);

  for (guint i = 0; i < MIN (n, MAX_SELECTED + 1); i++)
    {
      g_autoptr (PrQueueItem) item =
        g_list_model_get_item (G_LIST_MODEL (self->selection), gtk_bitset_get_nth (selected, i));
      const char *id = item != NULL ? pr_queue_item_get_id (item) : NULL;

      if (id == NULL || i == MAX_SELECTED)
        {
          pr_toast_show (GTK_WIDGET (self->view),
                         _ ("These are too many at once: select all, or fewer"));
          return NULL;
        }
      g_ptr_array_add (ids, g_strdup (id));
      if (g_strcmp0 (pr_dict_string (pr_queue_item_get_message (item), "state"), "held") == 0)
        g_ptr_array_add (still, g_strdup (id));
    }
  g_ptr_array_add (ids, NULL);
  g_ptr_array_add (still, NULL);
  if (held != NULL)
    *held = (char **) g_ptr_array_free (g_steal_pointer (&still), FALSE);
  return (char **) g_ptr_array_free (g_steal_pointer (&ids), FALSE);
}

/* Every message there is, not only those under a filter. */
static gboolean
is_everything_selected (PrQueuePage *self)
{
  g_autoptr (GtkBitset) selected =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint64 n = gtk_bitset_get_size (selected);

  return n > MAX_SELECTED && n == g_list_model_get_n_items (G_LIST_MODEL (self->model)) &&
         !pr_queue_model_is_filtered (self->model);
}

/* ── Actions ──────────────────────────────────────────────────────────────────────────────── */

/* queue.retry, queue.hold, queue.release: the order is the action's own name. */
static void
on_order (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  const char *order = name + sizeof "queue." - 1;
  g_auto (GStrv) ids = NULL;

  if (is_everything_selected (self))
    pr_queue_orders_send_all (GTK_WIDGET (self->view), self->service, order);
  else if ((ids = get_selected (self, NULL)) != NULL)
    pr_queue_orders_send (GTK_WIDGET (self->view), self->service, order, (const char *const *) ids);
}

static void
on_fail (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  g_auto (GStrv) ids = get_selected (self, NULL);

  if (ids != NULL)
    pr_queue_orders_fail (GTK_WIDGET (self->view), self->service, (const char *const *) ids);
}

static void
on_delete (GtkWidget *widget, const char *name, GVariant *parameter)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  g_auto (GStrv) held = NULL;
  g_auto (GStrv) ids = get_selected (self, &held);

  if (ids != NULL)
    pr_queue_orders_delete (GTK_WIDGET (self->view), self->service, (const char *const *) ids,
                            (const char *const *) held);
}

static void
on_move (GtkWidget *widget, const char *name, GVariant *route)
{
  PrQueuePage *self = PR_QUEUE_PAGE (widget);
  g_auto (GStrv) ids = get_selected (self, NULL);

  if (ids != NULL)
    pr_queue_orders_move (GTK_WIDGET (self->view), self->service, (const char *const *) ids,
                          g_variant_get_string (route, NULL));
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
  pr_queue_orders_save (GTK_WIDGET (self->view), self->service, pr_queue_item_get_id (item),
                        subject);
}

static void
search (PrPage *page)
{
  PrQueuePage *self = PR_QUEUE_PAGE (page);

  gtk_search_bar_set_search_mode (self->search_bar, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

static void
on_selection_changed (PrQueuePage *self)
{
  g_autoptr (GtkBitset) selected =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint64 n = gtk_bitset_get_size (selected);
  g_autofree char *text =
    g_strdup_printf (ngettext ("%lu selected", "%lu selected", (gulong) n), (gulong) n);
  static const char *const names[] = { "queue.retry",  "queue.hold", "queue.release",
                                       "queue.delete", "queue.fail", "queue.move" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), names[i], n > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "queue.save", n == 1);
  gtk_label_set_label (self->count, text);
  gtk_action_bar_set_revealed (self->bar, n > 0);
}

/* ── Rows ─────────────────────────────────────────────────────────────────────────────────── */

static char *
format_cell (gpointer this, GVariant *message, gpointer column)
{
  return message != NULL ? ((const Column *) column)->format (message) : g_strdup ("");
}

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
on_secondary_click (GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  GtkListItem *row = user_data;
  GtkWidget *cell = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  PrQueuePage *self = PR_QUEUE_PAGE (gtk_widget_get_ancestor (cell, PR_TYPE_QUEUE_PAGE));
  guint position = gtk_list_item_get_position (row);

  if (!gtk_list_item_get_selected (row))
    gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  show_menu (self, cell, x, y);
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
on_cell_set_up (GtkSignalListItemFactory *factory, GtkListItem *row, gpointer user_data)
{
  const Column *column = user_data;
  GtkWidget *label = gtk_label_new (NULL);
  GtkGesture *gesture = gtk_gesture_click_new ();
  GtkExpression *item = gtk_property_expression_new (GTK_TYPE_LIST_ITEM, NULL, "item");
  GtkExpression *message = gtk_property_expression_new (PR_TYPE_QUEUE_ITEM, item, "message");
  GtkExpression *text = gtk_cclosure_expression_new (
    G_TYPE_STRING, NULL, 1, &message, G_CALLBACK (format_cell), (gpointer) column, NULL);

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (label), column->number ? 1 : 0);
  if (column->number)
    gtk_widget_add_css_class (label, "numeric");
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (gesture), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (gesture, "pressed", G_CALLBACK (on_secondary_click), row, 0);
  gtk_widget_add_controller (label, GTK_EVENT_CONTROLLER (gesture));
  gtk_list_item_set_child (row, label);
  gtk_expression_bind (text, label, "label", row);
}

static int
compare_nothing (gconstpointer a, gconstpointer b, gpointer user_data)
{
  SortProbe *probe = user_data;

  *probe->asked = probe->column;
  return -1;
}

/* GTK 4.8 does not say by which column a view is sorted, but it asks that column's sorter first:
 * the service sorts, so all that its sorter does is to remember that it was asked. */
static void
on_order_changed (PrQueuePage *self)
{
  GtkSorter *sorter = gtk_column_view_get_sorter (self->view);
  GtkOrdering ordering;

  self->asked = NULL;
  ordering = gtk_sorter_compare (sorter, self, self);
  if (self->asked != NULL)
    pr_queue_model_set_order (self->model, self->asked->order, ordering == GTK_ORDERING_LARGER);
  else
    pr_queue_model_set_order (self->model, NULL, TRUE);
}

static void
add_column (PrQueuePage *self, const Column *column)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) shown = NULL;

  g_signal_connect_data (factory, "setup", G_CALLBACK (on_cell_set_up), (gpointer) column, NULL, 0);
  shown = gtk_column_view_column_new (g_dpgettext2 (NULL, "column", column->title), factory);
  gtk_column_view_column_set_resizable (shown, TRUE);
  gtk_column_view_column_set_expand (shown, column->expand);
  if (!column->expand)
    gtk_column_view_column_set_fixed_width (shown, column->width);
  if (column->order != NULL)
    {
      SortProbe *probe = g_new (SortProbe, 1);
      g_autoptr (GtkCustomSorter) sorter = NULL;

      *probe = (SortProbe){ &self->asked, column };
      sorter = gtk_custom_sorter_new (compare_nothing, probe, g_free);
      gtk_column_view_column_set_sorter (shown, GTK_SORTER (sorter));
    }
  gtk_column_view_append_column (self->view, shown);
  g_ptr_array_add (self->columns, g_steal_pointer (&shown));
}

/* ── Width ────────────────────────────────────────────────────────────────────────────────── */

/* Columns come and go: one that is only hidden keeps its place from those that expand (GTK 4.8). */
static gboolean
on_width_changed (gpointer user_data)
{
  PrQueuePage *self = user_data;
  gboolean narrow = self->is_narrow || gtk_widget_get_visible (GTK_WIDGET (self->pane));
  guint position = 0;

  self->narrow_source = 0;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      GtkColumnViewColumn *column = self->columns->pdata[i];
      gboolean there = gtk_column_view_column_get_column_view (column) != NULL;
      gboolean wanted = columns[i].narrow || !narrow;

      if (there && !wanted)
        gtk_column_view_remove_column (self->view, column);
      else if (!there && wanted)
        gtk_column_view_insert_column (self->view, position, column);
      if (!columns[i].expand)
        gtk_column_view_column_set_fixed_width (column, narrow ? MIN (columns[i].width, 120)
                                                               : columns[i].width);
      position += wanted;
    }
  gtk_widget_set_visible (GTK_WIDGET (self->count), !narrow);
  gtk_widget_set_visible (self->release_button, !narrow); /* the menu has it, too */

  return G_SOURCE_REMOVE;
}

/* Later: columns may not come and go while they get their places. */
static void
fit_columns (PrQueuePage *self)
{
  if (self->narrow_source == 0)
    self->narrow_source = g_idle_add (on_width_changed, self);
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
on_filter_changed (PrQueuePage *self)
{
  static const char *const states[] = { NULL, "queued", "held", "failed" };
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));
  guint state = gtk_drop_down_get_selected (self->state_filter);
  guint route = gtk_drop_down_get_selected (self->route_filter);

  if (self->model == NULL)
    return;

  pr_queue_model_set_filter (
    self->model, *text != '\0' ? text : NULL, state < G_N_ELEMENTS (states) ? states[state] : NULL,
    route > 0 ? gtk_string_list_get_string (self->route_names, route) : NULL);
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

  open_message (self, item);
}

/* ── Routes ───────────────────────────────────────────────────────────────────────────────── */

static void
show_routes (PrQueuePage *self, const char *configuration)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->route_names));

  gtk_drop_down_set_selected (self->route_filter, 0);
  gtk_string_list_splice (self->route_names, 1, n - 1, NULL);
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
        gtk_string_list_append (self->route_names, name);
      }
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
  self->selection = gtk_multi_selection_new (G_LIST_MODEL (g_object_ref (self->model)));
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    add_column (self, &columns[i]);

  connect (self, gtk_column_view_get_sorter (self->view), "changed", on_order_changed);
  connect (self, self->selection, "selection-changed", on_selection_changed);
  connect (self, self->selection, "items-changed", on_selection_changed);
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
  g_clear_handle_id (&self->narrow_source, g_source_remove);
  g_clear_pointer (&self->popover, gtk_widget_unparent);
  G_OBJECT_CLASS (pr_queue_page_parent_class)->dispose (object);
}

static void
pr_queue_page_finalize (GObject *object)
{
  PrQueuePage *self = PR_QUEUE_PAGE (object);

  g_clear_object (&self->cancellable);
  g_ptr_array_unref (self->columns);
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
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, search);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, state_filter);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, route_filter);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, route_names);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, states);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, view);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, bar);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, count);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, leaflet);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, pane);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, release_button);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, search_button);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, menu);
  gtk_widget_class_bind_template_child (widget_class, PrQueuePage, routes);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_pane_closed);
}

static void
pr_queue_page_init (PrQueuePage *self)
{
  self->cancellable = g_cancellable_new ();
  self->columns = g_ptr_array_new_with_free_func (g_object_unref);
  g_type_ensure (PR_TYPE_MESSAGE_PANE);
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_search_bar_connect_entry (self->search_bar, GTK_EDITABLE (self->search));
  self->popover = gtk_popover_menu_new_from_model (self->menu);
  gtk_popover_set_has_arrow (GTK_POPOVER (self->popover), FALSE);
  gtk_widget_set_halign (self->popover, GTK_ALIGN_START);
  gtk_widget_set_parent (self->popover, GTK_WIDGET (self));
}
