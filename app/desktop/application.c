/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "desktop/application.h"

#include <sysexits.h>
#include <glib/gi18n.h>

#include "desktop/launcher.h"
#include "ui/assistant.h"
#include "ui/connect-device.h"
#include "ui/pages.h"
#include "ui/settings-window.h"
#include "ui/toast.h"
#include "ui/window.h"

#define RESOURCES "/io/github/postroom/Postroom"

struct _PrApplication
{
  AdwApplication parent_instance;

  PrHome *home;         /* owned: from the options on */
  PrService *service;   /* owned: from start-up on */
  PrLauncher *launcher; /* owned: from start-up on */
  gboolean asked_once;  /* the service was found missing, and started */
  gboolean is_starting; /* it was started and does not answer yet */
  gboolean was_greeted; /* it was seen whether anything is set up */
};

G_DEFINE_FINAL_TYPE (PrApplication, pr_application, ADW_TYPE_APPLICATION)

/* ── The service ──────────────────────────────────────────────────────────────────────────── */

/* The one that was last in front of others of its type; NULL: there is none. */
static GtkWindow *
find_window (PrApplication *self, GType type)
{
  for (GList *l = gtk_application_get_windows (GTK_APPLICATION (self)); l != NULL; l = l->next)
    if (g_type_is_a (G_OBJECT_TYPE (l->data), type))
      return l->data;

  return NULL;
}

static void
set_progress (PrApplication *self, const char *text)
{
  for (GList *l = gtk_application_get_windows (GTK_APPLICATION (self)); l != NULL; l = l->next)
    if (PR_IS_WINDOW (l->data))
      pr_window_set_progress (l->data, text);
}

static void
on_launch_failed (const char *text, gpointer user_data)
{
  PrApplication *self = user_data;

  self->is_starting = FALSE;
  set_progress (self, text);
}

static void
start_service (PrApplication *self)
{
  self->is_starting = TRUE;
  set_progress (self, _ ("Starting the service …"));
  pr_launcher_start (self->launcher);
  pr_service_connect (self->service);
}

static void
tell_started (PrApplication *self)
{
  GtkWindow *window = find_window (self, PR_TYPE_WINDOW);

  self->is_starting = FALSE;
  if (window != NULL)
    pr_window_tell (PR_WINDOW (window),
                    _ ("The service was started. It goes on when this window is closed."));
}

static void
on_service_state (PrApplication *self)
{
  switch (pr_service_get_state (self->service))
    {
    case PR_SERVICE_CONNECTED:
      self->asked_once = TRUE; /* what stops later was stopped by somebody */
      set_progress (self, NULL);
      if (self->is_starting)
        tell_started (self);
      break;
    case PR_SERVICE_ABSENT:
      if (!self->asked_once)
        {
          self->asked_once = TRUE;
          start_service (self);
        }
      break;
    case PR_SERVICE_CONNECTING:
    case PR_SERVICE_REFUSED:
    default: break;
    }
}

/* ── Actions ──────────────────────────────────────────────────────────────────────────────── */

static void
on_start_service (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  start_service (user_data);
}

/* One at a time: what somebody began stays. @route: as of pr_assistant_new (). */
static void
open_assistant (PrApplication *self, const char *route)
{
  GtkWindow *assistant = find_window (self, PR_TYPE_ASSISTANT);

  if (assistant == NULL)
    {
      assistant =
        GTK_WINDOW (pr_assistant_new (find_window (self, PR_TYPE_WINDOW), self->service, route));
      gtk_window_set_application (assistant, GTK_APPLICATION (self));
    }
  gtk_window_present (assistant);
}

static void
on_routes (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrApplication) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) routes = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;

  if (routes != NULL && g_variant_n_children (routes) == 0 &&
      find_window (self, PR_TYPE_WINDOW) != NULL)
    open_assistant (self, NULL);
}

/* Without a route all mail waits: the first start begins with setting one up. */
static void
greet (PrApplication *self)
{
  if (self->was_greeted || !pr_service_is_connected (self->service))
    return;

  self->was_greeted = TRUE;
  pr_service_call (self->service, "Configuration1", "GetRoutes", NULL, "(aa{sv})", NULL, on_routes,
                   g_object_ref (self));
}

static void
on_assistant (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  open_assistant (user_data, NULL);
}

static void
on_connect_device (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrApplication *self = user_data;
  GtkWindow *window = find_window (self, PR_TYPE_CONNECT_DEVICE);

  if (window == NULL)
    {
      window =
        GTK_WINDOW (pr_connect_device_new (find_window (self, PR_TYPE_WINDOW), self->service));
      gtk_window_set_application (window, GTK_APPLICATION (self));
    }
  gtk_window_present (window);
}

/* The settings may be open already, behind the window. */
static void
show_settings (PrApplication *self)
{
  GtkWindow *settings = find_window (self, ADW_TYPE_PREFERENCES_WINDOW);

  if (settings == NULL)
    settings = pr_settings_window_new (find_window (self, PR_TYPE_WINDOW), self->service);
  gtk_window_present (settings);
}

static void
on_show (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  PrApplication *self = user_data;
  const char *page, *item;

  /* A page that this version does not know, of a newer service, opens the window all the same. */
  g_variant_get (parameter, "(&s&s)", &page, &item);
  g_application_activate (G_APPLICATION (self));
  if (g_str_equal (page, "settings"))
    show_settings (self);
  else if (g_str_equal (page, "sign-in") && *item != '\0')
    open_assistant (self, item);
  else if (*page != '\0')
    pr_window_show (PR_WINDOW (find_window (self, PR_TYPE_WINDOW)), page,
                    *item != '\0' ? item : NULL);
}

static void
on_settings (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  show_settings (user_data);
}

static void
on_help_shown (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrApplication) self = user_data;
  GtkWindow *window = find_window (self, PR_TYPE_WINDOW);

  if (!gtk_show_uri_full_finish (GTK_WINDOW (source), result, NULL) && window != NULL)
    pr_toast_show (GTK_WIDGET (window),
                   _ ("This computer has nothing to show the help with: install Yelp"));
}

static void
on_help (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  GtkWindow *window = gtk_application_get_active_window (user_data);

  if (window != NULL)
    gtk_show_uri_full (window, "help:postroom", GDK_CURRENT_TIME, NULL, on_help_shown,
                       g_object_ref (user_data));
}

static void
on_about (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  adw_show_about_window (
    gtk_application_get_active_window (user_data), "application-name", "Postroom",
    "application-icon", "io.github.postroom.Postroom", "version", PR_VERSION, "developer-name",
    _ ("The Postroom developers"), "comments",
    _ ("Takes mail from printers, scripts and programs, keeps it safe and gets it delivered."),
    "license-type", GTK_LICENSE_GPL_3_0, "translator-credits", _ ("translator-credits"), NULL);
}

static void
on_quit (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  GtkWindow *window;

  /* Destroyed, not left: what they still have to tell the service, they tell it then, and the
   * application ends when they have. */
  while ((window = gtk_application_get_active_window (user_data)) != NULL)
    gtk_window_destroy (window);
}

static void
add_actions (PrApplication *self)
{
  static const GActionEntry actions[] = {
    { .name = "show", .activate = on_show, .parameter_type = "(ss)" },
    { .name = "settings", .activate = on_settings },
    { .name = "assistant", .activate = on_assistant },
    { .name = "connect-device", .activate = on_connect_device },
    { .name = "start-service", .activate = on_start_service },
    { .name = "help", .activate = on_help },
    { .name = "about", .activate = on_about },
    { .name = "quit", .activate = on_quit },
  };
  GtkApplication *application = GTK_APPLICATION (self);

  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  gtk_application_set_accels_for_action (application, "app.quit",
                                         (const char *[]){ "<Control>q", NULL });
  gtk_application_set_accels_for_action (application, "app.settings",
                                         (const char *[]){ "<Control>comma", NULL });
  gtk_application_set_accels_for_action (application, "app.assistant",
                                         (const char *[]){ "<Control>n", NULL });
  gtk_application_set_accels_for_action (application, "app.connect-device",
                                         (const char *[]){ "<Control>d", NULL });
  gtk_application_set_accels_for_action (application, "app.help", (const char *[]){ "F1", NULL });
  gtk_application_set_accels_for_action (application, "window.close",
                                         (const char *[]){ "<Control>w", NULL });
  gtk_application_set_accels_for_action (application, "win.search",
                                         (const char *[]){ "<Control>f", NULL });
  for (guint i = 0; i < pr_n_pages; i++)
    {
      g_autofree char *action = g_strconcat ("win.page::", pr_pages[i].name, NULL);

      gtk_application_set_accels_for_action (application, action,
                                             (const char *[]){ pr_pages[i].accelerator, NULL });
    }
}

/* ── Starting ─────────────────────────────────────────────────────────────────────────────── */

/* One application for each home: the second start of the same finds the first by this name. */
static void
name_after_home (PrApplication *self)
{
  g_autofree char *sum = NULL;
  g_autofree char *id = NULL;

  if (self->home->is_default)
    return;

  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, self->home->data, -1);
  id = g_strdup_printf (PR_APPLICATION_ID ".Home%.16s", sum);
  g_application_set_application_id (G_APPLICATION (self), id);
}

static int
pr_application_handle_local_options (GApplication *application, GVariantDict *options)
{
  PrApplication *self = PR_APPLICATION (application);
  g_autoptr (GError) error = NULL;
  const char *directory = NULL, *page = "", *item = "";

  if (g_variant_dict_contains (options, "version"))
    {
      g_print ("postroom " PR_VERSION "\n");
      return EX_OK;
    }
  g_variant_dict_lookup (options, "home", "^&ay", &directory);
  g_variant_dict_lookup (options, "page", "&s", &page);
  g_variant_dict_lookup (options, "item", "&s", &item);

  self->home = pr_home_new (directory);
  name_after_home (self);
  if (*page == '\0')
    return -1;

  if (!g_application_register (application, NULL, &error))
    {
      g_printerr ("%s\n", error->message);
      return EX_UNAVAILABLE;
    }
  g_action_group_activate_action (G_ACTION_GROUP (application), "show",
                                  g_variant_new ("(ss)", page, item));
  return g_application_get_is_remote (application) ? EX_OK : -1;
}

static void
pr_application_startup (GApplication *application)
{
  PrApplication *self = PR_APPLICATION (application);

  G_APPLICATION_CLASS (pr_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (PR_APPLICATION_ID);
  add_actions (self);

  self->service = pr_service_new (self->home);
  self->launcher = pr_launcher_new (self->home, on_launch_failed, self);
  g_signal_connect_object (self->service, "notify::state", G_CALLBACK (on_service_state), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->service, "notify::state", G_CALLBACK (greet), self,
                           G_CONNECT_SWAPPED);
  pr_service_connect (self->service);
}

static void
pr_application_activate (GApplication *application)
{
  PrApplication *self = PR_APPLICATION (application);
  GtkWindow *window = find_window (self, PR_TYPE_WINDOW);

  if (window == NULL)
    window = GTK_WINDOW (pr_window_new (GTK_APPLICATION (application), self->service));
  gtk_window_present (window);
}

static void
pr_application_shutdown (GApplication *application)
{
  PrApplication *self = PR_APPLICATION (application);

  G_APPLICATION_CLASS (pr_application_parent_class)->shutdown (application);
  g_clear_pointer (&self->launcher, pr_launcher_free);
  if (self->service != NULL)
    pr_service_flush (self->service);
  g_clear_object (&self->service);
}

static void
pr_application_finalize (GObject *object)
{
  g_clear_pointer (&PR_APPLICATION (object)->home, pr_home_free);
  G_OBJECT_CLASS (pr_application_parent_class)->finalize (object);
}

static void
pr_application_class_init (PrApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = pr_application_finalize;
  application_class->handle_local_options = pr_application_handle_local_options;
  application_class->startup = pr_application_startup;
  application_class->activate = pr_application_activate;
  application_class->shutdown = pr_application_shutdown;
}

static void
pr_application_init (PrApplication *self)
{
  const GOptionEntry options[] = {
    { "home", 0, 0, G_OPTION_ARG_FILENAME, NULL,
      N_ ("Talk to the service that keeps its things in DIR"), N_ ("DIR") },
    { "page", 0, 0, G_OPTION_ARG_STRING, NULL, N_ ("Show this page"), N_ ("PAGE") },
    { "item", 0, 0, G_OPTION_ARG_STRING, NULL, N_ ("Show this item of the page"), N_ ("ITEM") },
    { "version", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Show the version and stop"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_application_add_main_option_entries (G_APPLICATION (self), options);
  g_application_set_option_context_summary (
    G_APPLICATION (self), _ ("The window of the Postroom mail relay: its queue, its log, its "
                             "settings. Starts the service if there is none."));
}

PrApplication *
pr_application_new (void)
{
  return g_object_new (PR_TYPE_APPLICATION, "application-id", PR_APPLICATION_ID,
                       "resource-base-path", RESOURCES, NULL);
}
