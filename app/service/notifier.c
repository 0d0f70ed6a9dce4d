/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door to the module that shows notifications. Where it is not installed, nothing is shown. */

#include "service/notifier.h"

#include "common/module.h"

struct _PrNotifier
{
  PrNotifierFunc func;
  gpointer user_data;
  const PrNotifierBackend *backend; /* static, nullable */
  PrNotifierSession *session;       /* owned, nullable: after the first one */
  gboolean missing;
};

PrNotifier *
pr_notifier_new (PrNotifierFunc func, gpointer user_data)
{
  PrNotifier *self = g_new0 (PrNotifier, 1);

  self->func = func;
  self->user_data = user_data;
  return self;
}

void
pr_notifier_free (PrNotifier *self)
{
  if (self->session != NULL)
    self->backend->session_free (self->session);
  g_free (self);
}

static gboolean
open_module (PrNotifier *self)
{
  const PrNotifierBackend *backend;
  g_autoptr (GError) error = NULL;

  if (self->session != NULL || self->missing)
    return self->session != NULL;

  backend = pr_module_open ("notify", PR_NOTIFIER_BACKEND_SYMBOL, &error);
  if (backend == NULL || backend->version != PR_NOTIFIER_BACKEND_VERSION)
    {
      self->missing = TRUE;
      g_message ("Notifications cannot be shown: %s",
                 error != NULL ? error->message : "postroom-notify is of another version");
      return FALSE;
    }

  self->backend = backend;
  self->session =
    backend->session_new (g_main_context_get_thread_default (), self->func, self->user_data);
  return TRUE;
}

void
pr_notifier_show (PrNotifier *self, const PrNotification *notification)
{
  if (open_module (self))
    self->backend->show (self->session, notification);
}

void
pr_notifier_withdraw (PrNotifier *self, const char *id)
{
  if (self->session != NULL)
    self->backend->withdraw (self->session, id);
}
