/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-filter.h"

#include "drop-down.h"

struct _PrQueueFilter
{
  AdwBin parent_instance;

  PrQueueModel *model; /* owned, from set_model on */

  GtkBox *box; /* template children */
  GtkSearchEntry *search;
  GtkDropDown *state;
  GtkDropDown *route;
  GtkStringList *routes;
};

G_DEFINE_FINAL_TYPE (PrQueueFilter, pr_queue_filter, ADW_TYPE_BIN)

static void
on_changed (PrQueueFilter *self)
{
  static const char *const states[] = { NULL, "queued", "held", "failed" };
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));
  guint state = gtk_drop_down_get_selected (self->state);
  guint route = gtk_drop_down_get_selected (self->route);

  if (self->model == NULL)
    return;

  pr_queue_model_set_filter (self->model, *text != '\0' ? text : NULL,
                             state < G_N_ELEMENTS (states) ? states[state] : NULL,
                             route > 0 ? gtk_string_list_get_string (self->routes, route) : NULL);
}

static void
pr_queue_filter_finalize (GObject *object)
{
  g_clear_object (&PR_QUEUE_FILTER (object)->model);
  G_OBJECT_CLASS (pr_queue_filter_parent_class)->finalize (object);
}

static void
pr_queue_filter_class_init (PrQueueFilterClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = pr_queue_filter_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "queue-filter.ui");
  gtk_widget_class_bind_template_child (widget_class, PrQueueFilter, box);
  gtk_widget_class_bind_template_child (widget_class, PrQueueFilter, search);
  gtk_widget_class_bind_template_child (widget_class, PrQueueFilter, state);
  gtk_widget_class_bind_template_child (widget_class, PrQueueFilter, route);
  gtk_widget_class_bind_template_child (widget_class, PrQueueFilter, routes);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
pr_queue_filter_init (PrQueueFilter *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  pr_drop_down_let_shrink (self->state);
  pr_drop_down_let_shrink (self->route);
}

void
pr_queue_filter_set_model (PrQueueFilter *self, PrQueueModel *model)
{
  g_return_if_fail (PR_IS_QUEUE_FILTER (self) && self->model == NULL);

  self->model = g_object_ref (model);
  on_changed (self);
}

void
pr_queue_filter_set_routes (PrQueueFilter *self, const char *const *names)
{
  guint selected, n;
  g_autofree char *chosen = NULL;

  g_return_if_fail (PR_IS_QUEUE_FILTER (self));

  selected = gtk_drop_down_get_selected (self->route);
  n = g_list_model_get_n_items (G_LIST_MODEL (self->routes));
  chosen = g_strdup (gtk_string_list_get_string (self->routes, selected));
  gtk_string_list_splice (self->routes, 1, n - 1, names);
  for (guint i = 0; chosen != NULL && selected > 0 && names[i] != NULL; i++)
    if (g_str_equal (names[i], chosen))
      gtk_drop_down_set_selected (self->route, i + 1);
}

void
pr_queue_filter_set_narrow (PrQueueFilter *self, gboolean narrow)
{
  g_return_if_fail (PR_IS_QUEUE_FILTER (self));

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->box),
                                  narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
}

GtkEditable *
pr_queue_filter_get_entry (PrQueueFilter *self)
{
  g_return_val_if_fail (PR_IS_QUEUE_FILTER (self), NULL);

  return GTK_EDITABLE (self->search);
}
