/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-columns.h"

#include <glib/gi18n.h>

#include "queue-item.h"
#include "queue-words.h"

#define ARROW 40 /* pixels of a header that its title has not: the arrow and the margins */

typedef struct
{
  const char *title; /* as C_ ("column", …) */
  char *(*format) (GVariant *message);
  char *(*second) (GVariant *message); /* a line below, nullable */
  const char *order;                   /* of Queue1.List; NULL: it cannot be sorted by */
  int width;                           /* pixels; 0: what is left */
  gboolean narrow;                     /* shown where there is little room, else where there is */
  gboolean number;                     /* aligned at the end */
} Column;

/* clang-format off */
static const Column columns[] = {
  { NC_ ("column", "From"), pr_queue_words_from, NULL, "sender", 140, FALSE, FALSE },
  { NC_ ("column", "To"), pr_queue_words_to, NULL, NULL, 160, FALSE, FALSE },
  { NC_ ("column", "Subject"), pr_queue_words_subject, NULL, NULL, 0, FALSE, FALSE },
  { NC_ ("column", "State"), pr_queue_words_state, NULL, NULL, 130, FALSE, FALSE },
  { NC_ ("column", "Next Try"), pr_queue_words_next_try, NULL, "next-attempt", 90, FALSE, FALSE },
  { NC_ ("column", "Route"), pr_queue_words_route, NULL, NULL, 80, FALSE, FALSE },
  { NC_ ("column", "Received"), pr_queue_words_received, NULL, "received", 90, FALSE, FALSE },
  { NC_ ("column", "Size"), pr_queue_words_size, NULL, "size", 90, FALSE, TRUE },
  { NC_ ("column", "Message"), pr_queue_words_subject, pr_queue_words_summary, "received", 0, TRUE,
    FALSE },
};
/* clang-format on */

struct _PrQueueColumns
{
  GtkColumnView *view;                                /* borrowed */
  GtkColumnViewColumn *shown[G_N_ELEMENTS (columns)]; /* owned, in the view or not */
  const Column *asked;                                /* by the sorter that is on top */
};

/* What sorts by a column: asked which one is on top, it says so. */
typedef struct
{
  const Column **asked; /* of the PrQueueColumns */
  const Column *column;
} SortProbe;

/* ── Cells ────────────────────────────────────────────────────────────────────────────────── */

typedef char *(*Format) (GVariant *message);

static char *
format_cell (gpointer this, GVariant *message, gpointer format)
{
  return message != NULL ? ((Format) format) (message) : g_strdup ("");
}

static GtkWidget *
make_line (GtkListItem *row, Format format)
{
  GtkWidget *label = gtk_label_new (NULL);
  GtkExpression *item = gtk_property_expression_new (GTK_TYPE_LIST_ITEM, NULL, "item");
  GtkExpression *message = gtk_property_expression_new (PR_TYPE_QUEUE_ITEM, item, "message");
  GtkExpression *text = gtk_cclosure_expression_new (G_TYPE_STRING, NULL, 1, &message,
                                                     G_CALLBACK (format_cell), format, NULL);

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_expression_bind (text, label, "label", row);
  return label;
}

static void
on_secondary_click (GtkGestureClick *gesture, int n_press, double x, double y, gpointer user_data)
{
  GtkListItem *row = user_data;
  GtkWidget *cell = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (gesture));
  GtkWidget *view = gtk_widget_get_ancestor (cell, GTK_TYPE_COLUMN_VIEW);
  graphene_point_t point;

  if (view != NULL &&
      gtk_widget_compute_point (cell, view, &GRAPHENE_POINT_INIT ((float) x, (float) y), &point))
    gtk_widget_activate_action (cell, "queue.menu-at", "(udd)", gtk_list_item_get_position (row),
                                (double) point.x, (double) point.y);
}

static void
on_cell_set_up (GtkSignalListItemFactory *factory, GtkListItem *row, gpointer user_data)
{
  const Column *column = user_data;
  GtkWidget *cell = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *first = make_line (row, column->format);
  GtkGesture *gesture = gtk_gesture_click_new ();

  gtk_widget_set_hexpand (first, TRUE);
  gtk_label_set_xalign (GTK_LABEL (first), column->number ? 1 : 0);
  if (column->number)
    gtk_widget_add_css_class (first, "numeric");
  gtk_box_append (GTK_BOX (cell), first);
  if (column->second != NULL)
    {
      GtkWidget *second = make_line (row, column->second);

      gtk_widget_add_css_class (second, "caption");
      gtk_widget_add_css_class (second, "dim-label");
      gtk_box_append (GTK_BOX (cell), second);
    }
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (gesture), GDK_BUTTON_SECONDARY);
  g_signal_connect_object (gesture, "pressed", G_CALLBACK (on_secondary_click), row, 0);
  gtk_widget_add_controller (cell, GTK_EVENT_CONTROLLER (gesture));
  gtk_list_item_set_child (row, cell);
}

/* ── Columns ──────────────────────────────────────────────────────────────────────────────── */

static int
compare_nothing (gconstpointer a, gconstpointer b, gpointer user_data)
{
  SortProbe *probe = user_data;

  *probe->asked = probe->column;
  return -1;
}

/* Its title is not cut, in whatever language and size of letters. */
static int
find_width (PrQueueColumns *self, const Column *column, const char *title)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (self->view), title);
  g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();
  int width;

  pango_attr_list_insert (attributes, pango_attr_weight_new (PANGO_WEIGHT_BOLD));
  pango_layout_set_attributes (layout, attributes);
  pango_layout_get_pixel_size (layout, &width, NULL);
  return MAX (column->width, width + ARROW);
}

static GtkColumnViewColumn *
make_column (PrQueueColumns *self, const Column *column)
{
  const char *title = g_dpgettext2 (NULL, "column", column->title);
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkColumnViewColumn *shown = gtk_column_view_column_new (title, factory);

  g_signal_connect_data (factory, "setup", G_CALLBACK (on_cell_set_up), (gpointer) column, NULL, 0);
  gtk_column_view_column_set_resizable (shown, !column->narrow);
  gtk_column_view_column_set_expand (shown, column->width == 0);
  if (column->width != 0)
    gtk_column_view_column_set_fixed_width (shown, find_width (self, column, title));
  if (column->order != NULL)
    {
      SortProbe *probe = g_new (SortProbe, 1);
      g_autoptr (GtkCustomSorter) sorter = NULL;

      *probe = (SortProbe){ &self->asked, column };
      sorter = gtk_custom_sorter_new (compare_nothing, probe, g_free);
      gtk_column_view_column_set_sorter (shown, GTK_SORTER (sorter));
    }
  return shown;
}

PrQueueColumns *
pr_queue_columns_new (GtkColumnView *view)
{
  PrQueueColumns *self = g_new0 (PrQueueColumns, 1);

  self->view = view;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      self->shown[i] = make_column (self, &columns[i]);
      if (!columns[i].narrow)
        gtk_column_view_append_column (view, self->shown[i]);
    }
  return self;
}

void
pr_queue_columns_free (PrQueueColumns *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_object_unref (self->shown[i]);
  g_free (self);
}

/* Columns come and go: one that is only hidden keeps its place from those that expand (GTK 4.8). */
void
pr_queue_columns_set_narrow (PrQueueColumns *self, gboolean narrow)
{
  guint position = 0;

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      gboolean there = gtk_column_view_column_get_column_view (self->shown[i]) != NULL;
      gboolean wanted = columns[i].narrow == narrow;

      if (there && !wanted)
        gtk_column_view_remove_column (self->view, self->shown[i]);
      else if (!there && wanted)
        gtk_column_view_insert_column (self->view, position, self->shown[i]);
      position += wanted;
    }
}

/* GTK 4.8 does not say by which column a view is sorted, but it asks that column's sorter first:
 * the service sorts, so all that its sorter does is to remember that it was asked. */
const char *
pr_queue_columns_get_order (PrQueueColumns *self, gboolean *descending)
{
  GtkSorter *sorter = gtk_column_view_get_sorter (self->view);
  GtkOrdering ordering;

  self->asked = NULL;
  ordering = gtk_sorter_compare (sorter, self, self);
  *descending = self->asked == NULL || ordering == GTK_ORDERING_LARGER;
  return self->asked != NULL ? self->asked->order : NULL;
}
