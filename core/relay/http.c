/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   head read ──► made ──► request: head, then piece by piece as it is wanted ──► answer ──► told
 *            └──► it cannot go this way: held, in words
 *
 * Gmail takes the message as it is (uploadType=media), Graph in base64 (sendMail as MIME), and what
 * is too large for that in parts (relay/http-parts.h).
 */
#include "relay/http.h"

#include <string.h>

#include "common/error.h"
#include "config/secrets.h"
#include "net/web.h"
#include "relay/hop.h"
#include "relay/http-answer.h"
#include "relay/http-graph.h"
#include "relay/http-head.h"
#include "relay/http-parts.h"
#include "relay/pacer.h"
#include "relay/record.h"
#include "relay/way.h"
#include "smtp/headers.h"

#define GMAIL_URL "https://gmail.googleapis.com"
#define GMAIL_PATH "/upload/gmail/v1/users/me/messages/send?uploadType=media"
#define GRAPH_URL "https://graph.microsoft.com/v1.0"
#define GMAIL_MAX_OCTETS (35 * 1000 * 1000)
/* "The maximum size of a request is 4 MB", and base64 makes four octets of three. */
#define GRAPH_MAX_OCTETS (3 * 1024 * 1024)
#define PIECE_OCTETS (192 * 1024)
#define SLOWEST_OCTETS_PER_S 4096

typedef struct
{
  guint refs;         /* the runner's list, and each answer of the store that is to come */
  PrRunner *runner;   /* borrowed */
  PrHop *hop;         /* borrowed: it stays while it has a task */
  PrWork *work;       /* borrowed: in hand until it is recorded; NULL: this is over */
  PrMessage *message; /* owned reference */
  PrConfig *config;   /* owned reference: an upload ends under the one it began with */
  const PrRouteConfig *route;
  PrWay *way; /* owned reference: for the same reason */
  char *peer; /* owned: host of the provider */

  guint token;  /* of the request; 0: none yet */
  guint serial; /* of the access token it goes with; 0: of none that comes anew by itself */
  PrHttpHead head;
  gboolean head_gone, all_gone;
  guint64 offset;  /* of the message: what goes next */
  int encoding[2]; /* base64 between two pieces: state, saved octets */

  PrHttpParts *parts; /* owned, nullable: it is larger than one request may be */
} Upload;

static void
unref (Upload *self)
{
  if (--self->refs > 0)
    return;
  pr_http_head_clear (&self->head);
  pr_message_unref (self->message);
  pr_way_unref (self->way);
  pr_config_unref (self->config);
  g_free (self->peer);
  g_free (self);
}

static const char *
get_url (const PrRouteConfig *route)
{
  if (route->api_url != NULL)
    return route->api_url;
  return route->via == PR_VIA_GRAPH ? GRAPH_URL : GMAIL_URL;
}

/* (transfer full): for people. */
static char *
get_host (const PrRouteConfig *route)
{
  g_autoptr (GUri) uri = g_uri_parse (get_url (route), G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL)
    return g_strdup (get_url (route));
  return g_uri_get_port (uri) > 0 ? g_strdup_printf ("%s:%d", host, g_uri_get_port (uri))
                                  : g_strdup (host);
}

/* ── The end ──────────────────────────────────────────────────────────────────────────────── */

/* It is no task any more; its work is the caller's. */
static PrWork *
leave (Upload *self)
{
  PrWork *work = g_steal_pointer (&self->work);

  g_queue_remove (&self->runner->uploads, self);
  self->hop->n_tasks--;
  if (self->token != 0)
    pr_web_cancel (self->runner->web, self->token);
  if (self->parts != NULL)
    pr_http_parts_cancel (g_steal_pointer (&self->parts));
  return work;
}

static void
finish (Upload *self)
{
  PrRunner *runner = self->runner;

  pr_hop_pump (self->hop);
  unref (self);
  pr_runner_check_stopped (runner);
}

static void
record (Upload *self, const PrReply *reply)
{
  PrRecordFacts facts = {
    .peer = self->peer,
    .tls = g_str_has_prefix (get_url (self->route), "https:") ? "HTTPS" : NULL,
  };

  pr_hop_note_success (self->hop, self->peer);
  pr_record_results (self->runner, leave (self), reply, TRUE, &facts);
}

static void
refuse (Upload *self, guint code, const char *enhanced, const char *why)
{
  PrReply reply = { 0 };

  pr_reply_set (&reply, code, enhanced, why);
  reply.is_own = TRUE;
  record (self, &reply);
  pr_reply_clear (&reply);
  finish (self);
}

/* Nothing but a person helps: it stays in the queue, and no other mail waits for it. */
static void
hold (Upload *self, const char *why)
{
  PrWork *work = leave (self);

  for (guint i = 0; i < work->n_indexes; i++)
    {
      PrProgress *progress = &self->message->progress[work->indexes[i]];
      PrEvent event = {
        .kind = PR_EVENT_HELD,
        .message = self->message->id,
        .sender = self->message->envelope->sender,
        .address = pr_envelope_recipient (self->message->envelope, work->indexes[i])->address,
        .route = self->route->name,
        .text = why,
      };

      progress->state = PR_RECIPIENT_HELD;
      g_free (progress->last_reply);
      progress->last_reply = g_strdup (why);
      pr_journal_add (self->runner->journal, &event);
    }
  pr_pacer_settle (work, 0);
  pr_record_progress (self->runner, work);
  finish (self);
}

/* The hop as a whole: what waits shares it. */
static void
fail (Upload *self, const PrReply *reply, gboolean network)
{
  pr_hop_return_work (self->hop, leave (self));
  pr_hop_fail (self->hop, reply, self->peer, network);
}

static void
fail_by_error (Upload *self, const GError *error)
{
  g_autofree char *text =
    g_strdup_printf ("Could not send it by %s: %s", self->peer, error->message);
  PrReply reply = { 0 };

  pr_reply_set (&reply, 0, "4.4.1", text);
  fail (self, &reply, g_error_matches (error, PR_ERROR, PR_ERROR_NETWORK));
  pr_reply_clear (&reply);
  finish (self);
}

static void
slow_down (Upload *self, const PrHttpAnswer *answer)
{
  PrAdvice advice = { .kind = PR_ADVICE_SLOW_DOWN, .wait_s = answer->wait_s };

  if (!pr_provider_advise (self->route->provider, &answer->reply, &advice) ||
      advice.kind != PR_ADVICE_SLOW_DOWN)
    advice =
      (PrAdvice){ .kind = PR_ADVICE_SLOW_DOWN,
                  .words = "The provider takes no more for now; it is tried again by itself" };
  advice.wait_s = answer->wait_s; /* its own word counts most */
  pr_hop_return_work (self->hop, leave (self));
  pr_hop_slow_down (self->hop, &answer->reply, &advice, self->peer);
}

static void
need_sign_in (Upload *self, const PrHttpAnswer *answer)
{
  PrAdvice advice = { 0 };
  g_autofree char *why = NULL;

  pr_provider_advise (self->route->provider, &answer->reply, &advice);
  why =
    g_strdup_printf ("Sign-in needed: %s%s%s", answer->reply.text, advice.words != NULL ? ". " : "",
                     advice.words != NULL ? advice.words : "");
  pr_hop_return_work (self->hop, leave (self));
  pr_way_need_sign_in (self->way, why, self->peer);
}

/* Another one is fetched, once; who must do something for that is asked by the way. */
static void
renew_token (Upload *self, const PrHttpAnswer *answer)
{
  pr_hop_return_work (self->hop, leave (self));
  pr_way_refuse_token (self->way, self->serial, answer->reply.text);
}

static void
conclude (Upload *self, const PrHttpAnswer *judged)
{
  if (judged->verdict != PR_HTTP_TOKEN)
    pr_way_accept_token (self->way, self->serial);
  switch (judged->verdict)
    {
    case PR_HTTP_SENT:
    case PR_HTTP_REFUSED: record (self, &judged->reply); break;
    case PR_HTTP_SLOW_DOWN: slow_down (self, judged); break;
    case PR_HTTP_TOKEN:
      if (self->serial != 0)
        renew_token (self, judged);
      else
        need_sign_in (self, judged);
      break;
    case PR_HTTP_SIGN_IN: need_sign_in (self, judged); break;
    case PR_HTTP_FAILED:
    default: fail (self, &judged->reply, FALSE);
    }
  finish (self);
}

static void
on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  Upload *self = user_data;
  PrHttpAnswer judged;

  self->token = 0;
  if (error != NULL)
    {
      fail_by_error (self, error);
      return;
    }
  pr_http_answer_judge (&judged, self->route->via, answer, g_get_real_time () / G_USEC_PER_SEC);
  conclude (self, &judged);
  pr_http_answer_clear (&judged);
}

static void
on_parts (const PrHttpAnswer *answer, const GError *error, const char *held, gpointer user_data)
{
  Upload *self = user_data;

  self->parts = NULL; /* they are gone behind this */
  if (error != NULL)
    fail_by_error (self, error);
  else if (held != NULL)
    hold (self, held);
  else
    conclude (self, answer);
}

/* ── The body ─────────────────────────────────────────────────────────────────────────────── */

static void read_on (Upload *self);

static gboolean
is_encoded (const Upload *self)
{
  return self->route->via == PR_VIA_GRAPH;
}

/* Gives the request its next octets; @data may be nothing for it yet. */
static void
give (Upload *self, const char *data, gsize len)
{
  g_autofree char *encoded = NULL;
  gsize n = 0;

  self->all_gone = self->offset >= self->message->size_octets;
  if (is_encoded (self))
    {
      encoded = g_malloc (len / 3 * 4 + 16);
      n = g_base64_encode_step ((const guchar *) data, len, FALSE, encoded, &self->encoding[0],
                                &self->encoding[1]);
      if (self->all_gone)
        n += g_base64_encode_close (FALSE, encoded + n, &self->encoding[0], &self->encoding[1]);
      data = encoded;
      len = n;
    }
  if (len > 0)
    pr_web_feed (self->runner->web, self->token, data, len);
  else if (!self->all_gone)
    read_on (self);
}

static void
on_piece (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  Upload *self = user_data;
  gsize len = chunk != NULL ? g_bytes_get_size (chunk) : 0;

  self->runner->n_store_calls--;
  if (self->work != NULL && (error != NULL || len == 0))
    {
      g_autoptr (GError) own = g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "the message %s",
                                            "cannot be read from the queue");

      fail_by_error (self, own);
    }
  else if (self->work != NULL)
    {
      self->offset += len;
      give (self, g_bytes_get_data (chunk, NULL), len);
    }
  unref (self);
}

static void
read_on (Upload *self)
{
  self->refs++;
  self->runner->n_store_calls++;
  pr_store_read_body (self->runner->store, self->message, self->offset, PIECE_OCTETS, on_piece,
                      self);
}

static void
on_want (gpointer user_data)
{
  Upload *self = user_data;

  if (self->head_gone || self->head.head->len == 0)
    {
      self->head_gone = TRUE;
      read_on (self);
      return;
    }
  self->head_gone = TRUE;
  self->offset = self->head.head_octets;
  give (self, self->head.head->str, self->head.head->len);
}

/* ── The request ──────────────────────────────────────────────────────────────────────────── */

static guint64
count_octets (const Upload *self)
{
  guint64 octets = self->message->size_octets - self->head.head_octets + self->head.head->len;

  return is_encoded (self) ? (octets + 2) / 3 * 4 : octets;
}

static void
begin_parts (Upload *self)
{
  g_autofree char *base_url = pr_graph_get_mailbox_url (self->route, get_url (self->route));
  PrHttpPartsJob job = {
    .runner = self->runner,
    .message = self->message,
    .config = self->config,
    .route = self->route,
    .way = self->way,
    .base_url = base_url,
    .head = self->head.head->str,
    .head_len = self->head.head->len,
    .head_octets = self->head.head_octets,
    .max_octets = GRAPH_MAX_OCTETS,
  };

  self->parts = pr_http_parts_new (&job, on_parts, self);
}

static char *
get_send_url (const Upload *self)
{
  g_autofree char *mailbox = NULL;

  if (!is_encoded (self))
    return g_strconcat (get_url (self->route), GMAIL_PATH, NULL);
  mailbox = pr_graph_get_mailbox_url (self->route, get_url (self->route));
  return g_strconcat (mailbox, "/sendMail", NULL);
}

static void
post (Upload *self)
{
  PrRunner *runner = self->runner;
  const char *secret = pr_way_get_secret (self->way);
  g_autofree char *authorization = g_strconcat ("Bearer ", secret, NULL);
  g_autofree char *url = get_send_url (self);
  const char *const headers[] = { "Authorization", authorization, "Accept", "application/json",
                                  NULL };
  guint64 octets = count_octets (self);
  guint64 deadline_s = self->route->connect_timeout_s + 2 * self->route->reply_timeout_s +
                       octets / SLOWEST_OCTETS_PER_S;
  PrWebRequest request = {
    .method = "POST",
    .url = url,
    .headers = headers,
    .content_type = is_encoded (self) ? "text/plain" : "message/rfc822",
    .want = on_want,
    .feed_octets = octets,
    .deadline_ms = (guint) MIN (deadline_s * 1000, G_MAXUINT),
    .ca_file = self->route->ca_file,
  };

  self->token = pr_web_send (runner->web, &request, on_answer, self);
  pr_secret_wipe (authorization, strlen (authorization));
}

/* In one piece, or in parts. */
static void
go (Upload *self)
{
  PrRunner *runner = self->runner;

  if (runner->web == NULL)
    runner->web = pr_web_new (pr_loop_get_context (runner->loop));
  self->serial = pr_way_get_token_serial (self->way);
  if (is_encoded (self) && count_octets (self) > GRAPH_MAX_OCTETS / 3 * 4)
    begin_parts (self);
  else
    post (self);
}

static void
on_head (GBytes *chunk, gboolean last, const GError *error, gpointer user_data)
{
  Upload *self = user_data;

  self->runner->n_store_calls--;
  if (self->work != NULL && error != NULL)
    fail_by_error (self, error);
  else if (self->work != NULL)
    {
      gsize len;
      const char *text = g_bytes_get_data (chunk, &len);

      pr_http_head_make (&self->head, self->route, self->message, self->work->indexes,
                         self->work->n_indexes, text, len);
      if (self->head.refusal != NULL)
        hold (self, self->head.refusal);
      else
        go (self);
    }
  unref (self);
}

/* Graph says itself what is too large for it: an administrator decides. */
static guint64
get_limit (const PrRouteConfig *route)
{
  const PrProviderApi *api = route->provider != NULL ? route->provider->api : NULL;

  if (api != NULL && api->max_size_octets > 0)
    return api->max_size_octets;
  return route->via == PR_VIA_GRAPH ? G_MAXUINT64 : GMAIL_MAX_OCTETS;
}

/* No provider takes it: its sender is told. */
static void
refuse_large (Upload *self)
{
  g_autofree char *limit = g_format_size (get_limit (self->route));
  g_autofree char *why =
    g_strdup_printf ("The message is larger than the provider takes, which is %s", limit);

  refuse (self, 552, "5.3.4", why);
}

static void
begin (PrHop *hop, PrWork *work)
{
  Upload *self = g_new0 (Upload, 1);
  PrRunner *runner = hop->runner;

  self->refs = 1;
  self->runner = runner;
  self->hop = hop;
  self->work = work;
  self->message = pr_message_ref (work->parcel->message);
  self->config = pr_config_ref (runner->config);
  self->route = hop->route;
  self->way = pr_way_ref (pr_way_get (runner, hop->route));
  self->peer = get_host (hop->route);
  g_queue_push_tail (&runner->uploads, self);
  hop->n_tasks++;
  if (self->message->envelope->requires_tls) /* RFC 8689 §4.2.1 */
    refuse (self, 550, "5.7.30",
            "The sender demands encryption all the way (REQUIRETLS), which the provider does not "
            "promise. Send the message again without this demand, or by another way");
  else if (self->message->size_octets > get_limit (self->route))
    refuse_large (self);
  else
    {
      self->refs++;
      runner->n_store_calls++;
      pr_store_read_body (runner->store, self->message, 0, PR_HEADERS_MAX, on_head, self);
    }
}

void
pr_http_pump (PrHop *hop)
{
  PrWork *work;

  while (hop->n_tasks < hop->route->max_connections &&
         (work = pr_hop_next_work (hop, G_MAXUINT)) != NULL)
    begin (hop, work);
}

void
pr_http_cancel_all (PrRunner *runner)
{
  g_autoptr (GList) uploads = g_list_copy (runner->uploads.head);

  for (GList *link = uploads; link != NULL; link = link->next)
    {
      Upload *self = link->data;

      if (self->all_gone || (self->parts != NULL && pr_http_parts_is_sent (self->parts)))
        continue;
      pr_hop_return_work (self->hop, leave (self));
      unref (self);
    }
  pr_runner_check_stopped (runner);
}

void
pr_http_kill_all (PrRunner *runner)
{
  while (runner->uploads.head != NULL)
    {
      Upload *self = runner->uploads.head->data;

      leave (self);
      unref (self);
    }
  while (runner->abandoned.head != NULL)
    pr_http_parts_free (runner->abandoned.head->data);
  g_clear_pointer (&runner->web, pr_web_free);
}
