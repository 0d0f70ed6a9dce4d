/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sign-in, as SignIn1 tells it:
 *
 *   Start ──► asking ──► waiting (browser open, or a code to type) ──► checking ──► done
 *                 └──────────────────┴───────────────────────────────────┴──────► failed
 */
#include "sign-in-group.h"

#include <glib/gi18n.h>

#include "control/client.h"
#include "entry-row.h"
#include "rows.h"
#include "toast.h"

#define LOOK_MS 1000 /* how often a sign-in that goes on is looked at */

struct _PrSignInGroup
{
  AdwPreferencesGroup parent_instance;

  PrService *service;        /* owned */
  char *route;               /* owned */
  GCancellable *cancellable; /* owned: of all questions, until it goes away */
  guint32 attempt;           /* of a sign-in that goes on; 0: none */
  guint look_source;         /* until that is looked at again */
  gboolean is_shown;         /* where to sign in was shown to the person */

  GtkWidget *state, *account, *code; /* template children: rows */
  GtkWidget *sign_in, *sign_out;
  PrEntryRow *password;
};

G_DEFINE_FINAL_TYPE (PrSignInGroup, pr_sign_in_group, ADW_TYPE_PREFERENCES_GROUP)

/* @answer of a question of ours; NULL: it is of no interest, or was told. */
static GVariant *
finish (GObject *source, GAsyncResult *result, PrSignInGroup *self)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer = pr_service_call_finish (PR_SERVICE (source), result, &error);

  if (answer == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    pr_toast_show (GTK_WIDGET (self), error->message);
  return answer;
}

/* ── How it stands ────────────────────────────────────────────────────────────────────────── */

/* (transfer full) */
static char *
format_time (gint64 time_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

  return local != NULL ? g_date_time_format (local, "%c") : g_strdup ("");
}

static char *
describe_sign_in (GVariant *facts)
{
  const char *state = pr_dict_string (facts, "state");
  const char *account = pr_dict_string (facts, "account");
  const char *why = pr_dict_string (facts, "why");
  g_autofree char *until = format_time (pr_dict_number (facts, "expires"));

  if (g_strcmp0 (state, "ready") != 0)
    return g_strdup (why != NULL ? why : _ ("Not signed in yet"));
  if (account == NULL)
    account = _ ("your account");
  if (pr_dict_boolean (facts, "renews"))
    /* Translators: an account, then a date and time */
    return g_strdup_printf (_ ("Signed in as %s. The key counts until %s and renews itself"),
                            account, until);
  return g_strdup_printf (_ ("Signed in as %s until %s"), account, until);
}

static void
on_sign_in_status (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSignInGroup) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) facts = NULL;
  gboolean by_oauth;

  if (answer == NULL)
    return;

  facts = g_variant_get_child_value (answer, 0);
  by_oauth = g_variant_n_children (facts) > 0;
  gtk_widget_set_visible (self->account, by_oauth);
  gtk_widget_set_visible (GTK_WIDGET (self->password), !by_oauth);
  if (by_oauth)
    {
      g_autofree char *words = describe_sign_in (facts);

      pr_row_set_subtitle (self->account, words);
      gtk_widget_set_visible (self->sign_out, pr_dict_string (facts, "account") != NULL);
    }
}

static void
on_routes (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSignInGroup) self = user_data;
  g_autoptr (GVariant) answer = pr_service_call_finish (PR_SERVICE (source), result, NULL);
  g_autoptr (GVariant) routes = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;

  for (gsize i = 0; routes != NULL && i < g_variant_n_children (routes); i++)
    {
      g_autoptr (GVariant) route = g_variant_get_child_value (routes, i);
      const char *reason = pr_dict_string (route, "reason");

      if (g_strcmp0 (pr_dict_string (route, "name"), self->route) == 0)
        pr_row_set_subtitle (self->state, reason != NULL ? reason : _ ("Ready"));
    }
}

static void
ask (PrSignInGroup *self)
{
  pr_service_call (self->service, "Configuration1", "GetRoutes", NULL, "(aa{sv})",
                   self->cancellable, on_routes, g_object_ref (self));
  pr_service_call (self->service, "SignIn1", "Status", g_variant_new ("(s)", self->route),
                   "(a{sv})", self->cancellable, on_sign_in_status, g_object_ref (self));
}

/* Every message changes the status of the service, this seldom: what is not seen is not asked for.
 */
static void
on_status (PrSignInGroup *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    ask (self);
}

/* ── Signing in ───────────────────────────────────────────────────────────────────────────── */

static void
end_attempt (PrSignInGroup *self)
{
  self->attempt = 0;
  g_clear_handle_id (&self->look_source, g_source_remove);
  gtk_widget_set_visible (self->code, FALSE);
  gtk_widget_set_sensitive (self->sign_in, TRUE);
  ask (self);
}

/* A browser goes to the provider, or a code is typed there on any device. */
static void
show_way (PrSignInGroup *self, GVariant *facts)
{
  const char *code = pr_dict_string (facts, "user-code");
  const char *url = pr_dict_string (facts, code != NULL ? "short-url" : "url");

  if (self->is_shown || url == NULL)
    return;

  self->is_shown = TRUE;
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->code),
                                 code != NULL ? code : _ ("Sign in in your web browser"));
  pr_row_set_subtitle (self->code, url);
  gtk_widget_set_visible (self->code, TRUE);
  if (code == NULL)
    gtk_show_uri (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), url, GDK_CURRENT_TIME);
}

static gboolean look (gpointer user_data);

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSignInGroup) self = user_data;
  g_autoptr (GVariant) answer = finish (source, result, self);
  g_autoptr (GVariant) facts = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  const char *state = facts != NULL ? pr_dict_string (facts, "state") : NULL;
  const char *why;

  if (facts == NULL || g_strcmp0 (state, "done") == 0)
    {
      end_attempt (self);
      return;
    }
  if (g_strcmp0 (state, "failed") == 0)
    {
      why = pr_dict_string (facts, "why");
      pr_toast_show (GTK_WIDGET (self), why != NULL ? why : _ ("Signing in failed; try again"));
      end_attempt (self);
      return;
    }
  show_way (self, facts);
  self->look_source = g_timeout_add (LOOK_MS, look, self);
}

static gboolean
look (gpointer user_data)
{
  PrSignInGroup *self = user_data;

  self->look_source = 0;
  pr_service_call (self->service, "SignIn1", "Get", g_variant_new ("(u)", self->attempt), "(a{sv})",
                   self->cancellable, on_looked, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSignInGroup) self = user_data;
  g_autoptr (GVariant) answer = finish (source, result, self);

  if (answer == NULL)
    {
      gtk_widget_set_sensitive (self->sign_in, TRUE);
      return;
    }
  g_variant_get (answer, "(u)", &self->attempt);
  self->is_shown = FALSE;
  look (self);
}

static void
on_sign_in (PrSignInGroup *self)
{
  gtk_widget_set_sensitive (self->sign_in, FALSE);
  pr_service_call (self->service, "SignIn1", "Start", g_variant_new ("(ss)", self->route, "auto"),
                   "(u)", self->cancellable, on_started, g_object_ref (self));
}

/* ── Orders ───────────────────────────────────────────────────────────────────────────────── */

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSignInGroup) self = user_data;
  g_autoptr (GVariant) answer = finish (source, result, self);

  if (answer != NULL)
    ask (self);
}

static void
on_sign_out (PrSignInGroup *self)
{
  pr_service_call (self->service, "SignIn1", "SignOut", g_variant_new ("(s)", self->route), "()",
                   self->cancellable, on_done, g_object_ref (self));
}

static void
on_kept (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (PrSignInGroup) self = user_data;
  g_autoptr (GVariant) answer = finish (source, result, self);

  if (answer == NULL)
    return;

  pr_entry_row_set_text (self->password, "");
  pr_toast_show (GTK_WIDGET (self),
                 _ ("The password is kept; mail that waited for it is tried now"));
  ask (self);
}

static void
on_password (PrSignInGroup *self)
{
  g_autofree char *password = pr_entry_row_get_text (self->password);

  pr_service_call (self->service, "Configuration1", "SetRoutePassword",
                   g_variant_new ("(ss)", self->route, password), "()", self->cancellable, on_kept,
                   g_object_ref (self));
}

/* ── The object ───────────────────────────────────────────────────────────────────────────── */

static void
pr_sign_in_group_dispose (GObject *object)
{
  PrSignInGroup *self = PR_SIGN_IN_GROUP (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->look_source, g_source_remove);
  G_OBJECT_CLASS (pr_sign_in_group_parent_class)->dispose (object);
}

static void
pr_sign_in_group_finalize (GObject *object)
{
  PrSignInGroup *self = PR_SIGN_IN_GROUP (object);

  g_clear_object (&self->cancellable);
  g_clear_object (&self->service);
  g_free (self->route);
  G_OBJECT_CLASS (pr_sign_in_group_parent_class)->finalize (object);
}

static void
pr_sign_in_group_class_init (PrSignInGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = pr_sign_in_group_dispose;
  G_OBJECT_CLASS (klass)->finalize = pr_sign_in_group_finalize;
  g_type_ensure (PR_TYPE_ENTRY_ROW);
  gtk_widget_class_set_template_from_resource (widget_class, PR_UI_PATH "sign-in-group.ui");
  gtk_widget_class_bind_template_child (widget_class, PrSignInGroup, state);
  gtk_widget_class_bind_template_child (widget_class, PrSignInGroup, account);
  gtk_widget_class_bind_template_child (widget_class, PrSignInGroup, code);
  gtk_widget_class_bind_template_child (widget_class, PrSignInGroup, sign_in);
  gtk_widget_class_bind_template_child (widget_class, PrSignInGroup, sign_out);
  gtk_widget_class_bind_template_child (widget_class, PrSignInGroup, password);
  gtk_widget_class_bind_template_callback (widget_class, on_sign_in);
  gtk_widget_class_bind_template_callback (widget_class, on_sign_out);
  gtk_widget_class_bind_template_callback (widget_class, on_password);
}

static void
pr_sign_in_group_init (PrSignInGroup *self)
{
  GtkWidget *rows[3];

  gtk_widget_init_template (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  rows[0] = self->state;
  rows[1] = self->account;
  rows[2] = self->code;
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) /* what providers say is no markup */
    adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (rows[i]), FALSE);
  pr_row_add_copy (self->code, _ ("Copy the Address"), NULL);
}

GtkWidget *
pr_sign_in_group_new (PrService *service, const char *route)
{
  PrSignInGroup *self = g_object_new (PR_TYPE_SIGN_IN_GROUP, NULL);

  self->service = g_object_ref (service);
  self->route = g_strdup (route);
  g_signal_connect_object (service, "notify::status", G_CALLBACK (on_status), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (service, "configuration-changed", G_CALLBACK (ask), self,
                           G_CONNECT_SWAPPED);
  ask (self);
  return GTK_WIDGET (self);
}
