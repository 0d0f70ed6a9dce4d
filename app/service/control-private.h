/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "postroom-dbus.h"
#include "control/client.h"
#include "oauth/consents.h"
#include "service/control.h"
#include "service/reload.h"

G_BEGIN_DECLS

/* What the interfaces share. Each interface is one file with an init that makes its skeleton,
 * exported on every connection. Handlers never block: what the store answers comes back to a
 * PrControlCall, or to the invocation alone, so that neither a client that left nor a service that
 * stops meanwhile can be missed. */

#define PR_CONTROL_MAX_CLIENTS 64
#define PR_CONTROL_TICK_MS 250      /* how often, at most, clients hear of changes */
#define PR_CONTROL_MAX_BACKLOG 1000 /* events kept for one follower between two ticks */

typedef struct
{
  PrControl *control;          /* borrowed */
  GDBusConnection *connection; /* owned */
  guint64 told_queue, told_sessions, told_status;
  gboolean follows;
  guint64 kinds;           /* bits by PrEventKind of what it follows; 0: any */
  guint most;              /* events between two ticks */
  GVariantBuilder *events; /* owned, nullable: for a follower, until the next tick */
  guint n_events, n_missed;
} PrControlClient;

struct _PrControl
{
  guint n_refs;           /* its owner's, and one for each call that waits for the store */
  PrEngine *engine;       /* borrowed; NULL: the service is stopping */
  PrReloader *reloader;   /* borrowed */
  PrAutostart *autostart; /* borrowed, nullable */
  PrDesktop *desktop;     /* borrowed, nullable */
  PrHome *home;           /* borrowed from the service */
  GDBusServer *server;
  GPtrArray *clients; /* of PrControlClient, owned */
  GSource *tick;      /* owned; only while somebody is connected */
  guint follow_token; /* of the journal; only while somebody follows */

  PrDbusService1 *service;
  PrDbusQueue1 *queue;
  PrDbusSessions1 *sessions;
  PrDbusJournal1 *journal;
  PrDbusConfiguration1 *configuration;
  PrDbusSignIn1 *sign_in;
  PrConsents *attempts; /* owned */
  GQueue probings;      /* of servers that are asked for their certificates */
};

/* A call that the store answers. @message, @offset, @length: as the call needs them. */
typedef struct
{
  PrControl *control; /* owned reference */
  GDBusMethodInvocation *invocation;
  PrMessage *message; /* owned, nullable */
  guint64 offset;
  guint length;
} PrControlCall;

PrControlCall *pr_control_call_new (PrControl *control, GDBusMethodInvocation *invocation);
void pr_control_call_free (PrControlCall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrControlCall, pr_control_call_free)
/* The service is stopping: the call was answered so. To be asked first in every answer. */
gboolean pr_control_call_is_late (PrControlCall *self);

PrDbusService1 *pr_control_make_service (PrControl *self);
PrDbusQueue1 *pr_control_make_queue (PrControl *self);
PrDbusSessions1 *pr_control_make_sessions (PrControl *self);
PrDbusJournal1 *pr_control_make_journal (PrControl *self);
PrDbusConfiguration1 *pr_control_make_configuration (PrControl *self);
PrDbusSignIn1 *pr_control_make_sign_in (PrControl *self);
/* control-alerts.c: answers what waits for a person. */
void pr_control_connect_alerts (PrControl *self, PrDbusService1 *skeleton);
/* control-orders.c: answers what orders messages about. */
void pr_control_connect_orders (PrControl *self, PrDbusQueue1 *skeleton);
/* control-queue.c: a filter's strings are borrowed from @options. NULL: fine, else what is wrong.
 */
const char *pr_control_read_filter (GVariant *options, PrStoreFilter *filter);
/* FALSE: it is none, and the call was answered. */
gboolean pr_control_read_id (GDBusMethodInvocation *invocation, const char *text, gint64 *id);
/* The value of @text in @names, -1 if it is none of them. */
int pr_control_find_word (const char *text, const char *const *names, guint n);
/* control-providers.c: answers what concerns providers and routes. */
void pr_control_connect_providers (PrControl *self, PrDbusConfiguration1 *skeleton);
/* Nobody waits for a server's certificate any more. */
void pr_control_stop_probing (PrControl *self);

/* control-sign-in.c: the word for it on the bus. */
const char *pr_control_oauth_state_to_string (PrOauthState state);

/* control-journal.c: tells a follower what it has not heard yet. */
void pr_control_flush_events (PrControlClient *client);
/* Stops listening to the journal when nobody follows any more. */
void pr_control_check_followers (PrControl *self);
/* control.c: who made this call; NULL when it has gone. */
PrControlClient *pr_control_find_client (PrControl *self, GDBusMethodInvocation *invocation);

/* Answers in error: io.github.postroom.Error.Refused with words, or InvalidArgs. */
void pr_control_refuse (GDBusMethodInvocation *invocation, const char *format, ...)
  G_GNUC_PRINTF (2, 3);
void pr_control_bad_args (GDBusMethodInvocation *invocation, const char *format, ...)
  G_GNUC_PRINTF (2, 3);

/* Adds only what says something, but for numbers and booleans. */
void pr_control_add_string (GVariantBuilder *builder, const char *key, const char *value);
void pr_control_add_u64 (GVariantBuilder *builder, const char *key, guint64 value);
void pr_control_add_time (GVariantBuilder *builder, const char *key, gint64 us);
void pr_control_add_uint (GVariantBuilder *builder, const char *key, guint value);
void pr_control_add_bool (GVariantBuilder *builder, const char *key, gboolean value);

G_END_DECLS
