/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desktop's accounts, with a mock of their service on a bus of our own. */
#include "oauth/goa.h"

#include <gio/gio.h>

#include "common/error.h"
#include "wait.h"

#define PATH "/org/gnome/OnlineAccounts/Accounts/account_1_0"

typedef struct
{
  GTestDBus *bus;
  GDBusConnection *server;
  GString *calls;
  PrToken *token;
  GError *error;
  guint n_answers;
  gboolean refuses, has_tokens;
} Fixture;

static void
answer_objects (Fixture *f, GDBusMethodInvocation *invocation)
{
  const char *tokens = f->has_tokens ? ", 'org.gnome.OnlineAccounts.OAuth2Based': {}" : "";
  g_autofree char *text =
    g_strdup_printf ("({objectpath '%s': {'org.gnome.OnlineAccounts.Account': {'Id': "
                     "<'account_1_0'>, 'PresentationIdentity': <'Me@example.org'>}%s}},)",
                     PATH, tokens);

  g_autoptr (GVariant) objects =
    g_variant_parse (G_VARIANT_TYPE ("(a{oa{sa{sv}}})"), text, NULL, NULL, NULL);

  if (!f->has_tokens)
    g_assert_null (strstr (text, "OAuth2Based"));
  g_dbus_method_invocation_return_value (invocation, objects);
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *parameters, GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  Fixture *f = user_data;

  g_string_append_printf (f->calls, "%s ", method);
  if (g_str_equal (method, "GetManagedObjects"))
    answer_objects (f, invocation);
  else if (f->refuses)
    g_dbus_method_invocation_return_dbus_error (
      invocation, "org.gnome.OnlineAccounts.Error.NotAuthorized", "sign in again");
  else if (g_str_equal (method, "EnsureCredentials"))
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(i)", 3600));
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(si)", "desk-token", 1800));
}

static const char xml[] =
  "<node><interface name='org.freedesktop.DBus.ObjectManager'><method name='GetManagedObjects'>"
  "<arg type='a{oa{sa{sv}}}' direction='out'/></method></interface>"
  "<interface name='org.gnome.OnlineAccounts.Account'><method name='EnsureCredentials'>"
  "<arg type='i' direction='out'/></method></interface>"
  "<interface name='org.gnome.OnlineAccounts.OAuth2Based'><method name='GetAccessToken'>"
  "<arg type='s' direction='out'/><arg type='i' direction='out'/></method></interface></node>";

static void
on_owned (GDBusConnection *connection, const char *name, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static const GDBusInterfaceVTable vtable = { on_call, NULL, NULL, { 0 } };
  static const char *const paths[] = { "/org/gnome/OnlineAccounts", PATH, PATH };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (xml, NULL);
  g_autoptr (GError) error = NULL;
  gboolean owned = FALSE;

  f->calls = g_string_new (NULL);
  f->has_tokens = TRUE;
  f->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (f->bus);
  f->server = g_dbus_connection_new_for_address_sync (
    g_test_dbus_get_bus_address (f->bus),
    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
    NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    g_assert_cmpuint (g_dbus_connection_register_object (f->server, paths[i], node->interfaces[i],
                                                         &vtable, f, NULL, &error),
                      !=, 0);
  g_bus_own_name_on_connection (f->server, "org.gnome.OnlineAccounts", 0, on_owned, NULL, &owned,
                                NULL);
  wait_for (NULL, owned, "the mock's name on the bus");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_dbus_connection_close_sync (f->server, NULL, NULL);
  g_object_unref (f->server);
  g_test_dbus_down (f->bus);
  g_object_unref (f->bus);
  g_string_free (f->calls, TRUE);
  pr_token_free (f->token);
  g_clear_error (&f->error);
}

static void
on_token (PrToken *token, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true ((token == NULL) == (error != NULL));
  pr_token_free (f->token);
  f->token = token;
  g_clear_error (&f->error);
  f->error = error != NULL ? g_error_copy (error) : NULL;
  f->n_answers++;
}

static void
ask (Fixture *f, const char *id, gboolean refused)
{
  guint n = f->n_answers;

  g_string_truncate (f->calls, 0);
  pr_goa_get_token (g_main_context_default (), id, refused, on_token, f);
  wait_for (NULL, f->n_answers > n, "an answer of the desktop");
}

static void
test_all (Fixture *f, gconstpointer data)
{
  ask (f, "account_1_0", FALSE);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->token->access, ==, "desk-token");
  g_assert_cmpstr (f->token->account, ==, "Me@example.org");
  g_assert_cmpint (f->token->expires_s - f->token->obtained_s, ==, 1800);
  g_assert_cmpstr (f->calls->str, ==, "GetManagedObjects GetAccessToken ");
  ask (f, "me@example.org", TRUE);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->calls->str, ==, "GetManagedObjects EnsureCredentials GetAccessToken ");
  ask (f, "account_2", FALSE);
  g_assert_error (f->error, PR_ERROR, PR_ERROR_CONFIG);
  f->refuses = TRUE;
  ask (f, "account_1_0", TRUE);
  g_assert_error (f->error, PR_ERROR, PR_ERROR_AUTH);
  f->has_tokens = FALSE;
  ask (f, "account_1_0", FALSE);
  g_assert_error (f->error, PR_ERROR, PR_ERROR_CONFIG);
  pr_goa_cancel (pr_goa_get_token (g_main_context_default (), "x", FALSE, on_token, f));
  ask (f, "account_2", FALSE);
  g_assert_cmpuint (f->n_answers, ==, 6);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add ("/goa/all", Fixture, NULL, set_up, test_all, tear_down);
  return g_test_run ();
}
