/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/http-answer.h"

#include <string.h>

#define NOW_S 1445412480 /* Wed, 21 Oct 2015 07:28:00 GMT */

/* As the providers answered, or document that they do. */
#define GMAIL_ERROR(code, reason, message)                                                         \
  "{\n  \"error\": {\n    \"code\": " code ",\n    \"message\": \"" message                        \
  "\",\n    \"errors\": [\n      {\n        \"message\": \"" message                               \
  "\",\n        \"domain\": \"usageLimits\",\n        \"reason\": \"" reason                       \
  "\"\n      }\n    ]\n  }\n}\n"
#define GRAPH_ERROR(code, message)                                                                 \
  "{\"error\":{\"code\":\"" code "\",\"message\":\"" message                                       \
  "\",\"innerError\":{\"date\":\"2026-11-23T22:00:00\",\"request-id\":\"4bff1e5a\"}}}"

static const struct
{
  PrVia via;
  guint status;
  const char *retry_after; /* nullable */
  const char *body;
  PrHttpVerdict verdict;
  guint code, wait_s;
  const char *words;
} cases[] = {
  { PR_VIA_GMAIL_API, 200, NULL, "{\"id\": \"18c\", \"labelIds\": [\"SENT\"]}", PR_HTTP_SENT, 250,
    0, "Gmail" },
  { PR_VIA_GRAPH, 202, NULL, "", PR_HTTP_SENT, 250, 0, "Graph" },
  { PR_VIA_GMAIL_API, 400, NULL,
    GMAIL_ERROR ("400", "invalidArgument", "Recipient address required"), PR_HTTP_REFUSED, 554, 0,
    "invalidArgument: Recipient address required" },
  { PR_VIA_GMAIL_API, 400, NULL,
    GMAIL_ERROR ("400", "failedPrecondition", "Mail service not enabled"), PR_HTTP_SIGN_IN, 454, 0,
    "Mail service not enabled" },
  { PR_VIA_GMAIL_API, 401, NULL, GMAIL_ERROR ("401", "authError", "Invalid Credentials"),
    PR_HTTP_TOKEN, 454, 0, "Invalid Credentials" },
  { PR_VIA_GMAIL_API, 403, NULL, GMAIL_ERROR ("403", "userRateLimitExceeded", "User-rate limit"),
    PR_HTTP_SLOW_DOWN, 452, 60, "User-rate limit" },
  { PR_VIA_GMAIL_API, 403, "7", GMAIL_ERROR ("403", "rateLimitExceeded", "Rate Limit Exceeded"),
    PR_HTTP_SLOW_DOWN, 452, 7, "Rate Limit Exceeded" },
  { PR_VIA_GMAIL_API, 403, NULL, GMAIL_ERROR ("403", "dailyLimitExceeded", "Daily Limit"),
    PR_HTTP_SLOW_DOWN, 452, 3600, "Daily Limit" },
  { PR_VIA_GMAIL_API, 403, NULL,
    GMAIL_ERROR ("403", "insufficientPermissions",
                 "Request had insufficient authentication scopes."),
    PR_HTTP_SIGN_IN, 454, 0, "insufficient authentication scopes" },
  { PR_VIA_GMAIL_API, 413, NULL, "<html>Your client issued a request that was too large.</html>",
    PR_HTTP_REFUSED, 552, 0, "413" },
  { PR_VIA_GMAIL_API, 429, NULL, GMAIL_ERROR ("429", "rateLimitExceeded", "Too many concurrent"),
    PR_HTTP_SLOW_DOWN, 452, 60, "Too many concurrent" },
  { PR_VIA_GMAIL_API, 500, NULL, GMAIL_ERROR ("500", "backendError", "Backend Error"),
    PR_HTTP_FAILED, 451, 0, "Backend Error" },
  { PR_VIA_GRAPH, 400, NULL, GRAPH_ERROR ("ErrorInvalidRecipients", "At least one recipient"),
    PR_HTTP_REFUSED, 550, 0, "ErrorInvalidRecipients" },
  { PR_VIA_GRAPH, 401, NULL,
    GRAPH_ERROR ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    PR_HTTP_TOKEN, 454, 0, "the token is expired" },
  { PR_VIA_GRAPH, 403, NULL, GRAPH_ERROR ("ErrorSendAsDenied", "The user account is not allowed"),
    PR_HTTP_REFUSED, 550, 0, "ErrorSendAsDenied" },
  { PR_VIA_GRAPH, 403, NULL, GRAPH_ERROR ("ErrorAccessDenied", "Access is denied."),
    PR_HTTP_SIGN_IN, 454, 0, "Access is denied" },
  { PR_VIA_GRAPH, 404, NULL, GRAPH_ERROR ("MailboxNotEnabledForRESTAPI", "on-premise"),
    PR_HTTP_SIGN_IN, 454, 0, "on-premise" },
  { PR_VIA_GRAPH, 404, NULL, GRAPH_ERROR ("ResourceNotFound", "x"), PR_HTTP_FAILED, 451, 0,
    "ResourceNotFound" },
  { PR_VIA_GRAPH, 413, NULL, GRAPH_ERROR ("RequestBodyTooLarge", "x"), PR_HTTP_REFUSED, 552, 0,
    "413" },
  { PR_VIA_GRAPH, 429, "12", GRAPH_ERROR ("ApplicationThrottled", "Application is over its limit"),
    PR_HTTP_SLOW_DOWN, 452, 12, "over its limit" },
  { PR_VIA_GRAPH, 429, "Wed, 21 Oct 2015 07:29:30 GMT", "", PR_HTTP_SLOW_DOWN, 452, 90, "429" },
  { PR_VIA_GRAPH, 429, "Wed, 21 Oct 2015 07:00:00 GMT", "", PR_HTTP_SLOW_DOWN, 452, 1, "429" },
  { PR_VIA_GRAPH, 429, "0", "", PR_HTTP_SLOW_DOWN, 452, 1, "429" },
  { PR_VIA_GRAPH, 429, "99999999", "", PR_HTTP_SLOW_DOWN, 452, 86400, "429" },
  { PR_VIA_GRAPH, 429, "soon", "", PR_HTTP_SLOW_DOWN, 452, 60, "429" },
  { PR_VIA_GRAPH, 503, "5", "", PR_HTTP_SLOW_DOWN, 451, 5, "503" },
  { PR_VIA_GRAPH, 503, NULL, "", PR_HTTP_FAILED, 451, 0, "503" },
  { PR_VIA_GRAPH, 302, NULL, "", PR_HTTP_FAILED, 451, 0, "302" },
  /* Nonsense */
  { PR_VIA_GMAIL_API, 403, NULL, "{\"error\": \"access_denied\"}", PR_HTTP_SIGN_IN, 454, 0, "403" },
  { PR_VIA_GMAIL_API, 403, NULL, "{\"error\": {\"errors\": [], \"code\": 403}}", PR_HTTP_SIGN_IN,
    454, 0, "403" },
  { PR_VIA_GMAIL_API, 403, NULL, "{\"error\": {\"errors\": [7], \"message\": {}}}", PR_HTTP_SIGN_IN,
    454, 0, "403" },
  { PR_VIA_GMAIL_API, 500, NULL, "[]", PR_HTTP_FAILED, 451, 0, "500" },
  { PR_VIA_GMAIL_API, 500, NULL, "{\"error\": {\"message\": \"a\\u0000b\\r\\n250 ok\"}}",
    PR_HTTP_FAILED, 451, 0, "500" },
  { PR_VIA_GRAPH, 500, NULL, "\xff\xfe{", PR_HTTP_FAILED, 451, 0, "500" },
};

static void
test_judge (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *headers[] = { "Retry-After", cases[i].retry_after, NULL };
      PrWebAnswer answer = {
        .status = cases[i].status,
        .body = cases[i].body,
        .len = strlen (cases[i].body),
        .headers = cases[i].retry_after != NULL ? headers : headers + 2,
      };
      PrHttpAnswer judged;

      g_autofree char *shown = g_utf8_make_valid (cases[i].body, -1); /* TAP is UTF-8 */

      g_test_message ("%u %s", cases[i].status, shown);
      pr_http_answer_judge (&judged, cases[i].via, &answer, NOW_S);
      g_assert_cmpint (judged.verdict, ==, cases[i].verdict);
      g_assert_cmpuint (judged.reply.code, ==, cases[i].code);
      g_assert_cmpuint (judged.wait_s, ==, cases[i].wait_s);
      g_assert_nonnull (strstr (judged.reply.text, cases[i].words));
      pr_http_answer_clear (&judged);
      g_assert_null (judged.reply.text);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/http-answer/judge", test_judge);
  return g_test_run ();
}
