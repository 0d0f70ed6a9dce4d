/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sessions-page.h"

#include "access.h"
#include "control/client.h"
#include "session-list.h"
#include "toast.h"
#include "transcript-view.h"

struct _PrSessionsPage
{
  AdwBin parent_instance;

  PrService *service;            /* owned */
  PrSessionList *sessions;       /* owned */
  GtkSingleSelection *selection; /* owned */
  PrSession *shown;              /* owned, nullable: the one beside the list */
  guint64 wanted;                /* to be shown as soon as it is listed; 0: none */
  GSimpleActionGroup *actions;   /* owned */

  GtkStack *states; /* template children */
  AdwLeaflet *leaflet;
  GtkListView *list;
  GtkButton *back;
  GtkLabel *facts;
  PrTranscriptView *transcript;
};

static void init_page (PrPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (PrSessionsPage, pr_sessions_page, ADW_TYPE_BIN,
                               G_IMPLEMENT_INTERFACE (PR_TYPE_PAGE, init_page))

typedef enum
{
  PROP_SERVICE = 1,
  PROP_BADGE
} PrSessionsPageProperty;

/* ── The one that is shown ────────────────────────────────────────────────────────────────── */

static void
enable (PrSessionsPage *self, const char *name, gboolean enabled)
{
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self->actions), name);

  g_simple_action_set_enabled (G_SIMPLE_ACTION (action), enabled);
}

static void
show_facts (PrSessionsPage *self)
{
  g_autofree char *text = self->shown != NULL ? pr_session_describe (self->shown) : g_strdup ("");
  g_autofree char *client = self->shown != NULL ? pr_session_get_client (self->shown) : NULL;

  gtk_label_set_label (self->facts, text);
  enable (self, "disconnect", self->shown != NULL && pr_session_is_alive (self->shown));
  enable (self, "allow", client != NULL);
  enable (self, "block", client != NULL);
}

static void
show_session (PrSessionsPage *self, PrSession *session)
{
  if (self->shown == session)
    return;

  if (self->shown != NULL)
    g_signal_handlers_disconnect_by_func (self->shown, show_facts, self);
  g_set_object (&self->shown, session);
  if (session != NULL)
    g_signal_connect_object (session, "notify", G_CALLBACK (show_facts), self, G_CONNECT_SWAPPED);
  pr_transcript_view_show (self->transcript, self->service,
                           session != NULL ? pr_session_get_id (session) : 0);
  show_facts (self);
}

static void
on_selected (PrSessionsPage *self)
{
  PrSession *session = gtk_single_selection_get_selected_item (self->selection);

  /* It went from those that go on to those that ended: the choice stays with it. */
  if (session == NULL && self->shown != NULL &&
      pr_session_list_find (self->sessions, pr_session_get_id (self->shown), NULL) == self->shown)
    return;

  show_session (self, session);
}

static void
on_activated (PrSessionsPage *self)
{
  adw_leaflet_set_visible_child_name (self->leaflet, "session");
}

static void
on_back (PrSessionsPage *self)
{
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
}

static void
on_folded (PrSessionsPage *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->back), adw_leaflet_get_folded (self->leaflet));
}

static void
on_items_changed (PrSessionsPage *self)
{
  gboolean empty = g_list_model_get_n_items (G_LIST_MODEL (self->sessions)) == 0;
  PrSession *kept;
  guint position;

  gtk_stack_set_visible_child_name (self->states, empty ? "empty" : "list");
  kept = self->wanted != 0 ? pr_session_list_find (self->sessions, self->wanted, &position)
         : self->shown != NULL
           ? pr_session_list_find (self->sessions, pr_session_get_id (self->shown), &position)
           : NULL;
  if (kept == NULL)
    return;

  self->wanted = 0;
  gtk_single_selection_set_selected (self->selection, position);
}

/* ── Actions ──────────────────────────────────────────────────────────────────────────────── */

static void
on_disconnected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSessionsPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (answer == NULL)
    pr_toast_show (GTK_WIDGET (self), error->message);
}

static void
on_disconnect (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrSessionsPage *self = user_data;

  if (self->shown != NULL)
    pr_service_call (self->service, "Sessions1", "Disconnect",
                     g_variant_new ("(t)", pr_session_get_id (self->shown)), "()", NULL,
                     on_disconnected, g_object_ref (self));
}

static void
on_allow (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrSessionsPage *self = user_data;
  g_autofree char *client = self->shown != NULL ? pr_session_get_client (self->shown) : NULL;

  if (client != NULL)
    pr_access_allow (GTK_WIDGET (self), self->service, client);
}

static void
on_block (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrSessionsPage *self = user_data;
  g_autofree char *client = self->shown != NULL ? pr_session_get_client (self->shown) : NULL;

  if (client != NULL)
    pr_access_block (GTK_WIDGET (self), self->service, client);
}

/* ── The page ─────────────────────────────────────────────────────────────────────────────── */

static void
pr_sessions_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (pr_sessions_page_parent_class)->map (widget);
  pr_session_list_watch (PR_SESSIONS_PAGE (widget)->sessions, TRUE);
}

static void
pr_sessions_page_unmap (GtkWidget *widget)
{
  pr_session_list_watch (PR_SESSIONS_PAGE (widget)->sessions, FALSE);
  GTK_WIDGET_CLASS (pr_sessions_page_parent_class)->unmap (widget);
}

static void
show_item (PrPage *page, const char *item)
{
  PrSessionsPage *self = PR_SESSIONS_PAGE (page);

  if (g_ascii_string_to_unsigned (item, 10, 1, G_MAXINT64, &self->wanted, NULL))
    on_items_changed (self);
}

static void
init_page (PrPageInterface *iface)
{
  iface->show_item = show_item;
}

static void
pr_sessions_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch ((PrSessionsPageProperty) id)
    {
    case PROP_SERVICE: g_value_set_object (value, PR_SESSIONS_PAGE (object)->service); break;
    case PROP_BADGE: g_value_set_uint (value, 0); break; /* nothing here waits for a person */
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_sessions_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch ((PrSessionsPageProperty) id)
    {
    case PROP_SERVICE: PR_SESSIONS_PAGE (object)->service = g_value_dup_object (value); break;
    case PROP_BADGE:
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_sessions_page_constructed (GObject *object)
{
  PrSessionsPage *self = PR_SESSIONS_PAGE (object);

  G_OBJECT_CLASS (pr_sessions_page_parent_class)->constructed (object);
  self->sessions = pr_session_list_new (self->service);
  self->selection = gtk_single_selection_new (G_LIST_MODEL (g_object_ref (self->sessions)));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->sessions, "items-changed", G_CALLBACK (on_items_changed), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  on_items_changed (self);
  on_folded (self);
  show_facts (self);
}

static void
pr_sessions_page_dispose (GObject *object)
{
  PrSessionsPage *self = PR_SESSIONS_PAGE (object);

  if (self->shown != NULL)
    g_signal_handlers_disconnect_by_func (self->shown, show_facts, self);
  g_clear_object (&self->shown);
  g_clear_object (&self->selection);
  g_clear_object (&self->sessions);
  g_clear_object (&self->actions);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_sessions_page_parent_class)->dispose (object);
}

static void
pr_sessions_page_class_init (PrSessionsPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = pr_sessions_page_get_property;
  object_class->set_property = pr_sessions_page_set_property;
  object_class->constructed = pr_sessions_page_constructed;
  object_class->dispose = pr_sessions_page_dispose;
  g_object_class_override_property (object_class, PROP_SERVICE, "service");
  g_object_class_override_property (object_class, PROP_BADGE, "badge");
  widget_class->map = pr_sessions_page_map;
  widget_class->unmap = pr_sessions_page_unmap;

  g_type_ensure (PR_TYPE_SESSION);
  g_type_ensure (PR_TYPE_TRANSCRIPT_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "sessions-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrSessionsPage, states);
  gtk_widget_class_bind_template_child (widget_class, PrSessionsPage, leaflet);
  gtk_widget_class_bind_template_child (widget_class, PrSessionsPage, list);
  gtk_widget_class_bind_template_child (widget_class, PrSessionsPage, back);
  gtk_widget_class_bind_template_child (widget_class, PrSessionsPage, facts);
  gtk_widget_class_bind_template_child (widget_class, PrSessionsPage, transcript);
  gtk_widget_class_bind_template_callback (widget_class, on_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
  gtk_widget_class_bind_template_callback (widget_class, on_folded);
}

static void
pr_sessions_page_init (PrSessionsPage *self)
{
  static const GActionEntry actions[] = {
    { .name = "disconnect", .activate = on_disconnect },
    { .name = "allow", .activate = on_allow },
    { .name = "block", .activate = on_block },
  };

  gtk_widget_init_template (GTK_WIDGET (self));
  self->actions = g_simple_action_group_new ();
  g_action_map_add_action_entries (G_ACTION_MAP (self->actions), actions, G_N_ELEMENTS (actions),
                                   self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "session", G_ACTION_GROUP (self->actions));
}
