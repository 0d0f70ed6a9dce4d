/* SPDX-License-Identifier: GPL-3.0-or-later */
/* com.canonical.dbusmenu: a flat menu whose layout never changes; only check marks do. An item's id
 * is its place in the table and one, 0 is the menu itself. */

#include "service/tray-menu.h"

#include <glib/gi18n.h>

#define INTERFACE "com.canonical.dbusmenu"
#define REVISION 1u
#define MAX_IDS 64 /* what a caller may name at once; the menu has fewer */

static const char introspection[] =
  "<node><interface name='" INTERFACE "'>"
  "<property name='Version' type='u' access='read'/>"
  "<property name='TextDirection' type='s' access='read'/>"
  "<property name='Status' type='s' access='read'/>"
  "<property name='IconThemePath' type='as' access='read'/>"
  "<method name='GetLayout'><arg type='i' direction='in'/><arg type='i' direction='in'/>"
  "<arg type='as' direction='in'/><arg type='u' direction='out'/>"
  "<arg type='(ia{sv}av)' direction='out'/></method>"
  "<method name='GetGroupProperties'><arg type='ai' direction='in'/>"
  "<arg type='as' direction='in'/><arg type='a(ia{sv})' direction='out'/></method>"
  "<method name='GetProperty'><arg type='i' direction='in'/><arg type='s' direction='in'/>"
  "<arg type='v' direction='out'/></method>"
  "<method name='Event'><arg type='i' direction='in'/><arg type='s' direction='in'/>"
  "<arg type='v' direction='in'/><arg type='u' direction='in'/></method>"
  "<method name='EventGroup'><arg type='a(isvu)' direction='in'/>"
  "<arg type='ai' direction='out'/></method>"
  "<method name='AboutToShow'><arg type='i' direction='in'/>"
  "<arg type='b' direction='out'/></method>"
  "<method name='AboutToShowGroup'><arg type='ai' direction='in'/>"
  "<arg type='ai' direction='out'/><arg type='ai' direction='out'/></method>"
  "<signal name='ItemsPropertiesUpdated'><arg type='a(ia{sv})'/><arg type='a(ias)'/></signal>"
  "<signal name='LayoutUpdated'><arg type='u'/><arg type='i'/></signal>"
  "<signal name='ItemActivationRequested'><arg type='i'/><arg type='u'/></signal>"
  "</interface></node>";

typedef struct
{
  const char *label; /* NULL: a line between groups */
  PrTrayAction action;
  gboolean checks;
} Item;

static const Item items[] = {
  { N_ ("_Open Postroom"), PR_TRAY_OPEN, FALSE },
  { NULL, PR_TRAY_OPEN, FALSE },
  { N_ ("Pause _Receiving"), PR_TRAY_PAUSE_RECEIVING, TRUE },
  { N_ ("Pause _Sending"), PR_TRAY_PAUSE_SENDING, TRUE },
  { N_ ("_Try All Now"), PR_TRAY_TRY_ALL, FALSE },
  { NULL, PR_TRAY_OPEN, FALSE },
  { N_ ("S_ettings"), PR_TRAY_SETTINGS, FALSE },
  { N_ ("_Quit"), PR_TRAY_QUIT, FALSE },
};

struct _PrTrayMenu
{
  GDBusConnection *bus; /* owned */
  guint registration;
  PrTrayFunc func;
  gpointer user_data;
  gboolean receiving_paused, sending_paused;
};

/* ── What the items are ───────────────────────────────────────────────────────────────────── */

static gboolean
is_item (int id)
{
  return id >= 1 && id <= (int) G_N_ELEMENTS (items);
}

static gboolean
is_checked (const PrTrayMenu *self, const Item *item)
{
  return item->action == PR_TRAY_PAUSE_RECEIVING ? self->receiving_paused : self->sending_paused;
}

static GVariant *
make_properties (const PrTrayMenu *self, int id)
{
  GVariantBuilder builder;
  const Item *item = is_item (id) ? &items[id - 1] : NULL;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (item == NULL)
    g_variant_builder_add (&builder, "{sv}", "children-display", g_variant_new_string ("submenu"));
  else if (item->label == NULL)
    g_variant_builder_add (&builder, "{sv}", "type", g_variant_new_string ("separator"));
  else
    g_variant_builder_add (&builder, "{sv}", "label", g_variant_new_string (_ (item->label)));
  if (item != NULL && item->checks)
    {
      g_variant_builder_add (&builder, "{sv}", "toggle-type", g_variant_new_string ("checkmark"));
      g_variant_builder_add (&builder, "{sv}", "toggle-state",
                             g_variant_new_int32 (is_checked (self, item)));
    }

  return g_variant_builder_end (&builder);
}

static GVariant *
make_node (const PrTrayMenu *self, int id, gboolean with_children)
{
  GVariantBuilder children;

  g_variant_builder_init (&children, G_VARIANT_TYPE ("av"));
  for (int child = 1; with_children && is_item (child); child++)
    g_variant_builder_add (&children, "v", make_node (self, child, FALSE));

  return g_variant_new ("(i@a{sv}av)", id, make_properties (self, id), &children);
}

/* ── Calls ────────────────────────────────────────────────────────────────────────────────── */

static gboolean
take_event (PrTrayMenu *self, int id, const char *event)
{
  if (id != 0 && !is_item (id))
    return FALSE;

  if (id != 0 && g_str_equal (event, "clicked") && items[id - 1].label != NULL)
    self->func (items[id - 1].action, NULL, self->user_data);

  return TRUE;
}

static void
get_layout (PrTrayMenu *self, GVariant *args, GDBusMethodInvocation *invocation)
{
  int parent, depth;

  g_variant_get (args, "(iias)", &parent, &depth, NULL);
  if (parent != 0 && !is_item (parent))
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                           "There is no item %d in this menu", parent);
  else
    g_dbus_method_invocation_return_value (
      invocation, g_variant_new ("(u@(ia{sv}av))", REVISION,
                                 make_node (self, parent, parent == 0 && depth != 0)));
}

/* No ids ask for all of them. */
static void
get_group_properties (PrTrayMenu *self, GVariant *args, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) wanted = g_variant_get_child_value (args, 0);
  gsize n_ids;
  const gint32 *ids = g_variant_get_fixed_array (wanted, &n_ids, sizeof *ids);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ia{sv})"));
  for (gsize i = 0; i < MIN (n_ids, MAX_IDS); i++)
    if (ids[i] == 0 || is_item (ids[i]))
      g_variant_builder_add (&builder, "(i@a{sv})", ids[i], make_properties (self, ids[i]));
  for (int id = 0; n_ids == 0 && id <= (int) G_N_ELEMENTS (items); id++)
    g_variant_builder_add (&builder, "(i@a{sv})", id, make_properties (self, id));

  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(a(ia{sv}))", &builder));
}

static void
get_property (PrTrayMenu *self, GVariant *args, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GVariant) value = NULL;
  const char *name;
  int id;

  g_variant_get (args, "(i&s)", &id, &name);
  if (id == 0 || is_item (id))
    {
      properties = g_variant_ref_sink (make_properties (self, id));
      value = g_variant_lookup_value (properties, name, NULL);
    }

  if (value == NULL)
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                           "Item %d has no %s", id, name);
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(v)", value));
}

static void
event_group (PrTrayMenu *self, GVariant *args, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariantIter) iter = NULL;
  GVariantBuilder unknown;
  const char *event;
  int id;

  g_variant_builder_init (&unknown, G_VARIANT_TYPE ("ai"));
  g_variant_get (args, "(a(isvu))", &iter);
  for (guint n = 0; n < MAX_IDS && g_variant_iter_next (iter, "(i&svu)", &id, &event, NULL, NULL);
       n++)
    if (!take_event (self, id, event))
      g_variant_builder_add (&unknown, "i", id);

  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(ai)", &unknown));
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *args, GDBusMethodInvocation *invocation, gpointer user_data)
{
  PrTrayMenu *self = user_data;

  if (g_str_equal (method, "GetLayout"))
    get_layout (self, args, invocation);
  else if (g_str_equal (method, "GetGroupProperties"))
    get_group_properties (self, args, invocation);
  else if (g_str_equal (method, "GetProperty"))
    get_property (self, args, invocation);
  else if (g_str_equal (method, "EventGroup"))
    event_group (self, args, invocation);
  else if (g_str_equal (method, "AboutToShow")) /* it is always as it is shown */
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(b)", FALSE));
  else if (g_str_equal (method, "AboutToShowGroup"))
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aiai)", NULL, NULL));
  else /* Event */
    {
      const char *event;
      int id;

      g_variant_get (args, "(i&svu)", &id, &event, NULL, NULL);
      g_dbus_method_invocation_return_value (invocation, NULL);
      take_event (self, id, event);
    }
}

static GVariant *
on_get (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
        const char *name, GError **error, gpointer user_data)
{
  if (g_str_equal (name, "Version"))
    return g_variant_new_uint32 (3);
  if (g_str_equal (name, "TextDirection")) /* Translators: "rtl" where text runs right to left. */
    return g_variant_new_string (g_str_equal (C_ ("text direction", "ltr"), "rtl") ? "rtl" : "ltr");
  if (g_str_equal (name, "Status"))
    return g_variant_new_string ("normal");

  return g_variant_new_strv (NULL, 0); /* IconThemePath */
}

/* ── The menu ─────────────────────────────────────────────────────────────────────────────── */

PrTrayMenu *
pr_tray_menu_new (GDBusConnection *bus, PrTrayFunc func, gpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { on_call, on_get, NULL, { NULL } };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  PrTrayMenu *self = g_new0 (PrTrayMenu, 1);

  self->func = func;
  self->user_data = user_data;
  self->registration = g_dbus_connection_register_object (
    bus, PR_TRAY_MENU_PATH, node->interfaces[0], &vtable, self, NULL, NULL);
  if (self->registration == 0)
    {
      g_free (self);
      return NULL;
    }

  self->bus = g_object_ref (bus);
  return self;
}

void
pr_tray_menu_free (PrTrayMenu *self)
{
  g_dbus_connection_unregister_object (self->bus, self->registration);
  g_object_unref (self->bus);
  g_free (self);
}

void
pr_tray_menu_update (PrTrayMenu *self, const PrTrayStatus *status)
{
  GVariantBuilder changed;
  gboolean receiving = self->receiving_paused != status->receiving_paused;
  gboolean sending = self->sending_paused != status->sending_paused;

  if (!receiving && !sending)
    return;

  self->receiving_paused = status->receiving_paused;
  self->sending_paused = status->sending_paused;
  g_variant_builder_init (&changed, G_VARIANT_TYPE ("a(ia{sv})"));
  for (int id = 1; is_item (id); id++)
    if (items[id - 1].checks)
      g_variant_builder_add (&changed, "(i@a{sv})", id, make_properties (self, id));
  g_dbus_connection_emit_signal (self->bus, NULL, PR_TRAY_MENU_PATH, INTERFACE,
                                 "ItemsPropertiesUpdated",
                                 g_variant_new ("(a(ia{sv})a(ias))", &changed, NULL), NULL);
}
