/* SPDX-License-Identifier: GPL-3.0-or-later */
/*   12 ─────────────────────      the most in an hour
 *      ▂  █▆            ▃
 *      █▂ ██▁           █▃      four bars for each hour
 *     ───────────────────────
 *          06:00   12:00          local time
 */
#include "history-graph.h"

#include <string.h>
#include <glib/gi18n.h>

#define HEIGHT 140 /* pixels */
#define WIDTH 240  /* pixels, at least */
#define GAP 2      /* pixels between two hours */
#define HOURS_BETWEEN_TIMES 6

struct _PrHistoryGraph
{
  GtkWidget parent_instance;

  PrHour hours[PR_HISTORY_HOURS]; /* oldest first */
  guint chosen;
  char *words; /* owned */
};

G_DEFINE_FINAL_TYPE (PrHistoryGraph, pr_history_graph, GTK_TYPE_WIDGET)

typedef enum
{
  PROP_WORDS = 1
} PrHistoryGraphProperty;

static GParamSpec *props[PROP_WORDS + 1];

static void
choose (PrHistoryGraph *self, guint hour)
{
  g_autofree char *words = pr_overview_words_hour (&self->hours[hour]);
  g_autofree char *label = NULL;

  if (self->chosen != hour)
    gtk_widget_queue_draw (GTK_WIDGET (self));
  self->chosen = hour;
  if (g_strcmp0 (words, self->words) == 0)
    return;

  g_free (self->words);
  self->words = g_steal_pointer (&words);
  /* Translators: for screen readers; %s: "14:00–15:00: received 3, …" */
  label = g_strdup_printf (_ ("Mail by the hour, %s"), self->words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_WORDS]);
}

/* ── Drawing ──────────────────────────────────────────────────────────────────────────────── */

/* The tallest bar fills the height. */
static guint64
find_most (PrHistoryGraph *self)
{
  guint64 most = 0;

  for (guint i = 0; i < PR_HISTORY_HOURS; i++)
    for (guint bar = 0; bar < PR_N_OUTCOMES; bar++)
      most = MAX (most, self->hours[i].counts[bar]);

  return most;
}

static GdkRGBA
get_color (GtkWidget *widget, const char *name, float alpha)
{
  GtkStyleContext *style = gtk_widget_get_style_context (widget);
  GdkRGBA color;

  if (!gtk_style_context_lookup_color (style, name, &color))
    gtk_style_context_get_color (style, &color);
  color.alpha *= alpha;
  return color;
}

/* Where the hour begins, in reading direction. */
static float
get_x (PrHistoryGraph *self, guint hour)
{
  GtkWidget *widget = GTK_WIDGET (self);
  float room = (float) gtk_widget_get_width (widget) / PR_HISTORY_HOURS;
  gboolean mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;

  return room * (float) (mirrored ? PR_HISTORY_HOURS - 1 - hour : hour);
}

static void
draw_hour (PrHistoryGraph *self, GtkSnapshot *snapshot, guint hour, guint64 most,
           const graphene_rect_t *plot)
{
  static const char *const colors[PR_N_OUTCOMES] = { "accent_bg_color", "success_bg_color",
                                                     "warning_bg_color", "error_bg_color" };
  GtkWidget *widget = GTK_WIDGET (self);
  float room = plot->size.width / PR_HISTORY_HOURS;
  float width = (room - GAP) / PR_N_OUTCOMES;
  float bottom = plot->origin.y + plot->size.height;
  float x = get_x (self, hour);

  if (hour == self->chosen)
    {
      GdkRGBA color = get_color (widget, "window_fg_color", 0.1f);

      gtk_snapshot_append_color (snapshot, &color,
                                 &GRAPHENE_RECT_INIT (x, plot->origin.y, room, plot->size.height));
    }
  for (guint bar = 0; bar < PR_N_OUTCOMES; bar++)
    {
      guint64 n = self->hours[hour].counts[bar];
      float tall = n > 0 ? MAX (2.0f, plot->size.height * (float) n / (float) most) : 0;
      GdkRGBA color = get_color (widget, colors[bar], 1);

      if (n > 0)
        gtk_snapshot_append_color (
          snapshot, &color,
          &GRAPHENE_RECT_INIT (x + GAP / 2.0f + width * (float) bar, bottom - tall, width, tall));
    }
}

/* @x: its middle; kept inside. Returns its height. */
static int
draw_text (GtkWidget *widget, GtkSnapshot *snapshot, const char *text, float x, float y)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (widget, text);
  GdkRGBA color = get_color (widget, "window_fg_color", 0.6f);
  int width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  x = CLAMP (x - (float) width / 2, 0, MAX (0, (float) (gtk_widget_get_width (widget) - width)));
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (x, y));
  gtk_snapshot_append_layout (snapshot, layout, &color);
  gtk_snapshot_restore (snapshot);
  return height;
}

static void
draw_times (PrHistoryGraph *self, GtkSnapshot *snapshot, const graphene_rect_t *plot)
{
  for (guint i = 0; i < PR_HISTORY_HOURS; i++)
    {
      g_autoptr (GDateTime) utc =
        g_date_time_new_from_unix_utc (self->hours[i].begin_us / G_USEC_PER_SEC);
      g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
      g_autofree char *text = NULL;

      if (local == NULL || g_date_time_get_hour (local) % HOURS_BETWEEN_TIMES != 0)
        continue;

      text = pr_overview_words_clock (self->hours[i].begin_us);
      draw_text (GTK_WIDGET (self), snapshot, text,
                 get_x (self, i) + plot->size.width / PR_HISTORY_HOURS / 2,
                 plot->origin.y + plot->size.height + 2);
    }
}

static void
pr_history_graph_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  PrHistoryGraph *self = PR_HISTORY_GRAPH (widget);
  gboolean mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
  guint64 most = find_most (self);
  g_autofree char *scale = g_strdup_printf ("%" G_GUINT64_FORMAT, most);
  float width = (float) gtk_widget_get_width (widget);
  float text =
    (float) draw_text (widget, snapshot, most > 0 ? scale : " ", mirrored ? width : 0, 0);
  float height = MAX (1, (float) gtk_widget_get_height (widget) - 2 * text - 4);
  graphene_rect_t plot = GRAPHENE_RECT_INIT (0, text + 2, width, height);
  GdkRGBA line = get_color (widget, "window_fg_color", 0.15f);

  gtk_snapshot_append_color (snapshot, &line, &GRAPHENE_RECT_INIT (0, text + 1, width, 1));
  for (guint i = 0; i < PR_HISTORY_HOURS; i++)
    draw_hour (self, snapshot, i, most, &plot);
  gtk_snapshot_append_color (snapshot, &line, &GRAPHENE_RECT_INIT (0, text + 2 + height, width, 1));
  draw_times (self, snapshot, &plot);
}

static void
pr_history_graph_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? WIDTH : HEIGHT;
}

/* ── Keys and clicks ──────────────────────────────────────────────────────────────────────── */

static gboolean
on_key (PrHistoryGraph *self, guint key)
{
  gboolean mirrored = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  guint older = mirrored ? GDK_KEY_Right : GDK_KEY_Left;
  guint newer = mirrored ? GDK_KEY_Left : GDK_KEY_Right;

  if (key == older)
    choose (self, self->chosen > 0 ? self->chosen - 1 : 0);
  else if (key == newer)
    choose (self, MIN (self->chosen + 1, PR_HISTORY_HOURS - 1));
  else if (key == GDK_KEY_Home)
    choose (self, 0);
  else if (key == GDK_KEY_End)
    choose (self, PR_HISTORY_HOURS - 1);
  else
    return FALSE;

  return TRUE;
}

static void
on_clicked (PrHistoryGraph *self, int n, double x)
{
  GtkWidget *widget = GTK_WIDGET (self);
  int width = MAX (gtk_widget_get_width (widget), 1);
  guint hour = (guint) CLAMP (x * PR_HISTORY_HOURS / width, 0, PR_HISTORY_HOURS - 1);

  gtk_widget_grab_focus (widget);
  choose (self, gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL ? PR_HISTORY_HOURS - 1 - hour
                                                                      : hour);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_history_graph_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrHistoryGraphProperty) id)
    {
    case PROP_WORDS: g_value_set_string (value, PR_HISTORY_GRAPH (object)->words); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_history_graph_finalize (GObject *object)
{
  g_free (PR_HISTORY_GRAPH (object)->words);
  G_OBJECT_CLASS (pr_history_graph_parent_class)->finalize (object);
}

static void
pr_history_graph_class_init (PrHistoryGraphClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_history_graph_get_property;
  object_class->finalize = pr_history_graph_finalize;
  widget_class->snapshot = pr_history_graph_snapshot;
  widget_class->measure = pr_history_graph_measure;
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_widget_class_set_css_name (widget_class, "history");

  props[PROP_WORDS] =
    g_param_spec_string ("words", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);
}

static void
pr_history_graph_init (PrHistoryGraph *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (on_key), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (click, "pressed", G_CALLBACK (on_clicked), self, G_CONNECT_SWAPPED);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  choose (self, PR_HISTORY_HOURS - 1);
}

void
pr_history_graph_set_hours (PrHistoryGraph *self, const PrHour hours[PR_HISTORY_HOURS])
{
  g_return_if_fail (PR_IS_HISTORY_GRAPH (self));

  if (memcmp (self->hours, hours, sizeof (self->hours)) == 0)
    return;

  memcpy (self->hours, hours, sizeof (self->hours));
  gtk_widget_queue_draw (GTK_WIDGET (self));
  choose (self, self->chosen);
}
