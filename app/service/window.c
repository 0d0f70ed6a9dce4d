/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the window comes from. By the bus when that is possible: what the service itself starts
 * belongs to the service for systemd, and would end with it. */

#include "service/window.h"

#include <glib/gi18n.h>

#define NAME "io.github.postroom.Postroom"
#define PATH "/io/github/postroom/Postroom"
#define INTERFACE "org.freedesktop.Application"
#define SHOW "show" /* the application's action that takes page and item */

typedef struct
{
  char *home; /* owned, nullable: of --home */
  char *page, *item;
  char *token; /* owned, nullable */
} Request;

static void
request_free (Request *request)
{
  g_free (request->home);
  g_free (request->page);
  g_free (request->item);
  g_free (request->token);
  g_free (request);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

/* ── By itself ────────────────────────────────────────────────────────────────────────────── */

/* As it lies beside us, else as the shell finds it; NULL: it is not here. (transfer full) */
static char *
find_program (void)
{
  g_autofree char *own = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = own != NULL ? g_path_get_dirname (own) : NULL;
  g_autofree char *beside = folder != NULL ? g_build_filename (folder, "postroom", NULL) : NULL;

  if (beside != NULL && g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&beside);

  return g_find_program_in_path ("postroom");
}

static void
add_option (GStrvBuilder *builder, const char *option, const char *value)
{
  g_autofree char *word = NULL;

  if (value == NULL || *value == '\0')
    return;

  word = g_strconcat (option, value, NULL);
  g_strv_builder_add (builder, word);
}

static void
start (const Request *request)
{
  g_autofree char *program = find_program ();
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;
  g_auto (GStrv) env = g_get_environ ();
  g_autoptr (GError) error = NULL;

  if (program == NULL)
    {
      g_message (_ ("The window of Postroom is not installed; postroomctl does the same in words"));
      return;
    }

  g_strv_builder_add (builder, program);
  add_option (builder, "--home=", request->home);
  add_option (builder, "--page=", request->page);
  add_option (builder, "--item=", request->item);
  words = g_strv_builder_end (builder);
  if (request->token != NULL)
    {
      env = g_environ_setenv (env, "XDG_ACTIVATION_TOKEN", request->token, TRUE);
      env = g_environ_setenv (env, "DESKTOP_STARTUP_ID", request->token, TRUE);
    }
  if (!g_spawn_async (NULL, words, env, G_SPAWN_DEFAULT, NULL, NULL, NULL, &error))
    g_message (_ ("The window of Postroom does not start: %s"), error->message);
}

/* ── By the bus ───────────────────────────────────────────────────────────────────────────── */

static void
on_activated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  g_autoptr (GVariant) answer =
    g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);

  if (answer == NULL)
    start (request);
}

static void
activate (GDBusConnection *bus, Request *request)
{
  GVariantBuilder platform;

  g_variant_builder_init (&platform, G_VARIANT_TYPE_VARDICT);
  if (request->token != NULL)
    {
      g_variant_builder_add (&platform, "{sv}", "activation-token",
                             g_variant_new_string (request->token));
      g_variant_builder_add (&platform, "{sv}", "desktop-startup-id",
                             g_variant_new_string (request->token));
    }
  if (*request->page == '\0')
    {
      g_dbus_connection_call (bus, NAME, PATH, INTERFACE, "Activate",
                              g_variant_new ("(a{sv})", &platform), NULL, G_DBUS_CALL_FLAGS_NONE,
                              -1, NULL, on_activated, request);
    }
  else
    {
      GVariant *target = g_variant_new ("(ss)", request->page, request->item);

      g_dbus_connection_call (
        bus, NAME, PATH, INTERFACE, "ActivateAction",
        g_variant_new ("(s@ava{sv})", SHOW,
                       g_variant_new_array (G_VARIANT_TYPE_VARIANT,
                                            (GVariant *[]){ g_variant_new_variant (target) }, 1),
                       &platform),
        NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_activated, request);
    }
}

void
pr_window_open (GDBusConnection *bus, const PrHome *home, const char *page, const char *item,
                const char *token)
{
  g_autoptr (Request) request = g_new0 (Request, 1);

  request->home = home->is_default ? NULL : g_strdup (home->data);
  request->page = g_strdup (page);
  request->item = g_strdup (item);
  request->token = g_strdup (token);
  if (bus != NULL && home->is_default)
    activate (bus, g_steal_pointer (&request));
  else
    start (request);
}
