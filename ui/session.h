/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * PrSession: one conversation, as Sessions1 in data/dbus describes it, that goes on or has ended.
 *
 * Properties, all read-only: `title` (string: who it is with), `subtitle` (string: its state and
 * how much was said), `icon-name`, `alive` (boolean). Main thread only.
 */
#define PR_TYPE_SESSION (pr_session_get_type ())
G_DECLARE_FINAL_TYPE (PrSession, pr_session, PR, SESSION, GObject)

/* @facts: a{sv} of Sessions1.List. */
PrSession *pr_session_new (GVariant *facts);
/* One that was over before anybody looked. @event: of kind `disconnected`. */
PrSession *pr_session_new_ended (GVariant *event);

void pr_session_update (PrSession *self, GVariant *facts);
/* @why: (nullable): as the event says. */
void pr_session_end (PrSession *self, const char *why);

guint64 pr_session_get_id (PrSession *self);
gboolean pr_session_is_alive (PrSession *self);
const char *pr_session_get_title (PrSession *self);
/* Several lines of what else is known: state, encryption, user, sizes. (transfer full) */
char *pr_session_describe (PrSession *self);
/* The client's address without its port; NULL: outbound, or none. (transfer full) */
char *pr_session_get_client (PrSession *self);

G_END_DECLS
