/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both providers answer {"error": {"message": …}}: Gmail with the reasons in "errors" (Gmail API,
 * "Resolve errors"), Graph with one in "code" (Microsoft Graph, "error responses"). */
#include "relay/http-answer.h"

#include <gmime/gmime.h>
#include <json-glib/json-glib.h>

#define WAIT_S 60        /* where the provider names no time */
#define LONG_WAIT_S 3600 /* and it is a day's amount that is used up */
#define MAX_WAIT_S 86400
#define MAX_WORDS 1000

typedef struct
{
  guint status;
  const char *reason; /* NULL: any */
  PrHttpVerdict verdict;
  guint code; /* of the reply */
  const char *enhanced;
  guint wait_s;
} Row;

/* The first that fits counts. RFC 9110 §15 for what no provider says more of. */
static const Row gmail[] = {
  { 403, "dailyLimitExceeded", PR_HTTP_SLOW_DOWN, 452, "4.7.0", LONG_WAIT_S },
  { 403, "quotaExceeded", PR_HTTP_SLOW_DOWN, 452, "4.7.0", LONG_WAIT_S },
  { 403, "rateLimitExceeded", PR_HTTP_SLOW_DOWN, 452, "4.7.0", WAIT_S },
  { 403, "userRateLimitExceeded", PR_HTTP_SLOW_DOWN, 452, "4.7.0", WAIT_S },
  { 400, "failedPrecondition", PR_HTTP_SIGN_IN, 454, "4.7.0",
    0 }, /* Gmail is off for the account */
  { 0, NULL, PR_HTTP_SENT, 0, NULL, 0 },
};

static const Row graph[] = {
  { 403, "ErrorSendAsDenied", PR_HTTP_REFUSED, 550, "5.7.60", 0 },
  { 403, "ErrorMessageSubmissionBlocked", PR_HTTP_SLOW_DOWN, 452, "4.7.0", LONG_WAIT_S },
  { 403, "ErrorQuotaExceeded", PR_HTTP_SLOW_DOWN, 452, "4.2.2", LONG_WAIT_S },
  { 400, "ErrorExceededMessageLimit", PR_HTTP_SLOW_DOWN, 452, "4.7.0", LONG_WAIT_S },
  { 400, "ErrorMessageSizeExceeded", PR_HTTP_REFUSED, 552, "5.3.4", 0 },
  { 400, "ErrorInvalidRecipients", PR_HTTP_REFUSED, 550, "5.1.3", 0 },
  { 404, "MailboxNotEnabledForRESTAPI", PR_HTTP_SIGN_IN, 454, "4.7.0", 0 },
  { 0, NULL, PR_HTTP_SENT, 0, NULL, 0 },
};

static const Row any[] = {
  { 400, NULL, PR_HTTP_REFUSED, 554, "5.6.0", 0 },
  { 401, NULL, PR_HTTP_TOKEN, 454, "4.7.8", 0 },
  { 403, NULL, PR_HTTP_SIGN_IN, 454, "4.7.0", 0 },
  { 413, NULL, PR_HTTP_REFUSED, 552, "5.3.4", 0 },
  { 429, NULL, PR_HTTP_SLOW_DOWN, 452, "4.7.0", WAIT_S },
  { 0, NULL, PR_HTTP_SENT, 0, NULL, 0 },
};

/* ── What it said ─────────────────────────────────────────────────────────────────────────── */

/* Borrowed from @object; NULL: there is no such text. */
static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
             json_node_get_value_type (node) == G_TYPE_STRING
           ? json_node_get_string (node)
           : NULL;
}

static JsonObject *
get_object (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* Gmail's: the first of its list. */
static JsonObject *
get_first (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;
  JsonArray *array =
    node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  JsonNode *first =
    array != NULL && json_array_get_length (array) > 0 ? json_array_get_element (array, 0) : NULL;

  return first != NULL && JSON_NODE_HOLDS_OBJECT (first) ? json_node_get_object (first) : NULL;
}

/* @words, @reason: (out) (nullable): borrowed from @parser. */
static void
read_error (JsonParser *parser, const PrWebAnswer *answer, const char **words, const char **reason)
{
  JsonNode *root;
  JsonObject *error;

  *words = *reason = NULL;
  if (!json_parser_load_from_data (parser, answer->body, (gssize) answer->len, NULL))
    return;
  root = json_parser_get_root (parser);
  error = root != NULL && JSON_NODE_HOLDS_OBJECT (root)
            ? get_object (json_node_get_object (root), "error")
            : NULL;
  *words = get_text (error, "message");
  *reason = get_text (get_first (error, "errors"), "reason");
  if (*reason == NULL)
    *reason = get_text (error, "code");
  if (*reason == NULL)
    *reason = get_text (error, "status");
}

/* RFC 9110 §10.2.3: seconds, or a date. 0: not said. */
static guint
read_retry_after (const PrWebAnswer *answer, gint64 now_s)
{
  const char *value = pr_web_answer_get (answer, "Retry-After");
  g_autoptr (GDateTime) date = NULL;
  guint64 seconds;

  if (value == NULL)
    return 0;
  if (g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT, &seconds, NULL))
    return (guint) CLAMP (seconds, 1, MAX_WAIT_S);
  date = g_mime_utils_header_decode_date (value);
  return date != NULL ? (guint) CLAMP (g_date_time_to_unix (date) - now_s, 1, MAX_WAIT_S) : 0;
}

/* ── What it means ────────────────────────────────────────────────────────────────────────── */

static const Row *
find_row (const Row *rows, guint status, const char *reason)
{
  for (const Row *row = rows; row->status != 0; row++)
    if (row->status == status && (row->reason == NULL || g_strcmp0 (row->reason, reason) == 0))
      return row;
  return NULL;
}

static void
say (PrHttpAnswer *out, PrVia via, guint status, const Row *row, const char *words,
     const char *reason)
{
  g_autofree char *clean = words != NULL ? g_utf8_make_valid (words, -1) : NULL;
  g_autofree char *text = g_strdup_printf (
    "%s answered %u%s%s%s%.*s", via == PR_VIA_GRAPH ? "Microsoft Graph" : "The Gmail API", status,
    reason != NULL ? " " : "", reason != NULL ? reason : "", clean != NULL ? ": " : "", MAX_WORDS,
    clean != NULL ? clean : "");

  pr_reply_set (&out->reply, row != NULL ? row->code : 451, row != NULL ? row->enhanced : "4.3.0",
                text);
}

void
pr_http_answer_judge (PrHttpAnswer *out, PrVia via, const PrWebAnswer *answer, gint64 now_s)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  guint wait_s = read_retry_after (answer, now_s);
  const char *words, *reason;
  const Row *row;

  *out = (PrHttpAnswer){ .verdict = PR_HTTP_SENT };
  if (answer->status >= 200 && answer->status < 300)
    {
      pr_reply_set (&out->reply, 250, "2.0.0",
                    via == PR_VIA_GRAPH ? "Microsoft Graph took it" : "The Gmail API took it");
      return;
    }
  read_error (parser, answer, &words, &reason);
  row = find_row (via == PR_VIA_GRAPH ? graph : gmail, answer->status, reason);
  if (row == NULL)
    row = find_row (any, answer->status, reason);
  say (out, via, answer->status, row, words, reason);
  out->verdict = row != NULL ? row->verdict : PR_HTTP_FAILED;
  if (out->verdict == PR_HTTP_FAILED && wait_s > 0)
    out->verdict = PR_HTTP_SLOW_DOWN;
  if (out->verdict == PR_HTTP_SLOW_DOWN)
    out->wait_s = wait_s > 0 ? wait_s : row->wait_s;
}

void
pr_http_answer_clear (PrHttpAnswer *self)
{
  pr_reply_clear (&self->reply);
}
