/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "save.h"

#include <glib/gi18n.h>

#include "mail-decode.h"
#include "toast.h"

#define PIECE (256 * 1024) /* octets read at once: as much as ReadSource gives */

typedef struct
{
  GtkWidget *widget;             /* owned */
  PrService *service;            /* owned */
  GtkFileChooserNative *chooser; /* owned: GTK keeps none of its own */
  GFileOutputStream *stream;     /* owned, from the choice on */
  char *id;                      /* owned */
  PrMailDecoder *decoder;        /* owned, nullable: of a part */
  GBytes *piece;                 /* owned: being written */
  guint64 offset, end;           /* in the message */
  gboolean last;
} Saving;

static void
saving_free (Saving *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->chooser);
  g_object_unref (self->widget);
  g_object_unref (self->service);
  g_clear_pointer (&self->decoder, pr_mail_decoder_free);
  g_clear_pointer (&self->piece, g_bytes_unref);
  g_free (self->id);
  g_free (self);
}

static void
give_up_saving (Saving *self, const GError *error)
{
  g_autofree char *text =
    /* Translators: %s says why. */
    g_strdup_printf (_ ("It could not be saved: %s"), error->message);

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

  pr_toast_show (self->widget, _ ("Saved"));
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
  data = g_variant_get_fixed_array (octets, &size, 1);
  self->offset += size;
  self->last = self->last || size == 0 || self->offset >= self->end;
  g_clear_pointer (&self->piece, g_bytes_unref);
  self->piece = self->decoder != NULL ? pr_mail_decoder_step (self->decoder, data, size, self->last)
                                      : g_variant_get_data_as_bytes (octets);
  data = g_bytes_get_data (self->piece, &size);
  g_output_stream_write_all_async (G_OUTPUT_STREAM (self->stream), data, size, G_PRIORITY_DEFAULT,
                                   NULL, on_written, self);
}

static void
read_piece (Saving *self)
{
  pr_service_call (
    self->service, "Queue1", "ReadSource",
    g_variant_new ("(stu)", self->id, self->offset, (guint) MIN (PIECE, self->end - self->offset)),
    "(ayb)", NULL, on_piece, self);
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

/* (transfer full): taken by what follows. */
static Saving *
begin (GtkWidget *widget, PrService *service, const char *id)
{
  Saving *self = g_new0 (Saving, 1);

  self->widget = g_object_ref (widget);
  self->service = g_object_ref (service);
  self->id = g_strdup (id);
  self->end = G_MAXUINT64;
  return self;
}

/* @self: (transfer full) */
static void
choose (Saving *self, const char *title, const char *file)
{
  self->chooser =
    gtk_file_chooser_native_new (title, GTK_WINDOW (gtk_widget_get_root (self->widget)),
                                 GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (self->chooser), file);
  g_signal_connect_data (self->chooser, "response", G_CALLBACK (on_chosen), self, NULL, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

void
pr_save_message (GtkWidget *widget, PrService *service, const char *id, const char *name)
{
  g_autofree char *whole = g_strconcat (name, ".eml", NULL);
  g_autofree char *file = pr_mail_file_name (whole);

  choose (begin (widget, service, id), _ ("Save Message"), file != NULL ? file : "message.eml");
}

void
pr_save_part (GtkWidget *widget, PrService *service, const char *id, const PrMailPart *part,
              const char *name)
{
  Saving *self = begin (widget, service, id);

  self->decoder = pr_mail_decoder_new (part->encoding);
  self->offset = part->offset;
  if (part->ended)
    self->end = part->offset + part->size_octets;
  choose (self, _ ("Save Attachment"), name);
}
