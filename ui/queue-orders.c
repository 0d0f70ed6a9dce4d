/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-orders.h"

#include <string.h>
#include <glib/gi18n.h>

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
pr_queue_orders_send_all (GtkWidget *widget, PrService *service, const char *order)
{
  call (widget, service, "OrderAll", g_variant_new ("(s)", order));
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

/* As long as its toast. */
typedef struct
{
  GtkWidget *widget;  /* owned */
  PrService *service; /* owned */
  char **ids;         /* owned */
  char **held;        /* owned */
  gboolean undone;
} Deletion;

static void
on_undo (AdwToast *toast, gpointer user_data)
{
  Deletion *self = user_data;
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();

  self->undone = TRUE;
  for (char **id = self->ids; *id != NULL; id++)
    if (!g_strv_contains ((const char *const *) self->held, *id))
      g_ptr_array_add (ids, *id);
  g_ptr_array_add (ids, NULL);
  if (ids->len > 1)
    pr_queue_orders_send (self->widget, self->service, "release", (const char *const *) ids->pdata);
}

static void
end_deletion (gpointer data, GClosure *closure)
{
  Deletion *self = data;

  if (!self->undone)
    pr_queue_orders_send (self->widget, self->service, "delete", (const char *const *) self->ids);
  g_object_unref (self->widget);
  g_object_unref (self->service);
  g_strfreev (self->ids);
  g_strfreev (self->held);
  g_free (self);
}

void
pr_queue_orders_delete (GtkWidget *widget, PrService *service, const char *const *ids,
                        const char *const *held)
{
  guint n = g_strv_length ((char **) ids);
  g_autofree char *title =
    g_strdup_printf (ngettext ("%u message deleted", "%u messages deleted", n), n);
  AdwToast *toast = adw_toast_new (title);
  Deletion *self = g_new0 (Deletion, 1);

  self->widget = g_object_ref (widget);
  self->service = g_object_ref (service);
  self->ids = g_strdupv ((char **) ids);
  self->held = g_strdupv ((char **) held);
  adw_toast_set_button_label (toast, _ ("Undo"));
  adw_toast_set_timeout (toast, UNDO_S);
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (on_undo), self, end_deletion, 0);
  pr_queue_orders_send (widget, service, "hold", ids); /* nothing is sent while one may undo */
  pr_toast_add (widget, toast);
}
