/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/home.h"

G_BEGIN_DECLS

/* A client of a running service: what postroomctl and the window share. The interfaces and what
 * they carry are described in data/dbus. Words of all errors are for people as they are. */

#define PR_CONTROL_PATH "/io/github/postroom"

/* A connection to the service of @home. Errors: G_IO_ERROR_NOT_CONNECTED: no service is running
 * for it; G_IO_ERROR_PERMISSION_DENIED: it is another user's; others: it does not answer as a
 * service does. Blocking: for the command line. (transfer full) */
GDBusConnection *pr_client_connect_sync (const PrHome *home, GError **error);
/* The same for a main loop. @home: needed until this returns. */
void pr_client_connect_async (const PrHome *home, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
GDBusConnection *pr_client_connect_finish (GAsyncResult *result, GError **error);

/* Calls io.github.postroom.@interface.@method ("Queue1", "List") and waits as long as it takes.
 * @arguments: (nullable) (transfer floating); @reply: the type of the answer, a tuple. Errors:
 * PR_ERROR as of errors.h, G_DBUS_ERROR for what made no sense, G_IO_ERROR when the service went.
 * Blocking. (transfer full) */
GVariant *pr_client_call_sync (GDBusConnection *connection, const char *interface,
                               const char *method, GVariant *arguments, const char *reply,
                               GError **error);
void pr_client_call_async (GDBusConnection *connection, const char *interface, const char *method,
                           GVariant *arguments, const char *reply, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
GVariant *pr_client_call_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* What a dictionary (a{sv}) holds under @key; absent or of another type: NULL, 0, FALSE. Strings
 * are borrowed from it. A number may be of type u, t or x. */
const char *pr_dict_string (GVariant *dict, const char *key);
gint64 pr_dict_number (GVariant *dict, const char *key);
gboolean pr_dict_boolean (GVariant *dict, const char *key);

G_END_DECLS
