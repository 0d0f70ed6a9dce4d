/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/fake-web.h"

#include <string.h>

#include "common/error.h"

struct _PrWeb
{
  GMainContext *context;
  GHashTable *calls; /* token → Call */
  guint last_token;
};

typedef struct
{
  guint status; /* 0: @code; or mute */
  gboolean mute;
  gint code;
  char *type, *body;
} Page;

typedef struct
{
  PrWeb *web;
  guint token;
  char *url;
  PrWebFunc func;
  gpointer user_data;
  GSource *source;
} Call;

static GHashTable *pages;
static guint n_requests, n_open;
static char *last_ca_file;

static void
free_page (gpointer data)
{
  Page *page = data;

  g_free (page->type);
  g_free (page->body);
  g_free (page);
}

static void
free_call (gpointer data)
{
  Call *call = data;

  n_open--;
  g_source_destroy (call->source);
  g_source_unref (call->source);
  g_free (call->url);
  g_free (call);
}

static gboolean
on_answer (gpointer user_data)
{
  Call *call = user_data;
  const Page *page = pages != NULL ? g_hash_table_lookup (pages, call->url) : NULL;
  g_autoptr (GError) error = NULL;

  if (page != NULL && page->mute)
    {
      g_source_set_ready_time (call->source, -1);
      return G_SOURCE_CONTINUE;
    }
  g_hash_table_steal (call->web->calls, GUINT_TO_POINTER (call->token));
  if (page != NULL && page->status != 0)
    {
      const char *headers[] = { "Server", "none", NULL, NULL, NULL };
      const PrWebAnswer answer = { page->status, page->body, strlen (page->body), headers };

      headers[2] = page->type != NULL ? "content-type" : NULL;
      headers[3] = page->type;
      call->func (&answer, NULL, call->user_data);
    }
  else
    {
      error = page != NULL
                ? g_error_new_literal (PR_ERROR, page->code, page->body)
                : g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "no connection to %s", call->url);
      call->func (NULL, error, call->user_data);
    }
  free_call (call);
  return G_SOURCE_REMOVE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

PrWeb *
pr_web_new (GMainContext *context)
{
  PrWeb *self = g_new0 (PrWeb, 1);

  self->context = context;
  self->calls = g_hash_table_new_full (NULL, NULL, NULL, free_call);
  return self;
}

void
pr_web_free (PrWeb *self)
{
  g_hash_table_unref (self->calls);
  g_free (self);
}

guint
pr_web_send (PrWeb *self, const PrWebRequest *request, PrWebFunc func, gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  n_requests++;
  n_open++;
  g_free (last_ca_file);
  last_ca_file = g_strdup (request->ca_file);
  call->web = self;
  call->token = ++self->last_token;
  call->url = g_strdup (request->url);
  call->func = func;
  call->user_data = user_data;
  call->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (call->source, on_answer, call, NULL);
  g_source_set_ready_time (call->source, 0);
  g_source_attach (call->source, self->context);
  g_hash_table_insert (self->calls, GUINT_TO_POINTER (call->token), call);
  return call->token;
}

void
pr_web_feed (PrWeb *self, guint token, const char *data, gsize len)
{
  g_assert_not_reached ();
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

GBytes *
pr_web_secret (const char *text, gssize len)
{
  return g_bytes_new (text, len < 0 ? strlen (text) : (gsize) len);
}

/* ── What the test says ───────────────────────────────────────────────────────────────────── */

static Page *
get_page (const char *url)
{
  Page *page = g_new0 (Page, 1);

  if (pages == NULL)
    pages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_page);
  g_hash_table_replace (pages, g_strdup (url), page);
  return page;
}

void
fake_web_add (const char *url, guint status, const char *type, const char *body)
{
  Page *page = get_page (url);

  page->status = status;
  page->type = g_strdup (type);
  page->body = g_strdup (body);
}

void
fake_web_fail (const char *url, gint code, const char *words)
{
  Page *page = get_page (url);

  page->code = code;
  page->body = g_strdup (words);
}

void
fake_web_mute (const char *url)
{
  get_page (url)->mute = TRUE;
}

guint
fake_web_count (void)
{
  return n_requests;
}

guint
fake_web_count_open (void)
{
  return n_open;
}

const char *
fake_web_get_ca_file (void)
{
  return last_ca_file;
}

void
fake_web_clear (void)
{
  g_clear_pointer (&pages, g_hash_table_unref);
  g_clear_pointer (&last_ca_file, g_free);
  n_requests = 0;
}
