/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sending-settings-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "change.h"
#include "control/client.h"
#include "entry-row.h"
#include "explain-group.h"
#include "providers-page.h"
#include "route-page.h"
#include "rows.h"
#include "setting-group.h"
#include "setting-words.h"
#include "toast.h"

struct _PrSendingSettingsPage
{
  PrSettingsPage parent_instance;

  char **names;     /* owned: groups of the routes, in order */
  GPtrArray *rows;  /* owned, of GtkWidget, borrowed from the group, as @names */
  GVariant *states; /* owned, nullable: as of GetRoutes */

  AdwPreferencesGroup *routes; /* template children */
  PrEntryRow *name;
};

G_DEFINE_FINAL_TYPE (PrSendingSettingsPage, pr_sending_settings_page, PR_TYPE_SETTINGS_PAGE)

static PrSettings *
get_settings (PrSendingSettingsPage *self)
{
  return pr_settings_page_get_settings (PR_SETTINGS_PAGE (self));
}

static PrService *
get_service (PrSendingSettingsPage *self)
{
  return pr_settings_page_get_service (PR_SETTINGS_PAGE (self));
}

/* ── How they fare ────────────────────────────────────────────────────────────────────────── */

/* (transfer full) (nullable) */
static GVariant *
find_state (PrSendingSettingsPage *self, const char *name)
{
  for (gsize i = 0; self->states != NULL && i < g_variant_n_children (self->states); i++)
    {
      GVariant *state = g_variant_get_child_value (self->states, i);

      if (g_strcmp0 (pr_dict_string (state, "name"), name) == 0)
        return state;
      g_variant_unref (state);
    }
  return NULL;
}

static void
append (GString *words, const char *more)
{
  if (more != NULL && *more != '\0')
    g_string_append_printf (words, "%s%s", words->len > 0 ? " · " : "", more);
}

static char *
describe (PrSendingSettingsPage *self, const char *group)
{
  g_autoptr (GVariant) state = find_state (self, pr_settings_get_name (group));
  g_autofree char *recipients =
    pr_settings_get_value (get_settings (self), group, "recipients", NULL);
  g_autofree char *via = pr_settings_get_value (get_settings (self), group, "via", NULL);
  g_autoptr (GString) words = g_string_new (NULL);
  const char *provider = state != NULL ? pr_dict_string (state, "provider-name") : NULL;

  append (words, provider != NULL ? provider : pr_setting_words_get_value (group, "via", via));
  append (words, state != NULL ? pr_dict_string (state, "username") : NULL);
  if (!g_str_equal (recipients, "*"))
    append (words, recipients);
  if (state != NULL && pr_dict_boolean (state, "sign-in-needed"))
    append (words, _ ("Sign-in needed"));
  else if (state != NULL)
    append (words, g_strcmp0 (pr_dict_string (state, "state"), "ready") == 0 ? _ ("Ready")
                                                                             : _ ("Waiting"));
  return g_string_free (g_steal_pointer (&words), FALSE);
}

static void
show_states (PrSendingSettingsPage *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    {
      g_autofree char *words = describe (self, self->names[i]);

      pr_row_set_subtitle (self->rows->pdata[i], words);
    }
}

static void
on_states (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSendingSettingsPage) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);

  if (answer == NULL)
    return;

  g_clear_pointer (&self->states, g_variant_unref);
  self->states = g_variant_get_child_value (answer, 0);
  show_states (self);
}

static void
ask_states (PrSendingSettingsPage *self)
{
  pr_service_call (get_service (self), "Configuration1", "GetRoutes", NULL, "(aa{sv})", NULL,
                   on_states, g_object_ref (self));
}

static void
update_status (PrSettingsPage *page, GVariant *status)
{
  /* Every message changes the status: what is not seen is not asked for. */
  if (gtk_widget_get_mapped (GTK_WIDGET (page)))
    ask_states (PR_SENDING_SETTINGS_PAGE (page));
}

/* ── Their order ──────────────────────────────────────────────────────────────────────────── */

const char *
pr_sending_settings_page_find_before (const char *const *routes, guint from, guint to)
{
  guint n = g_strv_length ((char **) routes);

  if (from == to || from >= n || to >= n)
    return NULL;
  if (to < from)
    return routes[to];
  return to + 1 < n ? routes[to + 1] : "";
}

static void
move (PrSendingSettingsPage *self, guint from, guint to)
{
  const char *before =
    pr_sending_settings_page_find_before ((const char *const *) self->names, from, to);
  const char *edit[4] = { "move", NULL, "", before };
  g_autofree char *words = NULL;

  if (before == NULL)
    return;

  edit[1] = self->names[from];
  words = g_strdup_printf (_ ("%s is moved"), pr_settings_get_name (self->names[from]));
  pr_change_one (GTK_WIDGET (self), get_service (self), edit, words, NULL);
}

static guint
get_place (PrSendingSettingsPage *self, gpointer row)
{
  guint place = G_MAXUINT;

  g_ptr_array_find (self->rows, row, &place);
  return place;
}

static void
on_up (GtkWidget *button, PrSendingSettingsPage *self)
{
  guint place = get_place (self, gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW));

  move (self, place, place - 1);
}

static void
on_down (GtkWidget *button, PrSendingSettingsPage *self)
{
  guint place = get_place (self, gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW));

  move (self, place, place + 1);
}

static GdkContentProvider *
on_drag (GtkDragSource *source, double x, double y, GtkWidget *row)
{
  g_autoptr (GdkPaintable) picture = gtk_widget_paintable_new (row);

  gtk_drag_source_set_icon (source, picture, (int) x, (int) y);
  return gdk_content_provider_new_typed (ADW_TYPE_ACTION_ROW, row);
}

static gboolean
on_drop (GtkDropTarget *target, const GValue *value, double x, double y,
         PrSendingSettingsPage *self)
{
  GtkWidget *row = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (target));

  move (self, get_place (self, g_value_get_object (value)), get_place (self, row));
  return TRUE;
}

static void
let_drag (PrSendingSettingsPage *self, GtkWidget *row)
{
  GtkDragSource *source = gtk_drag_source_new ();
  GtkDropTarget *target = gtk_drop_target_new (ADW_TYPE_ACTION_ROW, GDK_ACTION_MOVE);

  gtk_drag_source_set_actions (source, GDK_ACTION_MOVE);
  g_signal_connect_object (source, "prepare", G_CALLBACK (on_drag), row, 0);
  g_signal_connect_object (target, "drop", G_CALLBACK (on_drop), self, 0);
  gtk_widget_add_controller (row, GTK_EVENT_CONTROLLER (source));
  gtk_widget_add_controller (row, GTK_EVENT_CONTROLLER (target));
}

/* ── The list ─────────────────────────────────────────────────────────────────────────────── */

static void
on_route (GtkWidget *button, PrSendingSettingsPage *self)
{
  guint place = get_place (self, gtk_widget_get_ancestor (button, ADW_TYPE_ACTION_ROW));
  const char *group = self->names[place];

  pr_settings_page_open (GTK_WIDGET (self), pr_settings_get_name (group),
                         pr_route_page_new (get_settings (self), group));
}

static void
add_mover (PrSendingSettingsPage *self, GtkWidget *row, const char *icon, const char *label,
           gboolean sensitive, GCallback callback)
{
  GtkWidget *button = pr_row_add_button (row, icon, label);

  gtk_widget_set_sensitive (button, sensitive);
  g_signal_connect_object (button, "clicked", callback, self, 0);
}

static void
add_route (PrSendingSettingsPage *self, guint place, gboolean is_last)
{
  const char *name = pr_settings_get_name (self->names[place]);
  GtkWidget *row = pr_row_new (name, NULL);
  /* Translators: %s is a route's name */
  g_autofree char *up = g_strdup_printf (_ ("Move %s Up"), name);
  g_autofree char *down = g_strdup_printf (_ ("Move %s Down"), name);

  add_mover (self, row, "go-up-symbolic", up, place > 0, G_CALLBACK (on_up));
  add_mover (self, row, "go-down-symbolic", down, !is_last, G_CALLBACK (on_down));
  g_signal_connect_object (pr_row_add_arrow (row, _ ("Change")), "clicked", G_CALLBACK (on_route),
                           self, 0);
  let_drag (self, row);
  pr_rows_add (self->routes, self->rows, row);
}

static char **
list_routes (PrSettings *settings)
{
  g_auto (GStrv) groups = pr_settings_get_groups (settings);
  g_autoptr (GStrvBuilder) routes = g_strv_builder_new ();

  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, "route "))
      g_strv_builder_add (routes, *group);
  return g_strv_builder_end (routes);
}

static void
update (PrSettingsPage *page)
{
  PrSendingSettingsPage *self = PR_SENDING_SETTINGS_PAGE (page);
  guint n;

  g_strfreev (self->names);
  self->names = list_routes (get_settings (self));
  n = g_strv_length (self->names);
  pr_rows_clear (self->routes, self->rows);
  for (guint i = 0; i < n; i++)
    add_route (self, i, i + 1 == n);
  show_states (self);
  ask_states (self);
}

/* ── New ones ─────────────────────────────────────────────────────────────────────────────── */

static void
on_provider (PrSendingSettingsPage *self)
{
  pr_settings_page_open (GTK_WIDGET (self), _ ("Add a Mail Provider"),
                         pr_providers_page_new (get_settings (self)));
}

static void
on_added (GtkWidget *widget, const char *fault)
{
  if (fault != NULL)
    pr_toast_show (widget, pr_change_trim_fault (fault, NULL, NULL));
  else
    pr_entry_row_set_text (PR_SENDING_SETTINGS_PAGE (widget)->name, "");
}

/* It holds mail until more is known of it: last, so that it takes nothing from the others. */
static void
on_add (PrSendingSettingsPage *self)
{
  g_autofree char *name = pr_entry_row_get_text (self->name);
  g_autofree char *group = g_strconcat ("route ", name, NULL);
  g_autofree char *words = g_strdup_printf (_ ("%s is added and holds mail for now"), name);
  const char *edit[4] = { "set", group, "via", "hold" };

  if (g_strv_contains ((const char *const *) self->names, group))
    pr_toast_show (GTK_WIDGET (self), _ ("There is a route of this name already"));
  else
    pr_change_one (GTK_WIDGET (self), get_service (self), edit, words, on_added);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_sending_settings_page_finalize (GObject *object)
{
  PrSendingSettingsPage *self = PR_SENDING_SETTINGS_PAGE (object);

  g_strfreev (self->names);
  g_ptr_array_unref (self->rows);
  g_clear_pointer (&self->states, g_variant_unref);
  G_OBJECT_CLASS (pr_sending_settings_page_parent_class)->finalize (object);
}

static void
pr_sending_settings_page_class_init (PrSendingSettingsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = pr_sending_settings_page_finalize;
  PR_SETTINGS_PAGE_CLASS (klass)->update = update;
  PR_SETTINGS_PAGE_CLASS (klass)->update_status = update_status;
  g_type_ensure (PR_TYPE_ENTRY_ROW);
  g_type_ensure (PR_TYPE_EXPLAIN_GROUP);
  g_type_ensure (PR_TYPE_SETTING_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "sending-settings-page.ui");
  gtk_widget_class_bind_template_child (widget_class, PrSendingSettingsPage, routes);
  gtk_widget_class_bind_template_child (widget_class, PrSendingSettingsPage, name);
  gtk_widget_class_bind_template_callback (widget_class, on_provider);
  gtk_widget_class_bind_template_callback (widget_class, on_add);
}

static void
pr_sending_settings_page_init (PrSendingSettingsPage *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
