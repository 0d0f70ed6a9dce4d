/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests against a real server of libsoup's in the same context. */
#include "net/web.h"

#include <libsoup/soup.h>
#include <string.h>

#include "common/error.h"
#include "common/module.h"
#include "pki.h"
#include "wait.h"

#define LARGE (3 * 1024 * 1024)

typedef struct
{
  GMainContext *context;
  SoupServer *server;
  PrWeb *web;
  char *url;         /* of the server, no slash at the end */
  GString *asked;    /* what the server saw: METHOD PATH BODY\n */
  char *type;        /* content type of the last request */
  char *colour;      /* its header X-Colour */
  guint n_answers;   /* told to us */
  guint status;      /* the last one's */
  char *body, *seen; /* its body, and its header X-Seen */
  GError *error;
  guint n_paused;
  gboolean free_inside;
  guint token, n_pieces;
  guint64 octets;
} Fixture;

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer user_data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  Fixture *f = user_data;
  guint status = 200;

  f->octets = body->length;
  g_string_append_printf (f->asked, "%s %s %.*s\n", soup_server_message_get_method (message), path,
                          (int) MIN (body->length, 100), body->length > 0 ? body->data : "");
  g_free (f->type);
  f->type = g_strdup (soup_message_headers_get_one (headers, "Content-Type"));
  g_free (f->colour);
  f->colour = g_strdup (soup_message_headers_get_one (headers, "X-Colour"));
  headers = soup_server_message_get_response_headers (message);
  soup_message_headers_append (headers, "X-Seen", "yes");
  if (g_str_equal (path, "/moved"))
    {
      soup_server_message_set_redirect (message, 302, "/elsewhere");
      return;
    }
  if (g_str_equal (path, "/silent"))
    {
      soup_server_message_pause (message);
      f->n_paused++;
      return;
    }
  if (g_str_equal (path, "/large"))
    {
      char *large = g_malloc0 (LARGE);

      soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_TAKE, large, LARGE);
    }
  else
    soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, "hello", 5);
  if (g_str_equal (path, "/refused"))
    status = 403;
  soup_server_message_set_status (message, status, NULL);
}

static void
on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true ((answer == NULL) == (error != NULL));
  f->n_answers++;
  g_clear_pointer (&f->body, g_free);
  g_clear_pointer (&f->seen, g_free);
  g_clear_error (&f->error);
  f->status = 0;
  if (error != NULL)
    f->error = g_error_copy (error);
  else
    {
      f->status = answer->status;
      f->body = g_strndup (answer->body, answer->len);
      g_assert_cmpint (answer->body[answer->len], ==, '\0');
      f->seen = g_strdup (pr_web_answer_get (answer, "x-seen"));
      g_assert_null (pr_web_answer_get (answer, "X-None"));
    }
  if (f->free_inside)
    g_clear_pointer (&f->web, pr_web_free);
}

static void
listen_on (Fixture *f, const Pair *pair)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autofree char *pem = NULL;
  GSList *uris;

  if (pair != NULL)
    {
      pem = g_strdup_printf ("%.*s\n%.*s", (int) g_bytes_get_size (pair->certificate),
                             (const char *) g_bytes_get_data (pair->certificate, NULL),
                             (int) g_bytes_get_size (pair->key),
                             (const char *) g_bytes_get_data (pair->key, NULL));
      certificate = g_tls_certificate_new_from_pem (pem, -1, &error);
      g_assert_no_error (error);
    }
  f->server = soup_server_new (certificate != NULL ? "tls-certificate" : NULL, certificate, NULL);
  soup_server_add_handler (f->server, NULL, on_request, f, NULL);
  soup_server_listen_local (
    f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY | (pair != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0),
    &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (f->server);
  f->url = g_strdup_printf ("%s://127.0.0.1:%d", pair != NULL ? "https" : "http",
                            g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->context = g_main_context_default ();
  f->asked = g_string_new (NULL);
  f->web = pr_web_new (f->context);
  if (data == NULL)
    listen_on (f, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_web_free (f->web);
  if (f->server != NULL)
    soup_server_disconnect (f->server);
  while (g_main_context_iteration (f->context, FALSE))
    continue;
  g_clear_object (&f->server);
  g_string_free (f->asked, TRUE);
  g_clear_error (&f->error);
  g_free (f->url);
  g_free (f->type);
  g_free (f->colour);
  g_free (f->body);
  g_free (f->seen);
}

/* Sends, and waits for what comes of it. @path: behind the server's address. */
static void
ask (Fixture *f, const char *path, const PrWebRequest *request)
{
  g_autofree char *url = g_strconcat (f->url != NULL ? f->url : "", path, NULL);
  PrWebRequest own = *request;
  guint n = f->n_answers;

  if (own.url == NULL)
    own.url = url;
  f->token = pr_web_send (f->web, &own, on_answer, f);
  g_assert_cmpuint (f->token, !=, 0);
  g_assert_cmpuint (f->n_answers, ==, n);
  wait_for (f->context, f->n_answers > n, "an answer");
  if (f->web != NULL)
    g_assert_cmpuint (pr_web_count (f->web), ==, 0);
}

static void
test_get (Fixture *f, gconstpointer data)
{
  static const char *const headers[] = { "X-Colour", "green", NULL };

  ask (f, "/plain?x=1", &(PrWebRequest){ .headers = headers });
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->status, ==, 200);
  g_assert_cmpstr (f->body, ==, "hello");
  g_assert_cmpstr (f->seen, ==, "yes");
  g_assert_cmpstr (f->colour, ==, "green");
  g_assert_cmpstr (f->asked->str, ==, "GET /plain \n");
}

static void
test_post (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) body = pr_web_secret ("a=b", -1);

  ask (f, "/refused",
       &(PrWebRequest){ .body = body, .content_type = "application/x-www-form-urlencoded" });
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->status, ==, 403);
  g_assert_cmpstr (f->asked->str, ==, "POST /refused a=b\n");
  g_assert_cmpstr (f->type, ==, "application/x-www-form-urlencoded");
  ask (f, "/x", &(PrWebRequest){ .method = "DELETE" });
  g_assert_cmpstr (f->asked->str, ==, "POST /refused a=b\nDELETE /x \n");
}

static void
test_secret (void)
{
  g_autoptr (GBytes) whole = pr_web_secret ("secret", -1);
  g_autoptr (GBytes) part = pr_web_secret ("secret", 3);

  g_assert_cmpmem (g_bytes_get_data (whole, NULL), g_bytes_get_size (whole), "secret", 6);
  g_assert_cmpmem (g_bytes_get_data (part, NULL), g_bytes_get_size (part), "sec", 3);
}

static void
test_redirect (Fixture *f, gconstpointer data)
{
  ask (f, "/moved", &(PrWebRequest){ 0 });
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->status, ==, 302);
  g_assert_cmpstr (f->asked->str, ==, "GET /moved \n");
}

static void
test_bounds (Fixture *f, gconstpointer data)
{
  ask (f, "/large", &(PrWebRequest){ 0 });
  g_assert_error (f->error, PR_ERROR, PR_ERROR_PROTOCOL);
  ask (f, "/plain", &(PrWebRequest){ .max_octets = 4 });
  g_assert_error (f->error, PR_ERROR, PR_ERROR_PROTOCOL);
  ask (f, "/plain", &(PrWebRequest){ .max_octets = 5 });
  g_assert_cmpstr (f->body, ==, "hello");
  ask (f, "/large", &(PrWebRequest){ .max_octets = LARGE });
  g_assert_no_error (f->error);
}

static void
test_deadline (Fixture *f, gconstpointer data)
{
  ask (f, "/silent", &(PrWebRequest){ .deadline_ms = 300 });
  g_assert_error (f->error, PR_ERROR, PR_ERROR_TEMPORARY);
}

static void
test_nobody (Fixture *f, gconstpointer data)
{
  soup_server_disconnect (f->server);
  ask (f, "/", &(PrWebRequest){ 0 });
  g_assert_error (f->error, PR_ERROR, PR_ERROR_TEMPORARY);
}

static void
test_addresses (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = {
    "http://example.org/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "",
    "https://",
    "no address",
    "http://127.0.0.1.example.org/",
    "https:///path",
    "http://[2001:db8::1]/",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ask (f, "", &(PrWebRequest){ .url = wrong[i] });
      g_assert_error (f->error, PR_ERROR, PR_ERROR_CONFIG);
    }
  g_assert_cmpstr (f->asked->str, ==, "");
}

static gboolean
on_garbage (GSocketService *service, GSocketConnection *connection, GObject *source,
            gpointer user_data)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_output_stream_write (out, "220 mail.example.org ESMTP\r\n\r\n", 30, NULL, NULL);
  return FALSE;
}

static void
test_garbage (Fixture *f, gconstpointer data)
{
  g_autoptr (GSocketService) service = g_socket_service_new ();
  guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/", port);

  g_signal_connect (service, "incoming", G_CALLBACK (on_garbage), NULL);
  ask (f, "", &(PrWebRequest){ .url = url });
  g_assert_nonnull (f->error);
  g_assert_true (f->error->domain == PR_ERROR);
  g_assert_true (f->error->code == PR_ERROR_PROTOCOL || f->error->code == PR_ERROR_TEMPORARY);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  g_autofree char *url = g_strconcat (f->url, "/silent", NULL);
  guint token = pr_web_send (f->web, &(PrWebRequest){ .url = url }, on_answer, f);

  wait_for (f->context, f->n_paused == 1, "the request to arrive");
  g_assert_cmpuint (pr_web_count (f->web), ==, 1);
  pr_web_cancel (f->web, token);
  pr_web_cancel (f->web, token);
  pr_web_cancel (f->web, 0);
  g_assert_cmpuint (pr_web_count (f->web), ==, 0);
  token = pr_web_send (f->web, &(PrWebRequest){ .url = url }, on_answer, f);
  pr_web_cancel (f->web, token); /* before anything happened */
  token = pr_web_send (f->web, &(PrWebRequest){ .url = "nonsense" }, on_answer, f);
  pr_web_cancel (f->web, token);
  ask (f, "/plain", &(PrWebRequest){ 0 });
  g_assert_cmpuint (f->n_answers, ==, 1);
}

static void
test_free (Fixture *f, gconstpointer data)
{
  g_autofree char *url = g_strconcat (f->url, "/silent", NULL);

  pr_web_send (f->web, &(PrWebRequest){ .url = url }, on_answer, f);
  wait_for (f->context, f->n_paused == 1, "the request to arrive");
  g_clear_pointer (&f->web, pr_web_free);
  g_assert_cmpuint (f->n_answers, ==, 0);

  f->web = pr_web_new (f->context);
  f->free_inside = TRUE;
  pr_web_send (f->web, &(PrWebRequest){ .url = url }, on_answer, f);
  ask (f, "/plain", &(PrWebRequest){ 0 });
  g_assert_null (f->web);
  g_assert_cmpuint (f->n_answers, ==, 1);
  pr_web_free (NULL);
}

/* --- bodies in pieces --- */

#define PIECE 10000
#define PIECES 120

static char piece[PIECE];

static void
on_want (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_pieces++;
  pr_web_feed (f->web, f->token, piece, PIECE);
}

static void
on_want_later (gpointer user_data)
{
  Fixture *f = user_data;

  f->n_pieces++;
}

static void
test_feed (Fixture *f, gconstpointer data)
{
  memset (piece, 'x', sizeof piece);
  ask (f, "/up",
       &(PrWebRequest){
         .want = on_want, .feed_octets = PIECE * PIECES, .content_type = "message/rfc822" });
  g_assert_no_error (f->error);
  g_assert_cmpuint (f->n_pieces, ==, PIECES);
  g_assert_cmpuint (f->octets, ==, PIECE * PIECES);
  g_assert_cmpstr (f->type, ==, "message/rfc822");
}

static void
test_feed_later (Fixture *f, gconstpointer data)
{
  g_autofree char *url = g_strconcat (f->url, "/up", NULL);
  PrWebRequest request = { .url = url, .want = on_want_later, .feed_octets = 6 };

  f->token = pr_web_send (f->web, &request, on_answer, f);
  wait_for (f->context, f->n_pieces == 1, "the first piece to be wanted");
  pr_web_feed (f->web, f->token, "abc", 3);
  pr_web_feed (f->web, f->token, "not asked for", 13);
  wait_for (f->context, f->n_pieces == 2, "the second piece to be wanted");
  pr_web_feed (f->web, f->token, "defghi", 6); /* more than was announced: dropped */
  wait_for (f->context, f->n_answers == 1, "the answer");
  g_assert_cmpstr (f->asked->str, ==, "POST /up abcdef\n");

  f->token = pr_web_send (f->web, &request, on_answer, f);
  wait_for (f->context, f->n_pieces == 3, "a piece to be wanted");
  pr_web_cancel (f->web, f->token); /* a read is waiting */
  pr_web_feed (f->web, f->token, "abc", 3);
  ask (f, "/plain", &(PrWebRequest){ 0 });
  g_assert_cmpuint (f->n_answers, ==, 2);
}

/* --- certificates --- */

static char *
write_file (GBytes *bytes, const char *name)
{
  char *path = g_build_filename (g_get_user_cache_dir (), name, NULL);

  g_mkdir_with_parents (g_get_user_cache_dir (), 0700);
  g_assert_true (
    g_file_set_contents (path, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL));
  return path;
}

typedef struct
{
  const char *name;
  PairOptions options;
  gboolean trusted;
  const char *words; /* of the fault; NULL: none */
} TlsCase;

static const TlsCase tls_cases[] = {
  { "good", { .name = "127.0.0.1" }, TRUE, NULL },
  { "unknown", { .name = "127.0.0.1" }, FALSE, "not trusted here" },
  { "other-name", { .name = "mail.example.org" }, TRUE, "is for another name" },
  { "expired", { .name = "127.0.0.1", .from_s = -9000, .until_s = -60 }, TRUE, "has expired" },
  { "too-early", { .name = "127.0.0.1", .from_s = 9000, .until_s = 90000 }, TRUE, "not valid yet" },
};

static void
test_tls (Fixture *f, gconstpointer data)
{
  const TlsCase *c = data;
  g_autoptr (Pair) authority =
    pair_new (&(PairOptions){ .name = "Test authority", .is_authority = TRUE });
  g_autoptr (Pair) other = pair_new (&(PairOptions){ .name = "Other", .is_authority = TRUE });
  PairOptions options = c->options;
  g_autoptr (Pair) pair = NULL;
  g_autoptr (GBytes) chain = NULL;
  g_autofree char *path = NULL;

  options.issuer = authority;
  pair = pair_new (&options);
  listen_on (f, pair);
  chain = pair_chain (other, c->trusted ? authority : other);
  path = write_file (chain, "authorities.pem");
  ask (f, "/plain", &(PrWebRequest){ .ca_file = path });
  if (c->words == NULL)
    {
      g_assert_no_error (f->error);
      g_assert_cmpstr (f->body, ==, "hello");
      return;
    }
  g_assert_error (f->error, PR_ERROR, PR_ERROR_TLS);
  g_assert_nonnull (strstr (f->error->message, c->words));
  g_assert_nonnull (strstr (f->error->message, "127.0.0.1"));
  g_assert_cmpstr (f->asked->str, ==, "");
}

static void
test_ca_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("no certificate", 14);
  g_autofree char *path = write_file (text, "empty.pem");

  ask (f, "/plain", &(PrWebRequest){ .ca_file = "/nowhere/ca.pem" });
  g_assert_error (f->error, PR_ERROR, PR_ERROR_CONFIG);
  ask (f, "/plain", &(PrWebRequest){ .ca_file = path });
  g_assert_error (f->error, PR_ERROR, PR_ERROR_CONFIG);
  pr_web_cancel (
    f->web, pr_web_send (f->web, &(PrWebRequest){ .url = f->url, .ca_file = path }, on_answer, f));
  ask (f, "/plain", &(PrWebRequest){ 0 });
  g_assert_cmpuint (f->n_answers, ==, 3);
}

int
main (int argc, char *argv[])
{
  g_autofree char *folder = NULL;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  folder = g_test_build_filename (G_TEST_BUILT, "..", "app", NULL);
  pr_module_set_folder (folder);

#define ADD(name) g_test_add ("/web/" #name, Fixture, NULL, set_up, test_##name, tear_down)
  ADD (get);
  ADD (post);
  ADD (redirect);
  ADD (bounds);
  ADD (deadline);
  ADD (nobody);
  ADD (addresses);
  ADD (garbage);
  ADD (cancel);
  ADD (free);
  ADD (feed);
  ADD (feed_later);
  ADD (ca_file);
  g_test_add_func ("/web/secret", test_secret);
  for (gsize i = 0; i < G_N_ELEMENTS (tls_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/web/tls/%s", tls_cases[i].name);

      g_test_add (path, Fixture, &tls_cases[i], set_up, test_tls, tear_down);
    }
  return g_test_run ();
}
