/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting at login.
 *
 *   start:  flatpak ──► portal ──► the person's answer
 *           else unit ── is not known ──► file
 *   do not: flatpak ──► portal
 *           else unit and file, both
 */

#include "config.h"

#include "service/autostart.h"

#include <glib/gi18n.h>
#include <string.h>

#define UNIT "postroom.service"
#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define PORTAL "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define BACKGROUND "org.freedesktop.portal.Background"
#define REQUEST "org.freedesktop.portal.Request"
#define MAX_STATUS 95 /* characters, as the portal takes them */

typedef struct
{
  PrAutostart *owner; /* borrowed */
  gboolean start;
  PrAutostartDone done;
  gpointer user_data;
  char *handle;       /* owned, nullable: the portal's, of which we hear */
  guint subscription; /* to its answer */
} Request;

struct _PrAutostart
{
  const PrHome *home;   /* borrowed */
  GDBusConnection *bus; /* owned, nullable */
  Request *asked;       /* owned, nullable: the portal, one at a time */
  guint n_asked;
  gboolean answered; /* what the portal said last */
  char *status;      /* owned, nullable */
  void (*changed) (gpointer);
  gpointer changed_data;
};

static Request *
request_new (PrAutostart *owner, gboolean start, PrAutostartDone done, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->owner = owner;
  request->start = start;
  request->done = done;
  request->user_data = user_data;
  return request;
}

/* Answers it and forgets it. */
static void
finish (Request *request, gboolean starts, const char *why)
{
  if (request->done != NULL)
    request->done (starts, why, request->user_data);
  g_free (request->handle);
  g_free (request);
}

/* A flatpak says so itself. */
static gboolean
is_flatpak (void)
{
  return g_getenv ("FLATPAK_ID") != NULL;
}

/* ── The file ─────────────────────────────────────────────────────────────────────────────── */

/* One for each home. (transfer full) */
static GFile *
find_file (const PrAutostart *self)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, self->home->data, -1);
  g_autofree char *name = self->home->is_default
                            ? g_strdup (PR_APPLICATION_ID ".Service.desktop")
                            : g_strdup_printf (PR_APPLICATION_ID ".Service.Home%.16s.desktop", sum);

  return g_file_new_build_filename (g_get_user_config_dir (), "autostart", name, NULL);
}

/* As a word of Exec (Desktop Entry Specification, "The Exec key"). */
static void
append_word (GString *command, const char *word)
{
  g_string_append (command, command->len > 0 ? " \"" : "\"");
  for (const char *c = word; *c != '\0'; c++)
    {
      if (strchr ("\"`$\\", *c) != NULL)
        g_string_append_c (command, '\\');
      if (*c == '%')
        g_string_append_c (command, '%');
      g_string_append_c (command, *c);
    }
  g_string_append_c (command, '"');
}

static GBytes *
make_file (const PrAutostart *self)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GString) command = g_string_new (NULL);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *option = g_strconcat ("--home=", self->home->data, NULL);
  char *text;
  gsize len;

  append_word (command, program != NULL ? program : "postroomd");
  if (!self->home->is_default)
    append_word (command, option);
  g_key_file_set_string (file, G_KEY_FILE_DESKTOP_GROUP, "Type", "Application");
  g_key_file_set_string (file, G_KEY_FILE_DESKTOP_GROUP, "Name", _ ("Postroom (mail relay)"));
  g_key_file_set_string (file, G_KEY_FILE_DESKTOP_GROUP, "Exec", command->str);
  g_key_file_set_string (file, G_KEY_FILE_DESKTOP_GROUP, "Icon", PR_APPLICATION_ID);
  g_key_file_set_boolean (file, G_KEY_FILE_DESKTOP_GROUP, "NoDisplay", TRUE);
  text = g_key_file_to_data (file, &len, NULL);

  return g_bytes_new_take (text, len);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = g_file_replace_contents_finish (G_FILE (source), result, NULL, &error);

  finish (user_data, ok, ok ? NULL : error->message);
}

static void
write_file (GFile *file, Request *request)
{
  g_autoptr (GBytes) text = make_file (request->owner);

  g_file_replace_contents_bytes_async (file, text, NULL, FALSE, G_FILE_CREATE_REPLACE_DESTINATION,
                                       NULL, on_written, request);
}

static void
on_folder_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (GFile) file = find_file (request->owner);
  g_autoptr (GError) error = NULL;

  g_file_make_directory_finish (G_FILE (source), result, &error);
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_EXISTS))
    finish (request, FALSE, error->message);
  else
    write_file (file, request);
}

static void
add_file (Request *request)
{
  g_autoptr (GFile) file = find_file (request->owner);
  g_autoptr (GFile) folder = g_file_get_parent (file);

  g_file_make_directory_async (folder, G_PRIORITY_DEFAULT, NULL, on_folder_made, request);
}

static void
on_deleted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_file_delete_finish (G_FILE (source), result, &error);
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    finish (user_data, TRUE, error->message);
  else
    finish (user_data, FALSE, NULL);
}

static void
delete_file (Request *request)
{
  g_autoptr (GFile) file = find_file (request->owner);

  g_file_delete_async (file, G_PRIORITY_DEFAULT, NULL, on_deleted, request);
}

/* ── The unit ─────────────────────────────────────────────────────────────────────────────── */

static gboolean
may_have_unit (const PrAutostart *self)
{
  return self->bus != NULL && self->home->is_default;
}

static void
call_systemd (Request *request, const char *method, GVariant *args, GAsyncReadyCallback callback)
{
  g_dbus_connection_call (request->owner->bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, method, args,
                          NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, callback, request);
}

static GVariant *
call_finish (GObject *source, GAsyncResult *result)
{
  return g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
}

static void
on_enabled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (GVariant) answer = call_finish (source, result);

  if (answer == NULL) /* no systemd, or it does not know the unit */
    {
      add_file (request);
      return;
    }

  /* The manager reads it at the next login at the latest. */
  g_dbus_connection_call (G_DBUS_CONNECTION (source), SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
                          "Reload", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  finish (request, TRUE, NULL);
}

static void
on_disabled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = call_finish (source, result);

  delete_file (user_data);
}

static void
on_unit_state (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = call_finish (source, result);
  const char *state = "";

  if (answer != NULL)
    g_variant_get (answer, "(&s)", &state);
  finish (user_data, g_str_equal (state, "enabled"), NULL);
}

static void
on_file_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  g_autofree char *text = NULL;
  gsize len = 0;
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (g_file_load_contents_finish (G_FILE (source), result, &text, &len, NULL, NULL) &&
      g_key_file_load_from_data (file, text, len, G_KEY_FILE_NONE, NULL) &&
      !g_key_file_get_boolean (file, G_KEY_FILE_DESKTOP_GROUP, "Hidden", NULL))
    finish (request, TRUE, NULL);
  else if (may_have_unit (request->owner))
    call_systemd (request, "GetUnitFileState", g_variant_new ("(s)", UNIT), on_unit_state);
  else
    finish (request, FALSE, NULL);
}

/* ── The portal ───────────────────────────────────────────────────────────────────────────── */

/* Takes the answer that ends the question. */
static void
end_question (PrAutostart *self, gboolean starts, const char *why)
{
  Request *request = g_steal_pointer (&self->asked);

  if (request == NULL)
    return;

  if (self->bus != NULL)
    g_dbus_connection_signal_unsubscribe (self->bus, request->subscription);
  self->answered = starts;
  finish (request, starts, why);
}

static void
on_response (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
             const char *signal, GVariant *args, gpointer user_data)
{
  PrAutostart *self = user_data;
  g_autoptr (GVariant) results = NULL;
  gboolean starts = FALSE;
  guint code;

  if (self->asked == NULL || !g_variant_is_of_type (args, G_VARIANT_TYPE ("(ua{sv})")))
    return;

  g_variant_get (args, "(u@a{sv})", &code, &results);
  if (code == 0)
    g_variant_lookup (results, "autostart", "b", &starts);
  end_question (self, starts,
                starts == self->asked->start ? NULL
                                             : _ ("The desktop did not allow it; look for Postroom "
                                                  "in its settings of applications"));
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrAutostart *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
    g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (answer == NULL)
    {
      g_dbus_error_strip_remote_error (error);
      end_question (self, self->answered, error->message);
    }
}

/* Where the answer will come to: known beforehand, so that it cannot be missed. (transfer full) */
static char *
make_handle (const PrAutostart *self, const char *token)
{
  g_autofree char *sender = g_strdup (g_dbus_connection_get_unique_name (self->bus) + 1);

  return g_strdup_printf (PORTAL_PATH "/request/%s/%s", g_strdelimit (sender, ".", '_'), token);
}

static void
ask_portal (Request *request)
{
  static const char *const command[] = { "postroomd", NULL };
  PrAutostart *self = request->owner;
  g_autofree char *token = g_strdup_printf ("postroom%u", ++self->n_asked);
  GVariantBuilder options;

  self->asked = request;
  request->handle = make_handle (self, token);
  request->subscription =
    g_dbus_connection_signal_subscribe (self->bus, PORTAL, REQUEST, "Response", request->handle,
                                        NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_response, self, NULL);

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "handle_token", g_variant_new_string (token));
  g_variant_builder_add (
    &options, "{sv}", "reason",
    g_variant_new_string (_ ("Postroom takes mail from your devices while you work")));
  g_variant_builder_add (&options, "{sv}", "autostart", g_variant_new_boolean (request->start));
  g_variant_builder_add (&options, "{sv}", "commandline", g_variant_new_strv (command, -1));
  g_dbus_connection_call (self->bus, PORTAL, PORTAL_PATH, BACKGROUND, "RequestBackground",
                          g_variant_new ("(sa{sv})", "", &options), NULL, G_DBUS_CALL_FLAGS_NONE,
                          -1, NULL, on_asked, self);
}

/* ── Asked for ────────────────────────────────────────────────────────────────────────────── */

void
pr_autostart_set (PrAutostart *self, gboolean start, PrAutostartDone done, gpointer user_data)
{
  Request *request = request_new (self, start, done, user_data);
  GVariant *units = g_variant_new_strv ((const char *[]){ UNIT }, 1);

  g_variant_take_ref (units);
  if (is_flatpak () && self->bus == NULL)
    finish (request, self->answered, _ ("There is no desktop session that could be asked"));
  else if (is_flatpak () && self->asked != NULL)
    finish (request, self->answered, _ ("The desktop is being asked already"));
  else if (is_flatpak ())
    ask_portal (request);
  else if (start && may_have_unit (self))
    call_systemd (request, "EnableUnitFiles", g_variant_new ("(@asbb)", units, FALSE, FALSE),
                  on_enabled);
  else if (start)
    add_file (request);
  else if (may_have_unit (self))
    call_systemd (request, "DisableUnitFiles", g_variant_new ("(@asb)", units, FALSE), on_disabled);
  else
    delete_file (request);
  g_variant_unref (units);
}

void
pr_autostart_get (PrAutostart *self, PrAutostartDone done, gpointer user_data)
{
  g_autoptr (GFile) file = find_file (self);

  if (is_flatpak ())
    done (self->answered, NULL, user_data);
  else
    g_file_load_contents_async (file, NULL, on_file_read,
                                request_new (self, FALSE, done, user_data));
}

void
pr_autostart_set_status (PrAutostart *self, const char *text)
{
  GVariantBuilder options;
  g_autofree char *line = NULL;

  if (!is_flatpak () || self->bus == NULL || g_strcmp0 (text, self->status) == 0)
    return;

  g_free (self->status);
  self->status = g_strdup (text);
  line = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), MAX_STATUS));
  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "message", g_variant_new_string (line));
  g_dbus_connection_call (self->bus, PORTAL, PORTAL_PATH, BACKGROUND, "SetStatus",
                          g_variant_new ("(a{sv})", &options), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                          NULL, NULL, NULL);
}

void
pr_autostart_set_bus (PrAutostart *self, GDBusConnection *bus)
{
  if (bus == self->bus)
    return;

  end_question (self, self->answered, _ ("The desktop session ended"));
  g_set_object (&self->bus, bus);
  g_clear_pointer (&self->status, g_free);
  if (bus != NULL && self->changed != NULL)
    self->changed (self->changed_data);
}

void
pr_autostart_set_changed (PrAutostart *self, void (*changed) (gpointer), gpointer user_data)
{
  self->changed = changed;
  self->changed_data = user_data;
}

PrAutostart *
pr_autostart_new (const PrHome *home)
{
  PrAutostart *self = g_new0 (PrAutostart, 1);

  self->home = home;
  return self;
}

void
pr_autostart_free (PrAutostart *self)
{
  pr_autostart_set_bus (self, NULL);
  g_free (self->status);
  g_free (self);
}
