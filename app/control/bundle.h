/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What somebody needs who is asked for help: the log, how the service and its routes are, and the
 * configuration, as one .tar.gz. Addresses are in it, passwords and tokens are not. */

#define PR_BUNDLE_MAX_EVENTS 100000 /* the newest */

/* postroom.conf without what is secret: of @text only groups and the values of known keys stay;
 * what stands in comments, in keys that hold a secret and in such as nobody knows is hidden.
 * @keys: aa{sv} as of Configuration1.Describe. (transfer full) */
char *pr_bundle_redact (const char *text, GVariant *keys);
/* One line, without its end: "2026-11-24T03:04:05.678Z delivered message=… address=…".
 * @event: as of Journal1. (transfer full) */
char *pr_bundle_event_line (GVariant *event);

/* Asks the service for all of it. @filter: (nullable) (transfer floating): of the log, as of
 * Journal1.Query without `before`. Does its work in small steps on the main context. */
void pr_bundle_make_async (GDBusConnection *connection, GVariant *filter, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data);
/* @n_events: (out) (nullable). Errors as of pr_client_call_sync (). (transfer full) */
GBytes *pr_bundle_make_finish (GAsyncResult *result, guint *n_events, GError **error);

G_END_DECLS
