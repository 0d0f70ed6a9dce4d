/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connects to a service and calls it, with words for people where that fails. */

#include "control/client.h"

#include <string.h>

#include "control/errors.h"

#define INTERFACE_PREFIX "io.github.postroom."
#define FOR_EVER G_MAXINT /* an order for a million messages takes its time */

static char *
make_address (const PrHome *home)
{
  g_autofree char *path = g_dbus_address_escape_value (home->control);

  return g_strconcat ("unix:path=", path, NULL);
}

/* @cause: what GDBus says of a connection that could not be made. */
static GError *
explain_connect (const PrHome *home, const GError *cause)
{
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_copy (cause);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
      g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                        "No postroomd is running for this home (%s). Start it with: postroomd%s%s",
                        home->data,
                        home->is_default ? "" : " --home=", home->is_default ? "" : home->data);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return g_error_new (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                        "The control socket %s belongs to another user; ask as that user",
                        home->control);
  return g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED,
                      "The service behind %s does not let us in: %s. Is it another user's?",
                      home->control, cause->message);
}

GDBusConnection *
pr_client_connect_sync (const PrHome *home, GError **error)
{
  g_autofree char *address = make_address (home);
  g_autoptr (GError) cause = NULL;
  GDBusConnection *connection;

  pr_control_errors_init ();
  connection = g_dbus_connection_new_for_address_sync (
    address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, &cause);
  if (connection == NULL)
    g_propagate_error (error, explain_connect (home, cause));

  return connection;
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) cause = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &cause);

  if (connection != NULL)
    g_task_return_pointer (task, connection, g_object_unref);
  else
    g_task_return_error (task, explain_connect (g_task_get_task_data (task), cause));
}

void
pr_client_connect_async (const PrHome *home, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autofree char *address = make_address (home);
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  pr_control_errors_init ();
  g_task_set_source_tag (task, pr_client_connect_async);
  g_task_set_task_data (task, pr_home_copy (home), (GDestroyNotify) pr_home_free);
  g_dbus_connection_new_for_address (address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                     cancellable, on_connected, task);
}

GDBusConnection *
pr_client_connect_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* The service's own words, without GDBus's in front of them. */
static void
propagate (GError **error, GError *cause)
{
  g_dbus_error_strip_remote_error (cause);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CLOSED))
    {
      g_clear_error (&cause);
      cause = g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "The service has stopped");
    }
  g_propagate_error (error, cause);
}

GVariant *
pr_client_call_sync (GDBusConnection *connection, const char *interface, const char *method,
                     GVariant *arguments, const char *reply, GError **error)
{
  g_autofree char *name = g_strconcat (INTERFACE_PREFIX, interface, NULL);
  GError *cause = NULL;
  GVariant *answer = g_dbus_connection_call_sync (connection, NULL, PR_CONTROL_PATH, name, method,
                                                  arguments, G_VARIANT_TYPE (reply),
                                                  G_DBUS_CALL_FLAGS_NONE, FOR_EVER, NULL, &cause);

  if (answer == NULL)
    propagate (error, cause);
  return answer;
}

void
pr_client_call_async (GDBusConnection *connection, const char *interface, const char *method,
                      GVariant *arguments, const char *reply, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autofree char *name = g_strconcat (INTERFACE_PREFIX, interface, NULL);

  g_dbus_connection_call (connection, NULL, PR_CONTROL_PATH, name, method, arguments,
                          G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE, FOR_EVER, cancellable,
                          callback, user_data);
}

GVariant *
pr_client_call_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  GError *cause = NULL;
  GVariant *answer = g_dbus_connection_call_finish (connection, result, &cause);

  if (answer == NULL)
    propagate (error, cause);
  return answer;
}

/* ── Dictionaries ─────────────────────────────────────────────────────────────────────────── */

const char *
pr_dict_string (GVariant *dict, const char *key)
{
  const char *value = NULL;

  g_variant_lookup (dict, key, "&s", &value);
  return value;
}

gint64
pr_dict_number (GVariant *dict, const char *key)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (dict, key, NULL);

  if (value == NULL)
    return 0;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    return g_variant_get_uint32 (value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return (gint64) MIN (g_variant_get_uint64 (value), (guint64) G_MAXINT64);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    return g_variant_get_int64 (value);
  return 0;
}

gboolean
pr_dict_boolean (GVariant *dict, const char *key)
{
  gboolean value = FALSE;

  g_variant_lookup (dict, key, "b", &value);
  return value;
}
