/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-orders.h"

#include <string.h>
#include <glib/gi18n.h>

#include "queue-deletion.h"
#include "toast.h"

#define UNDO_S 8

/* ── Orders ───────────────────────────────────────────────────────────────────────────────── */

static void
on_ordered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GtkWidget) widget = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  const char *reason;

  if (answer == NULL)
    {
      pr_toast_show (widget, error->message);
      return;
    }

  g_variant_get_child (answer, 1, "&s", &reason);
  if (*reason != '\0')
    pr_toast_show (widget, reason);
}

static void
call (GtkWidget *widget, PrService *service, const char *method, GVariant *arguments)
{
  pr_service_call (service, "Queue1", method, arguments, "(us)", NULL, on_ordered,
                   g_object_ref (widget));
}

void
pr_queue_orders_send (GtkWidget *widget, PrService *service, const char *order,
                      const char *const *ids)
{
  call (widget, service, "Order", g_variant_new ("(s^as)", order, ids));
}

void
pr_queue_orders_send_matching (GtkWidget *widget, PrService *service, const char *order,
                               GVariant *filter, const char *route)
{
  call (widget, service, "OrderMatching", g_variant_new ("(s@a{sv}s)", order, filter, route));
}

void
pr_queue_orders_fail (GtkWidget *widget, PrService *service, const char *const *ids)
{
  call (widget, service, "Fail", g_variant_new ("(^as)", ids));
}

void
pr_queue_orders_move (GtkWidget *widget, PrService *service, const char *const *ids,
                      const char *route)
{
  call (widget, service, "Move", g_variant_new ("(^ass)", ids, route));
}

/* ── Deleting ─────────────────────────────────────────────────────────────────────────────── */

/* What may be undone, and is told of. The application stays until it has ended: a window that is
 * closed leaves nothing half done. */
typedef struct
{
  GtkWidget *widget;    /* owned */
  PrDeletion *deletion; /* owned */
  AdwToast *toast;      /* borrowed: it offers to undo; NULL: none does any more */
  guint toast_source;   /* its end, where it stood while messages were gathered */
  gboolean told;        /* that the service is away */
} Undo;

/* By itself or with its window. */
static void
on_toast_gone (gpointer user_data, GObject *toast)
{
  Undo *self = user_data;

  self->toast = NULL;
  g_clear_handle_id (&self->toast_source, g_source_remove);
  pr_deletion_delete (self->deletion);
}

static void
forget_toast (Undo *self)
{
  g_object_weak_unref (G_OBJECT (self->toast), on_toast_gone, self);
  g_signal_handlers_disconnect_by_data (self->toast, self);
  g_clear_handle_id (&self->toast_source, g_source_remove);
  self->toast = NULL;
}

static void
on_undo (AdwToast *toast, gpointer user_data)
{
  Undo *self = user_data;

  forget_toast (self);
  pr_deletion_restore (self->deletion);
}

static void
end_undo (Undo *self)
{
  GApplication *application = g_application_get_default ();

  if (self->toast != NULL)
    {
      AdwToast *toast = self->toast;

      forget_toast (self);
      adw_toast_dismiss (toast);
    }
  pr_deletion_free (self->deletion);
  g_object_unref (self->widget);
  g_free (self);
  if (application != NULL)
    g_application_release (application);
}

/* (transfer full) */
static char *
say_count (Undo *self)
{
  guint n = pr_deletion_get_count (self->deletion);

  return g_strdup_printf (ngettext ("%u message deleted", "%u messages deleted", n), n);
}

/* @timeout_s: 0: until it is taken away. */
static void
offer (Undo *self, const char *title, guint timeout_s)
{
  self->toast = adw_toast_new (title);
  adw_toast_set_button_label (self->toast, _ ("Undo"));
  adw_toast_set_timeout (self->toast, timeout_s);
  g_signal_connect_data (self->toast, "button-clicked", G_CALLBACK (on_undo), self, NULL, 0);
  g_object_weak_ref (G_OBJECT (self->toast), on_toast_gone, self);
  pr_toast_add (self->widget, self->toast);
}

static gboolean
on_toast_end (gpointer user_data)
{
  Undo *self = user_data;

  self->toast_source = 0;
  adw_toast_dismiss (self->toast);
  return G_SOURCE_REMOVE;
}

/* The same toast, so that its button is always the right one. */
static void
offer_on (Undo *self)
{
  g_autofree char *title = say_count (self);

  if (self->toast == NULL || self->toast_source != 0 || adw_toast_get_timeout (self->toast) != 0)
    return;

  adw_toast_set_title (self->toast, title);
  self->toast_source = g_timeout_add_seconds (UNDO_S, on_toast_end, self);
}

/* FALSE: the window is closed and nobody can be told: what is held stays held. */
static gboolean
tell_of_waiting (Undo *self)
{
  if (gtk_widget_get_root (self->widget) == NULL)
    return FALSE;
  if (!self->told)
    pr_toast_show (self->widget,
                   _ ("The service is away: this is carried out as soon as it is back"));
  self->told = TRUE;
  return TRUE;
}

static void
on_deletion_changed (gpointer user_data)
{
  Undo *self = user_data;

  switch (pr_deletion_get_state (self->deletion))
    {
    case PR_DELETION_READY: offer_on (self); break;
    case PR_DELETION_FAILED:
      pr_toast_show (self->widget, pr_deletion_get_error (self->deletion));
      break;
    case PR_DELETION_GATHERING:
    case PR_DELETION_DELETING:
    case PR_DELETION_RESTORING:
    case PR_DELETION_DONE:
    default: break;
    }
  if (pr_deletion_get_state (self->deletion) >= PR_DELETION_DONE ||
      (pr_deletion_waits (self->deletion) && !tell_of_waiting (self)))
    end_undo (self);
}

static Undo *
make_undo (GtkWidget *widget)
{
  Undo *self = g_new0 (Undo, 1);
  GApplication *application = g_application_get_default ();

  self->widget = g_object_ref (widget);
  if (application != NULL)
    g_application_hold (application);
  return self;
}

void
pr_queue_orders_delete (GtkWidget *widget, PrService *service, const char *const *ids,
                        const char *const *held)
{
  Undo *self = make_undo (widget);
  g_autofree char *title = NULL;

  self->deletion = pr_deletion_new (service, ids, held, on_deletion_changed, self);
  title = say_count (self);
  offer (self, title, UNDO_S);
}

void
pr_queue_orders_delete_matching (GtkWidget *widget, PrService *service, GVariant *filter)
{
  Undo *self = make_undo (widget);

  self->deletion = pr_deletion_new_matching (service, filter, on_deletion_changed, self);
  offer (self, _ ("Deleting messages…"), 0);
}
