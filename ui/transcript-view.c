/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "transcript-view.h"

#include <string.h>

#define LOOK_AGAIN_MS 500

struct _PrTranscriptView
{
  GtkWidget parent_instance;

  PrService *service; /* owned, nullable */
  guint64 id;         /* 0: none */
  guint64 position;   /* how much of it was read */
  gboolean is_over;
  GCancellable *asking; /* owned, nullable: the question on its way */
  guint timer;

  GtkScrolledWindow *scroller; /* template children */
  GtkTextView *view;
};

G_DEFINE_FINAL_TYPE (PrTranscriptView, pr_transcript_view, GTK_TYPE_WIDGET)

static gboolean
is_at_end (PrTranscriptView *self)
{
  GtkAdjustment *scroll = gtk_scrolled_window_get_vadjustment (self->scroller);

  return gtk_adjustment_get_value (scroll) + gtk_adjustment_get_page_size (scroll) >=
         gtk_adjustment_get_upper (scroll) - 1;
}

static void
forget_oldest (GtkTextBuffer *buffer)
{
  int surplus = gtk_text_buffer_get_char_count (buffer) - PR_TRANSCRIPT_VIEW_MAX;
  GtkTextIter start, end;

  if (surplus <= 0)
    return;

  gtk_text_buffer_get_start_iter (buffer, &start);
  gtk_text_buffer_get_iter_at_offset (buffer, &end, surplus);
  gtk_text_iter_forward_line (&end);
  gtk_text_buffer_delete (buffer, &start, &end);
}

static void
append (PrTranscriptView *self, const char *text)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);
  gboolean follow = is_at_end (self);
  GtkTextIter end;

  if (*text == '\0')
    return;

  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_insert (buffer, &end, text, -1);
  forget_oldest (buffer);
  if (follow)
    {
      gtk_text_buffer_get_end_iter (buffer, &end);
      gtk_text_buffer_move_mark_by_name (buffer, "insert", &end);
      gtk_text_view_scroll_mark_onscreen (self->view, gtk_text_buffer_get_insert (buffer));
    }
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrTranscriptView *self;
  const char *text;
  gboolean alive;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* another conversation is shown, or the view is gone */

  self = user_data;
  g_clear_object (&self->asking);
  if (answer == NULL)
    return; /* the window says that the service is away */

  g_variant_get (answer, "(&stb)", &text, &self->position, &alive);
  append (self, text);
  self->is_over = !alive;
}

static void
ask (PrTranscriptView *self)
{
  if (self->id == 0 || self->is_over || self->asking != NULL ||
      !pr_service_is_connected (self->service))
    return;

  self->asking = g_cancellable_new ();
  pr_service_call (self->service, "Sessions1", "ReadTranscript",
                   g_variant_new ("(tt)", self->id, self->position), "(stb)", self->asking, on_read,
                   self);
}

static gboolean
on_time (gpointer user_data)
{
  ask (user_data);
  return G_SOURCE_CONTINUE;
}

static void
stop_asking (PrTranscriptView *self)
{
  g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
}

static void
pr_transcript_view_map (GtkWidget *widget)
{
  PrTranscriptView *self = PR_TRANSCRIPT_VIEW (widget);

  GTK_WIDGET_CLASS (pr_transcript_view_parent_class)->map (widget);
  self->timer = g_timeout_add (LOOK_AGAIN_MS, on_time, self);
  ask (self);
}

static void
pr_transcript_view_unmap (GtkWidget *widget)
{
  g_clear_handle_id (&PR_TRANSCRIPT_VIEW (widget)->timer, g_source_remove);
  GTK_WIDGET_CLASS (pr_transcript_view_parent_class)->unmap (widget);
}

static void
pr_transcript_view_dispose (GObject *object)
{
  PrTranscriptView *self = PR_TRANSCRIPT_VIEW (object);
  GtkWidget *child;

  stop_asking (self);
  g_clear_object (&self->service);
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))) != NULL)
    gtk_widget_unparent (child);
  G_OBJECT_CLASS (pr_transcript_view_parent_class)->dispose (object);
}

static void
pr_transcript_view_class_init (PrTranscriptViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = pr_transcript_view_dispose;
  widget_class->map = pr_transcript_view_map;
  widget_class->unmap = pr_transcript_view_unmap;
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "transcript-view.ui");
  gtk_widget_class_bind_template_child (widget_class, PrTranscriptView, scroller);
  gtk_widget_class_bind_template_child (widget_class, PrTranscriptView, view);
}

static void
pr_transcript_view_init (PrTranscriptView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
pr_transcript_view_show (PrTranscriptView *self, PrService *service, guint64 id)
{
  g_return_if_fail (PR_IS_TRANSCRIPT_VIEW (self));

  stop_asking (self);
  g_set_object (&self->service, service);
  self->id = id;
  self->position = 0;
  self->is_over = FALSE;
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->view), "", 0);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    ask (self);
}
