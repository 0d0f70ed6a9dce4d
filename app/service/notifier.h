/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrNotifier: notifications of the desktop. libnotify shows them, in the module `postroom-notify`,
 * which is opened for the first one: a service that shows none pays nothing for it. A daemon that
 * is missing, slow or dead changes nothing but that nothing is seen. One thread.
 */
typedef struct _PrNotifier PrNotifier;

typedef struct
{
  const char *id;    /* one of the same id is replaced */
  const char *title; /* plain text, as is @body; UTF-8 */
  const char *body;
  gboolean urgent;            /* breaks through "do not disturb" */
  const char *const *actions; /* (nullable) name, label, name, label, …, NULL */
} PrNotification;

#define PR_NOTIFIER_DEFAULT "default" /* @action: the notification itself was clicked */

/* @action: what was pressed; NULL: a person put it away. @token: (nullable): of the click. Both
 * times it is gone. */
typedef void (*PrNotifierFunc) (const char *id, const char *action, const char *token,
                                gpointer user_data);

/* @func comes on the thread-default context of the caller. */
PrNotifier *pr_notifier_new (PrNotifierFunc func, gpointer user_data);
/* Withdraws all; waits for that a moment and no longer. */
void pr_notifier_free (PrNotifier *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrNotifier, pr_notifier_free)

/* Copied. */
void pr_notifier_show (PrNotifier *self, const PrNotification *notification);
void pr_notifier_withdraw (PrNotifier *self, const char *id);

/* ── The module ───────────────────────────────────────────────────────────────────────────── */

typedef struct _PrNotifierSession PrNotifierSession;

#define PR_NOTIFIER_BACKEND_VERSION 1

typedef struct
{
  guint version;
  PrNotifierSession *(*session_new) (GMainContext *context, PrNotifierFunc func,
                                     gpointer user_data);
  void (*session_free) (PrNotifierSession *session);
  void (*show) (PrNotifierSession *session, const PrNotification *notification);
  void (*withdraw) (PrNotifierSession *session, const char *id);
} PrNotifierBackend;

/* Its one symbol. */
#define PR_NOTIFIER_BACKEND_SYMBOL "pr_notifier_backend"

G_END_DECLS
