/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "message-pane.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "event-words.h"
#include "message-body.h"
#include "queue-words.h"

#define PIECE (32 * 1024) /* octets of source shown at once */
#define MAX_EVENTS 200

struct _PrMessagePane
{
  AdwBin parent_instance;

  PrService *service;        /* owned, from set_service on */
  GCancellable *cancellable; /* owned: of all that is asked about this message */
  char *id;                  /* owned, nullable */
  GVariant *message;         /* owned, nullable: what is shown */
  GVariant *events;          /* owned, nullable: what is shown */
  guint64 offset;            /* of the source behind what is shown */
  gboolean reading, asking;

  GtkLabel *subject; /* template children */
  GtkLabel *note;
  GtkListBox *facts;
  GtkListBox *recipients;
  GtkListBox *timeline;
  PrMessageBody *body;
  GtkTextView *source;
  GtkButton *more;
};

G_DEFINE_FINAL_TYPE (PrMessagePane, pr_message_pane, ADW_TYPE_BIN)

enum
{
  CLOSED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ── Lists ────────────────────────────────────────────────────────────────────────────────── */

static void
clear (GtkListBox *list)
{
  GtkListBoxRow *row;

  while ((row = gtk_list_box_get_row_at_index (list, 0)) != NULL)
    gtk_list_box_remove (list, GTK_WIDGET (row));
}

/* What peers and senders said is shown as it is: never markup. */
static AdwActionRow *
add_row (GtkListBox *list, const char *title, const char *subtitle)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle != NULL ? subtitle : "");
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 3);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 6);
  gtk_list_box_append (list, row);
  return ADW_ACTION_ROW (row);
}

static GtkWidget *
add_suffix (AdwActionRow *row, const char *text)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_widget_add_css_class (label, "dim-label");
  adw_action_row_add_suffix (row, label);
  return label;
}

/* @value: (transfer full) (nullable) */
static void
add_fact (PrMessagePane *self, const char *title, char *value)
{
  if (value != NULL && *value != '\0')
    {
      GtkWidget *label = add_suffix (add_row (self->facts, title, NULL), value);

      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
      gtk_label_set_selectable (GTK_LABEL (label), TRUE);
    }
  g_free (value);
}

static void
show_recipients (PrMessagePane *self)
{
  g_autoptr (GVariant) list =
    g_variant_lookup_value (self->message, "recipients", G_VARIANT_TYPE ("aa{sv}"));

  clear (self->recipients);
  for (gsize i = 0; list != NULL && i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) recipient = g_variant_get_child_value (list, i);
      g_autofree char *state = pr_queue_words_recipient (recipient);
      const char *address = pr_dict_string (recipient, "address");

      add_suffix (add_row (self->recipients, address != NULL ? address : "",
                           pr_dict_string (recipient, "last-reply")),
                  state);
    }
}

static void
show_message (PrMessagePane *self)
{
  g_autofree char *subject = pr_queue_words_subject (self->message);

  gtk_label_set_label (self->subject, subject);
  clear (self->facts);
  add_fact (self, _ ("From"), pr_queue_words_from (self->message));
  add_fact (self, _ ("State"), pr_queue_words_state (self->message));
  add_fact (self, _ ("Received"), pr_queue_words_received (self->message));
  add_fact (self, _ ("Handed in by"), g_strdup (pr_dict_string (self->message, "client")));
  add_fact (self, _ ("Signed in as"), g_strdup (pr_dict_string (self->message, "user")));
  add_fact (self, _ ("Size"), pr_queue_words_size (self->message));
  add_fact (self, _ ("Message ID"), g_strdup (self->id));
  show_recipients (self);
}

static void
show_events (PrMessagePane *self)
{
  clear (self->timeline);
  for (gsize i = 0; i < g_variant_n_children (self->events); i++)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (self->events, i);
      g_autofree char *title = pr_event_words_title (event);
      g_autofree char *detail = pr_event_words_detail (event);
      g_autofree char *time = pr_event_words_time (pr_dict_number (event, "time"));

      add_suffix (add_row (self->timeline, title, detail), time);
    }
}

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

/* TRUE: it is another value than what is shown, and kept. */
static gboolean
keep (GVariant **shown, GVariant *answer)
{
  g_autoptr (GVariant) value = g_variant_get_child_value (answer, 0);

  if (*shown != NULL && g_variant_equal (*shown, value))
    return FALSE;

  g_clear_pointer (shown, g_variant_unref);
  *shown = g_steal_pointer (&value);
  return TRUE;
}

static void
on_got (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrMessagePane *self;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* another message is shown, or the pane is gone */

  self = user_data;
  self->asking = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->note), answer == NULL);
  if (answer == NULL)
    gtk_label_set_label (self->note, error->message);
  else if (keep (&self->message, answer))
    show_message (self);
}

static void
on_events (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrMessagePane *self = user_data;

  if (answer != NULL && keep (&self->events, answer)) /* without one the pane may be gone */
    show_events (self);
}

static void
ask (PrMessagePane *self)
{
  GVariantBuilder filter;

  if (self->id == NULL || self->asking || !pr_service_is_connected (self->service))
    return;

  self->asking = TRUE;
  pr_service_call (self->service, "Queue1", "Get", g_variant_new ("(s)", self->id), "(a{sv})",
                   self->cancellable, on_got, self);
  g_variant_builder_init (&filter, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&filter, "{sv}", "message", g_variant_new_string (self->id));
  pr_service_call (self->service, "Journal1", "Query",
                   g_variant_new ("(a{sv}u)", &filter, (guint) MAX_EVENTS), "(aa{sv})",
                   self->cancellable, on_events, self);
}

/* ── Source ───────────────────────────────────────────────────────────────────────────────── */

static void
append_source (PrMessagePane *self, const char *data, gsize size, gboolean last)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->source);
  g_autofree char *text = NULL;
  const char *valid = NULL;
  GtkTextIter end;

  /* A character that a piece cuts in two comes whole with the next. */
  if (!g_utf8_validate_len (data, size, &valid) && !last && size - (gsize) (valid - data) < 4)
    size = (gsize) (valid - data);
  self->offset += size;
  text = g_utf8_make_valid (data, (gssize) size);
  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_insert (buffer, &end, text, -1);
  gtk_widget_set_visible (GTK_WIDGET (self->source), TRUE);
  gtk_button_set_label (self->more, _ ("Show More"));
  gtk_widget_set_visible (GTK_WIDGET (self->more), !last);
}

static void
on_source (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) octets = NULL;
  PrMessagePane *self;
  const char *data;
  gsize size;
  gboolean last;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* another message is shown, or the pane is gone */

  self = user_data;
  self->reading = FALSE;
  if (answer == NULL)
    {
      gtk_label_set_label (self->note, error->message);
      gtk_widget_set_visible (GTK_WIDGET (self->note), TRUE);
      return;
    }

  octets = g_variant_get_child_value (answer, 0);
  g_variant_get_child (answer, 1, "b", &last);
  data = g_variant_get_fixed_array (octets, &size, 1);
  append_source (self, data, size, last);
}

static void
read_source (PrMessagePane *self)
{
  if (self->id == NULL || self->reading)
    return;

  self->reading = TRUE;
  pr_service_call (self->service, "Queue1", "ReadSource",
                   g_variant_new ("(stu)", self->id, self->offset, (guint) PIECE), "(ayb)",
                   self->cancellable, on_source, self);
}

static void
on_close (PrMessagePane *self)
{
  g_signal_emit (self, signals[CLOSED], 0);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_message_pane_dispose (GObject *object)
{
  PrMessagePane *self = PR_MESSAGE_PANE (object);

  g_cancellable_cancel (self->cancellable);
  G_OBJECT_CLASS (pr_message_pane_parent_class)->dispose (object);
}

static void
pr_message_pane_finalize (GObject *object)
{
  PrMessagePane *self = PR_MESSAGE_PANE (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->service);
  g_clear_pointer (&self->message, g_variant_unref);
  g_clear_pointer (&self->events, g_variant_unref);
  g_free (self->id);
  G_OBJECT_CLASS (pr_message_pane_parent_class)->finalize (object);
}

static void
pr_message_pane_class_init (PrMessagePaneClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = pr_message_pane_dispose;
  object_class->finalize = pr_message_pane_finalize;
  signals[CLOSED] = g_signal_new ("closed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "message-pane.ui");
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, subject);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, note);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, facts);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, recipients);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, timeline);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, body);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, source);
  gtk_widget_class_bind_template_child (widget_class, PrMessagePane, more);
  gtk_widget_class_bind_template_callback (widget_class, on_close);
  gtk_widget_class_bind_template_callback (widget_class, read_source);
}

static void
pr_message_pane_init (PrMessagePane *self)
{
  self->cancellable = g_cancellable_new ();
  g_type_ensure (PR_TYPE_MESSAGE_BODY);
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
pr_message_pane_set_service (PrMessagePane *self, PrService *service)
{
  g_return_if_fail (PR_IS_MESSAGE_PANE (self) && self->service == NULL);

  self->service = g_object_ref (service);
  g_signal_connect_object (service, "queue-changed", G_CALLBACK (ask), self, G_CONNECT_SWAPPED);
}

void
pr_message_pane_show (PrMessagePane *self, const char *id)
{
  g_return_if_fail (PR_IS_MESSAGE_PANE (self) && self->service != NULL);

  if (g_strcmp0 (self->id, id) == 0)
    return;

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_free (self->id);
  self->id = g_strdup (id);
  g_clear_pointer (&self->message, g_variant_unref);
  g_clear_pointer (&self->events, g_variant_unref);
  self->offset = 0;
  self->reading = self->asking = FALSE;
  gtk_label_set_label (self->subject, "");
  gtk_widget_set_visible (GTK_WIDGET (self->note), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->source), FALSE);
  gtk_button_set_label (self->more, _ ("Show Source"));
  gtk_widget_set_visible (GTK_WIDGET (self->more), id != NULL);
  clear (self->facts);
  clear (self->recipients);
  clear (self->timeline);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->source), "", 0);
  pr_message_body_show (self->body, self->service, id);
  ask (self);
}
