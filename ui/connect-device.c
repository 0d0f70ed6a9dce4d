/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connect-device.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "device-addresses.h"
#include "device-card.h"
#include "files.h"
#include "reach.h"
#include "rows.h"
#include "settings.h"
#include "toast.h"

struct _PrConnectDevice
{
  AdwWindow parent_instance;

  PrService *service;        /* owned */
  PrSettings *settings;      /* owned */
  GVariant *networks;        /* owned, nullable */
  GCancellable *cancellable; /* owned */
  PrDeviceCard card;         /* with a password: the user is there */
  gboolean has_asked;        /* for the networks */
  gboolean is_ready;         /* the settings are known */
  gboolean is_working;       /* it is being made */
  gboolean was_opened;       /* the service was told to listen to the network, once */
  gboolean is_connected;     /* the device has been here */

  GtkStack *stack; /* template children */
  GtkWidget *device;
  GtkWidget *make;
  AdwPreferencesGroup *lines;
  AdwActionRow *light;
  GtkImage *lamp;
};

G_DEFINE_FINAL_TYPE (PrConnectDevice, pr_connect_device, ADW_TYPE_WINDOW)

static void
on_name_changed (PrConnectDevice *self)
{
  gtk_widget_set_sensitive (self->make,
                            self->is_ready && !self->is_working &&
                              *gtk_editable_get_text (GTK_EDITABLE (self->device)) != '\0');
}

static void
fail (PrConnectDevice *self, const char *fault)
{
  self->is_working = FALSE;
  on_name_changed (self);
  pr_toast_show (GTK_WIDGET (self->stack), fault);
}

/* What an Edit or a SetUser says against it. (transfer full): NULL: nothing. */
static char *
find_fault (GVariant *answer)
{
  g_autofree const char **faults = NULL;

  g_variant_get_child (answer, 0, "^a&s", &faults);
  return g_strdup (faults[0]);
}

/* ── What to type ─────────────────────────────────────────────────────────────────────────── */

static const char *
name_encryption (const char *tls)
{
  if (g_str_equal (tls, "implicit"))
    return _ ("SSL/TLS from the start");
  if (g_str_equal (tls, "required") || g_str_equal (tls, "starttls"))
    return _ ("STARTTLS; accept the certificate of this computer");
  return _ ("None");
}

static void
show_card (PrConnectDevice *self, const PrDeviceAddress *address)
{
  const char *hostname = pr_dict_string (pr_service_get_status (self->service), "hostname");
  g_autofree char *tls = pr_settings_get_value (self->settings, address->group, "tls", NULL);

  if (hostname == NULL)
    hostname = address->address;
  self->card.server =
    strchr (hostname, '.') != NULL ? g_strdup (hostname) : g_strconcat (hostname, ".local", NULL);
  self->card.address = g_strdup (address->address);
  self->card.port = g_strdup_printf ("%u", address->port);
  self->card.encryption = g_strdup (name_encryption (tls != NULL ? tls : "off"));
  for (guint i = 0; i < PR_N_DEVICE_LINES; i++)
    {
      const char *title, *value;
      GtkWidget *row;

      pr_device_card_get_line (&self->card, i, &title, &value);
      row = pr_row_new (title, value);
      pr_row_add_copy (row, _ ("Copy"), NULL);
      adw_preferences_group_add (self->lines, row);
    }
  gtk_stack_set_visible_child_name (self->stack, "card");
  gtk_widget_child_focus (gtk_stack_get_visible_child (self->stack), GTK_DIR_TAB_FORWARD);
}

/* The first that other computers reach. */
static const PrDeviceAddress *
find_address (GPtrArray *addresses)
{
  for (guint i = 0; i < addresses->len; i++)
    {
      const PrDeviceAddress *address = addresses->pdata[i];

      if (!address->is_local)
        return address;
    }
  return NULL;
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autofree char *fault = answer != NULL ? find_fault (answer) : NULL;
  g_autofree const char **warnings = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone */
  if (answer == NULL || fault != NULL)
    {
      fail (user_data, fault != NULL ? fault : error->message);
      return;
    }
  g_variant_get_child (answer, 1, "^a&s", &warnings);
  if (warnings[0] != NULL) /* a port that could not be opened */
    pr_toast_show (GTK_WIDGET (PR_CONNECT_DEVICE (user_data)->stack), warnings[0]);
  /* Now the settings change, and what follows with them */
}

static void
open_to_network (PrConnectDevice *self)
{
  g_autoptr (GVariant) undo = NULL;
  g_autoptr (GVariant) edits =
    pr_reach_make_edits (pr_settings_get_text (self->settings), self->networks, FALSE, &undo);

  if (g_variant_n_children (edits) == 0)
    {
      fail (self, _ ("This computer is in no network that devices could reach it by."));
      return;
    }
  if (self->was_opened)
    return; /* and soon the settings say so */

  self->was_opened = TRUE;
  pr_service_call (self->service, "Configuration1", "Edit", g_variant_new ("(@a(ssss))", edits),
                   "(asass)", self->cancellable, on_opened, self);
}

/* The user is there: shows the card, once there is an address to be told. */
static void
advance (PrConnectDevice *self)
{
  g_autofree const char **open = NULL;
  g_autoptr (GPtrArray) addresses = NULL;
  const PrDeviceAddress *address;
  GVariant *status = pr_service_get_status (self->service);

  if (!self->is_working || self->card.password == NULL || self->networks == NULL)
    return;

  if (status != NULL)
    g_variant_lookup (status, "addresses", "^a&s", &open);
  addresses = pr_device_addresses_list (self->settings, self->networks, open);
  address = find_address (addresses);
  if (address != NULL)
    {
      self->is_working = FALSE;
      show_card (self, address);
    }
  else
    {
      open_to_network (self);
    }
}

static void
on_settings (PrConnectDevice *self)
{
  self->is_ready = TRUE;
  on_name_changed (self);
  advance (self);
}

static void
on_user_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autofree char *fault = answer != NULL ? find_fault (answer) : NULL;
  PrConnectDevice *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone */
  if (answer == NULL || fault != NULL)
    {
      pr_device_card_clear (&self->card);
      fail (self, fault != NULL ? fault : error->message);
      return;
    }
  advance (self);
}

static void
on_make (PrConnectDevice *self)
{
  g_auto (GStrv) groups = NULL;
  GVariantDict options;

  if (self->is_working || !gtk_widget_get_sensitive (self->make))
    return;

  self->is_working = TRUE;
  on_name_changed (self);
  if (self->card.password != NULL) /* only the network was missing */
    {
      self->was_opened = FALSE;
      advance (self);
      return;
    }
  groups = pr_settings_get_groups (self->settings);
  self->card.device = g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->device)));
  self->card.user = pr_device_card_make_user (self->card.device, (const char *const *) groups);
  self->card.password = pr_device_card_make_password ();
  if (self->card.password == NULL)
    {
      pr_device_card_clear (&self->card);
      fail (self, _ ("This computer cannot make a password now. Try again later."));
      return;
    }
  g_variant_dict_init (&options, NULL);
  pr_service_call (self->service, "Configuration1", "SetUser",
                   g_variant_new ("(ss@a{sv})", self->card.user, self->card.password,
                                  g_variant_dict_end (&options)),
                   "(asas)", self->cancellable, on_user_set, self);
}

static void
on_networks (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrConnectDevice *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone */
  if (answer == NULL)
    {
      fail (self, error->message);
      return;
    }
  self->networks = g_variant_get_child_value (answer, 0);
  advance (self);
}

/* ── The light ────────────────────────────────────────────────────────────────────────────── */

static void
light_up (PrConnectDevice *self, const char *icon, const char *class, const char *title,
          const char *words)
{
  gtk_image_set_from_icon_name (self->lamp, icon);
  gtk_widget_set_css_classes (GTK_WIDGET (self->lamp), (const char *[]){ class, NULL });
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->light), title);
  adw_action_row_set_subtitle (self->light, words);
}

static void
take_event (PrConnectDevice *self, GVariant *event)
{
  const char *kind = pr_dict_string (event, "kind");
  const char *text = pr_dict_string (event, "text");
  const char *peer = pr_dict_string (event, "peer");
  gboolean is_ours = g_strcmp0 (text, self->card.user) == 0;
  g_autofree char *words = NULL;

  if (peer == NULL || self->is_connected)
    return;

  if (g_strcmp0 (kind, "signed-in") == 0 && is_ours)
    {
      self->is_connected = TRUE;
      /* Translators: %s is an address in the network, "192.168.1.20" */
      words = g_strdup_printf (_ ("It signed in from %s and may send mail."), peer);
      light_up (self, "emblem-ok-symbolic", "success", _ ("The Device Is Connected"), words);
    }
  else if (g_strcmp0 (kind, "sign-in-failed") == 0)
    {
      words = is_ours ? g_strdup_printf (_ ("%s has the right user name, but another password. "
                                            "Type the password again."),
                                         peer)
                      : g_strdup_printf (_ ("%s signs in as “%s”. Type the user name again."), peer,
                                         text != NULL ? text : "");
      light_up (self, "dialog-warning-symbolic", "warning", _ ("A Device Could Not Sign In"),
                words);
    }
  else if (g_strcmp0 (kind, "refused") == 0 || g_strcmp0 (kind, "client-refused") == 0)
    {
      /* Translators: an address in the network, and what the device was answered */
      words = g_strdup_printf (_ ("%s reached Postroom and was answered: %s"), peer,
                               text != NULL ? text : "");
      light_up (self, "dialog-warning-symbolic", "warning", _ ("A Device Was Refused"), words);
    }
}

static void
on_events (PrConnectDevice *self, GVariant *events, guint missed)
{
  for (gsize i = 0; self->card.user != NULL && i < g_variant_n_children (events); i++)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i);

      take_event (self, event);
    }
}

/* ── On paper ─────────────────────────────────────────────────────────────────────────────── */

static void
on_save (PrConnectDevice *self)
{
  g_autoptr (GBytes) pdf = pr_device_card_make_pdf (&self->card);
  g_autofree char *name = g_strconcat (self->card.user, ".pdf", NULL);

  pr_files_save (GTK_WIDGET (self->stack), _ ("Save as PDF"), name, pdf, TRUE,
                 _ ("The sheet was saved. It holds the password: keep it safe."));
}

static void
on_draw_page (PrConnectDevice *self, GtkPrintContext *context)
{
  pr_device_card_draw (&self->card, gtk_print_context_get_cairo_context (context),
                       gtk_print_context_get_width (context));
}

static void
on_print_done (PrConnectDevice *self, GtkPrintOperationResult result, GtkPrintOperation *operation)
{
  g_autoptr (GError) error = NULL;

  gtk_print_operation_get_error (operation, &error);
  if (error != NULL)
    pr_toast_show (GTK_WIDGET (self->stack), error->message);
}

static void
on_print (PrConnectDevice *self)
{
  g_autoptr (GtkPrintOperation) operation = gtk_print_operation_new ();

  gtk_print_operation_set_n_pages (operation, 1);
  gtk_print_operation_set_unit (operation, GTK_UNIT_POINTS);
  gtk_print_operation_set_allow_async (operation, TRUE);
  gtk_print_operation_set_job_name (operation, self->card.device);
  g_signal_connect_object (operation, "draw-page", G_CALLBACK (on_draw_page), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (operation, "done", G_CALLBACK (on_print_done), self, G_CONNECT_SWAPPED);
  gtk_print_operation_run (operation, GTK_PRINT_OPERATION_ACTION_PRINT_DIALOG, GTK_WINDOW (self),
                           NULL);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_connect_device_dispose (GObject *object)
{
  PrConnectDevice *self = PR_CONNECT_DEVICE (object);

  g_cancellable_cancel (self->cancellable);
  if (self->service != NULL)
    pr_service_unfollow (self->service, PR_FOLLOW_EVENTS);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_connect_device_parent_class)->dispose (object);
}

static void
pr_connect_device_finalize (GObject *object)
{
  PrConnectDevice *self = PR_CONNECT_DEVICE (object);

  g_clear_object (&self->settings);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->networks, g_variant_unref);
  pr_device_card_clear (&self->card);
  G_OBJECT_CLASS (pr_connect_device_parent_class)->finalize (object);
}

static void
pr_connect_device_class_init (PrConnectDeviceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = pr_connect_device_dispose;
  object_class->finalize = pr_connect_device_finalize;
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "connect-device.ui");
  gtk_widget_class_bind_template_child (widget_class, PrConnectDevice, stack);
  gtk_widget_class_bind_template_child (widget_class, PrConnectDevice, device);
  gtk_widget_class_bind_template_child (widget_class, PrConnectDevice, make);
  gtk_widget_class_bind_template_child (widget_class, PrConnectDevice, lines);
  gtk_widget_class_bind_template_child (widget_class, PrConnectDevice, light);
  gtk_widget_class_bind_template_child (widget_class, PrConnectDevice, lamp);
  gtk_widget_class_bind_template_callback (widget_class, on_name_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_make);
  gtk_widget_class_bind_template_callback (widget_class, on_save);
  gtk_widget_class_bind_template_callback (widget_class, on_print);
}

static void
pr_connect_device_init (PrConnectDevice *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* Once there is somebody to ask. */
static void
ask (PrConnectDevice *self)
{
  if (self->has_asked || !pr_service_is_connected (self->service))
    return;

  self->has_asked = TRUE;
  pr_service_call (self->service, "Service1", "GetNetworks", NULL, "(aa{sv})", self->cancellable,
                   on_networks, self);
}

PrConnectDevice *
pr_connect_device_new (GtkWindow *parent, PrService *service)
{
  PrConnectDevice *self = g_object_new (PR_TYPE_CONNECT_DEVICE, "transient-for", parent, NULL);

  self->service = g_object_ref (service);
  self->settings = pr_settings_new (service);
  g_signal_connect_object (self->settings, "changed", G_CALLBACK (on_settings), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "events", G_CALLBACK (on_events), self, G_CONNECT_SWAPPED);
  pr_service_follow (service, PR_FOLLOW_EVENTS);
  g_signal_connect_object (service, "notify::connected", G_CALLBACK (ask), self, G_CONNECT_SWAPPED);
  ask (self);
  on_name_changed (self);
  gtk_widget_grab_focus (self->device);
  return self;
}
