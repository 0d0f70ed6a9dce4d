/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks only while it is shown: every other second, and at once when the configuration changed.
 * What is there is brought up to date where it stands; nothing is made anew that is still true. */
#include "overview-page.h"

#include <glib/gi18n.h>

#include "access.h"
#include "attention-card.h"
#include "control/client.h"
#include "history-graph.h"
#include "overview-words.h"
#include "toast.h"

#define LOOK_AGAIN_MS 2000
#define MAX_DEVICES 20
#define DAY_US (G_GINT64_CONSTANT (24 * 3600) * G_USEC_PER_SEC)

struct _PrOverviewPage
{
  AdwBin parent_instance;

  PrService *service;        /* owned */
  GCancellable *cancellable; /* owned: ends with the page */
  GPtrArray *route_rows;     /* owned, of borrowed AdwActionRow */
  GPtrArray *device_rows;    /* owned, of borrowed AdwActionRow */
  GtkWidget *set_up;         /* nullable: the card that says that there is no route */
  GPtrArray *cards;          /* owned, of borrowed PrAttentionCard, but for that one */
  guint timer;               /* 0: not shown */

  GtkLabel *state, *place; /* template children */
  GtkBox *attention;
  PrHistoryGraph *graph;
  GtkLabel *received, *delivered, *deferred, *failed;
  AdwPreferencesGroup *routes, *devices;
  GtkWidget *no_device;
};

static void
init_page (PrPageInterface *iface)
{
}

G_DEFINE_FINAL_TYPE_WITH_CODE (PrOverviewPage, pr_overview_page, ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (PR_TYPE_PAGE, init_page))

typedef enum
{
  PROP_SERVICE = 1,
  PROP_BADGE
} PrOverviewPageProperty;

/* @item: nullable. */
static void
go_to (PrOverviewPage *self, const char *page, const char *item)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "app.show", "(ss)", page,
                              item != NULL ? item : "");
}

/* ── What waits for a person ──────────────────────────────────────────────────────────────── */

static void
set_up (PrOverviewPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "app.assistant", NULL);
}

static void look (PrOverviewPage *self);

static void
on_alert_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrOverviewPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (answer == NULL)
    pr_toast_show (GTK_WIDGET (self), error->message);
  look (self);
}

static void
on_answered (PrOverviewPage *self, const char *action, PrAttentionCard *card)
{
  GVariant *alert = pr_attention_card_get_alert (card);
  const char *subject = pr_dict_string (alert, "subject");

  if (g_str_equal (action, "set-up"))
    set_up (self);
  else if (g_str_equal (action, "show") || g_str_equal (action, "sign-in"))
    go_to (self, pr_dict_string (alert, "page"), pr_dict_string (alert, "item"));
  else if (g_str_equal (action, "allow") && subject != NULL) /* another configuration settles it */
    pr_access_allow (GTK_WIDGET (self), self->service, subject);
  else if (g_str_equal (action, "block") && subject != NULL)
    pr_access_block (GTK_WIDGET (self), self->service, subject);
  else
    pr_service_call (self->service, "Service1", "AnswerAlert",
                     g_variant_new ("(ss)", pr_dict_string (alert, "id"), action), "()", NULL,
                     on_alert_answered, g_object_ref (self));
}

static GtkWidget *
add_card (PrOverviewPage *self, GVariant *alert)
{
  GtkWidget *card = pr_attention_card_new (alert);

  g_signal_connect_object (card, "answered", G_CALLBACK (on_answered), self, G_CONNECT_SWAPPED);
  gtk_box_append (self->attention, card);
  return card;
}

static void
show_attention (PrOverviewPage *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->attention),
                          self->set_up != NULL || self->cards->len > 0);
}

/* Cards of alerts that still stand keep their place, and what has the focus keeps it. */
static void
show_alerts (PrOverviewPage *self, GVariant *alerts)
{
  gsize n = g_variant_n_children (alerts);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) alert = g_variant_get_child_value (alerts, i);
      const char *id = pr_dict_string (alert, "id");

      while (i < self->cards->len &&
             g_strcmp0 (
               id, pr_dict_string (pr_attention_card_get_alert (self->cards->pdata[i]), "id")) != 0)
        {
          gtk_box_remove (self->attention, self->cards->pdata[i]);
          g_ptr_array_remove_index (self->cards, (guint) i);
        }
      if (i < self->cards->len)
        pr_attention_card_set_alert (self->cards->pdata[i], alert);
      else
        g_ptr_array_add (self->cards, add_card (self, alert));
    }
  while (self->cards->len > n)
    {
      gtk_box_remove (self->attention, self->cards->pdata[n]);
      g_ptr_array_remove_index (self->cards, (guint) n);
    }
  show_attention (self);
}

static void
show_set_up (PrOverviewPage *self, gboolean wanted)
{
  const char *const actions[] = { "set-up", NULL };
  GVariantDict alert;

  if (wanted == (self->set_up != NULL))
    return;

  if (!wanted)
    {
      gtk_box_remove (self->attention, self->set_up);
      self->set_up = NULL;
    }
  else
    {
      g_variant_dict_init (&alert, NULL);
      g_variant_dict_insert (&alert, "kind", "s", "set-up");
      g_variant_dict_insert (&alert, "title", "s", _ ("No Route for Mail Yet"));
      g_variant_dict_insert (&alert, "body", "s",
                             _ ("Postroom takes mail and keeps it safe, but does not know where to "
                                "send it. Set up the account of your mail provider."));
      g_variant_dict_insert (&alert, "actions", "^as", actions);
      self->set_up = add_card (self, g_variant_dict_end (&alert));
      gtk_box_reorder_child_after (self->attention, self->set_up, NULL);
    }
  show_attention (self);
}

/* ── Rows ─────────────────────────────────────────────────────────────────────────────────── */

static void
make_row (AdwPreferencesGroup *group, GPtrArray *rows)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *icon = gtk_image_new ();
  GtkWidget *arrow = gtk_image_new_from_icon_name ("go-next-symbolic");

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE); /* peers said some of it */
  g_object_set (icon, "accessible-role", GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);
  g_object_set (arrow, "accessible-role", GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), icon);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), arrow);
  g_object_set_data (G_OBJECT (row), "icon", icon);
  gtk_actionable_set_action_target (GTK_ACTIONABLE (row), "(ss)", "", ""); /* of the right type */
  g_object_set (row, "activatable", TRUE, "action-name", "app.show", NULL);
  adw_preferences_group_add (group, row);
  g_ptr_array_add (rows, row);
}

/* @group holds one row for each of @n. */
static void
fit_rows (AdwPreferencesGroup *group, GPtrArray *rows, gsize n)
{
  while (rows->len > n)
    {
      adw_preferences_group_remove (group, rows->pdata[rows->len - 1]);
      g_ptr_array_remove_index (rows, rows->len - 1);
    }
  while (rows->len < n)
    make_row (group, rows);
}

static void
fill_row (AdwActionRow *row, const char *icon, const char *style, const char *title,
          const char *subtitle)
{
  GtkWidget *image = g_object_get_data (G_OBJECT (row), "icon");

  g_object_set (image, "icon-name", icon, NULL);
  gtk_widget_set_css_classes (image, (const char *[]){ style, NULL });
  if (g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row)), title) != 0)
    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  if (g_strcmp0 (adw_action_row_get_subtitle (row), subtitle) != 0)
    adw_action_row_set_subtitle (row, subtitle);
}

static void
show_routes (PrOverviewPage *self, GVariant *routes)
{
  gsize n = g_variant_n_children (routes);

  fit_rows (self->routes, self->route_rows, n);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (routes, i);
      g_autofree char *words = g_strchomp (pr_overview_words_route (route));
      const char *style;
      const char *icon = pr_overview_words_route_icon (route, &style);

      fill_row (self->route_rows->pdata[i], icon, style, pr_dict_string (route, "name"), words);
      gtk_actionable_set_action_target (self->route_rows->pdata[i], "(ss)", "queue", "");
    }
  gtk_widget_set_visible (GTK_WIDGET (self->routes), n > 0);
  show_set_up (self, n == 0);
}

static void
show_devices (PrOverviewPage *self, GVariant *devices)
{
  gsize n = g_variant_n_children (devices);

  fit_rows (self->devices, self->device_rows, n);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) device = g_variant_get_child_value (devices, i);
      g_autofree char *title = pr_overview_words_device_title (device);
      g_autofree char *words = pr_overview_words_device (device);
      const char *client = pr_dict_string (device, "client");

      fill_row (self->device_rows->pdata[i], "computer-symbolic", NULL, title, words);
      gtk_actionable_set_action_target (self->device_rows->pdata[i], "(ss)", "log",
                                        client != NULL ? client : "");
    }
  gtk_widget_set_visible (self->no_device, n == 0);
}

static void
set_label (GtkLabel *label, char *text)
{
  if (g_strcmp0 (gtk_label_get_text (label), text) != 0)
    gtk_label_set_text (label, text);
  g_free (text);
}

static void
show_history (PrOverviewPage *self, GVariant *answer)
{
  PrHour hours[PR_HISTORY_HOURS];
  GtkLabel *const labels[PR_N_OUTCOMES] = { self->received, self->delivered, self->deferred,
                                            self->failed };

  pr_overview_words_fill (answer, g_get_real_time (), hours, PR_HISTORY_HOURS);
  pr_history_graph_set_hours (self->graph, hours);
  for (guint i = 0; i < PR_N_OUTCOMES; i++)
    set_label (labels[i], pr_overview_words_total (i, hours, PR_HISTORY_HOURS));
}

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  PrOverviewPage *self; /* owned reference */
  void (*show) (PrOverviewPage *self, GVariant *answer);
} Question;

/* Without an answer, what is shown stays: the window's banner says why. */
static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Question *question = user_data;
  g_autoptr (PrOverviewPage) self = question->self;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) list = NULL;

  if (answer == NULL || g_cancellable_is_cancelled (self->cancellable))
    return;

  list = g_variant_get_child_value (answer, 0);
  question->show (self, list);
}

static void
ask (PrOverviewPage *self, const char *interface, const char *method, GVariant *arguments,
     const char *reply, void (*show) (PrOverviewPage *self, GVariant *answer))
{
  Question *question = g_new0 (Question, 1);

  question->self = g_object_ref (self);
  question->show = show;
  pr_service_call (self->service, interface, method, arguments, reply, self->cancellable, on_answer,
                   question);
}

static void
look (PrOverviewPage *self)
{
  if (self->timer == 0 || !pr_service_is_connected (self->service))
    return;

  ask (self, "Journal1", "GetHistory", g_variant_new ("(x)", g_get_real_time () - DAY_US),
       "(a(xttttt))", show_history);
  ask (self, "Service1", "ListAlerts", NULL, "(aa{sv})", show_alerts);
  ask (self, "Configuration1", "GetRoutes", NULL, "(aa{sv})", show_routes);
  ask (self, "Sessions1", "ListDevices", g_variant_new ("(u)", MAX_DEVICES), "(aa{sv})",
       show_devices);
}

static gboolean
on_timer (gpointer user_data)
{
  look (user_data);
  return G_SOURCE_CONTINUE;
}

static void
on_status (PrOverviewPage *self)
{
  GVariant *status = pr_service_get_status (self->service);
  const char *state = status != NULL ? pr_dict_string (status, "state") : NULL;
  g_autofree const char **addresses = NULL;
  g_autofree char *list = NULL;

  set_label (self->state, g_strdup (state != NULL ? state : ""));
  if (status == NULL || !g_variant_lookup (status, "addresses", "^a&s", &addresses))
    return;

  /* Translators: between addresses; then %s: the addresses at which mail is taken */
  list = g_strjoinv (_ (", "), (char **) addresses);
  set_label (self->place, addresses[0] != NULL ? g_strdup_printf (_ ("Takes mail at %s"), list)
                                               : g_strdup (_ ("Takes no mail")));
}

/* ── The page ─────────────────────────────────────────────────────────────────────────────── */

static void
pr_overview_page_map (GtkWidget *widget)
{
  PrOverviewPage *self = PR_OVERVIEW_PAGE (widget);

  GTK_WIDGET_CLASS (pr_overview_page_parent_class)->map (widget);
  self->timer = g_timeout_add (LOOK_AGAIN_MS, on_timer, self);
  look (self);
}

static void
pr_overview_page_unmap (GtkWidget *widget)
{
  g_clear_handle_id (&PR_OVERVIEW_PAGE (widget)->timer, g_source_remove);
  GTK_WIDGET_CLASS (pr_overview_page_parent_class)->unmap (widget);
}

static void
pr_overview_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrOverviewPageProperty) id)
    {
    case PROP_SERVICE: g_value_set_object (value, PR_OVERVIEW_PAGE (object)->service); break;
    case PROP_BADGE: g_value_set_uint (value, 0); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_overview_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch ((PrOverviewPageProperty) id)
    {
    case PROP_SERVICE: PR_OVERVIEW_PAGE (object)->service = g_value_dup_object (value); break;
    case PROP_BADGE:
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_overview_page_constructed (GObject *object)
{
  PrOverviewPage *self = PR_OVERVIEW_PAGE (object);

  G_OBJECT_CLASS (pr_overview_page_parent_class)->constructed (object);
  g_signal_connect_object (self->service, "notify::status", G_CALLBACK (on_status), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->service, "configuration-changed", G_CALLBACK (look), self,
                           G_CONNECT_SWAPPED);
  on_status (self);
}

static void
pr_overview_page_dispose (GObject *object)
{
  PrOverviewPage *self = PR_OVERVIEW_PAGE (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_overview_page_parent_class)->dispose (object);
}

static void
pr_overview_page_finalize (GObject *object)
{
  PrOverviewPage *self = PR_OVERVIEW_PAGE (object);

  g_clear_object (&self->cancellable);
  g_ptr_array_unref (self->route_rows);
  g_ptr_array_unref (self->device_rows);
  g_ptr_array_unref (self->cards);
  G_OBJECT_CLASS (pr_overview_page_parent_class)->finalize (object);
}

static void
pr_overview_page_class_init (PrOverviewPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_overview_page_get_property;
  object_class->set_property = pr_overview_page_set_property;
  object_class->constructed = pr_overview_page_constructed;
  object_class->dispose = pr_overview_page_dispose;
  object_class->finalize = pr_overview_page_finalize;
  g_object_class_override_property (object_class, PROP_SERVICE, "service");
  g_object_class_override_property (object_class, PROP_BADGE, "badge");
  widget_class->map = pr_overview_page_map;
  widget_class->unmap = pr_overview_page_unmap;

  g_type_ensure (PR_TYPE_HISTORY_GRAPH);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "overview-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, state);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, place);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, attention);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, graph);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, received);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, delivered);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, deferred);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, failed);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, routes);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, devices);
  gtk_widget_class_bind_template_child (widget_class, PrOverviewPage, no_device);
}

static void
pr_overview_page_init (PrOverviewPage *self)
{
  self->cancellable = g_cancellable_new ();
  self->route_rows = g_ptr_array_new ();
  self->device_rows = g_ptr_array_new ();
  self->cards = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
