/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test-mail.h"

#include <string.h>
#include <glib/gi18n.h>

#include "control/client.h"

#define LOOK_MS 300

struct _PrTestMail
{
  AdwBin parent_instance;

  PrService *service; /* owned, nullable */
  char *route;        /* owned, nullable */
  char *id;           /* owned, nullable: of the mail that is on its way */
  GVariant *early;    /* owned, nullable: a verdict on the route before the mail had its id */
  gboolean is_sending;
  guint look_source;   /* while it is sending */
  gboolean is_looking; /* an answer on the conversations is on its way */
  PrDiagnosis diagnosis;
  GCancellable *cancellable; /* owned */

  GtkWidget *to; /* template children */
  GtkWidget *send;
  GtkListBox *steps;
  GtkLabel *words;
  GtkLabel *said;
  GtkButton *fix;
  GtkWidget *rows[PR_N_STEPS];
  GtkImage *marks[PR_N_STEPS];
};

G_DEFINE_FINAL_TYPE (PrTestMail, pr_test_mail, ADW_TYPE_BIN)

static const char *const step_words[PR_N_STEPS] = {
  [PR_STEP_QUEUED] = N_ ("Kept safe in the queue"),
  [PR_STEP_REACHED] = N_ ("Server reached"),
  [PR_STEP_SECURED] = N_ ("Connection secured"),
  [PR_STEP_SIGNED_IN] = N_ ("Signed in"),
  [PR_STEP_ACCEPTED] = N_ ("Mail accepted by the provider"),
};

static const char *const remedy_words[] = {
  [PR_REMEDY_NONE] = NULL,
  [PR_REMEDY_SIGN_IN] = N_ ("Change _Sign-In"),
  [PR_REMEDY_SENDER] = N_ ("Send as My _Address"),
  [PR_REMEDY_ADDRESS] = N_ ("Change A_ddress"),
  [PR_REMEDY_AGAIN] = N_ ("_Try Again"),
};

static guint remedy_signal;

static void
on_changed (PrTestMail *self)
{
  gtk_widget_set_sensitive (
    self->send,
    !self->is_sending && strchr (gtk_editable_get_text (GTK_EDITABLE (self->to)), '@') != NULL);
}

/* ── What is shown ────────────────────────────────────────────────────────────────────────── */

static void
mark (PrTestMail *self, guint step, const char *icon, const char *class, const char *state)
{
  gtk_image_set_from_icon_name (self->marks[step], icon);
  gtk_widget_set_css_classes (GTK_WIDGET (self->marks[step]), (const char *[]){ class, NULL });
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->rows[step]), state);
}

/* @known: what became of it; until then the steps that were seen to be done. */
static void
show_steps (PrTestMail *self, gboolean known)
{
  for (guint i = 0; i < PR_N_STEPS; i++)
    {
      if (i <= self->diagnosis.step)
        mark (self, i, "emblem-ok-symbolic", "success", _ ("Done"));
      else if (known && i == self->diagnosis.step + 1)
        mark (self, i, "dialog-error-symbolic", "error", _ ("Failed"));
      else
        mark (self, i, "content-loading-symbolic", "dim-label", known ? "" : _ ("Waiting"));
    }
}

static void
show_diagnosis (PrTestMail *self, const char *said)
{
  const char *remedy = remedy_words[self->diagnosis.remedy];

  show_steps (self, TRUE);
  gtk_label_set_label (self->words, self->diagnosis.words);
  gtk_label_set_label (self->said, said != NULL ? said : "");
  gtk_widget_set_visible (GTK_WIDGET (self->fix), remedy != NULL);
  if (remedy != NULL)
    gtk_button_set_label (self->fix, _ (remedy));
}

static void
stop_waiting (PrTestMail *self)
{
  self->is_sending = FALSE;
  g_clear_handle_id (&self->look_source, g_source_remove);
  pr_service_unfollow (self->service, PR_FOLLOW_EVENTS);
  on_changed (self);
}

/* ── The conversation with the provider ───────────────────────────────────────────────────── */

static PrStep
read_session (GVariant *session)
{
  const char *state = pr_dict_string (session, "state");

  if (pr_dict_string (session, "user") != NULL)
    return PR_STEP_SIGNED_IN;
  if (pr_dict_string (session, "tls") != NULL)
    return PR_STEP_SECURED;
  /* What the service says of a conversation is always in English. */
  return g_strcmp0 (state, "being greeted") == 0 || g_strcmp0 (state, "signing in") == 0 ||
             g_strcmp0 (state, "sending a message") == 0
           ? PR_STEP_REACHED
           : PR_STEP_QUEUED;
}

static void
on_sessions (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) sessions = NULL;
  PrTestMail *self = user_data;
  PrStep step = PR_STEP_QUEUED;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it is gone */

  self->is_looking = FALSE;
  if (answer == NULL || !self->is_sending)
    return;

  sessions = g_variant_get_child_value (answer, 0);
  for (gsize i = 0; i < g_variant_n_children (sessions); i++)
    {
      g_autoptr (GVariant) session = g_variant_get_child_value (sessions, i);

      if (g_strcmp0 (pr_dict_string (session, "direction"), "out") == 0 &&
          g_strcmp0 (pr_dict_string (session, "route"), self->route) == 0)
        step = MAX (step, read_session (session));
    }
  if (step > self->diagnosis.step)
    {
      self->diagnosis.step = step;
      show_steps (self, FALSE);
    }
}

/* The service says when conversations come and go, not how far they are. */
static gboolean
on_look (gpointer user_data)
{
  PrTestMail *self = user_data;

  if (!self->is_looking)
    {
      self->is_looking = TRUE;
      pr_service_call (self->service, "Sessions1", "List", g_variant_new ("(uu)", 0, 100),
                       "(aa{sv}ut)", self->cancellable, on_sessions, self);
    }
  return G_SOURCE_CONTINUE;
}

/* ── What happens ─────────────────────────────────────────────────────────────────────────── */

static void
take_event (PrTestMail *self, GVariant *event)
{
  PrDiagnosis diagnosis;

  if (!pr_diagnosis_read (event, self->id, self->route, &diagnosis))
    return;
  if (self->id == NULL)
    {
      g_clear_pointer (&self->early, g_variant_unref);
      self->early = g_variant_ref (event);
      return;
    }

  self->diagnosis = diagnosis;
  show_diagnosis (self, pr_dict_string (event, "text"));
  if (self->is_sending)
    stop_waiting (self);
}

static void
on_events (PrTestMail *self, GVariant *events, guint missed)
{
  for (gsize i = 0; self->is_sending && i < g_variant_n_children (events); i++)
    {
      g_autoptr (GVariant) event = g_variant_get_child_value (events, i);

      take_event (self, event);
    }
}

static void
on_known (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) events = NULL;

  if (answer == NULL)
    return; /* what follows is heard of all the same; and the widget may be gone */

  events = g_variant_get_child_value (answer, 0);
  on_events (user_data, events, 0);
}

/* The route may wait for a sign-in already: then nothing new is said of it. */
static void
on_routes (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) routes = NULL;
  PrTestMail *self = user_data;

  if (answer == NULL)
    return; /* as above */

  routes = g_variant_get_child_value (answer, 0);
  for (gsize i = 0; self->is_sending && i < g_variant_n_children (routes); i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (routes, i);
      GVariantDict dict;
      g_autoptr (GVariant) event = NULL;

      if (!pr_dict_boolean (route, "sign-in-needed") ||
          g_strcmp0 (pr_dict_string (route, "name"), self->route) != 0)
        continue;
      g_variant_dict_init (&dict, NULL);
      g_variant_dict_insert (&dict, "kind", "s", "sign-in-needed");
      g_variant_dict_insert (&dict, "route", "s", self->route);
      if (pr_dict_string (route, "reason") != NULL)
        g_variant_dict_insert (&dict, "text", "s", pr_dict_string (route, "reason"));
      event = g_variant_ref_sink (g_variant_dict_end (&dict));
      take_event (self, event);
    }
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) early = NULL;
  PrTestMail *self = user_data;
  GVariantDict filter;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it is gone */
  if (answer == NULL)
    {
      gtk_label_set_label (self->words, error->message);
      stop_waiting (self);
      return;
    }

  g_variant_get (answer, "(s)", &self->id);
  early = g_steal_pointer (&self->early);
  if (early != NULL)
    take_event (self, early);
  g_variant_dict_init (&filter, NULL);
  g_variant_dict_insert (&filter, "message", "s", self->id);
  pr_service_call (self->service, "Journal1", "Query",
                   g_variant_new ("(@a{sv}u)", g_variant_dict_end (&filter), 10), "(aa{sv})",
                   self->cancellable, on_known, self);
  pr_service_call (self->service, "Configuration1", "GetRoutes", NULL, "(aa{sv})",
                   self->cancellable, on_routes, self);
}

void
pr_test_mail_send (PrTestMail *self)
{
  g_return_if_fail (PR_IS_TEST_MAIL (self) && self->service != NULL);

  if (self->is_sending || !gtk_widget_get_sensitive (self->send))
    return;

  self->is_sending = TRUE;
  g_clear_pointer (&self->id, g_free);
  g_clear_pointer (&self->early, g_variant_unref);
  self->diagnosis = (PrDiagnosis){ .step = PR_STEP_QUEUED, .words = "" };
  gtk_label_set_label (self->words, "");
  gtk_label_set_label (self->said, "");
  gtk_widget_set_visible (GTK_WIDGET (self->fix), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->steps), TRUE);
  show_steps (self, FALSE);
  on_changed (self);
  self->look_source = g_timeout_add (LOOK_MS, on_look, self);
  pr_service_follow (self->service, PR_FOLLOW_EVENTS);
  pr_service_call (self->service, "Service1", "SendTestMail",
                   g_variant_new ("(s)", gtk_editable_get_text (GTK_EDITABLE (self->to))), "(s)",
                   self->cancellable, on_sent, self);
}

gboolean
pr_test_mail_is_good (PrTestMail *self)
{
  return self->diagnosis.is_good;
}

static void
on_fix (PrTestMail *self)
{
  if (self->diagnosis.remedy == PR_REMEDY_AGAIN)
    pr_test_mail_send (self);
  else if (self->diagnosis.remedy == PR_REMEDY_ADDRESS)
    gtk_widget_grab_focus (self->to);
  else
    g_signal_emit (self, remedy_signal, 0, (guint) self->diagnosis.remedy);
}

void
pr_test_mail_prepare (PrTestMail *self, PrService *service, const char *route, const char *username)
{
  g_return_if_fail (PR_IS_TEST_MAIL (self));

  if (self->service == NULL)
    {
      self->service = g_object_ref (service);
      g_signal_connect_object (service, "events", G_CALLBACK (on_events), self, G_CONNECT_SWAPPED);
    }
  g_free (self->route);
  self->route = g_strdup (route);
  if (*gtk_editable_get_text (GTK_EDITABLE (self->to)) == '\0' && strchr (username, '@') != NULL)
    gtk_editable_set_text (GTK_EDITABLE (self->to), username);
  on_changed (self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_test_mail_dispose (GObject *object)
{
  PrTestMail *self = PR_TEST_MAIL (object);

  g_clear_handle_id (&self->look_source, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  if (self->is_sending)
    pr_service_unfollow (self->service, PR_FOLLOW_EVENTS);
  self->is_sending = FALSE;
  G_OBJECT_CLASS (pr_test_mail_parent_class)->dispose (object);
}

static void
pr_test_mail_finalize (GObject *object)
{
  PrTestMail *self = PR_TEST_MAIL (object);

  g_clear_object (&self->service);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->early, g_variant_unref);
  g_free (self->route);
  g_free (self->id);
  G_OBJECT_CLASS (pr_test_mail_parent_class)->finalize (object);
}

static void
pr_test_mail_class_init (PrTestMailClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = pr_test_mail_dispose;
  object_class->finalize = pr_test_mail_finalize;
  remedy_signal = g_signal_new ("remedy", PR_TYPE_TEST_MAIL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_UINT);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "test-mail.ui");
  gtk_widget_class_bind_template_child (widget_class, PrTestMail, to);
  gtk_widget_class_bind_template_child (widget_class, PrTestMail, send);
  gtk_widget_class_bind_template_child (widget_class, PrTestMail, steps);
  gtk_widget_class_bind_template_child (widget_class, PrTestMail, words);
  gtk_widget_class_bind_template_child (widget_class, PrTestMail, said);
  gtk_widget_class_bind_template_child (widget_class, PrTestMail, fix);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_fix);
  gtk_widget_class_bind_template_callback (widget_class, pr_test_mail_send);
}

static void
pr_test_mail_init (PrTestMail *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < PR_N_STEPS; i++)
    {
      self->rows[i] = adw_action_row_new ();
      self->marks[i] = GTK_IMAGE (gtk_image_new ());
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->rows[i]), _ (step_words[i]));
      adw_action_row_add_prefix (ADW_ACTION_ROW (self->rows[i]), GTK_WIDGET (self->marks[i]));
      gtk_list_box_append (self->steps, self->rows[i]);
    }
}
