/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "receiving-settings-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "device-addresses.h"
#include "entry-row.h"
#include "files.h"
#include "group-page.h"
#include "rows.h"
#include "setting-words.h"
#include "toast.h"

#define OPEN_PORT 2525u /* what any program may open, and most devices can be told */

struct _PrReceivingSettingsPage
{
  PrSettingsPage parent_instance;

  GVariant *networks;                   /* owned, nullable: as of GetNetworks */
  GPtrArray *told_rows, *listener_rows; /* owned, of GtkWidget, borrowed from their groups */

  AdwPreferencesGroup *told, *listeners, *low_ports; /* template children */
  GtkWidget *open_up;
  PrEntryRow *name;
};

G_DEFINE_FINAL_TYPE (PrReceivingSettingsPage, pr_receiving_settings_page, PR_TYPE_SETTINGS_PAGE)

static PrSettings *
get_settings (PrReceivingSettingsPage *self)
{
  return pr_settings_page_get_settings (PR_SETTINGS_PAGE (self));
}

/* ── What devices must be told ────────────────────────────────────────────────────────────── */

static char *
describe (PrReceivingSettingsPage *self, const PrDeviceAddress *address)
{
  g_autofree char *tls = pr_settings_get_value (get_settings (self), address->group, "tls", NULL);
  const char *words = pr_setting_words_get_value (address->group, "tls", tls);

  if (!address->is_open && address->port < 1024)
    return g_strdup_printf (_ ("Port %u is not open; see below what it needs"), address->port);
  if (!address->is_open)
    return g_strdup_printf (_ ("Port %u is not open: another program may use it"), address->port);
  if (address->is_local)
    /* Translators: %s is an encryption: "Offered (STARTTLS)" */
    return g_strdup_printf (_ ("Port %u, encryption: %s. For programs on this computer only"),
                            address->port, words);
  return g_strdup_printf (_ ("Port %u, encryption: %s"), address->port, words);
}

static void
show_told (PrReceivingSettingsPage *self)
{
  GVariant *status = pr_service_get_status (pr_settings_page_get_service (PR_SETTINGS_PAGE (self)));
  g_autoptr (GVariant) open =
    status != NULL ? g_variant_lookup_value (status, "addresses", G_VARIANT_TYPE ("as")) : NULL;
  g_autofree const char **open_texts = open != NULL ? g_variant_get_strv (open, NULL) : NULL;
  g_autoptr (GPtrArray) addresses =
    pr_device_addresses_list (get_settings (self), self->networks, open_texts);
  gboolean any_for_others = FALSE;

  pr_rows_clear (self->told, self->told_rows);
  for (guint i = 0; i < addresses->len; i++)
    {
      const PrDeviceAddress *address = addresses->pdata[i];
      g_autofree char *words = describe (self, address);
      g_autofree char *label = g_strdup_printf (_ ("Copy %s"), address->address);
      GtkWidget *row = pr_row_new (address->address, words);

      pr_row_add_copy (row, label, address->address);
      pr_rows_add (self->told, self->told_rows, row);
      any_for_others = any_for_others || !address->is_local;
    }
  gtk_widget_set_visible (self->open_up, addresses->len > 0 && !any_for_others &&
                                           self->networks != NULL &&
                                           g_variant_n_children (self->networks) > 0);
}

static void
on_networks (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrReceivingSettingsPage) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);

  if (answer == NULL)
    return;

  g_clear_pointer (&self->networks, g_variant_unref);
  self->networks = g_variant_get_child_value (answer, 0);
  show_told (self);
}

/* The first listener that takes mail from this computer alone gets all addresses. */
static void
on_open_up (PrReceivingSettingsPage *self)
{
  g_auto (GStrv) listeners = pr_device_addresses_list_listeners (get_settings (self));
  g_autofree char *value = g_strdup_printf ("0.0.0.0:%u;[::]:%u", OPEN_PORT, OPEN_PORT);
  const char *edit[4] = { "set", listeners[0], "listen", value };

  pr_change_one (GTK_WIDGET (self), pr_settings_page_get_service (PR_SETTINGS_PAGE (self)), edit,
                 _ ("Devices in your network can connect"), NULL);
}

/* ── Listeners ────────────────────────────────────────────────────────────────────────────── */

static void
on_listener (GtkWidget *button, PrReceivingSettingsPage *self)
{
  const char *group = g_object_get_data (G_OBJECT (button), "group");
  GtkWidget *widget = pr_group_page_new (get_settings (self), group);
  PrGroupPage *page = PR_GROUP_PAGE (widget);

  pr_group_page_add (page, _ ("Where Clients Connect"), "listen");
  pr_group_page_add (page, _ ("Security"), "tls auth minimum-tls certificate key");
  pr_group_page_add (page, _ ("Old Devices"), "legacy plaintext-auth-networks");
  pr_group_page_add_end (page, _ ("Name of This Listener"), _ ("Remove This Listener"));
  pr_settings_page_open (GTK_WIDGET (self), pr_settings_get_name (group), widget);
}

static GtkWidget *
make_listener (PrReceivingSettingsPage *self, const char *group)
{
  PrSettings *settings = get_settings (self);
  g_autofree char *listen = pr_settings_get_value (settings, group, "listen", NULL);
  g_autofree char *tls = pr_settings_get_value (settings, group, "tls", NULL);
  g_auto (GStrv) places = g_strsplit (listen, ";", -1);
  g_autofree char *joined = g_strjoinv (", ", places);
  /* Translators: addresses with ports, then an encryption: "Offered (STARTTLS)" */
  g_autofree char *words = g_strdup_printf (_ ("%s; encryption: %s"), joined,
                                            pr_setting_words_get_value (group, "tls", tls));
  GtkWidget *row = pr_row_new (pr_settings_get_name (group), words);
  GtkWidget *button = pr_row_add_arrow (row, _ ("Change"));

  g_object_set_data_full (G_OBJECT (button), "group", g_strdup (group), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_listener), self, 0);
  return row;
}

static guint
find_free_port (PrReceivingSettingsPage *self)
{
  g_autoptr (GPtrArray) addresses = pr_device_addresses_list (get_settings (self), NULL, NULL);
  guint port = OPEN_PORT;

  for (guint i = 0; i < addresses->len; i++)
    port = MAX (port, ((const PrDeviceAddress *) addresses->pdata[i])->port);
  return MIN (port + 1, 65535);
}

static void
on_added (GtkWidget *widget, const char *fault)
{
  PrReceivingSettingsPage *self = PR_RECEIVING_SETTINGS_PAGE (widget);

  if (fault != NULL)
    pr_toast_show (widget, pr_change_trim_fault (fault, NULL, NULL));
  else
    pr_entry_row_set_text (self->name, "");
}

static void
add_edit (GVariantBuilder *edits, const char *group, const char *value)
{
  g_variant_builder_add (edits, "(ssss)", "set", group, "listen", value);
}

/* A listener that nobody wrote down goes when there is one: it is written down with it. */
static void
on_add (PrReceivingSettingsPage *self)
{
  PrSettings *settings = get_settings (self);
  g_autofree char *name = pr_entry_row_get_text (self->name);
  g_autofree char *group = g_strconcat ("listener ", name, NULL);
  g_autofree char *value = g_strdup_printf ("127.0.0.1:%u", find_free_port (self));
  g_autofree char *words = g_strdup_printf (_ ("%s is added"), name);
  g_auto (GStrv) groups = pr_settings_get_groups (settings);
  g_auto (GStrv) listeners = pr_device_addresses_list_listeners (settings);
  g_autofree char *present = pr_settings_get_value (settings, listeners[0], "listen", NULL);
  GVariantBuilder edits;

  if (*name == '\0')
    return;
  if (g_strv_contains ((const char *const *) groups, group))
    {
      pr_toast_show (GTK_WIDGET (self), _ ("There is a listener of this name already"));
      return;
    }
  g_variant_builder_init (&edits, G_VARIANT_TYPE ("a(ssss)"));
  if (!g_strv_contains ((const char *const *) groups, listeners[0]))
    add_edit (&edits, listeners[0], present);
  add_edit (&edits, group, value);
  pr_change_edit (GTK_WIDGET (self), pr_settings_get_service (settings),
                  g_variant_builder_end (&edits), words, on_added);
}

/* ── The certificate ──────────────────────────────────────────────────────────────────────── */

static void
save_certificate (PrReceivingSettingsPage *self, GAsyncResult *result, const char *name)
{
  PrService *service = pr_settings_page_get_service (PR_SETTINGS_PAGE (self));
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (service, result, &error);
  g_autoptr (GVariant) octets = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (answer == NULL)
    {
      pr_toast_show (GTK_WIDGET (self), error->message);
      return;
    }
  octets = g_variant_get_child_value (answer, 0);
  bytes = g_variant_get_data_as_bytes (octets);
  pr_files_save (GTK_WIDGET (self), _ ("Save the Certificate"), name, bytes, FALSE,
                 _ ("The certificate was saved"));
}

static void
on_crt (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrReceivingSettingsPage) self = user_data;

  save_certificate (self, result, "postroom.crt");
}

static void
on_pem (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrReceivingSettingsPage) self = user_data;

  save_certificate (self, result, "postroom.pem");
}

static void
export_certificate (PrReceivingSettingsPage *self, const char *format, GAsyncReadyCallback callback)
{
  pr_service_call (pr_settings_page_get_service (PR_SETTINGS_PAGE (self)), "Service1",
                   "ExportCertificate", g_variant_new ("(s)", format), "(ay)", NULL, callback,
                   g_object_ref (self));
}

static void
on_save_crt (PrReceivingSettingsPage *self)
{
  export_certificate (self, "crt", on_crt);
}

static void
on_save_pem (PrReceivingSettingsPage *self)
{
  export_certificate (self, "pem", on_pem);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
update (PrSettingsPage *page)
{
  PrReceivingSettingsPage *self = PR_RECEIVING_SETTINGS_PAGE (page);
  g_auto (GStrv) listeners = pr_device_addresses_list_listeners (get_settings (self));

  pr_rows_clear (self->listeners, self->listener_rows);
  for (char **group = listeners; *group != NULL; group++)
    pr_rows_add (self->listeners, self->listener_rows, make_listener (self, *group));
  show_told (self);
  pr_service_call (pr_settings_page_get_service (page), "Service1", "GetNetworks", NULL, "(aa{sv})",
                   NULL, on_networks, g_object_ref (self));
}

static void
update_status (PrSettingsPage *page, GVariant *status)
{
  PrReceivingSettingsPage *self = PR_RECEIVING_SETTINGS_PAGE (page);

  /* Every message changes the status; these rows seldom. */
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    show_told (self);
}

static void
pr_receiving_settings_page_finalize (GObject *object)
{
  PrReceivingSettingsPage *self = PR_RECEIVING_SETTINGS_PAGE (object);

  g_clear_pointer (&self->networks, g_variant_unref);
  g_ptr_array_unref (self->told_rows);
  g_ptr_array_unref (self->listener_rows);
  G_OBJECT_CLASS (pr_receiving_settings_page_parent_class)->finalize (object);
}

static void
pr_receiving_settings_page_class_init (PrReceivingSettingsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = pr_receiving_settings_page_finalize;
  PR_SETTINGS_PAGE_CLASS (klass)->update = update;
  PR_SETTINGS_PAGE_CLASS (klass)->update_status = update_status;
  g_type_ensure (PR_TYPE_ENTRY_ROW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               PR_UI_PATH "receiving-settings-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrReceivingSettingsPage, told);
  gtk_widget_class_bind_template_child (widget_class, PrReceivingSettingsPage, listeners);
  gtk_widget_class_bind_template_child (widget_class, PrReceivingSettingsPage, low_ports);
  gtk_widget_class_bind_template_child (widget_class, PrReceivingSettingsPage, open_up);
  gtk_widget_class_bind_template_child (widget_class, PrReceivingSettingsPage, name);
  gtk_widget_class_bind_template_callback (widget_class, on_open_up);
  gtk_widget_class_bind_template_callback (widget_class, on_add);
  gtk_widget_class_bind_template_callback (widget_class, on_save_crt);
  gtk_widget_class_bind_template_callback (widget_class, on_save_pem);
}

static void
pr_receiving_settings_page_init (PrReceivingSettingsPage *self)
{
  static const struct
  {
    const char *title, *command;
  } commands[] = {
    { N_ ("For All Programs of This Computer"),
      "echo net.ipv4.ip_unprivileged_port_start=25 | sudo tee /etc/sysctl.d/50-postroom.conf && "
      "sudo sysctl --system" },
    { N_ ("For Postroom Alone, Until Its Next Update"),
      "sudo setcap cap_net_bind_service=+ep \"$(command -v postroomd)\"" },
  };

  self->told_rows = g_ptr_array_new ();
  self->listener_rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      GtkWidget *row = pr_row_new (_ (commands[i].title), commands[i].command);

      pr_row_add_copy (row, _ ("Copy the Command"), commands[i].command);
      adw_preferences_group_add (self->low_ports, row);
    }
}
