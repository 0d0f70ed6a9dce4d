/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue-orders.h"

#include <string.h>
#include <glib/gi18n.h>

#include "toast.h"

#define UNDO_S 8
#define PIECE (256 * 1024) /* octets read at once: as much as ReadSource gives */

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

/* ── Saving ───────────────────────────────────────────────────────────────────────────────── */

typedef struct
{
  GtkWidget *widget;             /* owned */
  PrService *service;            /* owned */
  GtkFileChooserNative *chooser; /* owned: GTK keeps none of its own */
  GFileOutputStream *stream;     /* owned, from the choice on */
  char *id;                      /* owned */
  GBytes *piece;                 /* owned: being written */
  guint64 offset;
  gboolean last;
} Saving;

static void
saving_free (Saving *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->chooser);
  g_object_unref (self->widget);
  g_object_unref (self->service);
  g_clear_pointer (&self->piece, g_bytes_unref);
  g_free (self->id);
  g_free (self);
}

static void
give_up_saving (Saving *self, const GError *error)
{
  g_autofree char *text =
    /* Translators: %s says why. */
    g_strdup_printf (_ ("The message could not be saved: %s"), error->message);

  pr_toast_show (self->widget, text);
  saving_free (self);
}

static void read_piece (Saving *self);

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Saving *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!g_output_stream_close_finish (G_OUTPUT_STREAM (source), result, &error))
    {
      give_up_saving (self, error);
      return;
    }

  pr_toast_show (self->widget, _ ("The message was saved"));
  saving_free (self);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Saving *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    give_up_saving (self, error);
  else if (self->last)
    g_output_stream_close_async (G_OUTPUT_STREAM (source), G_PRIORITY_DEFAULT, NULL, on_closed,
                                 self);
  else
    read_piece (self);
}

static void
on_piece (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Saving *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) octets = NULL;
  gconstpointer data;
  gsize size;

  if (answer == NULL)
    {
      give_up_saving (self, error);
      return;
    }

  octets = g_variant_get_child_value (answer, 0);
  g_variant_get_child (answer, 1, "b", &self->last);
  g_clear_pointer (&self->piece, g_bytes_unref);
  self->piece = g_variant_get_data_as_bytes (octets);
  data = g_bytes_get_data (self->piece, &size);
  self->offset += size;
  g_output_stream_write_all_async (G_OUTPUT_STREAM (self->stream), data, size, G_PRIORITY_DEFAULT,
                                   NULL, on_written, self);
}

static void
read_piece (Saving *self)
{
  pr_service_call (self->service, "Queue1", "ReadSource",
                   g_variant_new ("(stu)", self->id, self->offset, (guint) PIECE), "(ayb)", NULL,
                   on_piece, self);
}

static void
on_replaced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Saving *self = user_data;
  g_autoptr (GError) error = NULL;

  self->stream = g_file_replace_finish (G_FILE (source), result, &error);
  if (self->stream == NULL)
    give_up_saving (self, error);
  else
    read_piece (self);
}

static void
on_chosen (GtkNativeDialog *chooser, int response, gpointer user_data)
{
  Saving *self = user_data;
  g_autoptr (GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));
  gtk_native_dialog_hide (chooser);
  if (file == NULL)
    saving_free (self);
  else
    g_file_replace_async (file, NULL, FALSE, G_FILE_CREATE_PRIVATE, G_PRIORITY_DEFAULT, NULL,
                          on_replaced, self);
}

void
pr_queue_orders_save (GtkWidget *widget, PrService *service, const char *id, const char *name)
{
  g_autofree char *plain = g_strdelimit (g_strndup (name, 80), "/\\:*?\"<>|", '-');
  g_autofree char *valid = g_utf8_make_valid (plain, -1);
  g_autofree char *file = g_strconcat (valid, ".eml", NULL);
  Saving *self = g_new0 (Saving, 1);

  self->widget = g_object_ref (widget);
  self->service = g_object_ref (service);
  self->id = g_strdup (id);
  self->chooser =
    gtk_file_chooser_native_new (_ ("Save Message"), GTK_WINDOW (gtk_widget_get_root (widget)),
                                 GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (self->chooser), file);
  g_signal_connect_data (self->chooser, "response", G_CALLBACK (on_chosen), self, NULL, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}
