/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/http-graph.h"

#include <string.h>

static void
test_mailbox (void)
{
  static const struct
  {
    const char *flow, *username, *url;
  } cases[] = {
    { "auto", "me@firm.test", "https://g/v1.0/me" },
    { "client-credentials", "me@firm.test", "https://g/v1.0/users/me@firm.test" },
    { "client-credentials", "a/../b?c@firm.test", "https://g/v1.0/users/a%2F..%2Fb%3Fc@firm.test" },
    { "client-credentials", NULL, "https://g/v1.0/me" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PrRouteConfig route = { .oauth_flow = (char *) cases[i].flow,
                              .username = (char *) cases[i].username };
      g_autofree char *url = pr_graph_get_mailbox_url (&route, "https://g/v1.0");

      g_assert_cmpstr (url, ==, cases[i].url);
    }
}

static void
test_attachment (void)
{
  PrHttpAttachment it = { .name = (char *) "\"a\".pdf",
                          .type = (char *) "application/pdf",
                          .content_id = (char *) "i@x",
                          .is_inline = TRUE,
                          .size_octets = 5000000000 };
  g_autofree char *before = NULL, *behind = NULL;
  g_autofree char *session = pr_graph_write_session (&it);

  pr_graph_write_attachment (&it, &before, &behind);
  g_assert_cmpstr (before, ==,
                   "{\"name\":\"\\\"a\\\".pdf\",\"contentType\":\"application/pdf\","
                   "\"isInline\":true,\"contentId\":\"i@x\",\"@odata.type\":"
                   "\"#microsoft.graph.fileAttachment\",\"contentBytes\":\"");
  g_assert_cmpstr (behind, ==, "\"}");
  g_assert_cmpstr (session, ==,
                   "{\"AttachmentItem\":{\"name\":\"\\\"a\\\".pdf\",\"contentType\":"
                   "\"application/pdf\",\"isInline\":true,\"contentId\":\"i@x\","
                   "\"attachmentType\":\"file\",\"size\":5000000000}}");
}

static void
test_answer (void)
{
  static const struct
  {
    const char *body, *id;
  } cases[] = {
    { "{\"id\":\"AAM=\",\"x\":1}", "AAM=" },
    { "{\"id\":1}", NULL },
    { "{\"id\":{}}", NULL },
    { "{}", NULL },
    { "[\"id\"]", NULL },
    { "", NULL },
    { "<html>", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PrWebAnswer answer = { .status = 201, .body = cases[i].body, .len = strlen (cases[i].body) };
      g_autofree char *id = pr_graph_read_text (&answer, "id");

      g_assert_cmpstr (id, ==, cases[i].id);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/http-graph/mailbox", test_mailbox);
  g_test_add_func ("/http-graph/attachment", test_attachment);
  g_test_add_func ("/http-graph/answer", test_answer);
  return g_test_run ();
}
