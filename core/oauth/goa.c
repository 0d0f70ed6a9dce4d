/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GNOME Online Accounts: which object is the account, then its token.
 *
 *   session bus ──► GetManagedObjects ──► [EnsureCredentials] ──► GetAccessToken
 */
#include "oauth/goa.h"

#include <gio/gio.h>
#include <string.h>

#include "common/error.h"

#define NAME "org.gnome.OnlineAccounts"
#define ROOT "/org/gnome/OnlineAccounts"
#define ACCOUNT NAME ".Account"
#define OAUTH2 NAME ".OAuth2Based"
#define TIMEOUT_MS (30 * 1000)
#define MAX_LIFE_S (365 * 86400)

struct _PrGoaCall
{
  GMainContext *context; /* owned */
  char *id;              /* owned */
  gboolean refused;
  PrGoaFunc func; /* NULL: cancelled; the call that is under way frees it */
  gpointer user_data;
  GDBusConnection *bus; /* owned, nullable */
  char *path;           /* owned, nullable: of the account */
  char *identity;       /* owned, nullable: who signed in there */
  GCancellable *cancellable;
};

static void
call_free (PrGoaCall *self)
{
  g_clear_object (&self->bus);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_free (self->id);
  g_free (self->path);
  g_free (self->identity);
  g_free (self);
}

/* The end; @token: (transfer full) (nullable). */
static void
finish (PrGoaCall *self, PrToken *token, PrError code, const char *why)
{
  g_autoptr (GError) error = NULL;

  if (token == NULL)
    error = g_error_new (PR_ERROR, code, "the desktop's account %s: %s", self->id, why);
  self->func (token, error, self->user_data);
  call_free (self);
}

/* What the account's own service says for "sign in again". */
static PrError
decide (const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);

  return name != NULL && g_str_has_prefix (name, NAME ".Error.NotAuthorized") ? PR_ERROR_AUTH
                                                                              : PR_ERROR_TEMPORARY;
}

/* (transfer full): an answer; NULL: it was told, or nobody wants to know. */
static GVariant *
take_answer (PrGoaCall *self, GObject *source, GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  PrError code;

  if (self->func == NULL)
    {
      g_clear_pointer (&answer, g_variant_unref);
      call_free (self);
      return NULL;
    }
  if (answer != NULL)
    return answer;
  code = decide (error);
  g_dbus_error_strip_remote_error (error);
  finish (self, NULL, code, error->message);
  return NULL;
}

static void
call (PrGoaCall *self, const char *path, const char *interface, const char *method,
      const char *reply, GAsyncReadyCallback callback)
{
  g_main_context_push_thread_default (self->context);
  g_dbus_connection_call (self->bus, NAME, path, interface, method, NULL, G_VARIANT_TYPE (reply),
                          G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, self->cancellable, callback, self);
  g_main_context_pop_thread_default (self->context);
}

static void
on_token (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrGoaCall *self = user_data;
  g_autoptr (GVariant) answer = take_answer (self, source, result);
  const char *access;
  gint32 life_s;
  PrToken *token;

  if (answer == NULL)
    return;
  g_variant_get (answer, "(&si)", &access, &life_s);
  if (access[0] == '\0')
    {
      finish (self, NULL, PR_ERROR_AUTH, "it has no token");
      return;
    }
  token = pr_token_new ();
  token->access = g_strdup (access);
  token->account = g_strdup (self->identity);
  token->obtained_s = g_get_real_time () / G_USEC_PER_SEC;
  token->expires_s = life_s > 0 ? token->obtained_s + MIN (life_s, MAX_LIFE_S) : 0;
  finish (self, token, PR_ERROR_TEMPORARY, NULL);
}

static void
on_ensured (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrGoaCall *self = user_data;
  g_autoptr (GVariant) answer = take_answer (self, source, result);

  if (answer != NULL)
    call (self, self->path, OAUTH2, "GetAccessToken", "(si)", on_token);
}

/* Whether @interfaces are those of the account that is wanted. */
static gboolean
is_wanted (PrGoaCall *self, GVariant *interfaces)
{
  g_autoptr (GVariant) account =
    g_variant_lookup_value (interfaces, ACCOUNT, G_VARIANT_TYPE_VARDICT);
  const char *id = "", *identity = "";

  if (account == NULL)
    return FALSE;
  g_variant_lookup (account, "Id", "&s", &id);
  g_variant_lookup (account, "PresentationIdentity", "&s", &identity);
  if (!g_str_equal (id, self->id) && g_ascii_strcasecmp (identity, self->id) != 0)
    return FALSE;
  g_free (self->identity);
  self->identity = g_strdup (identity);
  return TRUE;
}

static void
on_objects (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrGoaCall *self = user_data;
  g_autoptr (GVariant) answer = take_answer (self, source, result);
  g_autoptr (GVariantIter) objects = NULL;
  const char *path;
  GVariant *interfaces;
  gboolean has_tokens = FALSE;

  if (answer == NULL)
    return;
  g_variant_get (answer, "(a{oa{sa{sv}}})", &objects);
  while (self->path == NULL && g_variant_iter_next (objects, "{&o@a{sa{sv}}}", &path, &interfaces))
    {
      g_autoptr (GVariant) own = interfaces;
      g_autoptr (GVariant) tokens = g_variant_lookup_value (own, OAUTH2, G_VARIANT_TYPE_VARDICT);

      if (!is_wanted (self, own))
        continue;
      self->path = g_strdup (path);
      has_tokens = tokens != NULL;
    }
  if (self->path == NULL)
    finish (self, NULL, PR_ERROR_CONFIG, "there is none of this name");
  else if (!has_tokens)
    finish (self, NULL, PR_ERROR_CONFIG, "it signs in otherwise than with OAuth 2.0");
  else if (self->refused)
    call (self, self->path, ACCOUNT, "EnsureCredentials", "(i)", on_ensured);
  else
    call (self, self->path, OAUTH2, "GetAccessToken", "(si)", on_token);
}

static void
on_bus (GObject *source, GAsyncResult *result, gpointer user_data)
{
  PrGoaCall *self = user_data;
  g_autoptr (GError) error = NULL;

  self->bus = g_bus_get_finish (result, &error);
  if (self->func == NULL)
    call_free (self);
  else if (self->bus == NULL)
    finish (self, NULL, PR_ERROR_TEMPORARY, "there is no session bus");
  else
    call (self, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "(a{oa{sa{sv}}})",
          on_objects);
}

PrGoaCall *
pr_goa_get_token (GMainContext *context, const char *id, gboolean refused, PrGoaFunc func,
                  gpointer user_data)
{
  PrGoaCall *self = g_new0 (PrGoaCall, 1);

  self->context = g_main_context_ref (context);
  self->id = g_strdup (id);
  self->refused = refused;
  self->func = func;
  self->user_data = user_data;
  self->cancellable = g_cancellable_new ();
  g_main_context_push_thread_default (context);
  g_bus_get (G_BUS_TYPE_SESSION, self->cancellable, on_bus, self);
  g_main_context_pop_thread_default (context);
  return self;
}

void
pr_goa_cancel (PrGoaCall *self)
{
  self->func = NULL;
  g_cancellable_cancel (self->cancellable);
}
