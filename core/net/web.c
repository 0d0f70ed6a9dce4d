/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests over HTTPS: bounds, deadlines and order here, HTTP itself in the module.
 *
 *   send ──► reading the ca-file ──► in the module ──► done, failed, or too late ──► told, gone
 */
#include "net/web.h"

#include <gio/gio.h>
#include <string.h>

#include "common/error.h"
#include "common/ip.h"
#include "common/module.h"
#include "net/web-backend.h"

#define DEFAULT_MAX_OCTETS (1024 * 1024)
#define DEFAULT_DEADLINE_MS (60 * 1000)
#define FIRST_ROOM 4096
#define MAX_AUTHORITIES (1024 * 1024)

typedef struct
{
  PrWeb *web; /* borrowed */
  guint token;
  PrWebFunc func;
  gpointer user_data;
  PrWebRequest request; /* a copy, owned; feed's function borrowed */
  char **headers;       /* owned: the request's */
  PrWebCall *under_way; /* owned; NULL before it begins */
  GSource *timer;       /* owned: the deadline */
  GSource *ending;      /* owned, nullable: tells @error on another turn */
  GCancellable *reading;
  GError *error; /* owned, nullable */
  guint status;
  GPtrArray *answered; /* owned: headers of the answer, NULL-terminated when told */
  char *body;          /* owned: wiped when freed */
  gsize len, room;
} Call;

struct _PrWeb
{
  GMainContext *context; /* owned */
  const PrWebBackend *backend;
  PrWebSession *session; /* owned by the backend */
  GHashTable *calls;     /* owned: token to Call */
  guint last_token;
};

static void
wipe (char *text, gsize len)
{
  volatile char *p = text;

  while (len-- > 0)
    *p++ = '\0';
}

static void
call_free (gpointer data)
{
  Call *self = data;

  if (self->under_way != NULL)
    self->web->backend->stop (self->under_way);
  for (guint i = 0; i < 2; i++)
    {
      GSource **source = i == 0 ? &self->timer : &self->ending;

      if (*source != NULL)
        g_source_destroy (*source);
      g_clear_pointer (source, g_source_unref);
    }
  if (self->reading != NULL)
    g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  g_clear_error (&self->error);
  g_clear_pointer (&self->answered, g_ptr_array_unref);
  if (self->body != NULL)
    wipe (self->body, self->len);
  g_free (self->body);
  g_free ((char *) self->request.method);
  g_free ((char *) self->request.url);
  g_free ((char *) self->request.content_type);
  g_free ((char *) self->request.ca_file);
  g_clear_pointer (&self->request.body, g_bytes_unref);
  g_strfreev (self->headers);
  g_free (self);
}

/* Tells the owner and forgets the call: nobody may look at it any more. */
static void
tell (Call *self)
{
  PrWebFunc func = self->func;
  gpointer user_data = self->user_data;
  PrWebAnswer answer = { 0 };
  g_autoptr (GError) error = g_steal_pointer (&self->error);

  g_hash_table_steal (self->web->calls, GUINT_TO_POINTER (self->token));
  if (error == NULL)
    {
      g_ptr_array_add (self->answered, NULL);
      answer.status = self->status;
      answer.headers = (const char *const *) self->answered->pdata;
      answer.body = self->body != NULL ? self->body : "";
      answer.len = self->len;
    }
  /* Stops what goes on before the owner may free the PrWeb. */
  if (self->under_way != NULL)
    self->web->backend->stop (g_steal_pointer (&self->under_way));
  self->web = NULL;
  func (error == NULL ? &answer : NULL, error, user_data);
  call_free (self);
}

static gboolean
on_ending (gpointer user_data)
{
  tell (user_data);
  return G_SOURCE_REMOVE;
}

/* The owner hears it on another turn. */
static void
fail_later (Call *self, GError *error)
{
  if (self->error != NULL)
    g_error_free (error);
  else
    self->error = error;
  if (self->ending != NULL)
    return;
  self->ending = g_idle_source_new ();
  g_source_set_priority (self->ending, G_PRIORITY_DEFAULT);
  g_source_set_static_name (self->ending, "postroom-web-ending");
  g_source_set_callback (self->ending, on_ending, self, NULL);
  g_source_attach (self->ending, self->web->context);
}

static gboolean
on_deadline (gpointer user_data)
{
  Call *self = user_data;

  if (self->error == NULL)
    g_set_error (&self->error, PR_ERROR, PR_ERROR_TEMPORARY,
                 self->status == 0 ? "no answer came within %u s"
                                   : "the answer was not complete within %u s",
                 self->request.deadline_ms / 1000);
  tell (self);
  return G_SOURCE_REMOVE;
}

static void
on_head (gpointer owner, guint status, GPtrArray *headers)
{
  Call *self = owner;

  self->status = status;
  g_clear_pointer (&self->answered, g_ptr_array_unref);
  self->answered = headers;
}

/* realloc() would leave copies of what may be a secret behind. */
static void
make_room (Call *self, gsize len)
{
  gsize room = MAX (self->room, FIRST_ROOM);
  char *body;

  while (room < self->len + len + 1)
    room *= 2;
  if (room == self->room)
    return;
  body = g_malloc (room);
  if (self->body != NULL)
    {
      memcpy (body, self->body, self->len);
      wipe (self->body, self->len);
      g_free (self->body);
    }
  self->body = body;
  self->room = room;
}

static gboolean
on_data (gpointer owner, const char *data, gsize len)
{
  Call *self = owner;

  if (len > self->request.max_octets - self->len)
    {
      fail_later (self, g_error_new (PR_ERROR, PR_ERROR_PROTOCOL,
                                     "the answer is larger than %" G_GSIZE_FORMAT " octets",
                                     self->request.max_octets));
      return FALSE;
    }
  make_room (self, len);
  memcpy (self->body + self->len, data, len);
  self->len += len;
  self->body[self->len] = '\0';
  return TRUE;
}

static void
on_want (gpointer owner)
{
  Call *self = owner;

  self->request.want (self->user_data);
}

static void
on_done (gpointer owner, const GError *error)
{
  Call *self = owner;

  if (error != NULL && self->error == NULL)
    self->error = g_error_copy (error);
  tell (self);
}

static const PrWebSink sink = { on_head, on_data, on_want, on_done };

static gboolean
open_module (PrWeb *self, GError **error)
{
  const PrWebBackend *backend;

  if (self->session != NULL)
    return TRUE;
  backend = pr_module_open ("web", PR_WEB_BACKEND_SYMBOL, error);
  if (backend == NULL)
    return FALSE;
  if (backend->version != PR_WEB_BACKEND_VERSION)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED,
                   "the part postroom-web is of another version; install Postroom anew");
      return FALSE;
    }
  self->backend = backend;
  self->session = backend->session_new (self->context);
  return TRUE;
}

static void
begin (Call *self, const char *authorities)
{
  PrWeb *web = self->web;
  g_autoptr (GError) error = NULL;

  if (!open_module (web, &error))
    {
      fail_later (self, g_steal_pointer (&error));
      return;
    }
  g_main_context_push_thread_default (web->context);
  self->under_way = web->backend->start (web->session, &self->request, authorities, &sink, self);
  g_main_context_pop_thread_default (web->context);
}

static void
on_authorities (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize len = 0;
  Call *self = user_data;

  g_file_load_contents_finish (G_FILE (source), result, &text, &len, NULL, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the call is gone */
  g_clear_object (&self->reading);
  if (error == NULL && (len > MAX_AUTHORITIES || strstr (text, "-----BEGIN CERTIFICATE") == NULL))
    g_set_error_literal (&error, PR_ERROR, PR_ERROR_CONFIG, "has no certificates in PEM form");
  if (error != NULL)
    fail_later (self, g_error_new (PR_ERROR, PR_ERROR_CONFIG, "ca-file %s: %s",
                                   self->request.ca_file, error->message));
  else
    begin (self, text);
}

static void
read_authorities (Call *self)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->request.ca_file);

  self->reading = g_cancellable_new ();
  g_main_context_push_thread_default (self->web->context);
  g_file_load_contents_async (file, self->reading, on_authorities, self);
  g_main_context_pop_thread_default (self->web->context);
}

static gboolean
is_own_machine (const char *host)
{
  PrIp ip;

  return g_ascii_strcasecmp (host, "localhost") == 0 ||
         (pr_ip_parse (host, &ip) && pr_ip_is_loopback (&ip));
}

static gboolean
check_url (const char *url, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || host[0] == '\0')
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "%s is not the address of a server", url);
  else if (g_str_equal (scheme, "https") || (g_str_equal (scheme, "http") && is_own_machine (host)))
    return TRUE;
  else
    g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                 "%s is not encrypted; an address that begins with https is needed", url);
  return FALSE;
}

static void
copy_request (Call *self, const PrWebRequest *request)
{
  gboolean has_body = request->body != NULL || request->want != NULL;

  self->request = *request;
  self->request.method = g_strdup (request->method != NULL ? request->method
                                   : has_body              ? "POST"
                                                           : "GET");
  self->request.url = g_strdup (request->url);
  self->headers = g_strdupv ((char **) request->headers);
  self->request.headers = (const char *const *) self->headers;
  self->request.content_type = g_strdup (request->content_type);
  self->request.ca_file = g_strdup (request->ca_file);
  if (request->body != NULL)
    g_bytes_ref (request->body);
  if (request->max_octets == 0)
    self->request.max_octets = DEFAULT_MAX_OCTETS;
  if (request->deadline_ms == 0)
    self->request.deadline_ms = DEFAULT_DEADLINE_MS;
}

PrWeb *
pr_web_new (GMainContext *context)
{
  PrWeb *self = g_new0 (PrWeb, 1);

  self->context = g_main_context_ref (context);
  self->calls = g_hash_table_new_full (NULL, NULL, NULL, call_free);
  return self;
}

void
pr_web_free (PrWeb *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->calls);
  if (self->session != NULL)
    {
      g_main_context_push_thread_default (self->context);
      self->backend->session_free (self->session);
      g_main_context_pop_thread_default (self->context);
    }
  g_main_context_unref (self->context);
  g_free (self);
}

guint
pr_web_send (PrWeb *self, const PrWebRequest *request, PrWebFunc func, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  Call *call = g_new0 (Call, 1);

  g_return_val_if_fail (request->body == NULL || request->want == NULL, 0);
  do
    call->token = ++self->last_token;
  while (call->token == 0 || g_hash_table_contains (self->calls, GUINT_TO_POINTER (call->token)));
  call->web = self;
  call->func = func;
  call->user_data = user_data;
  copy_request (call, request);
  g_hash_table_insert (self->calls, GUINT_TO_POINTER (call->token), call);

  call->timer = g_timeout_source_new (call->request.deadline_ms);
  g_source_set_static_name (call->timer, "postroom-web-deadline");
  g_source_set_callback (call->timer, on_deadline, call, NULL);
  g_source_attach (call->timer, self->context);

  if (!check_url (request->url, &error))
    fail_later (call, g_steal_pointer (&error));
  else if (request->ca_file != NULL)
    read_authorities (call);
  else
    begin (call, NULL);
  return call->token;
}

void
pr_web_feed (PrWeb *self, guint token, const char *data, gsize len)
{
  Call *call = g_hash_table_lookup (self->calls, GUINT_TO_POINTER (token));

  if (call == NULL || call->under_way == NULL)
    return;
  g_main_context_push_thread_default (self->context);
  self->backend->feed (call->under_way, data, len);
  g_main_context_pop_thread_default (self->context);
}

void
pr_web_cancel (PrWeb *self, guint token)
{
  g_hash_table_remove (self->calls, GUINT_TO_POINTER (token));
}

guint
pr_web_count (const PrWeb *self)
{
  return g_hash_table_size (self->calls);
}

const char *
pr_web_answer_get (const PrWebAnswer *self, const char *name)
{
  for (const char *const *header = self->headers; *header != NULL; header += 2)
    if (g_ascii_strcasecmp (header[0], name) == 0)
      return header[1];
  return NULL;
}

static void
free_secret (gpointer data)
{
  GString *text = data;

  wipe (text->str, text->len);
  g_string_free (text, TRUE);
}

GBytes *
pr_web_secret (const char *text, gssize len)
{
  gsize octets = len < 0 ? strlen (text) : (gsize) len;
  GString *copy = g_string_sized_new (octets + 1);

  g_string_append_len (copy, text, octets);
  return g_bytes_new_with_free_func (copy->str, copy->len, free_secret, copy);
}
