/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "consent.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "toast.h"

struct _PrConsent
{
  AdwBin parent_instance;

  PrService *service; /* owned, nullable */
  char *route, *flow; /* owned, nullable */
  guint id;           /* of the sign-in; 0: there is none */
  char *url;          /* owned, nullable */
  gboolean was_shown; /* the browser was opened once; again only by the button */
  GCancellable *cancellable;

  GtkLabel *words; /* template children */
  GtkSpinner *spinner;
  GtkLabel *code;
  GtkWidget *copy;
  GtkWidget *open;
  GtkWidget *again;
  GtkWidget *elsewhere;
  GtkEditable *address;
};

G_DEFINE_FINAL_TYPE (PrConsent, pr_consent, ADW_TYPE_BIN)

static guint done_signal;

static void
show (PrConsent *self, const char *words, gboolean works, gboolean failed)
{
  gtk_label_set_label (self->words, words);
  gtk_spinner_set_spinning (self->spinner, works);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), works);
  gtk_widget_set_visible (self->again, failed);
}

static void
show_code (PrConsent *self, const char *code)
{
  gtk_label_set_label (self->code, code != NULL ? code : "");
  gtk_widget_set_visible (GTK_WIDGET (self->code), code != NULL);
  gtk_widget_set_visible (self->copy, code != NULL);
}

/* ── What a person does ───────────────────────────────────────────────────────────────────── */

static void
on_open (PrConsent *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  if (self->url != NULL)
    gtk_show_uri (GTK_WINDOW (root), self->url, GDK_CURRENT_TIME);
}

static void
on_copy (PrConsent *self)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)),
                          gtk_label_get_label (self->code));
  pr_toast_show (GTK_WIDGET (self), _ ("Copied"));
}

static void
on_pasted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (answer == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    pr_toast_show (user_data, error->message);
}

static void
on_paste (PrConsent *self)
{
  const char *address = gtk_editable_get_text (self->address);

  if (self->id != 0 && *address != '\0')
    pr_service_call (self->service, "SignIn1", "Paste", g_variant_new ("(us)", self->id, address),
                     "()", self->cancellable, on_pasted, self);
}

/* ── What the service says ────────────────────────────────────────────────────────────────── */

static void
show_waiting (PrConsent *self, const char *code, const char *short_url)
{
  g_autofree char *text = NULL;

  show_code (self, code);
  gtk_widget_set_visible (self->open, self->url != NULL);
  gtk_widget_set_visible (self->elsewhere, code == NULL);
  if (code == NULL)
    {
      show (self, _ ("Sign in on the web page that opens in your browser, then come back here."),
            TRUE, FALSE);
      if (!self->was_shown)
        on_open (self);
      self->was_shown = TRUE;
      return;
    }

  /* Translators: %s is the address of a web page */
  text = g_strdup_printf (_ ("Open %s on any device and type this code there:"), short_url);
  show (self, text, TRUE, FALSE);
}

static void
show_end (PrConsent *self, const char *words, gboolean failed)
{
  self->id = 0;
  show_code (self, NULL);
  gtk_widget_set_visible (self->open, FALSE);
  gtk_widget_set_visible (self->elsewhere, FALSE);
  show (self, words, FALSE, failed);
}

static void
show_facts (PrConsent *self, GVariant *facts)
{
  const char *state = pr_dict_string (facts, "state");

  g_free (self->url);
  self->url = g_strdup (pr_dict_string (facts, "url"));
  if (g_strcmp0 (state, "waiting") == 0)
    {
      show_waiting (self, pr_dict_string (facts, "user-code"), pr_dict_string (facts, "short-url"));
    }
  else if (g_strcmp0 (state, "done") == 0)
    {
      show_end (self, _ ("You are signed in."), FALSE);
      g_signal_emit (self, done_signal, 0);
    }
  else if (g_strcmp0 (state, "failed") == 0)
    {
      show_end (self, pr_dict_string (facts, "why"), TRUE);
    }
  else
    {
      show (self, _ ("Asking the provider …"), TRUE, FALSE);
    }
}

static void
on_facts (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) facts = NULL;
  PrConsent *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone */
  if (answer == NULL)
    {
      show_end (self, error->message, TRUE);
      return;
    }
  facts = g_variant_get_child_value (answer, 0);
  if (self->id != 0 && g_strcmp0 (pr_dict_string (facts, "route"), self->route) == 0)
    show_facts (self, facts);
}

static void
on_changed (PrConsent *self, guint id)
{
  if (self->id != 0 && id == self->id)
    pr_service_call (self->service, "SignIn1", "Get", g_variant_new ("(u)", id), "(a{sv})",
                     self->cancellable, on_facts, self);
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrConsent *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone, or wants another one */
  if (answer == NULL)
    {
      show_end (self, error->message, TRUE);
      return;
    }
  g_variant_get (answer, "(u)", &self->id);
  on_changed (self, self->id);
}

/* ── Starting and ending ──────────────────────────────────────────────────────────────────── */

void
pr_consent_cancel (PrConsent *self)
{
  g_return_if_fail (PR_IS_CONSENT (self));

  g_cancellable_cancel (self->cancellable);
  g_set_object (&self->cancellable, NULL);
  self->cancellable = g_cancellable_new ();
  if (self->id != 0)
    pr_service_call (self->service, "SignIn1", "Cancel", g_variant_new ("(u)", self->id), "()",
                     NULL, NULL, NULL);
  self->id = 0;
}

static void
start (PrConsent *self)
{
  pr_consent_cancel (self);
  self->was_shown = FALSE;
  show_code (self, NULL);
  gtk_widget_set_visible (self->open, FALSE);
  gtk_widget_set_visible (self->elsewhere, FALSE);
  gtk_editable_set_text (self->address, "");
  show (self, _ ("Asking the provider …"), TRUE, FALSE);
  pr_service_call (self->service, "SignIn1", "Start",
                   g_variant_new ("(ss)", self->route, self->flow), "(u)", self->cancellable,
                   on_started, self);
}

void
pr_consent_start (PrConsent *self, PrService *service, const char *route, const char *flow)
{
  g_return_if_fail (PR_IS_CONSENT (self) && route != NULL && flow != NULL);

  if (self->service == NULL)
    {
      self->service = g_object_ref (service);
      g_signal_connect_object (service, "sign-in-changed", G_CALLBACK (on_changed), self,
                               G_CONNECT_SWAPPED);
    }
  g_free (self->route);
  g_free (self->flow);
  self->route = g_strdup (route);
  self->flow = g_strdup (flow);
  start (self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_consent_dispose (GObject *object)
{
  PrConsent *self = PR_CONSENT (object);

  pr_consent_cancel (self);
  G_OBJECT_CLASS (pr_consent_parent_class)->dispose (object);
}

static void
pr_consent_finalize (GObject *object)
{
  PrConsent *self = PR_CONSENT (object);

  g_clear_object (&self->service);
  g_clear_object (&self->cancellable);
  g_free (self->route);
  g_free (self->flow);
  g_free (self->url);
  G_OBJECT_CLASS (pr_consent_parent_class)->finalize (object);
}

static void
pr_consent_class_init (PrConsentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = pr_consent_dispose;
  object_class->finalize = pr_consent_finalize;
  done_signal =
    g_signal_new ("done", PR_TYPE_CONSENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "consent.ui");
  gtk_widget_class_bind_template_child (widget_class, PrConsent, words);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, spinner);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, code);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, copy);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, open);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, again);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, elsewhere);
  gtk_widget_class_bind_template_child (widget_class, PrConsent, address);
  gtk_widget_class_bind_template_callback (widget_class, on_open);
  gtk_widget_class_bind_template_callback (widget_class, on_copy);
  gtk_widget_class_bind_template_callback (widget_class, on_paste);
  gtk_widget_class_bind_template_callback (widget_class, start);
}

static void
pr_consent_init (PrConsent *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}
