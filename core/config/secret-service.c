/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/secret-service.h"

#include "common/error.h"

#ifdef HAVE_LIBSECRET

#include <libsecret/secret.h>

#include "config/secrets.h"

#define LOOK_MS 10000
#define ASK_MS 60000 /* a person unlocks it */

static const SecretSchema schema = {
  "io.github.postroom.Route",
  SECRET_SCHEMA_NONE,
  {
    { "owner", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { "route", SECRET_SCHEMA_ATTRIBUTE_STRING },
    { NULL, 0 },
  },
};

/* One asynchronous call at a time in a context of its own, so that it has a time limit. */
typedef struct
{
  GMainContext *context;     /* owned */
  GCancellable *cancellable; /* owned */
  GSource *limit;            /* owned */
  GAsyncResult *result;      /* owned, nullable */
} Call;

static gboolean
on_limit (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Call *) user_data)->result = g_object_ref (result);
}

static void
call_begin (Call *self, guint limit_ms)
{
  self->context = g_main_context_new ();
  self->cancellable = g_cancellable_new ();
  self->result = NULL;
  self->limit = g_timeout_source_new (limit_ms);
  g_source_set_callback (self->limit, on_limit, self->cancellable, NULL);
  g_source_attach (self->limit, self->context);
  g_main_context_push_thread_default (self->context);
}

static GAsyncResult *
call_wait (Call *self)
{
  g_clear_object (&self->result);
  while (self->result == NULL)
    g_main_context_iteration (self->context, TRUE);
  return self->result;
}

static void
call_end (Call *self)
{
  g_source_destroy (self->limit);
  g_source_unref (self->limit);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  g_clear_object (&self->result);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
}

static gboolean
is_sandboxed (void)
{
  return g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS);
}

/* A bus without such a service, or no bus, is no fault. */
static gboolean
is_there (Call *call)
{
  g_autoptr (SecretService) service = NULL;

  if (is_sandboxed ())
    return TRUE;
  secret_service_get (SECRET_SERVICE_OPEN_SESSION, call->cancellable, on_answer, call);
  service = secret_service_get_finish (call_wait (call), NULL);
  return service != NULL;
}

static PrKeyring
fail (GError **error, const char *why)
{
  g_set_error (error, PR_ERROR, PR_ERROR_TEMPORARY, "The keyring of the desktop: %s", why);
  return PR_KEYRING_FAILED;
}

static PrKeyring
take_item (GList *items, char **secret, GError **error)
{
  g_autoptr (SecretValue) value = NULL;
  const char *text;

  if (items == NULL)
    return PR_KEYRING_DONE;
  if (secret_item_get_locked (items->data))
    return fail (error, "it is locked; unlock it, for example by logging in");
  value = secret_item_get_secret (items->data);
  text = value != NULL ? secret_value_get_text (value) : NULL;
  if (text == NULL)
    return fail (error, "the password in it cannot be read");
  *secret = g_strdup (text);
  return PR_KEYRING_DONE;
}

static PrKeyring
search (Call *call, GHashTable *attributes, char **secret, GError **error)
{
  g_autoptr (GError) own = NULL;
  GList *items;
  PrKeyring found;

  secret_service_search (NULL, &schema, attributes, SECRET_SEARCH_LOAD_SECRETS, call->cancellable,
                         on_answer, call);
  items = secret_service_search_finish (NULL, call_wait (call), &own);
  if (own != NULL)
    return fail (error, own->message);
  found = take_item (items, secret, error);
  g_list_free_full (items, g_object_unref);
  return found;
}

static PrKeyring
look_up (Call *call, GHashTable *attributes, char **secret, GError **error)
{
  g_autoptr (GError) own = NULL;
  char *text;

  secret_password_lookupv (&schema, attributes, call->cancellable, on_answer, call);
  text = secret_password_lookup_finish (call_wait (call), &own);
  if (own != NULL)
    return fail (error, own->message);
  *secret = g_strdup (text);
  secret_password_free (text);
  return PR_KEYRING_DONE;
}

static GHashTable *
make_attributes (const char *owner, const char *route)
{
  return secret_attributes_build (&schema, "owner", owner, "route", route, NULL);
}

PrKeyring
pr_keyring_get (const char *owner, const char *route, char **secret, GError **error)
{
  g_autoptr (GHashTable) attributes = make_attributes (owner, route);
  PrKeyring found = PR_KEYRING_NONE;
  Call call;

  *secret = NULL;
  call_begin (&call, LOOK_MS);
  if (is_there (&call))
    found = is_sandboxed () ? look_up (&call, attributes, secret, error)
                            : search (&call, attributes, secret, error);
  call_end (&call);
  return found;
}

static PrKeyring
store (Call *call, GHashTable *attributes, const char *route, const char *secret, GError **error)
{
  g_autofree char *label = g_strdup_printf ("Postroom: password of the route %s", route);
  g_autoptr (GError) own = NULL;

  secret_password_storev (&schema, attributes, SECRET_COLLECTION_DEFAULT, label, secret,
                          call->cancellable, on_answer, call);
  if (secret_password_store_finish (call_wait (call), &own))
    return PR_KEYRING_DONE;
  return fail (error, own->message);
}

static PrKeyring
forget (Call *call, GHashTable *attributes, GError **error)
{
  g_autoptr (GError) own = NULL;

  secret_password_clearv (&schema, attributes, call->cancellable, on_answer, call);
  secret_password_clear_finish (call_wait (call), &own);
  return own == NULL ? PR_KEYRING_DONE : fail (error, own->message);
}

PrKeyring
pr_keyring_set (const char *owner, const char *route, const char *secret, GError **error)
{
  g_autoptr (GHashTable) attributes = make_attributes (owner, route);
  PrKeyring kept = PR_KEYRING_NONE;
  Call call;

  call_begin (&call, ASK_MS);
  if (is_there (&call))
    kept = secret != NULL ? store (&call, attributes, route, secret, error)
                          : forget (&call, attributes, error);
  call_end (&call);
  return kept;
}

#else

PrKeyring
pr_keyring_get (const char *owner, const char *route, char **secret, GError **error)
{
  *secret = NULL;
  return PR_KEYRING_NONE;
}

PrKeyring
pr_keyring_set (const char *owner, const char *route, const char *secret, GError **error)
{
  return PR_KEYRING_NONE;
}

#endif
