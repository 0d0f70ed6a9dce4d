/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   fetch ──► waiting ──► under way (16) ──► read ──► told
 *                └─► waited too long ─────────────────► told
 */
#include "relay/sts-fetch.h"

#include <string.h>

#include "common/error.h"
#include "net/web.h"

#define MAX_UNDER_WAY 16       /* PrWeb has 20 connections */
#define MAX_OCTETS (64 * 1024) /* RFC 8461 §3.3 */
#define OK 200

typedef struct
{
  PrStsFetcher *fetcher; /* borrowed */
  guint token;
  guint web_token; /* 0: it waits */
  char *url;       /* owned */
  char *ca_file;   /* owned, nullable */
  PrTimer timer;   /* while it waits */
  PrStsFetchFunc func;
  gpointer user_data;
} Fetch;

struct _PrStsFetcher
{
  PrLoop *loop; /* borrowed */
  guint deadline_ms;
  PrWeb *web;          /* owned; its module is opened by the first request */
  GHashTable *fetches; /* owned: token to Fetch */
  GQueue waiting;      /* of Fetch, borrowed */
  guint n_under_way;
  guint last_token;
};

static void start_next (PrStsFetcher *self);

static void
free_fetch (gpointer data)
{
  Fetch *fetch = data;

  pr_timer_stop (&fetch->timer);
  g_free (fetch->url);
  g_free (fetch->ca_file);
  g_free (fetch);
}

static void
tell (Fetch *fetch, PrStsPolicy *policy, const GError *error)
{
  g_hash_table_steal (fetch->fetcher->fetches, GUINT_TO_POINTER (fetch->token));
  fetch->func (policy, error, fetch->user_data);
  free_fetch (fetch);
}

/* Parameters do not matter. */
static gboolean
is_plain_text (const char *type)
{
  gsize len = type != NULL ? strcspn (type, "; \t") : 0;

  return len == strlen ("text/plain") && g_ascii_strncasecmp (type, "text/plain", len) == 0;
}

/* RFC 8461 §3.3: nothing but 200 will do, and no other kind of document. */
static PrStsPolicy *
read_answer (const PrWebAnswer *answer, GError **error)
{
  if (answer->status != OK)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PROTOCOL, "the server answered %u", answer->status);
      return NULL;
    }
  if (!is_plain_text (pr_web_answer_get (answer, "Content-Type")))
    {
      g_set_error (error, PR_ERROR, PR_ERROR_PROTOCOL, "the server's answer is no plain text");
      return NULL;
    }
  return pr_sts_policy_parse (answer->body, answer->len, error);
}

static void
on_answer (const PrWebAnswer *answer, const GError *failure, gpointer user_data)
{
  Fetch *fetch = user_data;
  PrStsFetcher *self = fetch->fetcher;
  g_autoptr (GError) error = NULL;
  PrStsPolicy *policy = NULL;

  self->n_under_way--;
  if (answer != NULL)
    policy = read_answer (answer, &error);
  tell (fetch, policy, failure != NULL ? failure : error);
  start_next (self);
}

static void
start (Fetch *fetch)
{
  const PrWebRequest request = {
    .url = fetch->url,
    .max_octets = MAX_OCTETS,
    .deadline_ms = fetch->fetcher->deadline_ms,
    .ca_file = fetch->ca_file,
  };

  pr_timer_stop (&fetch->timer);
  fetch->fetcher->n_under_way++;
  fetch->web_token = pr_web_send (fetch->fetcher->web, &request, on_answer, fetch);
}

static void
start_next (PrStsFetcher *self)
{
  while (self->n_under_way < MAX_UNDER_WAY && self->waiting.length > 0)
    start (g_queue_pop_head (&self->waiting));
}

static void
on_late (gpointer user_data)
{
  Fetch *fetch = user_data;
  g_autoptr (GError) error = g_error_new (PR_ERROR, PR_ERROR_TEMPORARY,
                                          "too many other domains do not answer at the moment");

  g_queue_remove (&fetch->fetcher->waiting, fetch);
  tell (fetch, NULL, error);
}

PrStsFetcher *
pr_sts_fetcher_new (PrLoop *loop, guint deadline_ms)
{
  PrStsFetcher *self = g_new0 (PrStsFetcher, 1);

  self->loop = loop;
  self->deadline_ms = deadline_ms;
  self->web = pr_web_new (pr_loop_get_context (loop));
  self->fetches = g_hash_table_new_full (NULL, NULL, NULL, free_fetch);
  return self;
}

void
pr_sts_fetcher_free (PrStsFetcher *self)
{
  if (self == NULL)
    return;
  pr_web_free (self->web);
  g_queue_clear (&self->waiting);
  g_hash_table_unref (self->fetches);
  g_free (self);
}

guint
pr_sts_fetch (PrStsFetcher *self, const char *domain, const char *ca_file, PrStsFetchFunc func,
              gpointer user_data)
{
  Fetch *fetch = g_new0 (Fetch, 1);

  do
    fetch->token = ++self->last_token;
  while (fetch->token == 0 ||
         g_hash_table_contains (self->fetches, GUINT_TO_POINTER (fetch->token)));
  fetch->fetcher = self;
  fetch->url = g_strdup_printf ("https://mta-sts.%s/.well-known/mta-sts.txt", domain);
  fetch->ca_file = g_strdup (ca_file);
  fetch->func = func;
  fetch->user_data = user_data;
  g_hash_table_insert (self->fetches, GUINT_TO_POINTER (fetch->token), fetch);
  pr_timer_start (&fetch->timer, self->loop, self->deadline_ms, on_late, fetch);
  g_queue_push_tail (&self->waiting, fetch);
  start_next (self);
  return fetch->token;
}

void
pr_sts_fetch_cancel (PrStsFetcher *self, guint token)
{
  Fetch *fetch = g_hash_table_lookup (self->fetches, GUINT_TO_POINTER (token));

  if (fetch == NULL)
    return;
  if (fetch->web_token != 0)
    {
      pr_web_cancel (self->web, fetch->web_token);
      self->n_under_way--;
    }
  else
    g_queue_remove (&self->waiting, fetch);
  g_hash_table_remove (self->fetches, GUINT_TO_POINTER (token));
  start_next (self);
}
