/* SPDX-License-Identifier: GPL-3.0-or-later */
/* org.kde.StatusNotifierItem.
 *
 *   watcher appears ──► register by our unique name ──► a host asks for properties ──► shown
 *
 * The unique name, because a sandbox may own no other: a watcher that is told a name nobody owns
 * answers "ok" and shows nothing. */

#include "service/tray.h"

#include <glib/gi18n.h>

#include "service/tray-menu.h"
#include "tray-pixmaps.h"

#define PATH "/StatusNotifierItem"
#define INTERFACE "org.kde.StatusNotifierItem"
#define WATCHER "org.kde.StatusNotifierWatcher"
#define MAX_TOKEN 256 /* octets of a host's token */

static const char introspection[] =
  "<node><interface name='" INTERFACE "'>"
  "<property name='Category' type='s' access='read'/>"
  "<property name='Id' type='s' access='read'/>"
  "<property name='Title' type='s' access='read'/>"
  "<property name='Status' type='s' access='read'/>"
  "<property name='WindowId' type='i' access='read'/>"
  "<property name='IconThemePath' type='s' access='read'/>"
  "<property name='IconName' type='s' access='read'/>"
  "<property name='IconPixmap' type='a(iiay)' access='read'/>"
  "<property name='OverlayIconName' type='s' access='read'/>"
  "<property name='OverlayIconPixmap' type='a(iiay)' access='read'/>"
  "<property name='AttentionIconName' type='s' access='read'/>"
  "<property name='AttentionIconPixmap' type='a(iiay)' access='read'/>"
  "<property name='AttentionMovieName' type='s' access='read'/>"
  "<property name='ToolTip' type='(sa(iiay)ss)' access='read'/>"
  "<property name='ItemIsMenu' type='b' access='read'/>"
  "<property name='Menu' type='o' access='read'/>"
  "<method name='ContextMenu'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
  "<method name='Activate'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
  "<method name='SecondaryActivate'><arg type='i' direction='in'/>"
  "<arg type='i' direction='in'/></method>"
  "<method name='Scroll'><arg type='i' direction='in'/><arg type='s' direction='in'/></method>"
  "<method name='ProvideXdgActivationToken'><arg type='s' direction='in'/></method>"
  "<signal name='NewTitle'/><signal name='NewIcon'/><signal name='NewAttentionIcon'/>"
  "<signal name='NewOverlayIcon'/><signal name='NewToolTip'/>"
  "<signal name='NewStatus'><arg type='s'/></signal>"
  "</interface></node>";

#define PIXMAPS(state)                                                                             \
  {                                                                                                \
    pixmap_##state##_22, pixmap_##state##_44                                                       \
  }

static const struct
{
  const char *icon;
  const char *pixmaps[G_N_ELEMENTS (pixmap_sizes)];
} looks[] = {
  [PR_TRAY_IDLE] = { "io.github.postroom.Postroom-idle-symbolic", PIXMAPS (idle) },
  [PR_TRAY_ACTIVE] = { "io.github.postroom.Postroom-active-symbolic", PIXMAPS (active) },
  [PR_TRAY_PAUSED] = { "io.github.postroom.Postroom-paused-symbolic", PIXMAPS (paused) },
  [PR_TRAY_ATTENTION] = { "io.github.postroom.Postroom-attention-symbolic", PIXMAPS (attention) },
};

struct _PrTray
{
  GDBusConnection *bus; /* owned */
  guint registration;
  guint watch; /* of the watcher's name */
  PrTrayMenu *menu;
  PrTrayFunc func;
  gpointer user_data;
  PrTrayState state;
  char *summary;    /* owned */
  char *token;      /* owned, nullable: of the click that comes next */
  char *theme_path; /* owned: where our icons lie, "" where the desktop finds them */
};

/* ── What we look like ────────────────────────────────────────────────────────────────────── */

static GVariant *
make_pixmaps (PrTrayState state)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(iiay)"));
  for (gsize i = 0; i < G_N_ELEMENTS (pixmap_sizes); i++)
    {
      int size = pixmap_sizes[i];

      g_variant_builder_add (&builder, "(ii@ay)", size, size,
                             g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE,
                                                        looks[state].pixmaps[i],
                                                        (gsize) size * (gsize) size * 4, 1));
    }

  return g_variant_builder_end (&builder);
}

static GVariant *
make_no_pixmaps (void)
{
  return g_variant_new_array (G_VARIANT_TYPE ("(iiay)"), NULL, 0);
}

static const char *
status_name (const PrTray *self)
{
  return self->state == PR_TRAY_ATTENTION ? "NeedsAttention" : "Active";
}

static GVariant *
on_get (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
        const char *name, GError **error, gpointer user_data)
{
  PrTray *self = user_data;

  if (g_str_equal (name, "Category"))
    return g_variant_new_string ("Communications");
  if (g_str_equal (name, "Id"))
    return g_variant_new_string ("io.github.postroom.Postroom");
  if (g_str_equal (name, "Title"))
    return g_variant_new_string ("Postroom");
  if (g_str_equal (name, "Status"))
    return g_variant_new_string (status_name (self));
  if (g_str_equal (name, "WindowId"))
    return g_variant_new_int32 (0);
  if (g_str_equal (name, "IconThemePath"))
    return g_variant_new_string (self->theme_path);
  if (g_str_equal (name, "IconName"))
    return g_variant_new_string (looks[self->state].icon);
  if (g_str_equal (name, "IconPixmap"))
    return make_pixmaps (self->state);
  if (g_str_equal (name, "AttentionIconName"))
    return g_variant_new_string (looks[PR_TRAY_ATTENTION].icon);
  if (g_str_equal (name, "AttentionIconPixmap"))
    return make_pixmaps (PR_TRAY_ATTENTION);
  if (g_str_equal (name, "OverlayIconPixmap"))
    return make_no_pixmaps ();
  if (g_str_equal (name, "ToolTip"))
    return g_variant_new ("(s@a(iiay)ss)", "", make_no_pixmaps (), "Postroom", self->summary);
  if (g_str_equal (name, "ItemIsMenu"))
    return g_variant_new_boolean (FALSE);
  if (g_str_equal (name, "Menu"))
    return g_variant_new_object_path (PR_TRAY_MENU_PATH);

  return g_variant_new_string (""); /* OverlayIconName, AttentionMovieName */
}

/* Our icons where they were installed beside the program. In a flatpak that path means nothing
 * outside, and the exported icons are found by name. */
static char *
find_theme (void)
{
  g_autofree char *exe = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = exe != NULL ? g_path_get_dirname (exe) : NULL;
  g_autofree char *up = folder != NULL ? g_path_get_dirname (folder) : NULL;
  g_autofree char *icons = up != NULL ? g_build_filename (up, "share", "icons", NULL) : NULL;
  g_autofree char *ours =
    icons != NULL ? g_build_filename (icons, "hicolor", "symbolic", "apps",
                                      "io.github.postroom.Postroom-idle-symbolic.svg", NULL)
                  : NULL;

  if (ours == NULL || !g_utf8_validate (icons, -1, NULL) ||
      g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS) || !g_file_test (ours, G_FILE_TEST_EXISTS))
    return g_strdup ("");

  return g_steal_pointer (&icons);
}

/* ── Clicks ───────────────────────────────────────────────────────────────────────────────── */

static void
on_menu (PrTrayAction action, const char *token, gpointer user_data)
{
  PrTray *self = user_data;
  g_autofree char *own = g_steal_pointer (&self->token);

  self->func (action, own, self->user_data);
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *args, GDBusMethodInvocation *invocation, gpointer user_data)
{
  PrTray *self = user_data;

  if (g_str_equal (method, "ProvideXdgActivationToken"))
    {
      const char *token;

      g_variant_get (args, "(&s)", &token);
      g_free (self->token);
      self->token = g_strndup (token, MAX_TOKEN);
    }

  g_dbus_method_invocation_return_value (invocation, NULL);
  if (g_str_equal (method, "Activate") || g_str_equal (method, "SecondaryActivate"))
    on_menu (PR_TRAY_OPEN, NULL, self);
}

/* ── The watcher ──────────────────────────────────────────────────────────────────────────── */

static void
on_registered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
    g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (answer == NULL)
    g_debug ("The tray did not take the item: %s", error->message);
}

static void
on_watcher_appeared (GDBusConnection *connection, const char *name, const char *owner,
                     gpointer user_data)
{
  g_dbus_connection_call (connection, WATCHER, "/StatusNotifierWatcher", WATCHER,
                          "RegisterStatusNotifierItem",
                          g_variant_new ("(s)", g_dbus_connection_get_unique_name (connection)),
                          NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, on_registered, NULL);
}

/* ── The item ─────────────────────────────────────────────────────────────────────────────── */

PrTray *
pr_tray_new (GDBusConnection *bus, PrTrayFunc func, gpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { on_call, on_get, NULL, { NULL } };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  PrTray *self = g_new0 (PrTray, 1);

  self->bus = g_object_ref (bus);
  self->func = func;
  self->user_data = user_data;
  self->summary = g_strdup ("");
  self->theme_path = find_theme ();
  self->menu = pr_tray_menu_new (bus, on_menu, self);
  self->registration =
    g_dbus_connection_register_object (bus, PATH, node->interfaces[0], &vtable, self, NULL, NULL);
  if (self->menu == NULL || self->registration == 0)
    {
      pr_tray_free (self);
      return NULL;
    }

  self->watch = g_bus_watch_name_on_connection (bus, WATCHER, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                on_watcher_appeared, NULL, self, NULL);
  return self;
}

void
pr_tray_free (PrTray *self)
{
  if (self->watch != 0)
    g_bus_unwatch_name (self->watch);
  if (self->registration != 0)
    g_dbus_connection_unregister_object (self->bus, self->registration);
  g_clear_pointer (&self->menu, pr_tray_menu_free);
  g_object_unref (self->bus);
  g_free (self->summary);
  g_free (self->token);
  g_free (self->theme_path);
  g_free (self);
}

static void
emit (PrTray *self, const char *signal, GVariant *args)
{
  g_dbus_connection_emit_signal (self->bus, NULL, PATH, INTERFACE, signal, args, NULL);
}

void
pr_tray_update (PrTray *self, const PrTrayStatus *status)
{
  PrTrayState before = self->state;

  pr_tray_menu_update (self->menu, status);
  self->state = status->state;
  if (self->state != before)
    emit (self, "NewIcon", NULL);
  if ((self->state == PR_TRAY_ATTENTION) != (before == PR_TRAY_ATTENTION))
    emit (self, "NewStatus", g_variant_new ("(s)", status_name (self)));
  if (g_strcmp0 (self->summary, status->summary) == 0)
    return;

  g_free (self->summary);
  self->summary = g_strdup (status->summary);
  emit (self, "NewToolTip", NULL);
}
