/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "common/home.h"

G_BEGIN_DECLS

/**
 * PrService: the running postroomd as the window knows it: one object, shared by all pages. It
 * connects by itself, again and again with a growing delay when the service goes, and heals when
 * it comes back. Nothing here blocks. Main thread only.
 *
 * Properties, all read-only: `state` (PrServiceState), `connected` (boolean), `reason` (string: why
 * it is not connected, for people), `status` (variant, the dictionary of Service1.GetStatus; NULL
 * until the first answer; kept when the connection is lost).
 *
 * Signals: `queue-changed` (revision t, messages t), `sessions-changed` (revision t),
 * `events` (aa{sv} as of Journal1, number of missed ones), `configuration-changed`,
 * `sign-in-changed` (id u). All are coalesced by the service to four a second; all but `events` and
 * `sign-in-changed` are emitted once, too, when a connection was made, so that who obeys them needs
 * no other care.
 */
#define PR_TYPE_SERVICE (pr_service_get_type ())
G_DECLARE_FINAL_TYPE (PrService, pr_service, PR, SERVICE, GObject)

typedef enum
{
  PR_SERVICE_CONNECTING, /* not known yet, or lost a moment ago */
  PR_SERVICE_CONNECTED,
  PR_SERVICE_ABSENT,  /* no service runs for this home; goes on looking */
  PR_SERVICE_REFUSED, /* it is another user's, or no Postroom; goes on looking */
} PrServiceState;

#define PR_TYPE_SERVICE_STATE (pr_service_state_get_type ())
GType pr_service_state_get_type (void);

/* Does nothing until pr_service_connect (). @home: copied. */
PrService *pr_service_new (const PrHome *home);
/* Connects, or looks again now instead of after the delay. */
void pr_service_connect (PrService *self);

const PrHome *pr_service_get_home (PrService *self);
PrServiceState pr_service_get_state (PrService *self);
gboolean pr_service_is_connected (PrService *self);
/* (nullable) (transfer none) */
const char *pr_service_get_reason (PrService *self);
/* (nullable) (transfer none): as of Service1.GetStatus; read it with pr_dict_number () and others
 * of control/client.h. */
GVariant *pr_service_get_status (PrService *self);

/* Calls io.github.postroom.@interface.@method ("Queue1", "List"). @arguments: (nullable) (transfer
 * floating); @reply: the type of the answer, a tuple. Errors as of pr_client_call_sync (); without
 * a connection G_IO_ERROR_NOT_CONNECTED. Their words are for people. */
void pr_service_call (PrService *self, const char *interface, const char *method,
                      GVariant *arguments, const char *reply, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
/* (transfer full) */
GVariant *pr_service_call_finish (PrService *self, GAsyncResult *result, GError **error);

/* What it asks over, for helpers of app/control; NULL: there is none now. (transfer none) */
GDBusConnection *pr_service_get_connection (PrService *self);

/* Hands what was asked to the service before the program ends. Blocking, for a moment. */
void pr_service_flush (PrService *self);

/* Who needs less costs the service and the window less; where several follow, `events` brings what
 * all of them need, and each passes over the rest. */
typedef enum
{
  PR_FOLLOW_EVENTS,  /* every event */
  PR_FOLLOW_ENDINGS, /* `disconnected` alone */
  PR_FOLLOW_NEWS,    /* that something happened, not what: one event stands for any number */
  PR_N_FOLLOWS
} PrFollowing;

/* Turns the signal `events` on for as long as anybody wants it: calls come in pairs. */
void pr_service_follow (PrService *self, PrFollowing what);
void pr_service_unfollow (PrService *self, PrFollowing what);

G_END_DECLS
