/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As much of HTTP as a browser needs to bring back an answer.
 *
 *   accepted ──► reading the head ──► answered, closed
 */
#include "net/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "net/channel.h"
#include "net/listener.h"

#define MAX_HEAD (16 * 1024)
#define MAX_CONNECTIONS 8
#define DEADLINE_MS (30 * 1000)
#define LINGER_MS 2000

typedef struct
{
  PrRedirect *redirect; /* borrowed */
  PrChannel *channel;   /* owned */
  GString *head;        /* owned: what came so far */
} Visit;

struct _PrRedirect
{
  PrListener *listener; /* owned */
  PrLoop *loop;         /* borrowed */
  GPtrArray *visits;    /* owned: of Visit */
  guint16 port;
  PrRedirectFunc func;
  gpointer user_data;
};

static void
visit_free (gpointer data)
{
  Visit *visit = data;

  g_clear_pointer (&visit->channel, pr_channel_free);
  g_string_free (visit->head, TRUE);
  g_free (visit);
}

static void
leave (Visit *visit)
{
  g_ptr_array_remove_fast (visit->redirect->visits, visit);
}

/* --- what was asked --- */

static gboolean
is_own_host (const PrRedirect *self, const char *host, gsize len)
{
  static const char *const names[] = { "127.0.0.1", "localhost" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *own = g_strdup_printf ("%s:%u", names[i], self->port);

      if (strlen (own) == len && g_ascii_strncasecmp (own, host, len) == 0)
        return TRUE;
    }
  return FALSE;
}

/* The one Host header (RFC 9112 §3.2). */
static gboolean
check_host (const PrRedirect *self, char **lines)
{
  guint n = 0;
  gboolean is_own = FALSE;

  for (guint i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++)
    {
      const char *value = lines[i] + strlen ("host:");

      if (g_ascii_strncasecmp (lines[i], "host:", strlen ("host:")) != 0)
        continue;
      value += strspn (value, " \t");
      is_own = is_own_host (self, value, strcspn (value, " \t"));
      n++;
    }
  return n == 1 && is_own;
}

/* (transfer full): the query; NULL: *@status says why not. */
static char *
read_head (const PrRedirect *self, const char *head, gsize len, guint *status)
{
  g_autofree char *text = g_strndup (head, len);
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (lines[0] != NULL ? lines[0] : "", " ", 4);

  *status = 400;
  if (strlen (text) != len || g_strv_length (words) != 3 ||
      !g_str_has_prefix (words[2], "HTTP/1.") || !check_host (self, lines))
    return NULL;
  *status = 405;
  if (!g_str_equal (words[0], "GET"))
    return NULL;
  *status = 404;
  if (words[1][0] != '/' || (words[1][1] != '?' && words[1][1] != '\0'))
    return NULL;
  *status = 200;
  return g_strdup (words[1][1] == '?' ? words[1] + 2 : "");
}

/* --- the answer --- */

static const char *
name_status (guint status)
{
  switch (status)
    {
    case 200: return "OK";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    default: return "Bad Request";
    }
}

static void
answer (Visit *visit, guint status, PrRedirectPage *page)
{
  g_autofree char *title = g_markup_escape_text (page->title, -1);
  g_autofree char *text = g_markup_escape_text (page->text, -1);
  g_autofree char *body = g_strdup_printf (
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
    "<meta name=\"viewport\" content=\"width=device-width\"><style>body{font:1.1em system-ui,"
    "sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}</style></head>"
    "<body><h1>%s</h1><p>%s</p></body></html>\n",
    title, title, text);
  g_autofree char *whole = g_strdup_printf (
    "HTTP/1.1 %u %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
    "Connection: close\r\n\r\n%s",
    status, name_status (status), strlen (body), body);

  pr_channel_write (visit->channel, whole, strlen (whole));
  pr_channel_finish (g_steal_pointer (&visit->channel), LINGER_MS);
  leave (visit);
}

static void
serve (Visit *visit, gsize len)
{
  PrRedirect *self = visit->redirect;
  PrRedirectPage page = { 0 };
  guint status;
  g_autofree char *query = read_head (self, visit->head->str, len, &status);

  if (query != NULL)
    self->func (query, &page, self->user_data);
  if (page.title == NULL)
    {
      page.title = g_strdup (query != NULL ? "Postroom" : name_status (status));
      page.text = g_strdup ("There is nothing to see here.");
    }
  answer (visit, status, &page);
  g_free (page.title);
  g_free (page.text);
}

static gsize
on_received (gpointer owner, const char *data, gsize len)
{
  Visit *visit = owner;
  const char *end;

  g_string_append_len (visit->head, data, (gssize) MIN (len, MAX_HEAD));
  end = g_strstr_len (visit->head->str, (gssize) visit->head->len, "\r\n\r\n");
  if (end != NULL)
    serve (visit, (gsize) (end - visit->head->str) + 2);
  else if (visit->head->len >= MAX_HEAD || memchr (data, '\0', len) != NULL)
    serve (visit, 0);
  return len;
}

static void
on_closed (gpointer owner, const GError *error)
{
  leave (owner);
}

static void
on_timed_out (gpointer owner)
{
  leave (owner);
}

static const PrChannelHandler handler = {
  .received = on_received,
  .closed = on_closed,
  .timed_out = on_timed_out,
};

static void
on_accept (PrListener *listener, int fd, const PrIp *peer, guint16 port, gpointer user_data)
{
  PrRedirect *self = user_data;
  Visit *visit = g_new0 (Visit, 1);

  if (self->visits->len >= MAX_CONNECTIONS) /* the oldest makes room: it may be idle */
    leave (self->visits->pdata[0]);
  visit->redirect = self;
  visit->head = g_string_new (NULL);
  visit->channel = pr_channel_new_accepted (self->loop, fd, &handler, visit);
  g_ptr_array_add (self->visits, visit);
  pr_channel_set_deadline (visit->channel, DEADLINE_MS);
}

PrRedirect *
pr_redirect_new (PrLoop *loop, PrRedirectFunc func, gpointer user_data, GError **error)
{
  g_autoptr (PrRedirect) self = g_new0 (PrRedirect, 1);

  self->loop = loop;
  self->func = func;
  self->user_data = user_data;
  self->visits = g_ptr_array_new_with_free_func (visit_free);
  self->listener = pr_listener_new (loop, "127.0.0.1:0", on_accept, self, error);
  if (self->listener == NULL)
    return NULL;
  self->port =
    (guint16) strtoul (strrchr (pr_listener_get_address (self->listener), ':') + 1, NULL, 10);
  return g_steal_pointer (&self);
}

void
pr_redirect_free (PrRedirect *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->listener, pr_listener_free);
  g_ptr_array_unref (self->visits);
  g_free (self);
}

guint16
pr_redirect_get_port (const PrRedirect *self)
{
  return self->port;
}
