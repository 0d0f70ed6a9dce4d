/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/http-head.h"

#include <gmime/gmime.h>
#include <string.h>

#include "smtp/headers.h"

#define BODY "\r\nBcc: not@a.field\r\n"

typedef struct
{
  const char *name;
  const char *recipients; /* of the envelope, separated by blanks; "-a@b": not of this delivery */
  const char *header;
  const char *sent; /* NULL: it cannot go */
  const char *word; /* of the refusal */
} Case;

static const Case cases[] = {
  { "unchanged", "a@b.example", "To: A <a@b.example>\r\nSubject:  x \r\n", "=", NULL },
  { "other-case", "Bob@b.example", "To: bob@B.EXAMPLE\r\n", "=", NULL },
  { "to-and-cc", "a@b.example c@d.example", "Cc: c@d.example\r\nTo: a@b.example\r\n", "=", NULL },
  { "group", "a@b.example", "To: team: a@b.example;\r\n", "=", NULL },
  { "hidden", "a@b.example c@d.example e@f.example", "To: a@b.example\r\nSubject: x\r\n",
    "To: a@b.example\r\nSubject: x\r\nBcc: c@d.example,\r\n e@f.example\r\n", NULL },
  { "nobody-shown", "a@b.example", "To: undisclosed-recipients:;\r\n",
    "To: undisclosed-recipients:;\r\nBcc: a@b.example\r\n", NULL },
  { "no-fields-of-it", "a@b.example", "Subject: x\r\n", "Subject: x\r\nBcc: a@b.example\r\n",
    NULL },
  { "bcc-replaced", "a@b.example c@d.example",
    "Bcc: c@d.example, stranger@x.example\r\nTo: a@b.example\r\n",
    "To: a@b.example\r\nBcc: c@d.example\r\n", NULL },
  { "bcc-needless", "a@b.example", "To: a@b.example\r\nbcc: a@b.example\r\n", "To: a@b.example\r\n",
    NULL },
  { "two-spellings", "a@b.example A@b.example", "Subject: x\r\n",
    "Subject: x\r\nBcc: a@b.example\r\n", NULL },
  { "never-wider", "a@b.example", "To: a@b.example, c@d.example\r\n", NULL, "c@d.example" },
  { "not-again", "a@b.example -c@d.example", "To: a@b.example\r\nCc: c@d.example\r\n", NULL,
    "c@d.example" },
  { "list", "member@b.example", "To: list@l.example\r\n", NULL, "list@l.example" },
  { "twice", "a@b.example c@d.example", "To: a@b.example\r\nTo: c@d.example\r\n", NULL,
    "more than one field To" },
  { "not-right", "a@b.example", "To: a@b.example c@d.example\r\n", NULL, "field To" },
  { "not-right-cc", "a@b.example", "To: a@b.example\r\nCc: <a@b.example\r\n", NULL, "field Cc" },
  { "no-domain", "postmaster", "To: postmaster\r\n", NULL, "no domain" },
};

static PrMessage *
make_message (const char *recipients, GArray *indexes, guint64 size_octets)
{
  g_auto (GStrv) words = g_strsplit (recipients, " ", -1);
  PrEnvelope *envelope = pr_envelope_new ();
  PrMessage *message;

  for (guint i = 0; words[i] != NULL; i++)
    {
      gboolean other = words[i][0] == '-';

      pr_envelope_add_recipient (envelope, words[i] + other, PR_NOTIFY_UNSET, NULL);
      if (!other)
        g_array_append_val (indexes, i);
    }
  message = pr_message_new (1, 1, envelope);
  message->size_octets = size_octets;
  return message;
}

static void
make (PrHttpHead *out, const PrRouteConfig *route, const char *recipients, const char *text,
      gsize len)
{
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (PrMessage) message = make_message (recipients, indexes, len);

  pr_http_head_make (out, route, message, (const guint *) indexes->data, indexes->len, text, len);
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *text = g_strconcat (c->header, BODY, NULL);
  const char *expected = g_strcmp0 (c->sent, "=") == 0 ? c->header : c->sent;
  PrRouteConfig route = { .via = PR_VIA_GMAIL_API };
  PrHttpHead head;

  make (&head, &route, c->recipients, text, strlen (text));
  if (expected != NULL)
    {
      g_assert_null (head.refusal);
      g_assert_cmpstr (head.head->str, ==, expected);
      g_assert_cmpuint (head.head_octets, ==, strlen (c->header));
    }
  else
    {
      g_assert_null (head.head);
      g_assert_nonnull (strstr (head.refusal, c->word));
      g_assert_nonnull (strstr (head.refusal, "SMTP")); /* what to do */
    }
  pr_http_head_clear (&head);
  g_assert_null (head.refusal);
}

/* A body without an empty line before it stays the body. */
static void
test_no_empty_line (void)
{
  static const char text[] = "To: a@b.example\r\nthis is no field\r\n";
  PrRouteConfig route = { 0 };
  PrHttpHead head;

  make (&head, &route, "a@b.example c@d.example", text, strlen (text));
  g_assert_cmpstr (head.head->str, ==, "To: a@b.example\r\nBcc: c@d.example\r\n\r\n");
  g_assert_cmpuint (head.head_octets, ==, strlen ("To: a@b.example\r\n"));
  pr_http_head_clear (&head);
}

static void
test_rewrite (void)
{
  static const char text[] = "From: Scanner <x@here.test>\r\nTo: a@b.example\r\n\r\nx\r\n";
  PrRouteConfig route = { .rewrite_sender = (char *) "me@gmail.example" };
  PrHttpHead head;

  make (&head, &route, "a@b.example", text, strlen (text));
  g_assert_cmpstr (head.head->str, ==,
                   "From: Scanner <me@gmail.example>\r\nTo: a@b.example\r\n"
                   "Reply-To: Scanner <x@here.test>\r\n");
  pr_http_head_clear (&head);
}

static void
test_nul (void)
{
  static const char text[] = "To: a@b.example\0, c@d.example\r\n\r\nx\r\n";
  PrRouteConfig route = { 0 };
  PrHttpHead head;

  make (&head, &route, "a@b.example", text, sizeof text - 1);
  g_assert_nonnull (head.refusal);
  pr_http_head_clear (&head);
}

/* The rest of a header that does not fit could name anybody. */
static void
test_too_large (void)
{
  g_autoptr (GString) text = g_string_new ("To: a@b.example\r\n");
  PrRouteConfig route = { 0 };
  PrHttpHead head;

  while (text->len <= PR_HEADERS_MAX)
    g_string_append (text, "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
  g_string_append (text, "Cc: stranger@x.example\r\n\r\nx\r\n");
  make (&head, &route, "a@b.example", text->str, text->len);
  g_assert_nonnull (head.refusal);
  pr_http_head_clear (&head);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/http-head/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/http-head/no-empty-line", test_no_empty_line);
  g_test_add_func ("/http-head/rewrite", test_rewrite);
  g_test_add_func ("/http-head/nul", test_nul);
  g_test_add_func ("/http-head/too-large", test_too_large);
  return g_test_run ();
}
