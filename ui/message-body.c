/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "message-body.h"

#include <string.h>
#include <glib/gi18n.h>

#include "mail-decode.h"
#include "mail-reader.h"
#include "save.h"

#define PIECE (16 * 1024) /* octets of text laid out at once: a few milliseconds */

struct _PrMessageBody
{
  AdwBin parent_instance;

  PrService *service;   /* owned, nullable */
  PrMailReader *reader; /* owned, nullable */
  char *id;             /* owned, nullable */
  gsize shown;          /* octets of the text */
  guint n_attachments;  /* rows of parts that have ended, and one that has not */
  gboolean has_headers;

  GtkWidget *text_group; /* template children */
  GtkTextView *text;
  GtkWidget *more;
  GtkLabel *note;
  GtkWidget *attachments_group;
  GtkListBox *attachments;
  GtkWidget *headers_group;
  GtkListBox *headers;
  GtkSpinner *spinner;
};

G_DEFINE_FINAL_TYPE (PrMessageBody, pr_message_body, ADW_TYPE_BIN)

static void
clear (GtkListBox *list)
{
  GtkListBoxRow *row;

  while ((row = gtk_list_box_get_row_at_index (list, 0)) != NULL)
    gtk_list_box_remove (list, GTK_WIDGET (row));
}

/* What people sent is shown as it is: never markup. */
static GtkWidget *
make_row (const char *title, const char *subtitle)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 2);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 4);
  return row;
}

/* ── Text ─────────────────────────────────────────────────────────────────────────────────── */

static void
show_note (PrMessageBody *self)
{
  const char *error = pr_mail_reader_get_error (self->reader);
  const char *text = NULL;

  if (error != NULL)
    text = error;
  else if (pr_mail_reader_was_html (self->reader))
    text =
      _ ("This is the text of a formatted message. Nothing in it was loaded from the network.");
  else if (pr_mail_reader_is_done (self->reader) && *pr_mail_reader_get_text (self->reader) == '\0')
    text = _ ("The message has no text.");
  if (error == NULL && pr_mail_reader_is_cut (self->reader))
    text = _ ("The text is long: this is its beginning. Save the message to read all of it.");
  gtk_label_set_label (self->note, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->note), text != NULL);
}

/* Up to @limit octets of it, whole characters. */
static void
show_text (PrMessageBody *self, gsize limit)
{
  const char *text = pr_mail_reader_get_text (self->reader);
  gsize length = strlen (text);
  gsize end = MIN (length, limit);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->text);
  GtkTextIter at;

  while (end < length && end > self->shown && ((guchar) text[end] & 0xc0) == 0x80)
    end--;
  if (end > self->shown)
    {
      gtk_text_buffer_get_end_iter (buffer, &at);
      gtk_text_buffer_insert (buffer, &at, text + self->shown, (int) (end - self->shown));
      self->shown = end;
    }
  gtk_widget_set_visible (GTK_WIDGET (self->text), self->shown > 0);
  gtk_widget_set_visible (self->more, self->shown < length);
}

static void
on_more (PrMessageBody *self)
{
  show_text (self, self->shown + PIECE);
}

/* ── Attachments ──────────────────────────────────────────────────────────────────────────── */

static void
on_save (PrMessageBody *self, GtkWidget *button)
{
  guint index = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "part"));
  GPtrArray *parts = pr_mail_outline_get_parts (pr_mail_reader_get_outline (self->reader));
  const PrMailPart *part = parts->pdata[index];

  pr_save_part (GTK_WIDGET (self), self->service, self->id, part,
                part->name != NULL                           ? part->name
                : g_str_equal (part->type, "message/rfc822") ? "message.eml"
                                                             : "attachment");
}

static void
add_attachment (PrMessageBody *self, const PrMailPart *part, guint index, gboolean complete)
{
  const char *name = part->name != NULL ? part->name : _ ("Attachment Without a Name");
  g_autofree char *words = g_content_type_from_mime_type (part->type);
  g_autofree char *kind = words != NULL ? g_content_type_get_description (words) : NULL;
  g_autofree char *size = g_format_size (pr_mail_part_get_size (part));
  /* Translators: what kind of file an attachment is, and about how large. */
  g_autofree char *subtitle =
    g_strdup_printf (_ ("%1$s, %2$s"), kind != NULL ? kind : part->type, size);
  GtkWidget *row = make_row (name, part->ended ? subtitle : kind != NULL ? kind : part->type);
  GtkWidget *button = gtk_button_new_from_icon_name ("document-save-symbolic");
  /* Translators: %s is the name of an attachment. */
  g_autofree char *label = g_strdup_printf (_ ("Save %s"), name);

  gtk_widget_set_sensitive (button, complete); /* its end is not known before */
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (button, _ ("Save As…"));
  gtk_widget_add_css_class (button, "flat");
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  g_object_set_data (G_OBJECT (button), "part", GUINT_TO_POINTER (index));
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_save), self, G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  gtk_list_box_append (self->attachments, row);
}

/* The last one may still pass by: its row is made anew when it has. */
static void
show_attachments (PrMessageBody *self)
{
  GPtrArray *parts = pr_mail_outline_get_parts (pr_mail_reader_get_outline (self->reader));
  guint n = 0;

  for (guint i = 0; i < parts->len; i++)
    {
      const PrMailPart *part = parts->pdata[i];
      GtkListBoxRow *row;
      gboolean complete;

      if (!part->attachment || n++ < self->n_attachments)
        continue;
      complete = part->ended || pr_mail_reader_is_done (self->reader);
      row = gtk_list_box_get_row_at_index (self->attachments, (int) n - 1);
      if (row != NULL && !complete)
        continue;
      if (row != NULL)
        gtk_list_box_remove (self->attachments, GTK_WIDGET (row));
      add_attachment (self, part, i, complete);
      if (complete)
        self->n_attachments = n;
    }
  gtk_widget_set_visible (self->attachments_group, n > 0);
}

/* ── Headers ──────────────────────────────────────────────────────────────────────────────── */

static void
show_headers (PrMessageBody *self)
{
  static const char *const first[] = { "From", "To", "Cc", "Reply-To", "Date", NULL };
  GPtrArray *headers = pr_mail_outline_get_headers (pr_mail_reader_get_outline (self->reader));
  GtkWidget *all;

  if (self->has_headers || headers->len == 0)
    return;

  self->has_headers = TRUE;
  all = adw_expander_row_new ();
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (all), _ ("All Headers"));
  for (guint i = 0; i < headers->len; i++)
    {
      const PrMailHeader *header = headers->pdata[i];

      for (guint j = 0; first[j] != NULL; j++)
        if (g_ascii_strcasecmp (header->name, first[j]) == 0)
          gtk_list_box_append (self->headers, make_row (header->name, header->value));
      adw_expander_row_add_row (ADW_EXPANDER_ROW (all), make_row (header->name, header->value));
    }
  gtk_list_box_append (self->headers, all);
  gtk_widget_set_visible (self->headers_group, TRUE);
}

static void
on_changed (gpointer user_data)
{
  PrMessageBody *self = user_data;

  if (self->reader == NULL) /* it has just been made */
    return;

  show_text (self, MAX (self->shown, PIECE));
  show_note (self);
  show_attachments (self);
  show_headers (self);
  gtk_spinner_set_spinning (self->spinner, !pr_mail_reader_is_done (self->reader));
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), !pr_mail_reader_is_done (self->reader));
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_message_body_dispose (GObject *object)
{
  PrMessageBody *self = PR_MESSAGE_BODY (object);

  g_clear_pointer (&self->reader, pr_mail_reader_free);
  g_clear_object (&self->service);
  G_OBJECT_CLASS (pr_message_body_parent_class)->dispose (object);
}

static void
pr_message_body_finalize (GObject *object)
{
  g_free (PR_MESSAGE_BODY (object)->id);
  G_OBJECT_CLASS (pr_message_body_parent_class)->finalize (object);
}

static void
pr_message_body_class_init (PrMessageBodyClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = pr_message_body_dispose;
  object_class->finalize = pr_message_body_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "message-body.ui");
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, text_group);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, text);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, more);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, note);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, attachments_group);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, attachments);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, headers_group);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, headers);
  gtk_widget_class_bind_template_child (widget_class, PrMessageBody, spinner);
  gtk_widget_class_bind_template_callback (widget_class, on_more);
}

static void
pr_message_body_init (PrMessageBody *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
pr_message_body_show (PrMessageBody *self, PrService *service, const char *id)
{
  g_return_if_fail (PR_IS_MESSAGE_BODY (self));

  g_clear_pointer (&self->reader, pr_mail_reader_free);
  g_set_object (&self->service, service);
  g_free (self->id);
  self->id = g_strdup (id);
  self->shown = 0;
  self->n_attachments = 0;
  self->has_headers = FALSE;
  clear (self->attachments);
  clear (self->headers);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->text), "", 0);
  gtk_widget_set_visible (GTK_WIDGET (self->text), FALSE);
  gtk_widget_set_visible (self->more, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->note), FALSE);
  gtk_widget_set_visible (self->attachments_group, FALSE);
  gtk_widget_set_visible (self->headers_group, FALSE);
  gtk_widget_set_visible (self->text_group, id != NULL);
  if (id != NULL)
    self->reader = pr_mail_reader_new (service, id, on_changed, self);
  on_changed (self);
}
