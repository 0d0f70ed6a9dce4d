/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *   split ──► create the draft ──► for each attachment: ──► send ──► told
 *     │           │                  small: attach   │        │
 *     │           │                  large: a session, range by range
 *     ▼           ▼                                  ▼        ▼
 *   held        told                              delete the draft ──► told
 *
 * A session's address is a secret of its own: the access token never goes there.
 */
#include "relay/http-parts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "config/secrets.h"
#include "net/web.h"
#include "relay/http-graph.h"

#define PIECE_OCTETS (192 * 1024) /* a multiple of three, as base64 wants it */
/* "Under 3 MB: a POST; from 3 MB: an upload session." One is taken up to 3,145,611 octets, the
 * other from 2,097,152 on, whatever is meant by MB. */
#define SESSION_MIN_OCTETS (3 * 1000 * 1000)
#define RANGE_OCTETS (12 * 320 * 1024) /* "up to 4 MB", in multiples of 320 KiB */
#define SLOWEST_OCTETS_PER_S 4096
#define DELETE_MS (30 * 1000)
#define MAX_DRAFT_ANSWER (16 * 1024 * 1024) /* it tells the text again */
#define MAX_URL 8192

typedef enum
{
  STEP_SPLIT,
  STEP_CREATE,
  STEP_ATTACH,
  STEP_SESSION,
  STEP_RANGE,
  STEP_SEND,
  STEP_DELETE,
} Step;

/* What a request consists of. */
typedef struct
{
  char *before, *behind; /* owned, nullable */
  guint64 from, to;      /* of the file */
  gboolean is_encoded;   /* in base64 */
  int encoding[2];       /* between two pieces: state, saved octets */
  gboolean begun;
} Body;

struct _PrHttpParts
{
  guint refs; /* the owner's, and one of each piece that is read */
  PrRunner *runner;
  PrMessage *message; /* owned reference */
  PrConfig *config;   /* owned reference */
  const PrRouteConfig *route;
  PrWay *way;           /* owned reference */
  char *base_url;       /* owned */
  char *head;           /* owned */
  PrHttpPartsFunc func; /* NULL: nobody wants to know any more */
  gpointer user_data;
  gboolean is_over; /* what is still under way finds nobody */

  char *path, *target; /* owned */
  PrHttpSplit split;   /* the worker's while it runs */
  GError *split_error; /* owned, nullable */

  Step step;
  guint token;      /* of the request; 0: none */
  Body body;        /* of the request */
  char *draft;      /* owned, nullable: its address */
  char *upload_url; /* owned, nullable: of the session */
  guint at;         /* the attachment it is about */
  guint64 sent;     /* of it */

  /* What is told when the draft is gone. */
  gboolean has_answer;
  PrHttpAnswer answer;
  GError *error; /* owned, nullable */
  char *held;    /* owned, nullable */
};

static void
clear_body (Body *body)
{
  g_free (body->before);
  g_free (body->behind);
  *body = (Body){ 0 };
}

static void
unref (gpointer data)
{
  PrHttpParts *self = data;

  if (--self->refs > 0)
    return;
  clear_body (&self->body);
  pr_http_split_clear (&self->split);
  pr_http_answer_clear (&self->answer);
  g_clear_error (&self->split_error);
  g_clear_error (&self->error);
  pr_message_unref (self->message);
  pr_way_unref (self->way);
  pr_config_unref (self->config);
  g_free (self->base_url);
  g_free (self->head);
  g_free (self->path);
  g_free (self->target);
  g_free (self->draft);
  if (self->upload_url != NULL)
    pr_secret_free (self->upload_url);
  g_free (self->held);
  g_free (self);
}

static const PrHttpAttachment *
get_attachment (const PrHttpParts *self)
{
  return g_ptr_array_index (self->split.attachments, self->at);
}

/* ── The end ──────────────────────────────────────────────────────────────────────────────── */

static void send_request (PrHttpParts *self, Step step, const char *method, const char *url,
                          const char *type);

static void
tell (PrHttpParts *self)
{
  PrRunner *runner = self->runner;
  PrHttpPartsFunc func = g_steal_pointer (&self->func);

  g_queue_remove (&runner->abandoned, self);
  if (func != NULL)
    func (self->has_answer ? &self->answer : NULL, self->error, self->held, self->user_data);
  unref (self);
  pr_runner_check_stopped (runner);
}

/* No draft of it stays in anybody's mailbox. */
static void
end (PrHttpParts *self)
{
  clear_body (&self->body);
  if (self->draft != NULL)
    send_request (self, STEP_DELETE, "DELETE", self->draft, NULL);
  else
    tell (self);
}

static void
fail (PrHttpParts *self, const GError *error)
{
  self->error = g_error_copy (error);
  end (self);
}

/* ── Bodies ───────────────────────────────────────────────────────────────────────────────── */

/* A piece of the file; belongs to the worker while it runs. */
typedef struct
{
  PrHttpParts *parts; /* owned reference */
  guint token;        /* of the request that wants it */
  int fd;             /* borrowed from the parts */
  guint64 from;
  gsize size;
  char *data; /* owned */
  gssize len; /* -1: it cannot be read */
} Piece;

static void
free_piece (gpointer data)
{
  Piece *piece = data;

  unref (piece->parts);
  g_free (piece->data);
  g_free (piece);
}

static void
read_piece (gpointer data)
{
  Piece *piece = data;

  piece->data = g_malloc (piece->size);
  do
    piece->len = pread (piece->fd, piece->data, piece->size, (off_t) piece->from);
  while (piece->len < 0 && errno == EINTR);
}

static void
feed (PrHttpParts *self, const char *data, gsize len)
{
  Body *body = &self->body;
  gboolean is_last = body->from >= body->to;
  g_autofree char *encoded = NULL;
  gsize n;

  if (!body->is_encoded)
    {
      pr_web_feed (self->runner->web, self->token, data, len);
      return;
    }
  encoded = g_malloc (len / 3 * 4 + 16);
  n = g_base64_encode_step ((const guchar *) data, len, FALSE, encoded, &body->encoding[0],
                            &body->encoding[1]);
  if (is_last)
    n += g_base64_encode_close (FALSE, encoded + n, &body->encoding[0], &body->encoding[1]);
  if (n > 0)
    pr_web_feed (self->runner->web, self->token, encoded, n);
}

static void
on_piece (gpointer data)
{
  Piece *piece = data;
  PrHttpParts *self = piece->parts;

  if (self->is_over || self->token != piece->token)
    return;
  if (piece->len <= 0)
    {
      g_autoptr (GError) error = g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "the message %s",
                                              "cannot be read from the disk");

      pr_web_cancel (self->runner->web, self->token);
      self->token = 0;
      fail (self, error);
      return;
    }
  self->body.from += (guint64) piece->len;
  feed (self, piece->data, (gsize) piece->len);
}

static void
on_want (gpointer user_data)
{
  PrHttpParts *self = user_data;
  Body *body = &self->body;
  Piece *piece;

  if (!body->begun && body->before != NULL)
    {
      body->begun = TRUE;
      pr_web_feed (self->runner->web, self->token, body->before, strlen (body->before));
      return;
    }
  body->begun = TRUE;
  if (body->from >= body->to)
    {
      if (body->behind != NULL)
        pr_web_feed (self->runner->web, self->token, body->behind, strlen (body->behind));
      return;
    }
  piece = g_new0 (Piece, 1);
  self->refs++;
  piece->parts = self;
  piece->token = self->token;
  piece->fd = self->split.fd;
  piece->from = body->from;
  piece->size = MIN (body->to - body->from, PIECE_OCTETS);
  pr_worker_run (self->runner->worker, read_piece, on_piece, piece, free_piece);
}

static guint64
count_octets (const Body *body)
{
  guint64 octets = body->to - body->from;

  if (body->is_encoded)
    octets = (octets + 2) / 3 * 4;
  return octets + (body->before != NULL ? strlen (body->before) : 0) +
         (body->behind != NULL ? strlen (body->behind) : 0);
}

/* ── Requests ─────────────────────────────────────────────────────────────────────────────── */

static void on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data);

static guint
get_deadline_ms (const PrHttpParts *self, Step step, guint64 octets)
{
  guint64 deadline_s = self->route->connect_timeout_s + 2 * self->route->reply_timeout_s +
                       octets / SLOWEST_OCTETS_PER_S;

  return step == STEP_DELETE ? DELETE_MS : (guint) MIN (deadline_s * 1000, G_MAXUINT);
}

/* The body was set before. @type: of it. */
static void
send_request (PrHttpParts *self, Step step, const char *method, const char *url, const char *type)
{
  g_autofree char *authorization = g_strconcat ("Bearer ", pr_way_get_secret (self->way), NULL);
  guint64 octets = count_octets (&self->body);
  g_autofree char *range = g_strdup_printf (
    "bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, self->sent,
    self->sent + octets - 1, step == STEP_RANGE ? get_attachment (self)->size_octets : 0);
  const char *const own[] = { "Authorization", authorization, "Accept", "application/json", NULL };
  const char *const other[] = { "Content-Range", range, NULL };
  PrWebRequest request = {
    .method = method,
    .url = url,
    .headers = step == STEP_RANGE ? other : own,
    .content_type = type,
    .want = octets > 0 ? on_want : NULL,
    .feed_octets = octets,
    .max_octets = step == STEP_CREATE ? MAX_DRAFT_ANSWER : 0,
    .deadline_ms = get_deadline_ms (self, step, octets),
    .ca_file = self->route->ca_file,
  };

  self->step = step;
  self->token = pr_web_send (self->runner->web, &request, on_answer, self);
  pr_secret_wipe (authorization, strlen (authorization));
}

static void
create_draft (PrHttpParts *self)
{
  g_autofree char *url = g_strconcat (self->base_url, "/messages", NULL);

  clear_body (&self->body);
  self->body.to = self->split.draft_octets;
  self->body.is_encoded = TRUE;
  send_request (self, STEP_CREATE, "POST", url, "text/plain");
}

static void
attach (PrHttpParts *self)
{
  const PrHttpAttachment *it = get_attachment (self);
  g_autofree char *url = g_strconcat (self->draft, "/attachments", NULL);

  clear_body (&self->body);
  pr_graph_write_attachment (it, &self->body.before, &self->body.behind);
  self->body.from = it->offset;
  self->body.to = it->offset + it->size_octets;
  self->body.is_encoded = TRUE;
  send_request (self, STEP_ATTACH, "POST", url, "application/json");
}

static void
open_session (PrHttpParts *self)
{
  g_autofree char *url = g_strconcat (self->draft, "/attachments/createUploadSession", NULL);

  clear_body (&self->body);
  self->body.before = pr_graph_write_session (get_attachment (self));
  send_request (self, STEP_SESSION, "POST", url, "application/json");
}

static void
send_range (PrHttpParts *self)
{
  const PrHttpAttachment *it = get_attachment (self);

  clear_body (&self->body);
  self->body.from = it->offset + self->sent;
  self->body.to = self->body.from + MIN (it->size_octets - self->sent, RANGE_OCTETS);
  send_request (self, STEP_RANGE, "PUT", self->upload_url, "application/octet-stream");
}

static void
send_draft (PrHttpParts *self)
{
  g_autofree char *url = g_strconcat (self->draft, "/send", NULL);

  clear_body (&self->body);
  send_request (self, STEP_SEND, "POST", url, NULL);
}

/* The attachment @at, or none is left. */
static void
go_on (PrHttpParts *self)
{
  self->sent = 0;
  if (self->at == self->split.attachments->len)
    send_draft (self);
  else if (get_attachment (self)->size_octets < SESSION_MIN_OCTETS)
    attach (self);
  else
    open_session (self);
}

/* ── Answers ──────────────────────────────────────────────────────────────────────────────── */

static void
fail_strange (PrHttpParts *self)
{
  g_autoptr (GError) error =
    g_error_new (PR_ERROR, PR_ERROR_TEMPORARY, "%s", "its answer is not understood");

  fail (self, error);
}

static void
take_draft (PrHttpParts *self, const PrWebAnswer *answer)
{
  g_autofree char *id = pr_graph_read_text (answer, "id");
  g_autofree char *escaped = NULL;

  if (id == NULL || *id == '\0' || strlen (id) > MAX_URL)
    {
      fail_strange (self);
      return;
    }
  escaped = g_uri_escape_string (id, NULL, FALSE);
  self->draft = g_strdup_printf ("%s/messages/%s", self->base_url, escaped);
  go_on (self);
}

static void
take_session (PrHttpParts *self, const PrWebAnswer *answer)
{
  if (self->upload_url != NULL)
    pr_secret_free (self->upload_url);
  self->upload_url = pr_graph_read_text (answer, "uploadUrl");
  /* An address without encryption is nobody's but this machine's own, as all of them are then. */
  if (self->upload_url == NULL || strlen (self->upload_url) > MAX_URL ||
      (g_str_has_prefix (self->base_url, "https:") &&
       !g_str_has_prefix (self->upload_url, "https:")))
    fail_strange (self);
  else
    send_range (self);
}

static void
take_range (PrHttpParts *self)
{
  self->sent = self->body.to - get_attachment (self)->offset;
  if (self->sent < get_attachment (self)->size_octets)
    {
      send_range (self);
      return;
    }
  self->at++;
  go_on (self);
}

static void
take_sent (PrHttpParts *self)
{
  g_clear_pointer (&self->draft, g_free); /* it is none any more */
  self->has_answer = TRUE;
  pr_reply_set (&self->answer.reply, 250, "2.0.0",
                "Microsoft Graph took it, sent in parts: attachments were uploaded");
  end (self);
}

/* It is no draft that a token may make which is for sending alone. */
static void
hold_unpermitted (PrHttpParts *self, const PrHttpAnswer *judged)
{
  self->held = g_strdup_printf (
    "It cannot go this way yet: Microsoft Graph takes large attachments only from a sign-in with "
    "the permission Mail.ReadWrite (%s). Add https://graph.microsoft.com/Mail.ReadWrite to "
    "oauth-scopes of the route, sign in again with: postroomctl route sign-in %s, and release the "
    "message; or send it through a route by SMTP, such as via=smarthost",
    judged->reply.text, self->route->name);
  pr_http_answer_clear (&self->answer);
  end (self);
}

/* The session's address carries its own permission: that it has ended says nothing of the token's,
 * and the message is not at fault. */
static void
refuse (PrHttpParts *self, const PrWebAnswer *answer)
{
  PrHttpAnswer *judged = &self->answer;

  pr_http_answer_judge (judged, PR_VIA_GRAPH, answer, g_get_real_time () / G_USEC_PER_SEC);
  if (self->step == STEP_CREATE && judged->verdict == PR_HTTP_SIGN_IN && answer->status == 403)
    {
      hold_unpermitted (self, judged);
      return;
    }
  if (self->step == STEP_RANGE && judged->verdict != PR_HTTP_SLOW_DOWN && answer->status != 413)
    {
      judged->verdict = PR_HTTP_FAILED;
      judged->reply.code = 451;
    }
  self->has_answer = TRUE;
  end (self);
}

static void
on_answer (const PrWebAnswer *answer, const GError *error, gpointer user_data)
{
  PrHttpParts *self = user_data;

  self->token = 0;
  if (self->step == STEP_DELETE)
    tell (self);
  else if (error != NULL)
    fail (self, error);
  else if (answer->status < 200 || answer->status >= 300)
    refuse (self, answer);
  else if (self->step == STEP_CREATE)
    take_draft (self, answer);
  else if (self->step == STEP_SESSION)
    take_session (self, answer);
  else if (self->step == STEP_RANGE)
    take_range (self);
  else if (self->step == STEP_SEND)
    take_sent (self);
  else
    {
      self->at++;
      go_on (self);
    }
}

/* ── The beginning ────────────────────────────────────────────────────────────────────────── */

static void
split (gpointer data)
{
  PrHttpParts *self = data;

  pr_http_split_run (&self->split, &self->split_error);
}

static void
on_split (gpointer data)
{
  PrHttpParts *self = data;

  if (self->is_over)
    return;
  if (self->func == NULL) /* cancelled */
    {
      tell (self);
      return;
    }
  if (self->split_error != NULL)
    fail (self, self->split_error);
  else if (self->split.refusal != NULL)
    {
      g_autofree char *limit = g_format_size (self->split.max_draft_octets);

      self->held = g_strdup_printf (
        "It cannot go this way: Microsoft Graph takes no more than %s in one piece, and %s; send "
        "it through a route by SMTP, such as via=smarthost",
        limit, self->split.refusal);
      end (self);
    }
  else
    create_draft (self);
}

PrHttpParts *
pr_http_parts_new (const PrHttpPartsJob *job, PrHttpPartsFunc func, gpointer user_data)
{
  PrHttpParts *self = g_new0 (PrHttpParts, 1);

  self->refs = 2; /* the owner's, the worker's */
  self->runner = job->runner;
  self->message = pr_message_ref (job->message);
  self->config = pr_config_ref (job->config);
  self->route = job->route;
  self->way = pr_way_ref (job->way);
  self->base_url = g_strdup (job->base_url);
  self->head = g_strndup (job->head, job->head_len);
  self->func = func;
  self->user_data = user_data;
  self->path = pr_store_get_spool_path (job->runner->store, job->message);
  self->target = pr_store_new_spool_path (job->runner->store);
  self->split = (PrHttpSplit){
    .path = self->path,
    .head = self->head,
    .head_len = job->head_len,
    .head_octets = job->head_octets,
    .target_path = self->target,
    .max_draft_octets = job->max_octets,
    .fd = -1,
  };
  pr_worker_run (job->runner->worker, split, on_split, self, unref);
  return self;
}

gboolean
pr_http_parts_is_sent (const PrHttpParts *self)
{
  return self->step == STEP_SEND;
}

void
pr_http_parts_cancel (PrHttpParts *self)
{
  self->func = NULL;
  g_queue_push_tail (&self->runner->abandoned, self);
  if (self->step == STEP_SPLIT || self->step == STEP_DELETE)
    return; /* what is under way ends by itself */
  pr_web_cancel (self->runner->web, self->token);
  self->token = 0;
  end (self);
}

void
pr_http_parts_free (PrHttpParts *self)
{
  g_queue_remove (&self->runner->abandoned, self);
  if (self->token != 0)
    pr_web_cancel (self->runner->web, self->token);
  self->token = 0;
  self->func = NULL;
  self->is_over = TRUE;
  unref (self);
}
