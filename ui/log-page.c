/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log-page.h"

#include <string.h>
#include <glib/gi18n.h>

#include "common/id.h"
#include "control/bundle.h"
#include "drop-down.h"
#include "event-list.h"
#include "files.h"
#include "toast.h"

#define NARROW 560 /* pixels: below it the search has a line of its own */

struct _PrLogPage
{
  AdwBin parent_instance;

  PrService *service;           /* owned */
  PrEventList *events;          /* owned */
  GtkMultiSelection *selection; /* owned */
  GSimpleActionGroup *actions;  /* owned */
  gboolean is_filtered;

  gboolean is_narrow;
  guint fit_source; /* 0: the bar fits */

  GtkBox *bar; /* template children */
  GtkSearchEntry *search;
  GtkDropDown *what;
  GtkDropDown *since;
  GtkStack *states;
  AdwStatusPage *fault;
  GtkScrolledWindow *scroller;
  GtkListView *list;
  GtkWidget *controls; /* in the window's header */
};

static void init_page (PrPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (PrLogPage, pr_log_page, ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (PR_TYPE_PAGE, init_page))

typedef enum
{
  PROP_SERVICE = 1,
  PROP_BADGE
} PrLogPageProperty;

static const char *const save_actions[] = { "save-shown", "save-all" };

/* ── The filter ───────────────────────────────────────────────────────────────────────────── */

/* In the order of the drop-downs in log-page.ui. */
static const char *const kinds_mail[] = { "accepted", "delivered", "deferred", "failed",
                                          "bounced",  "held",      "released", "deleted",
                                          "retried",  "expanded",  "warned",   "edited",
                                          "checked",  NULL };
static const char *const kinds_problems[] = { "refused",        "deferred",    "failed",
                                              "bounced",        "hop-failed",  "space-low",
                                              "sign-in-failed", "certificate", "client-refused",
                                              "sign-in-needed", NULL };
static const char *const kinds_connections[] = { "connected", "disconnected",   "refused",
                                                 "signed-in", "sign-in-failed", "client-refused",
                                                 NULL };
static const char *const *const kinds_of[] = { NULL, kinds_mail, kinds_problems,
                                               kinds_connections };
static const gint64 hours_of[] = { 0, 1, 24, 7 * 24 };

/* As of Journal1.Query; NULL: everything. (transfer floating) */
static GVariant *
make_filter (PrLogPage *self)
{
  g_autofree char *text = g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->search)));
  guint what = gtk_drop_down_get_selected (self->what);
  guint since = gtk_drop_down_get_selected (self->since);
  GVariantDict filter;
  gint64 message;

  g_strstrip (text);
  if (*text == '\0' && what == 0 && since == 0)
    return NULL;

  g_variant_dict_init (&filter, NULL);
  if (pr_id_parse (text, &message))
    g_variant_dict_insert (&filter, "message", "s", text);
  else if (*text != '\0')
    g_variant_dict_insert (&filter, "text", "s", text);
  if (what < G_N_ELEMENTS (kinds_of) && kinds_of[what] != NULL)
    g_variant_dict_insert (&filter, "kinds", "^as", kinds_of[what]);
  if (since < G_N_ELEMENTS (hours_of) && hours_of[since] != 0)
    g_variant_dict_insert (&filter, "from", "x",
                           g_get_real_time () - hours_of[since] * 3600 * G_USEC_PER_SEC);
  return g_variant_dict_end (&filter);
}

static void
on_filter_changed (PrLogPage *self)
{
  GVariant *filter;

  if (self->events == NULL)
    return; /* while the page is made */

  filter = make_filter (self);
  self->is_filtered = filter != NULL;
  pr_event_list_set_filter (self->events, filter);
}

static void
on_search_stopped (PrLogPage *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

static void
on_reset (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrLogPage *self = user_data;

  gtk_drop_down_set_selected (self->what, 0);
  gtk_drop_down_set_selected (self->since, 0);
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

/* ── The list ─────────────────────────────────────────────────────────────────────────────── */

static void
show_state (PrLogPage *self)
{
  g_autofree char *fault = NULL;
  gboolean empty = g_list_model_get_n_items (G_LIST_MODEL (self->events)) == 0;

  g_object_get (self->events, "fault", &fault, NULL);
  if (!empty)
    gtk_stack_set_visible_child_name (self->states, "list");
  else if (pr_event_list_is_busy (self->events))
    gtk_stack_set_visible_child_name (self->states, "busy");
  else if (fault != NULL)
    gtk_stack_set_visible_child_name (self->states, "fault");
  else
    gtk_stack_set_visible_child_name (self->states, self->is_filtered ? "nothing" : "empty");
  if (fault != NULL)
    {
      g_autofree char *escaped = g_markup_escape_text (fault, -1); /* a description is markup */

      adw_status_page_set_description (self->fault, escaped);
    }
}

/* Whoever looks at the newest goes on looking at the newest. */
static void
on_items_changed (PrLogPage *self, guint position, guint removed, guint added)
{
  GtkAdjustment *scroll = gtk_scrolled_window_get_vadjustment (self->scroller);

  if (position == 0 && added > 0 && gtk_adjustment_get_value (scroll) <= 0)
    gtk_widget_activate_action (GTK_WIDGET (self->list), "list.scroll-to-item", "u", 0);
  show_state (self);
}

static void
on_scrolled (PrLogPage *self)
{
  GtkAdjustment *scroll = gtk_scrolled_window_get_vadjustment (self->scroller);
  double left = gtk_adjustment_get_upper (scroll) - gtk_adjustment_get_value (scroll);
  guint rows = g_list_model_get_n_items (G_LIST_MODEL (self->events));

  pr_event_list_hold (self->events, gtk_adjustment_get_value (scroll) > 0);
  if (rows > 0 && left < 3 * gtk_adjustment_get_page_size (scroll))
    pr_event_list_reach (self->events, rows - 1);
}

/* The whole story of the message that this line is about. */
static void
on_activated (PrLogPage *self, guint position)
{
  g_autoptr (PrLogEvent) event = g_list_model_get_item (G_LIST_MODEL (self->events), position);
  const char *message = event != NULL ? pr_log_event_get_message (event) : NULL;

  if (message != NULL)
    gtk_editable_set_text (GTK_EDITABLE (self->search), message);
}

static void
on_copy (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrLogPage *self = user_data;
  g_autoptr (GtkBitset) chosen =
    gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *words = NULL;
  guint n = (guint) gtk_bitset_get_size (chosen);
  GtkBitsetIter iter;
  guint position;

  for (gboolean more = gtk_bitset_iter_init_first (&iter, chosen, &position); more;
       more = gtk_bitset_iter_next (&iter, &position))
    {
      g_autoptr (PrLogEvent) event = g_list_model_get_item (G_LIST_MODEL (self->events), position);
      g_autofree char *line = pr_log_event_to_text (event);

      g_string_append_printf (text, "%s\n", line);
    }
  if (n == 0)
    return;

  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text->str);
  words = g_strdup_printf (ngettext ("%u line copied", "%u lines copied", n), n);
  pr_toast_show (GTK_WIDGET (self), words);
}

/* ── Saving ───────────────────────────────────────────────────────────────────────────────── */

static void
enable_saving (PrLogPage *self, gboolean enabled)
{
  for (gsize i = 0; i < G_N_ELEMENTS (save_actions); i++)
    g_simple_action_set_enabled (
      G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self->actions), save_actions[i])),
      enabled);
}

static void
on_bundle_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrLogPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = pr_bundle_make_finish (result, NULL, &error);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *name = g_date_time_format (now, "postroom-%Y-%m-%d.tar.gz");

  if (self->actions == NULL) /* the window was closed meanwhile */
    return;

  enable_saving (self, TRUE);
  if (bytes == NULL)
    pr_toast_show (GTK_WIDGET (self), error->message);
  else
    pr_files_save (GTK_WIDGET (self), _ ("Save the Log"), name, bytes, TRUE,
                   _ ("Saved, without passwords. It names addresses of mail."));
}

/* @filter: nullable, floating. */
static void
save (PrLogPage *self, GVariant *filter)
{
  g_autoptr (GVariant) wanted = filter != NULL ? g_variant_ref_sink (filter) : NULL;
  GDBusConnection *connection = pr_service_get_connection (self->service);

  if (connection == NULL)
    {
      pr_toast_show (GTK_WIDGET (self), _ ("The service is not running"));
      return;
    }

  enable_saving (self, FALSE);
  pr_bundle_make_async (connection, wanted, NULL, on_bundle_made, g_object_ref (self));
}

static void
on_save_shown (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  save (user_data, make_filter (user_data));
}

static void
on_save_all (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  save (user_data, NULL);
}

/* ── The page ─────────────────────────────────────────────────────────────────────────────── */

static void
pr_log_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (pr_log_page_parent_class)->map (widget);
  pr_event_list_watch (PR_LOG_PAGE (widget)->events, TRUE);
}

static void
pr_log_page_unmap (GtkWidget *widget)
{
  pr_event_list_watch (PR_LOG_PAGE (widget)->events, FALSE);
  GTK_WIDGET_CLASS (pr_log_page_parent_class)->unmap (widget);
}

/* Later: what is being laid out may not change. */
static gboolean
on_fit (gpointer user_data)
{
  PrLogPage *self = user_data;

  self->fit_source = 0;
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->bar), self->is_narrow
                                                                ? GTK_ORIENTATION_VERTICAL
                                                                : GTK_ORIENTATION_HORIZONTAL);
  return G_SOURCE_REMOVE;
}

static void
on_layout (PrLogPage *self, int width)
{
  gboolean narrow = width < NARROW;

  if (narrow == self->is_narrow)
    return;

  self->is_narrow = narrow;
  if (self->fit_source == 0)
    self->fit_source = g_idle_add (on_fit, self);
}

static void
pr_log_page_realize (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (pr_log_page_parent_class)->realize (widget);
  g_signal_connect_object (gtk_native_get_surface (gtk_widget_get_native (widget)), "layout",
                           G_CALLBACK (on_layout), widget, G_CONNECT_SWAPPED);
}

static void
show_item (PrPage *page, const char *item)
{
  gtk_editable_set_text (GTK_EDITABLE (PR_LOG_PAGE (page)->search), item);
}

static void
search (PrPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (PR_LOG_PAGE (page)->search));
}

static GtkWidget *
get_controls (PrPage *page)
{
  return PR_LOG_PAGE (page)->controls;
}

static void
init_page (PrPageInterface *iface)
{
  iface->get_controls = get_controls;
  iface->show_item = show_item;
  iface->search = search;
}

static void
pr_log_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrLogPageProperty) id)
    {
    case PROP_SERVICE: g_value_set_object (value, PR_LOG_PAGE (object)->service); break;
    case PROP_BADGE: g_value_set_uint (value, 0); break; /* nothing here waits for a person */
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_log_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch ((PrLogPageProperty) id)
    {
    case PROP_SERVICE: PR_LOG_PAGE (object)->service = g_value_dup_object (value); break;
    case PROP_BADGE:
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_log_page_constructed (GObject *object)
{
  PrLogPage *self = PR_LOG_PAGE (object);
  GtkAdjustment *scroll = gtk_scrolled_window_get_vadjustment (self->scroller);

  G_OBJECT_CLASS (pr_log_page_parent_class)->constructed (object);
  self->events = pr_event_list_new (self->service);
  self->selection = gtk_multi_selection_new (G_LIST_MODEL (g_object_ref (self->events)));
  g_signal_connect_object (self->events, "items-changed", G_CALLBACK (on_items_changed), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (self->events, "notify", G_CALLBACK (show_state), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (scroll, "value-changed", G_CALLBACK (on_scrolled), self,
                           G_CONNECT_SWAPPED);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  show_state (self);
}

static void
pr_log_page_dispose (GObject *object)
{
  PrLogPage *self = PR_LOG_PAGE (object);

  g_clear_handle_id (&self->fit_source, g_source_remove);
  g_clear_object (&self->selection);
  g_clear_object (&self->events);
  g_clear_object (&self->actions);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_log_page_parent_class)->dispose (object);
}

static void
pr_log_page_class_init (PrLogPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_log_page_get_property;
  object_class->set_property = pr_log_page_set_property;
  object_class->constructed = pr_log_page_constructed;
  object_class->dispose = pr_log_page_dispose;
  g_object_class_override_property (object_class, PROP_SERVICE, "service");
  g_object_class_override_property (object_class, PROP_BADGE, "badge");
  widget_class->map = pr_log_page_map;
  widget_class->realize = pr_log_page_realize;
  widget_class->unmap = pr_log_page_unmap;

  g_type_ensure (PR_TYPE_LOG_EVENT);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "log-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, bar);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, search);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, what);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, since);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, states);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, fault);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, list);
  gtk_widget_class_bind_template_child (widget_class, PrLogPage, controls);
  gtk_widget_class_bind_template_callback (widget_class, on_filter_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_search_stopped);
  gtk_widget_class_bind_template_callback (widget_class, on_activated);

  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_c, GDK_CONTROL_MASK, "log.copy", NULL);
}

static void
pr_log_page_init (PrLogPage *self)
{
  static const GActionEntry actions[] = {
    { .name = "reset", .activate = on_reset },
    { .name = "copy", .activate = on_copy },
    { .name = "save-shown", .activate = on_save_shown },
    { .name = "save-all", .activate = on_save_all },
  };

  gtk_widget_init_template (GTK_WIDGET (self));
  pr_drop_down_let_shrink (self->what);
  pr_drop_down_let_shrink (self->since);
  self->actions = g_simple_action_group_new ();
  g_action_map_add_action_entries (G_ACTION_MAP (self->actions), actions, G_N_ELEMENTS (actions),
                                   self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "log", G_ACTION_GROUP (self->actions));
  gtk_widget_insert_action_group (self->controls, "log", G_ACTION_GROUP (self->actions));
}
