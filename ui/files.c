/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "files.h"

#include <glib/gi18n.h>

#include "toast.h"

#define MAX_TEXT (4 << 20)

typedef struct
{
  GtkWidget *widget;             /* owned */
  GtkFileChooserNative *chooser; /* owned: GTK keeps none of its own */
  GBytes *contents;              /* owned, nullable: to be saved */
  char *text;                    /* owned, nullable: what is read, MAX_TEXT octets */
  char *done;                    /* owned, nullable */
  gboolean is_private;
  PrFilesFunc func; /* nullable */
} Choice;

static void
choice_free (Choice *choice)
{
  g_object_unref (choice->widget);
  g_object_unref (choice->chooser);
  g_free (choice->text);
  g_clear_pointer (&choice->contents, g_bytes_unref);
  g_free (choice->done);
  g_free (choice);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Choice, choice_free)

static Choice *
choice_new (GtkWidget *widget, const char *title, GtkFileChooserAction action, const char *accept)
{
  Choice *choice = g_new0 (Choice, 1);

  choice->widget = g_object_ref (widget);
  choice->chooser = gtk_file_chooser_native_new (title, GTK_WINDOW (gtk_widget_get_root (widget)),
                                                 action, accept, _ ("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (choice->chooser), TRUE);
  return choice;
}

/* ── Saving ───────────────────────────────────────────────────────────────────────────────── */

static void
on_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Choice) choice = user_data;
  g_autoptr (GError) error = NULL;

  if (g_file_replace_contents_finish (G_FILE (source), result, NULL, &error))
    pr_toast_show (choice->widget, choice->done);
  else
    pr_toast_show (choice->widget, error->message);
}

static void
on_save (GtkNativeDialog *dialog, int response, gpointer user_data)
{
  g_autoptr (Choice) choice = user_data;
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  GFileCreateFlags flags = choice->is_private
                             ? G_FILE_CREATE_REPLACE_DESTINATION | G_FILE_CREATE_PRIVATE
                             : G_FILE_CREATE_REPLACE_DESTINATION;
  GBytes *contents = choice->contents;

  if (response == GTK_RESPONSE_ACCEPT && file != NULL)
    g_file_replace_contents_bytes_async (file, contents, NULL, FALSE, flags, NULL, on_saved,
                                         g_steal_pointer (&choice));
}

void
pr_files_save (GtkWidget *widget, const char *title, const char *name, GBytes *contents,
               gboolean is_private, const char *done)
{
  Choice *choice = choice_new (widget, title, GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"));

  choice->contents = g_bytes_ref (contents);
  choice->is_private = is_private;
  choice->done = g_strdup (done);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (choice->chooser), name);
  g_signal_connect_data (choice->chooser, "response", G_CALLBACK (on_save), choice, NULL, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (choice->chooser));
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Choice) choice = user_data;
  g_autoptr (GError) error = NULL;
  gsize len = 0;

  if (!g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &len, &error))
    {
      pr_toast_show (choice->widget, error->message);
      return;
    }
  choice->text[len] = '\0';
  if (len >= MAX_TEXT || !g_utf8_validate (choice->text, (gssize) len, NULL))
    pr_toast_show (choice->widget, _ ("This file is no text; choose another one"));
  else
    choice->func (choice->widget, choice->text);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Choice) choice = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInputStream) stream = NULL;

  stream = g_file_read_finish (G_FILE (source), result, &error);
  if (stream == NULL)
    {
      pr_toast_show (choice->widget, error->message);
      return;
    }
  choice->text = g_malloc (MAX_TEXT + 1);
  g_input_stream_read_all_async (G_INPUT_STREAM (stream), choice->text, MAX_TEXT,
                                 G_PRIORITY_DEFAULT, NULL, on_read, choice);
  (void) g_steal_pointer (&choice);
}

static void
on_open (GtkNativeDialog *dialog, int response, gpointer user_data)
{
  g_autoptr (Choice) choice = user_data;
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));

  if (response == GTK_RESPONSE_ACCEPT && file != NULL)
    g_file_read_async (file, G_PRIORITY_DEFAULT, NULL, on_opened, g_steal_pointer (&choice));
}

void
pr_files_open_text (GtkWidget *widget, const char *title, PrFilesFunc func)
{
  Choice *choice = choice_new (widget, title, GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"));

  choice->func = func;
  g_signal_connect_data (choice->chooser, "response", G_CALLBACK (on_open), choice, NULL, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (choice->chooser));
}
