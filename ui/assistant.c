/* SPDX-License-Identifier: GPL-3.0-or-later */
/*   provider ──► sign-in ──┬─────────────┬──► access ──► test ──► (done)
 *                          └──► consent ──┘  (with OAuth)
 *
 * Each arrow to the right changes the configuration as one step; Escape and Cancel take all back,
 * unless the test mail got through.
 */

#include "assistant.h"

#include <glib/gi18n.h>

#include "consent.h"
#include "control/client.h"
#include "reach.h"
#include "setup.h"
#include "sign-in-form.h"
#include "test-mail.h"
#include "toast.h"

struct _PrAssistant
{
  AdwWindow parent_instance;

  PrService *service;        /* owned */
  PrSetup *setup;            /* owned */
  GCancellable *cancellable; /* owned */
  char *route;               /* owned, nullable: only to sign in to this one */
  gboolean has_asked;        /* the service, for what is shown first */
  gboolean is_working;       /* a step is on its way */
  gboolean is_closed;        /* and its end does not matter any more */
  gboolean is_done;          /* what was made stays */
  guint n_searches;          /* that are not answered yet */
  gboolean is_in_haste;      /* Enter was pressed: the first that is found is meant */

  AdwWindowTitle *heading; /* template children */
  GtkButton *back;
  GtkButton *next;
  GtkStack *stack;
  GtkWidget *search;
  GtkListBox *providers;
  PrSignInForm *form;
  PrConsent *consent;
  GtkSwitch *devices;
  GtkSwitch *network;
  AdwActionRow *network_row;
  PrTestMail *test;
};

G_DEFINE_FINAL_TYPE (PrAssistant, pr_assistant, ADW_TYPE_WINDOW)

typedef enum
{
  PAGE_PROVIDER,
  PAGE_SIGN_IN,
  PAGE_CONSENT,
  PAGE_ACCESS,
  PAGE_TEST
} Page;

static const struct
{
  const char *name;
  guint step; /* of N_STEPS, from 1 */
} pages[] = {
  [PAGE_PROVIDER] = { "provider", 1 }, [PAGE_SIGN_IN] = { "sign-in", 2 },
  [PAGE_CONSENT] = { "consent", 2 },   [PAGE_ACCESS] = { "access", 3 },
  [PAGE_TEST] = { "test", 4 },
};

#define N_STEPS 4

static Page
find_page (PrAssistant *self)
{
  const char *name = gtk_stack_get_visible_child_name (self->stack);

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    if (g_strcmp0 (name, pages[i].name) == 0)
      return (Page) i;
  return PAGE_PROVIDER;
}

/* ── The frame ────────────────────────────────────────────────────────────────────────────── */

static void
show_buttons (PrAssistant *self)
{
  GtkWidget *child = gtk_stack_get_visible_child (self->stack);
  Page page = find_page (self);
  gboolean complete = TRUE;
  g_autofree char *progress = NULL;

  if (page == PAGE_SIGN_IN)
    g_object_get (self->form, "complete", &complete, NULL);
  gtk_button_set_label (self->back,
                        page == PAGE_PROVIDER || self->route != NULL ? _ ("_Cancel") : _ ("_Back"));
  gtk_button_set_label (self->next, self->route != NULL ? _ ("_Sign In")
                                    : page == PAGE_TEST ? _ ("_Done")
                                                        : _ ("_Next"));
  gtk_widget_set_visible (GTK_WIDGET (self->next), page != PAGE_PROVIDER && page != PAGE_CONSENT);
  gtk_widget_set_sensitive (GTK_WIDGET (self->next), complete && !self->is_working);
  gtk_widget_set_sensitive (GTK_WIDGET (self->back), !self->is_working);
  adw_window_title_set_title (self->heading,
                              gtk_stack_page_get_title (gtk_stack_get_page (self->stack, child)));
  if (self->route == NULL)
    /* Translators: a step of the assistant: the first number of the second */
    progress = g_strdup_printf (_ ("%u of %u"), pages[page].step, (guint) N_STEPS);
  adw_window_title_set_subtitle (self->heading, progress);
}

static void
go_to (PrAssistant *self, Page page)
{
  gtk_stack_set_visible_child_name (self->stack, pages[page].name);
  show_buttons (self);
  if (page == PAGE_TEST)
    {
      pr_test_mail_prepare (self->test, self->service, pr_setup_get_route (self->setup),
                            pr_sign_in_form_get_username (self->form));
    }
  gtk_widget_child_focus (gtk_stack_get_visible_child (self->stack), GTK_DIR_TAB_FORWARD);
}

static void
finish (PrAssistant *self)
{
  self->is_done = TRUE;
  gtk_window_close (GTK_WINDOW (self));
}

static void
on_step_done (const char *fault, gpointer user_data)
{
  g_autoptr (PrAssistant) self = user_data;

  self->is_working = FALSE;
  if (self->is_closed)
    {
      pr_setup_take_back (self->setup);
      return;
    }
  show_buttons (self);
  if (fault == NULL && pr_setup_get_warning (self->setup) != NULL)
    pr_toast_show (GTK_WIDGET (self->stack), pr_setup_get_warning (self->setup));
  if (fault != NULL)
    {
      pr_toast_show (GTK_WIDGET (self->stack), fault);
    }
  else if (self->route != NULL)
    {
      finish (self);
    }
  else if (find_page (self) == PAGE_ACCESS)
    {
      go_to (self, PAGE_TEST);
    }
  else if (pr_sign_in_form_get_flow (self->form) == NULL)
    {
      go_to (self, PAGE_ACCESS);
    }
  else
    {
      go_to (self, PAGE_CONSENT);
      pr_consent_start (self->consent, self->service, pr_setup_get_route (self->setup),
                        pr_sign_in_form_get_flow (self->form));
    }
}

static void
on_consent (PrAssistant *self)
{
  if (self->route != NULL)
    finish (self);
  else
    go_to (self, PAGE_ACCESS);
}

static void
take_sign_in (PrAssistant *self)
{
  const char *password = pr_sign_in_form_get_password (self->form);

  if (self->route != NULL)
    pr_setup_sign_in (self->setup, pr_sign_in_form_get_username (self->form), password,
                      on_step_done, g_object_ref (self));
  else
    pr_setup_add_route (self->setup, pr_sign_in_form_make_options (self->form), password,
                        pr_sign_in_form_get_client_secret (self->form), on_step_done,
                        g_object_ref (self));
}

static void
on_next (PrAssistant *self)
{
  Page page = find_page (self);

  if (page == PAGE_TEST)
    {
      finish (self);
      return;
    }

  self->is_working = TRUE;
  show_buttons (self);
  if (page == PAGE_SIGN_IN)
    {
      take_sign_in (self);
    }
  else
    {
      gboolean network = gtk_switch_get_active (self->network);

      pr_setup_allow (self->setup, network || gtk_switch_get_active (self->devices), network,
                      on_step_done, g_object_ref (self));
    }
}

static void
on_back (PrAssistant *self)
{
  Page page = find_page (self);

  pr_consent_cancel (self->consent);
  if (page == PAGE_PROVIDER || self->route != NULL)
    gtk_window_close (GTK_WINDOW (self));
  else if (page == PAGE_SIGN_IN)
    go_to (self, PAGE_PROVIDER);
  else if (page == PAGE_TEST)
    go_to (self, PAGE_ACCESS);
  else
    go_to (self, PAGE_SIGN_IN);
}

static void
on_form_changed (PrAssistant *self)
{
  show_buttons (self);
}

/* ── Providers ────────────────────────────────────────────────────────────────────────────── */

static GtkWidget *
make_row (const char *id, const char *name, const char *detail)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *title = g_markup_escape_text (name, -1);
  g_autofree char *subtitle = g_markup_escape_text (detail, -1);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), adw_avatar_new (32, name, TRUE));
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data_full (G_OBJECT (row), "id", g_strdup (id), g_free);
  return row;
}

static void
add_provider (PrAssistant *self, GVariant *provider)
{
  g_autofree const char **domains = NULL;
  g_autofree char *detail = NULL;

  if (g_variant_lookup (provider, "domains", "^a&s", &domains))
    detail = g_strjoinv (", ", (char **) domains);
  gtk_list_box_append (self->providers,
                       make_row (pr_dict_string (provider, "id"), pr_dict_string (provider, "name"),
                                 detail != NULL ? detail : ""));
}

static void on_provider (PrAssistant *self, GtkListBoxRow *row);

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrAssistant *self = user_data;
  g_autoptr (GVariant) list = NULL;
  GtkListBoxRow *row;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone */
  self->n_searches--;
  if (answer == NULL)
    pr_toast_show (GTK_WIDGET (self->stack), error->message);
  if (answer == NULL || self->n_searches > 0)
    return;

  if (gtk_widget_get_focus_child (GTK_WIDGET (self->providers)) != NULL)
    gtk_widget_grab_focus (self->search);
  while ((row = gtk_list_box_get_row_at_index (self->providers, 0)) != NULL)
    gtk_list_box_remove (self->providers, GTK_WIDGET (row));
  list = g_variant_get_child_value (answer, 0);
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) provider = g_variant_get_child_value (list, i);

      add_provider (self, provider);
    }
  gtk_list_box_append (self->providers,
                       make_row ("", _ ("Other"), _ ("Any server whose name you know")));
  if (self->is_in_haste)
    on_provider (self, gtk_list_box_get_row_at_index (self->providers, 0));
}

static void
on_search (PrAssistant *self)
{
  if (self->service == NULL || !pr_service_is_connected (self->service))
    return;

  self->n_searches++;
  pr_service_call (self->service, "Configuration1", "ListProviders",
                   g_variant_new ("(s)", gtk_editable_get_text (GTK_EDITABLE (self->search))),
                   "(aa{sv})", self->cancellable, on_listed, self);
}

static void
on_provider_known (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  PrAssistant *self = user_data;
  const char *json;

  if (answer == NULL)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) /* else it may be gone */
        pr_toast_show (GTK_WIDGET (self->stack), error->message);
      return;
    }

  g_variant_get (answer, "(&s)", &json);
  pr_sign_in_form_show_provider (self->form, json);
  go_to (self, PAGE_SIGN_IN);
}

static void
on_provider (PrAssistant *self, GtkListBoxRow *row)
{
  const char *id = g_object_get_data (G_OBJECT (row), "id");

  self->is_in_haste = FALSE;
  if (*id != '\0')
    {
      pr_service_call (self->service, "Configuration1", "GetProvider", g_variant_new ("(s)", id),
                       "(s)", self->cancellable, on_provider_known, self);
      return;
    }

  pr_sign_in_form_show_provider (self->form, NULL);
  go_to (self, PAGE_SIGN_IN);
}

/* The list may still be one of what stood there before. */
static void
on_search_done (PrAssistant *self)
{
  self->is_in_haste = TRUE;
  on_search (self);
}

/* Escape in the search, which takes it for itself. */
static void
on_search_stopped (PrAssistant *self)
{
  if (*gtk_editable_get_text (GTK_EDITABLE (self->search)) != '\0')
    gtk_editable_set_text (GTK_EDITABLE (self->search), "");
  else
    gtk_window_close (GTK_WINDOW (self));
}

static void
on_networks (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) networks = NULL;
  g_autofree char *text = NULL;
  const char *address, *network = NULL;
  PrAssistant *self = user_data;

  if (answer == NULL)
    return; /* the window may be gone; else the words that stand there are true as well */

  networks = g_variant_get_child_value (answer, 0);
  address = pr_reach_find_address (networks, &network);
  if (address == NULL || network == NULL)
    return;

  /* Translators: the first %s is a network, "192.168.1.0/24", the second an address in it */
  text =
    g_strdup_printf (_ ("Every device in %s may send without a password, to %s"), network, address);
  adw_action_row_set_subtitle (self->network_row, text);
}

/* ── The test's remedies ──────────────────────────────────────────────────────────────────── */

static void
on_sender_set (const char *fault, gpointer user_data)
{
  g_autoptr (PrAssistant) self = user_data;

  if (fault != NULL)
    pr_toast_show (GTK_WIDGET (self->stack), fault);
  else
    pr_test_mail_send (self->test);
}

static void
on_remedy (PrAssistant *self, guint remedy)
{
  if (remedy == PR_REMEDY_SIGN_IN)
    go_to (self, PAGE_SIGN_IN);
  else if (remedy == PR_REMEDY_SENDER)
    pr_setup_set_key (self->setup, "rewrite-sender", pr_sign_in_form_get_username (self->form),
                      on_sender_set, g_object_ref (self));
}

/* ── A route that is there ────────────────────────────────────────────────────────────────── */

static void
on_routes (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) routes = NULL;
  PrAssistant *self = user_data;

  if (answer == NULL)
    return; /* it may be gone; else the name is to be typed */

  routes = g_variant_get_child_value (answer, 0);
  for (gsize i = 0; i < g_variant_n_children (routes); i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (routes, i);

      if (g_strcmp0 (pr_dict_string (route, "name"), self->route) == 0)
        pr_sign_in_form_show_route (self->form, self->route, pr_dict_string (route, "username"));
    }
  go_to (self, PAGE_SIGN_IN);
}

static void
on_sign_in_known (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, &error);
  g_autoptr (GVariant) facts = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  PrAssistant *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* it may be gone */

  if (facts != NULL && g_variant_n_children (facts) > 0) /* it signs in with OAuth */
    {
      go_to (self, PAGE_CONSENT);
      pr_consent_start (self->consent, self->service, self->route, "auto");
      return;
    }
  pr_service_call (self->service, "Configuration1", "GetRoutes", NULL, "(aa{sv})",
                   self->cancellable, on_routes, self);
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static gboolean
pr_assistant_close_request (GtkWindow *window)
{
  PrAssistant *self = PR_ASSISTANT (window);

  self->is_closed = !self->is_done && !pr_test_mail_is_good (self->test);
  if (self->is_closed && !self->is_working)
    pr_setup_take_back (self->setup);
  return GTK_WINDOW_CLASS (pr_assistant_parent_class)->close_request (window);
}

static void
pr_assistant_dispose (GObject *object)
{
  PrAssistant *self = PR_ASSISTANT (object);

  g_cancellable_cancel (self->cancellable);
  G_OBJECT_CLASS (pr_assistant_parent_class)->dispose (object);
}

static void
pr_assistant_finalize (GObject *object)
{
  PrAssistant *self = PR_ASSISTANT (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->setup);
  g_clear_object (&self->service);
  g_free (self->route);
  G_OBJECT_CLASS (pr_assistant_parent_class)->finalize (object);
}

static void
pr_assistant_class_init (PrAssistantClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  g_type_ensure (PR_TYPE_CONSENT);
  g_type_ensure (PR_TYPE_SIGN_IN_FORM);
  g_type_ensure (PR_TYPE_TEST_MAIL);
  object_class->dispose = pr_assistant_dispose;
  object_class->finalize = pr_assistant_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = pr_assistant_close_request;
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "assistant.ui");
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, heading);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, back);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, next);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, stack);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, search);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, providers);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, form);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, consent);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, devices);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, network);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, network_row);
  gtk_widget_class_bind_template_child (widget_class, PrAssistant, test);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
  gtk_widget_class_bind_template_callback (widget_class, on_next);
  gtk_widget_class_bind_template_callback (widget_class, on_search);
  gtk_widget_class_bind_template_callback (widget_class, on_search_done);
  gtk_widget_class_bind_template_callback (widget_class, on_search_stopped);
  gtk_widget_class_bind_template_callback (widget_class, on_provider);
  gtk_widget_class_bind_template_callback (widget_class, on_form_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_remedy);
  gtk_widget_class_bind_template_callback (widget_class, on_consent);
}

static void
pr_assistant_init (PrAssistant *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* What it needs to know, once there is somebody to ask. */
static void
ask (PrAssistant *self)
{
  if (self->has_asked || !pr_service_is_connected (self->service))
    return;

  self->has_asked = TRUE;
  if (self->route != NULL)
    {
      pr_service_call (self->service, "SignIn1", "Status", g_variant_new ("(s)", self->route),
                       "(a{sv})", self->cancellable, on_sign_in_known, self);
      return;
    }
  on_search (self);
  pr_service_call (self->service, "Service1", "GetNetworks", NULL, "(aa{sv})", self->cancellable,
                   on_networks, self);
}

PrAssistant *
pr_assistant_new (GtkWindow *parent, PrService *service, const char *route)
{
  PrAssistant *self = g_object_new (PR_TYPE_ASSISTANT, "transient-for", parent, NULL);

  self->service = g_object_ref (service);
  self->setup = pr_setup_new (service);
  self->route = g_strdup (route);
  g_signal_connect_object (service, "notify::connected", G_CALLBACK (ask), self, G_CONNECT_SWAPPED);
  if (route != NULL)
    {
      pr_setup_set_route (self->setup, route);
      pr_sign_in_form_show_route (self->form, route, NULL);
      go_to (self, PAGE_SIGN_IN);
    }
  else
    {
      show_buttons (self);
      gtk_widget_grab_focus (self->search);
    }
  ask (self);
  return self;
}
