/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "devices-settings-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "control/client.h"
#include "device-addresses.h"
#include "entry-row.h"
#include "group-page.h"
#include "password.h"
#include "rows.h"
#include "setting-group.h"
#include "toast.h"
#include "user-page.h"

struct _PrDevicesSettingsPage
{
  PrSettingsPage parent_instance;

  GVariant *own;                                  /* owned, nullable: as of GetNetworks */
  GPtrArray *user_rows, *network_rows, *old_rows; /* owned, of GtkWidget, borrowed */
  char *new_name, *new_password;                  /* owned, nullable: on their way to the service */

  AdwPreferencesGroup *users, *networks, *old; /* template children */
  PrEntryRow *name, *network;
};

G_DEFINE_FINAL_TYPE (PrDevicesSettingsPage, pr_devices_settings_page, PR_TYPE_SETTINGS_PAGE)

static PrSettings *
get_settings (PrDevicesSettingsPage *self)
{
  return pr_settings_page_get_settings (PR_SETTINGS_PAGE (self));
}

static PrService *
get_service (PrDevicesSettingsPage *self)
{
  return pr_settings_page_get_service (PR_SETTINGS_PAGE (self));
}

/* A row that opens something of @group when it is pressed. */
static GtkWidget *
make_opener (PrDevicesSettingsPage *self, const char *group, const char *words, GCallback callback)
{
  GtkWidget *row = pr_row_new (pr_settings_get_name (group), words);
  GtkWidget *button = pr_row_add_arrow (row, _ ("Change"));

  g_object_set_data_full (G_OBJECT (button), "group", g_strdup (group), g_free);
  g_signal_connect_object (button, "clicked", callback, self, 0);
  return row;
}

/* ── People and devices ───────────────────────────────────────────────────────────────────── */

static void
on_user (GtkWidget *button, PrDevicesSettingsPage *self)
{
  const char *group = g_object_get_data (G_OBJECT (button), "group");

  pr_settings_page_open (GTK_WIDGET (self), pr_settings_get_name (group),
                         pr_user_page_new (get_settings (self), group, NULL));
}

static GtkWidget *
make_user (PrDevicesSettingsPage *self, const char *group)
{
  g_autofree char *senders = pr_settings_get_value (get_settings (self), group, "senders", NULL);
  g_autofree char *words = g_str_equal (senders, "*")
                             ? g_strdup (_ ("May use any sender address"))
                             /* Translators: %s: sender addresses */
                             : g_strdup_printf (_ ("May send as %s"), senders);

  return make_opener (self, group, words, G_CALLBACK (on_user));
}

static void
on_added (GtkWidget *widget, const char *fault)
{
  PrDevicesSettingsPage *self = PR_DEVICES_SETTINGS_PAGE (widget);
  g_autofree char *name = g_steal_pointer (&self->new_name);
  g_autofree char *password = g_steal_pointer (&self->new_password);
  g_autofree char *group = g_strconcat ("user ", name, NULL);

  if (fault != NULL)
    {
      pr_toast_show (widget, pr_change_trim_fault (fault, NULL, NULL));
      return;
    }
  pr_entry_row_set_text (self->name, "");
  pr_settings_page_open (widget, name, pr_user_page_new (get_settings (self), group, password));
}

static void
on_add (PrDevicesSettingsPage *self)
{
  PrSettings *settings = get_settings (self);
  g_autofree char *name = pr_entry_row_get_text (self->name);
  g_autofree char *group = g_strconcat ("user ", name, NULL);
  g_autofree char *password = pr_password_make ();
  g_autofree char *words = g_strdup_printf (_ ("%s is added"), name);
  g_auto (GStrv) groups = pr_settings_get_groups (settings);

  if (g_strv_contains ((const char *const *) groups, group))
    {
      pr_toast_show (GTK_WIDGET (self), _ ("There is a user of this name already"));
      return;
    }
  if (password == NULL || self->new_name != NULL)
    return; /* one at a time */

  self->new_name = g_steal_pointer (&name);
  self->new_password = g_steal_pointer (&password);
  pr_change_call (GTK_WIDGET (self), get_service (self), "SetUser",
                  g_variant_new ("(ssa{sv})", self->new_name, self->new_password, NULL), "(asas)",
                  pr_settings_get_text (settings), words, on_added);
}

/* ── Networks ─────────────────────────────────────────────────────────────────────────────── */

static void
change_networks (PrDevicesSettingsPage *self, const char *verb, const char *network)
{
  const char *edit[4] = { verb, "access", "relay-networks", network };
  gboolean allows = g_str_equal (verb, "add");
  g_autofree char *words =
    /* Translators: %s: a network, such as 192.168.1.0/24 */
    g_strdup_printf (allows ? _ ("%s may send") : _ ("%s may not send any more"), network);

  pr_change_one (GTK_WIDGET (self), get_service (self), edit, words, NULL);
}

static void
on_allow (GtkWidget *button, PrDevicesSettingsPage *self)
{
  change_networks (self, "add", g_object_get_data (G_OBJECT (button), "network"));
}

static void
on_take (GtkWidget *button, PrDevicesSettingsPage *self)
{
  change_networks (self, "take", g_object_get_data (G_OBJECT (button), "network"));
}

static void
on_typed_done (GtkWidget *widget, const char *fault)
{
  if (fault != NULL)
    pr_toast_show (widget, pr_change_trim_fault (fault, "access", "relay-networks"));
  else
    pr_entry_row_set_text (PR_DEVICES_SETTINGS_PAGE (widget)->network, "");
}

static void
on_allow_typed (PrDevicesSettingsPage *self)
{
  g_autofree char *network = pr_entry_row_get_text (self->network);
  const char *edit[4] = { "add", "access", "relay-networks", network };
  g_autofree char *words = g_strdup_printf (_ ("%s may send"), network);

  pr_change_one (GTK_WIDGET (self), get_service (self), edit, words, on_typed_done);
}

static void
add_network (PrDevicesSettingsPage *self, const char *network, const char *words, gboolean allowed)
{
  GtkWidget *row = pr_row_new (network, words);
  g_autofree char *label = g_strdup_printf (allowed ? _ ("Remove %s") : _ ("Allow %s"), network);
  GtkWidget *button =
    pr_row_add_button (row, allowed ? "list-remove-symbolic" : "list-add-symbolic", label);

  g_object_set_data_full (G_OBJECT (button), "network", g_strdup (network), g_free);
  g_signal_connect_object (button, "clicked",
                           allowed ? G_CALLBACK (on_take) : G_CALLBACK (on_allow), self, 0);
  pr_rows_add (self->networks, self->network_rows, row);
}

static const char *
describe_network (const char *network)
{
  return g_str_equal (network, "127.0.0.0/8") || g_str_equal (network, "::1/128") ||
             g_str_equal (network, "127.0.0.1") || g_str_equal (network, "::1")
           ? _ ("Programs on this computer")
           : _ ("May send without signing in");
}

/* What a person most likely looks for: the network that the printer is in, too. */
static void
offer_own (PrDevicesSettingsPage *self, GPtrArray *known)
{
  for (gsize i = 0; self->own != NULL && i < g_variant_n_children (self->own); i++)
    {
      g_autoptr (GVariant) own = g_variant_get_child_value (self->own, i);
      const char *network = pr_dict_string (own, "network");

      if (network == NULL || !pr_dict_boolean (own, "private") ||
          g_ptr_array_find_with_equal_func (known, network, g_str_equal, NULL))
        continue;
      g_ptr_array_add (known, g_strdup (network));
      add_network (self, network, _ ("Your network: may not send without signing in"), FALSE);
    }
}

static void
show_networks (PrDevicesSettingsPage *self)
{
  g_autofree char *value =
    pr_settings_get_value (get_settings (self), "access", "relay-networks", NULL);
  g_auto (GStrv) items = g_strsplit (value, ";", -1);
  g_autoptr (GPtrArray) known = g_ptr_array_new_with_free_func (g_free);

  pr_rows_clear (self->networks, self->network_rows);
  for (char **item = items; *item != NULL; item++)
    if (*g_strstrip (*item) != '\0')
      {
        g_ptr_array_add (known, g_strdup (*item));
        add_network (self, *item, describe_network (*item), TRUE);
      }
  offer_own (self, known);
}

static void
on_own_networks (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrDevicesSettingsPage) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);

  if (answer == NULL)
    return;

  g_clear_pointer (&self->own, g_variant_unref);
  self->own = g_variant_get_child_value (answer, 0);
  show_networks (self);
}

/* ── Old devices ──────────────────────────────────────────────────────────────────────────── */

static void
on_old (GtkWidget *button, PrDevicesSettingsPage *self)
{
  const char *group = g_object_get_data (G_OBJECT (button), "group");
  GtkWidget *page = pr_group_page_new (get_settings (self), group);

  pr_group_page_add (PR_GROUP_PAGE (page), _ ("Old Devices"),
                     "legacy minimum-tls plaintext-auth-networks");
  pr_settings_page_open (GTK_WIDGET (self), pr_settings_get_name (group), page);
}

static GtkWidget *
make_old (PrDevicesSettingsPage *self, const char *group)
{
  PrSettings *settings = get_settings (self);
  g_autofree char *legacy = pr_settings_get_value (settings, group, "legacy", NULL);
  g_autofree char *minimum = pr_settings_get_value (settings, group, "minimum-tls", NULL);
  g_autofree char *words =
    /* Translators: %s: a version, such as 1.2 */
    g_strdup_printf (g_str_equal (legacy, "true") ? _ ("Forgives old devices; TLS %s or newer")
                                                  : _ ("Keeps to the rules; TLS %s or newer"),
                     minimum);

  return make_opener (self, group, words, G_CALLBACK (on_old));
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
update (PrSettingsPage *page)
{
  PrDevicesSettingsPage *self = PR_DEVICES_SETTINGS_PAGE (page);
  g_auto (GStrv) groups = pr_settings_get_groups (get_settings (self));
  g_auto (GStrv) listeners = pr_device_addresses_list_listeners (get_settings (self));

  pr_rows_clear (self->users, self->user_rows);
  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, "user "))
      pr_rows_add (self->users, self->user_rows, make_user (self, *group));
  pr_rows_clear (self->old, self->old_rows);
  for (char **group = listeners; *group != NULL; group++)
    pr_rows_add (self->old, self->old_rows, make_old (self, *group));
  show_networks (self);
  pr_service_call (get_service (self), "Service1", "GetNetworks", NULL, "(aa{sv})", NULL,
                   on_own_networks, g_object_ref (self));
}

static void
pr_devices_settings_page_finalize (GObject *object)
{
  PrDevicesSettingsPage *self = PR_DEVICES_SETTINGS_PAGE (object);

  g_clear_pointer (&self->own, g_variant_unref);
  g_ptr_array_unref (self->user_rows);
  g_ptr_array_unref (self->network_rows);
  g_ptr_array_unref (self->old_rows);
  g_free (self->new_name);
  g_free (self->new_password);
  G_OBJECT_CLASS (pr_devices_settings_page_parent_class)->finalize (object);
}

static void
pr_devices_settings_page_class_init (PrDevicesSettingsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = pr_devices_settings_page_finalize;
  PR_SETTINGS_PAGE_CLASS (klass)->update = update;
  g_type_ensure (PR_TYPE_ENTRY_ROW);
  g_type_ensure (PR_TYPE_SETTING_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "devices-settings-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrDevicesSettingsPage, users);
  gtk_widget_class_bind_template_child (widget_class, PrDevicesSettingsPage, networks);
  gtk_widget_class_bind_template_child (widget_class, PrDevicesSettingsPage, old);
  gtk_widget_class_bind_template_child (widget_class, PrDevicesSettingsPage, name);
  gtk_widget_class_bind_template_child (widget_class, PrDevicesSettingsPage, network);
  gtk_widget_class_bind_template_callback (widget_class, on_add);
  gtk_widget_class_bind_template_callback (widget_class, on_allow_typed);
}

static void
pr_devices_settings_page_init (PrDevicesSettingsPage *self)
{
  self->user_rows = g_ptr_array_new ();
  self->network_rows = g_ptr_array_new ();
  self->old_rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
