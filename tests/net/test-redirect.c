/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/redirect.h"

#include <gio/gio.h>
#include <string.h>

#include "wait.h"

typedef struct
{
  GMainContext *context;
  PrLoop *loop;
  PrRedirect *redirect;
  char *query; /* the last one */
  guint n_calls;
  gboolean closed;
  GString *reply;
} Fixture;

static void
on_query (const char *query, PrRedirectPage *page, gpointer user_data)
{
  Fixture *f = user_data;

  f->n_calls++;
  g_free (f->query);
  f->query = g_strdup (query);
  if (*query == '\0')
    return;
  page->title = g_strdup ("Done <b>");
  page->text = g_strdup ("You may close this & go.");
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->context = g_main_context_new ();
  f->loop = pr_loop_new (f->context);
  f->reply = g_string_new (NULL);
  f->redirect = pr_redirect_new (f->loop, on_query, f, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pr_redirect_get_port (f->redirect), >, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pr_redirect_free (f->redirect);
  pr_loop_free (f->loop);
  g_main_context_unref (f->context);
  g_string_free (f->reply, TRUE);
  g_free (f->query);
}

static GSocket *
dial (Fixture *f)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string ("127.0.0.1", pr_redirect_get_port (f->redirect));
  g_autoptr (GError) error = NULL;
  GSocket *socket =
    g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_true (g_socket_connect (socket, address, NULL, &error));
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

static void
say (GSocket *socket, const char *text, gsize len)
{
  gsize sent = 0;

  while (sent < len)
    {
      gssize n = g_socket_send (socket, text + sent, len - sent, NULL, NULL);

      if (n <= 0)
        return; /* it hung up before it had heard all */
      sent += (gsize) n;
    }
}

/* TRUE at the end of the stream. */
static gboolean
hear (Fixture *f, GSocket *socket)
{
  g_autoptr (GError) error = NULL;
  char buffer[4096];
  gssize n = g_socket_receive (socket, buffer, sizeof buffer, NULL, &error);

  if (n > 0)
    g_string_append_len (f->reply, buffer, n);
  return n == 0 || (n < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK));
}

static void
ask (Fixture *f, const char *request, gsize len)
{
  g_autoptr (GSocket) socket = dial (f);

  g_string_truncate (f->reply, 0);
  say (socket, request, len);
  wait_for (f->context, hear (f, socket), "the answer and its end");
}

/* @host: %u is the port. */
static char *
make_request (Fixture *f, const char *line, const char *host)
{
  g_autofree char *name = g_strdup_printf ("%s:%u", host, pr_redirect_get_port (f->redirect));

  return g_strdup_printf ("%s\r\nAccept: */*\r\nHost: %s\r\n\r\n", line, name);
}

static void
test_answer (Fixture *f, gconstpointer data)
{
  g_autofree char *request = make_request (f, "GET /?code=a%20b&state=c HTTP/1.1", "127.0.0.1");
  g_autofree char *plain = make_request (f, "GET / HTTP/1.0", "LocalHost");

  ask (f, request, strlen (request));
  g_assert_cmpuint (f->n_calls, ==, 1);
  g_assert_cmpstr (f->query, ==, "code=a%20b&state=c");
  g_assert_true (g_str_has_prefix (f->reply->str, "HTTP/1.1 200 OK\r\n"));
  g_assert_nonnull (strstr (f->reply->str, "Done &lt;b&gt;"));
  g_assert_nonnull (strstr (f->reply->str, "close this &amp; go"));
  g_assert_nonnull (strstr (f->reply->str, "default-src 'none'"));
  g_assert_null (strstr (f->reply->str, "state=c"));

  ask (f, plain, strlen (plain));
  g_assert_cmpuint (f->n_calls, ==, 2);
  g_assert_cmpstr (f->query, ==, "");
  g_assert_nonnull (strstr (f->reply->str, "nothing to see"));
}

static void
test_pieces (Fixture *f, gconstpointer data)
{
  g_autofree char *request = make_request (f, "GET /?a=b HTTP/1.1", "127.0.0.1");
  g_autoptr (GSocket) socket = dial (f);

  for (const char *p = request; *p != '\0'; p++)
    {
      say (socket, p, 1);
      g_main_context_iteration (f->context, FALSE);
    }
  wait_for (f->context, hear (f, socket), "the answer and its end");
  g_assert_cmpstr (f->query, ==, "a=b");
}

typedef struct
{
  const char *line, *host, *status;
} Refused;

static const Refused refused[] = {
  { "POST /?code=a HTTP/1.1", "127.0.0.1", "405" },
  { "GET /other?code=a HTTP/1.1", "127.0.0.1", "404" },
  { "GET http://127.0.0.1/?code=a HTTP/1.1", "127.0.0.1", "404" },
  { "GET /favicon.ico HTTP/1.1", "127.0.0.1", "404" },
  { "GET /?code=a HTTP/1.1", "evil.example", "400" },
  { "GET /?code=a HTTP/1.1", "127.0.0.1.evil.example", "400" },
  { "GET /?code=a HTTP/1.1\r\nHost: evil.example", "127.0.0.1", "400" },
  { "GET /?code=a", "127.0.0.1", "400" },
  { "GET /?code=a b HTTP/1.1", "127.0.0.1", "400" },
  { "", "127.0.0.1", "400" },
};

static void
test_refused (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *request = make_request (f, refused[i].line, refused[i].host);
      g_autofree char *status = g_strdup_printf ("HTTP/1.1 %s ", refused[i].status);

      ask (f, request, strlen (request));
      g_assert_true (g_str_has_prefix (f->reply->str, status));
      g_assert_cmpuint (f->n_calls, ==, 0);
    }
}

static void
test_hostile (Fixture *f, gconstpointer data)
{
  static const char nul[] = "GET /?a=\0b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  g_autofree char *endless = g_strnfill (40000, 'x');

  ask (f, nul, sizeof nul - 1);
  g_assert_true (g_str_has_prefix (f->reply->str, "HTTP/1.1 400 "));
  ask (f, endless, strlen (endless));
  g_assert_cmpuint (f->n_calls, ==, 0);
}

/* Many that say nothing do not keep the browser out. */
static void
test_crowd (Fixture *f, gconstpointer data)
{
  g_autofree char *request = make_request (f, "GET /?a=b HTTP/1.1", "127.0.0.1");
  g_autoptr (GPtrArray) silent = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 30; i++)
    g_ptr_array_add (silent, dial (f));
  ask (f, request, strlen (request));
  g_assert_cmpuint (f->n_calls, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

#define ADD(name) g_test_add ("/redirect/" #name, Fixture, NULL, set_up, test_##name, tear_down)
  ADD (answer);
  ADD (pieces);
  ADD (refused);
  ADD (hostile);
  ADD (crowd);
  return g_test_run ();
}
