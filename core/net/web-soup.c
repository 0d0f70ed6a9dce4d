/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module `postroom-web`: one request by libsoup. Nothing but web.c knows it.
 *
 *   send_async ──► headers ──► read_async, again and again ──► end
 *        │ (a body in pieces: Feed is the stream that libsoup reads)
 */
#include <libsoup/soup.h>
#include <string.h>

#include "common/error.h"
#include "config.h"
#include "net/web-backend.h"

#define PIECE_OCTETS (16 * 1024)
#define IDLE_TIMEOUT_S 30
#define MAX_CONNECTIONS 20
#define MAX_CONNECTIONS_PER_HOST 10

/* --- Feed: a body that comes in pieces --- */

#define FEED_TYPE (feed_get_type ())
G_DECLARE_FINAL_TYPE (Feed, feed, FEED, STREAM, GInputStream)

struct _Feed
{
  GInputStream parent;
  PrWebCall *call; /* borrowed; NULL when stopped */
  guint64 left;    /* octets that have not been read yet */
  GBytes *piece;   /* owned, nullable: given, not yet read */
  gsize offset;    /* into piece */
  gboolean wanted; /* a piece was asked for */
  GTask *waiting;  /* owned, nullable: a read that waits for a piece */
  char *buffer;    /* borrowed: the waiting read's */
  gsize room;
};

struct _PrWebCall
{
  const PrWebSink *sink; /* NULL: stopped */
  gpointer owner;
  GMainContext *context; /* owned */
  SoupMessage *message;  /* owned */
  Feed *feed;            /* owned, nullable */
  GInputStream *answer;  /* owned, nullable */
  GCancellable *cancellable;
  GPtrArray *authorities; /* owned, nullable: GTlsCertificate */
  char *fault;            /* owned, nullable: of the server's certificate, in words */
  gboolean busy;          /* an operation is under way: its end frees a stopped call */
  char buffer[PIECE_OCTETS];
};

G_DEFINE_FINAL_TYPE (Feed, feed, G_TYPE_INPUT_STREAM)

static gsize
feed_take (Feed *self, char *buffer, gsize room)
{
  gsize size;
  const char *data = g_bytes_get_data (self->piece, &size);
  gsize len = MIN (MIN (size - self->offset, room), self->left);

  memcpy (buffer, data + self->offset, len);
  self->offset += len;
  self->left -= len;
  if (self->offset == size)
    g_clear_pointer (&self->piece, g_bytes_unref);
  return len;
}

/* A read is answered with what is there, or waits. */
static void
feed_serve (Feed *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->waiting);

  if (self->call == NULL)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped");
  else if (self->left == 0)
    g_task_return_int (task, 0);
  else if (self->piece != NULL)
    g_task_return_int (task, (gssize) feed_take (self, self->buffer, self->room));
  else
    self->waiting = g_steal_pointer (&task);
}

static void
feed_read_async (GInputStream *stream, void *buffer, gsize room, int priority,
                 GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Feed *self = FEED_STREAM (stream);

  self->waiting = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->waiting, feed_read_async);
  self->buffer = buffer;
  self->room = room;
  feed_serve (self);
  if (self->waiting == NULL)
    return;
  self->wanted = TRUE;
  self->call->sink->want (self->call->owner);
}

static gssize
feed_read_finish (GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

static void
feed_stop (Feed *self)
{
  self->call = NULL;
  if (self->waiting != NULL)
    feed_serve (self);
}

static void
feed_finalize (GObject *object)
{
  Feed *self = FEED_STREAM (object);

  g_clear_pointer (&self->piece, g_bytes_unref);
  G_OBJECT_CLASS (feed_parent_class)->finalize (object);
}

static void
feed_class_init (FeedClass *class)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = feed_finalize;
  stream_class->read_async = feed_read_async;
  stream_class->read_finish = feed_read_finish;
}

static void
feed_init (Feed *self)
{
}

/* --- one request --- */

/* libsoup frees its copy of a token as it is. */
static void
wipe_authorization (SoupMessage *message)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);
  const char *value = soup_message_headers_get_one (headers, "Authorization");

  if (value != NULL)
    explicit_bzero ((gpointer) value, strlen (value));
}

static void
call_free (PrWebCall *self)
{
  if (self->feed != NULL)
    feed_stop (self->feed);
  g_clear_object (&self->feed);
  g_clear_object (&self->answer);
  g_signal_handlers_disconnect_by_data (self->message, self);
  wipe_authorization (self->message);
  g_clear_object (&self->message);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->authorities, g_ptr_array_unref);
  g_main_context_unref (self->context);
  g_free (self->fault);
  explicit_bzero (self->buffer, sizeof self->buffer);
  g_free (self);
}

static const char *
name_fault (GTlsCertificateFlags faults)
{
  if (faults & G_TLS_CERTIFICATE_EXPIRED)
    return "has expired";
  if (faults & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    return "is not valid yet; is this computer's clock right?";
  if (faults & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return "is for another name";
  if (faults & G_TLS_CERTIFICATE_REVOKED)
    return "has been revoked";
  if (faults & G_TLS_CERTIFICATE_INSECURE)
    return "is too weak";
  if (faults & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return "was issued by an authority that is not trusted here";
  return "cannot be verified";
}

/* What the system does not trust, an authority of the ca-file may have issued. */
static gboolean
on_accept_certificate (SoupMessage *message, GTlsCertificate *certificate,
                       GTlsCertificateFlags faults, gpointer user_data)
{
  const char *host = g_uri_get_host (soup_message_get_uri (message));
  g_autoptr (GSocketConnectable) identity = g_network_address_new (host, 443);
  PrWebCall *self = user_data;

  for (guint i = 0; self->authorities != NULL && i < self->authorities->len; i++)
    {
      GTlsCertificateFlags others =
        g_tls_certificate_verify (certificate, identity, self->authorities->pdata[i]);

      if (others == 0)
        return TRUE;
      if ((others & G_TLS_CERTIFICATE_UNKNOWN_CA) == 0)
        faults = others; /* the right authority: what else is wrong counts */
    }
  g_free (self->fault);
  self->fault = g_strdup_printf ("the certificate of %s %s", host, name_fault (faults));
  return FALSE;
}

static PrError
decide (const GError *error)
{
  if (error->domain == G_TLS_ERROR)
    return PR_ERROR_TLS;
  if (error->domain == SOUP_SESSION_ERROR)
    return PR_ERROR_PROTOCOL;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE))
    return PR_ERROR_NETWORK;
  return PR_ERROR_TEMPORARY;
}

/* The end of the call: the owner stops it from within. */
static void
finish (PrWebCall *self, const GError *error)
{
  const char *host = g_uri_get_host (soup_message_get_uri (self->message));
  g_autoptr (GError) told = NULL;

  if (self->fault != NULL && error != NULL)
    told = g_error_new_literal (PR_ERROR, PR_ERROR_TLS, self->fault);
  else if (error != NULL)
    told = g_error_new (PR_ERROR, decide (error), "%s: %s", host, error->message);
  self->sink->done (self->owner, told);
}

static void read_on (PrWebCall *self);

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  PrWebCall *self = user_data;
  gssize len = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  self->busy = FALSE;
  if (self->sink == NULL)
    call_free (self);
  else if (len <= 0)
    finish (self, error);
  else if (self->sink->data (self->owner, self->buffer, (gsize) len))
    read_on (self);
}

static void
read_on (PrWebCall *self)
{
  self->busy = TRUE;
  g_main_context_push_thread_default (self->context);
  g_input_stream_read_async (self->answer, self->buffer, sizeof self->buffer, G_PRIORITY_DEFAULT,
                             self->cancellable, on_read, self);
  g_main_context_pop_thread_default (self->context);
}

static void
tell_head (PrWebCall *self)
{
  g_autoptr (GPtrArray) headers = g_ptr_array_new_with_free_func (g_free);
  SoupMessageHeadersIter iter;
  const char *name, *value;

  soup_message_headers_iter_init (&iter, soup_message_get_response_headers (self->message));
  while (soup_message_headers_iter_next (&iter, &name, &value))
    {
      g_ptr_array_add (headers, g_strdup (name));
      g_ptr_array_add (headers, g_strdup (value));
    }
  self->sink->head (self->owner, soup_message_get_status (self->message),
                    g_steal_pointer (&headers));
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  PrWebCall *self = user_data;

  self->busy = FALSE;
  self->answer = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (self->sink == NULL)
    call_free (self);
  else if (self->answer == NULL)
    finish (self, error);
  else
    {
      tell_head (self);
      read_on (self);
    }
}

static GPtrArray *
parse_authorities (const char *text)
{
  static const char end[] = "-----END CERTIFICATE-----";
  GPtrArray *authorities = g_ptr_array_new_with_free_func (g_object_unref);

  for (const char *p = text, *next; (next = strstr (p, end)) != NULL; p = next + strlen (end))
    {
      gssize len = next + strlen (end) - p;
      GTlsCertificate *certificate = g_tls_certificate_new_from_pem (p, len, NULL);

      if (certificate != NULL)
        g_ptr_array_add (authorities, certificate);
    }
  return authorities;
}

static void
set_body (PrWebCall *self, const PrWebRequest *request)
{
  if (request->body != NULL)
    soup_message_set_request_body_from_bytes (self->message, request->content_type, request->body);
  if (request->want == NULL)
    return;
  self->feed = g_object_new (FEED_TYPE, NULL);
  self->feed->call = self;
  self->feed->left = request->feed_octets;
  soup_message_set_request_body (self->message, request->content_type, G_INPUT_STREAM (self->feed),
                                 (gssize) request->feed_octets);
}

static PrWebCall *
start (PrWebSession *session, const PrWebRequest *request, const char *authorities,
       const PrWebSink *sink, gpointer owner)
{
  PrWebCall *self = g_new0 (PrWebCall, 1);
  SoupMessageHeaders *headers;

  self->sink = sink;
  self->owner = owner;
  self->context = g_main_context_ref_thread_default ();
  self->cancellable = g_cancellable_new ();
  self->message = soup_message_new (request->method, request->url);
  g_assert (self->message != NULL); /* web.c looked at the address */
  soup_message_set_flags (self->message, SOUP_MESSAGE_NO_REDIRECT);
  if (authorities != NULL)
    self->authorities = parse_authorities (authorities);
  g_signal_connect (self->message, "accept-certificate", G_CALLBACK (on_accept_certificate), self);
  headers = soup_message_get_request_headers (self->message);
  for (const char *const *h = request->headers; h != NULL && h[0] != NULL; h += 2)
    soup_message_headers_append (headers, h[0], h[1]);
  set_body (self, request);
  self->busy = TRUE;
  soup_session_send_async (SOUP_SESSION (session), self->message, G_PRIORITY_DEFAULT,
                           self->cancellable, on_sent, self);
  return self;
}

static void
feed (PrWebCall *self, const char *data, gsize len)
{
  if (self->feed == NULL || self->feed->call == NULL || !self->feed->wanted || len == 0)
    return;
  self->feed->wanted = FALSE;
  self->feed->piece = g_bytes_new (data, len);
  self->feed->offset = 0;
  if (self->feed->waiting != NULL)
    feed_serve (self->feed);
}

static void
stop (PrWebCall *self)
{
  self->sink = NULL;
  if (!self->busy)
    {
      call_free (self);
      return;
    }
  if (self->feed != NULL)
    feed_stop (self->feed);
  g_cancellable_cancel (self->cancellable);
}

/* GIO's proxy settings of the desktop end the process where their schema is not installed. */
static gboolean
may_ask_for_proxies (void)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = NULL;

  if (source != NULL)
    schema = g_settings_schema_source_lookup (source, "org.gnome.system.proxy", TRUE);
  return schema != NULL;
}

static PrWebSession *
session_new (GMainContext *context)
{
  SoupSession *session = soup_session_new_with_options (
    "max-conns", MAX_CONNECTIONS, "max-conns-per-host", MAX_CONNECTIONS_PER_HOST, "idle-timeout",
    IDLE_TIMEOUT_S, "timeout", 0, "user-agent", "Postroom/" PR_VERSION, NULL);

  if (!may_ask_for_proxies ())
    soup_session_set_proxy_resolver (session, NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  return (PrWebSession *) session;
}

static void
session_free (PrWebSession *session)
{
  soup_session_abort (SOUP_SESSION (session));
  g_object_unref (SOUP_SESSION (session));
}

const PrWebBackend pr_web_backend = {
  PR_WEB_BACKEND_VERSION, session_new, session_free, start, feed, stop,
};
