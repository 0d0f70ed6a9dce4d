/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "window.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "pages.h"
#include "toast.h"

struct _PrWindow
{
  AdwApplicationWindow parent_instance;

  PrService *service; /* owned */
  char *progress;     /* owned, nullable */
  gboolean was_connected;

  AdwViewStack *stack; /* template children */
  AdwViewSwitcherTitle *switcher;
  AdwBin *controls;
  GtkRevealer *banner;
  GtkWidget *banner_box;
  GtkLabel *banner_text;
  GtkButton *banner_button;
};

G_DEFINE_FINAL_TYPE (PrWindow, pr_window, ADW_TYPE_APPLICATION_WINDOW)

typedef enum
{
  PROP_SERVICE = 1
} PrWindowProperty;

static GParamSpec *props[PROP_SERVICE + 1];

/* ── The banner ───────────────────────────────────────────────────────────────────────────── */

/* What stands in the way of everything; the first that holds is shown. */
typedef struct
{
  const char *text;   /* translated; NULL: nothing */
  const char *button; /* translated, nullable */
  const char *remedy; /* its action */
  const char *style;  /* a class of style.css, nullable */
} Obstacle;

static Obstacle
find_pause (GVariant *status)
{
  gboolean receiving = pr_dict_boolean (status, "receiving-paused");
  gboolean sending = pr_dict_boolean (status, "sending-paused");

  if (!receiving && !sending)
    return (Obstacle){ 0 };

  return (Obstacle){
    .text = receiving && sending ? _ ("Receiving and sending are paused")
            : receiving ? _ ("Receiving is paused: programs and devices are told to try later")
                        : _ ("Sending is paused: mail is taken and waits"),
    .button = _ ("Resume"),
    .remedy = "win.resume",
  };
}

static Obstacle
find_obstacle (PrWindow *self)
{
  GVariant *status = pr_service_get_status (self->service);

  switch (pr_service_get_state (self->service))
    {
    case PR_SERVICE_REFUSED:
      return (Obstacle){ .text = pr_service_get_reason (self->service), .style = "error" };
    case PR_SERVICE_ABSENT:
      if (self->progress != NULL)
        return (Obstacle){ .text = self->progress };
      return (Obstacle){ .text = _ ("The service is not running: no mail is taken or sent"),
                         .button = _ ("Start"),
                         .remedy = "app.start-service",
                         .style = "warning" };
    case PR_SERVICE_CONNECTED: return status != NULL ? find_pause (status) : (Obstacle){ 0 };
    case PR_SERVICE_CONNECTING:
    default:
      if (self->was_connected)
        return (Obstacle){ .text = _ ("The connection to the service was lost. Looking for it …"),
                           .style = "warning" };
      return (Obstacle){ 0 };
    }
}

static void
show_obstacle (PrWindow *self)
{
  Obstacle obstacle = find_obstacle (self);

  if (obstacle.text != NULL) /* else the last words stay while it slides away */
    {
      gtk_label_set_label (self->banner_text, obstacle.text);
      gtk_widget_set_css_classes (self->banner_box,
                                  (const char *[]){ "banner", obstacle.style, NULL });
    }
  gtk_widget_set_visible (GTK_WIDGET (self->banner_button), obstacle.button != NULL);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->banner_button), obstacle.remedy);
  if (obstacle.button != NULL)
    gtk_button_set_label (self->banner_button, obstacle.button);
  gtk_revealer_set_reveal_child (self->banner, obstacle.text != NULL);
}

/* ── Pausing ──────────────────────────────────────────────────────────────────────────────── */

static void
on_paused (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (answer == NULL)
    pr_toast_show (GTK_WIDGET (self->stack), error->message);
}

/* The state of the action follows what the service says, and only that. */
static void
pause_or_resume (PrWindow *self, const char *what, gboolean paused)
{
  pr_service_call (self->service, "Service1", "SetPaused", g_variant_new ("(sb)", what, paused),
                   "()", NULL, on_paused, g_object_ref (self));
}

static void
on_pause_receiving (GSimpleAction *action, GVariant *value, gpointer user_data)
{
  pause_or_resume (user_data, "receiving", g_variant_get_boolean (value));
}

static void
on_pause_sending (GSimpleAction *action, GVariant *value, gpointer user_data)
{
  pause_or_resume (user_data, "sending", g_variant_get_boolean (value));
}

static void
on_resume (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrWindow *self = user_data;
  GVariant *status = pr_service_get_status (self->service);

  if (status != NULL && pr_dict_boolean (status, "receiving-paused"))
    pause_or_resume (self, "receiving", FALSE);
  if (status != NULL && pr_dict_boolean (status, "sending-paused"))
    pause_or_resume (self, "sending", FALSE);
}

static void
set_action (PrWindow *self, const char *name, gboolean enabled, gboolean state)
{
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), name);

  g_simple_action_set_enabled (G_SIMPLE_ACTION (action), enabled);
  g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_boolean (state));
}

static void
on_service_changed (PrWindow *self)
{
  gboolean connected = pr_service_is_connected (self->service);
  GVariant *status = pr_service_get_status (self->service);
  gboolean receiving = status != NULL && pr_dict_boolean (status, "receiving-paused");
  gboolean sending = status != NULL && pr_dict_boolean (status, "sending-paused");

  self->was_connected = self->was_connected || connected;
  set_action (self, "pause-receiving", connected, receiving);
  set_action (self, "pause-sending", connected, sending);
  adw_view_switcher_title_set_subtitle (self->switcher,
                                        connected && (receiving || sending) ? _ ("Paused") : NULL);
  show_obstacle (self);
}

/* ── Pages ────────────────────────────────────────────────────────────────────────────────── */

static void
on_page_changed (PrWindow *self)
{
  GtkWidget *page = adw_view_stack_get_visible_child (self->stack);
  const char *name = adw_view_stack_get_visible_child_name (self->stack);
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), "page");

  if (page == NULL || name == NULL) /* while the window goes away */
    return;

  adw_bin_set_child (self->controls, pr_page_get_controls (PR_PAGE (page)));
  g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_string (name));
}

static void
on_page_action (GSimpleAction *action, GVariant *value, gpointer user_data)
{
  pr_window_show (user_data, g_variant_get_string (value, NULL), NULL);
}

static void
on_search (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  GtkWidget *page = adw_view_stack_get_visible_child (PR_WINDOW (user_data)->stack);

  if (page != NULL)
    pr_page_search (PR_PAGE (page));
}

static void
add_pages (PrWindow *self)
{
  for (guint i = 0; i < pr_n_pages; i++)
    {
      const PrPageRow *row = &pr_pages[i];
      GtkWidget *page = g_object_new (row->get_type (), "service", self->service, NULL);
      AdwViewStackPage *entry = adw_view_stack_add_named (self->stack, page, row->name);

      adw_view_stack_page_set_title (entry, g_dpgettext2 (NULL, "page", row->title));
      adw_view_stack_page_set_icon_name (entry, row->icon);
      g_object_bind_property (page, "badge", entry, "badge-number", G_BINDING_SYNC_CREATE);
    }
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_window_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  PrWindow *self = PR_WINDOW (object);

  switch ((PrWindowProperty) id)
    {
    case PROP_SERVICE: self->service = g_value_dup_object (value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
pr_window_constructed (GObject *object)
{
  PrWindow *self = PR_WINDOW (object);

  G_OBJECT_CLASS (pr_window_parent_class)->constructed (object);
  add_pages (self);
  g_signal_connect_object (self->service, "notify", G_CALLBACK (on_service_changed), self,
                           G_CONNECT_SWAPPED);
  on_service_changed (self);
}

static void
pr_window_finalize (GObject *object)
{
  PrWindow *self = PR_WINDOW (object);

  g_clear_object (&self->service);
  g_free (self->progress);
  G_OBJECT_CLASS (pr_window_parent_class)->finalize (object);
}

static void
pr_window_class_init (PrWindowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->set_property = pr_window_set_property;
  object_class->constructed = pr_window_constructed;
  object_class->finalize = pr_window_finalize;

  props[PROP_SERVICE] =
    g_param_spec_object ("service", NULL, NULL, PR_TYPE_SERVICE,
                         G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (props), props);

  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "window.ui");
  gtk_widget_class_bind_template_child (widget_class, PrWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, PrWindow, switcher);
  gtk_widget_class_bind_template_child (widget_class, PrWindow, controls);
  gtk_widget_class_bind_template_child (widget_class, PrWindow, banner);
  gtk_widget_class_bind_template_child (widget_class, PrWindow, banner_box);
  gtk_widget_class_bind_template_child (widget_class, PrWindow, banner_text);
  gtk_widget_class_bind_template_child (widget_class, PrWindow, banner_button);
  gtk_widget_class_bind_template_callback (widget_class, on_page_changed);
}

static void
pr_window_init (PrWindow *self)
{
  static const GActionEntry actions[] = {
    { .name = "page", .parameter_type = "s", .state = "''", .change_state = on_page_action },
    { .name = "pause-receiving", .state = "false", .change_state = on_pause_receiving },
    { .name = "pause-sending", .state = "false", .change_state = on_pause_sending },
    { .name = "resume", .activate = on_resume },
    { .name = "search", .activate = on_search },
  };

  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  gtk_widget_init_template (GTK_WIDGET (self));
}

PrWindow *
pr_window_new (GtkApplication *application, PrService *service)
{
  return g_object_new (PR_TYPE_WINDOW, "application", application, "service", service, NULL);
}

gboolean
pr_window_show (PrWindow *self, const char *page, const char *item)
{
  g_return_val_if_fail (PR_IS_WINDOW (self), FALSE);

  if (pr_pages_find (page) == NULL)
    return FALSE;

  adw_view_stack_set_visible_child_name (self->stack, page);
  if (item != NULL)
    pr_page_show_item (PR_PAGE (adw_view_stack_get_visible_child (self->stack)), item);
  return TRUE;
}

void
pr_window_tell (PrWindow *self, const char *text)
{
  g_return_if_fail (PR_IS_WINDOW (self));

  pr_toast_show (GTK_WIDGET (self->stack), text);
}

void
pr_window_set_progress (PrWindow *self, const char *text)
{
  g_return_if_fail (PR_IS_WINDOW (self));

  g_free (self->progress);
  self->progress = g_strdup (text);
  show_obstacle (self);
}
