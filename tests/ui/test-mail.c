/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ui/mail-outline, ui/mail-decode and ui/html-text: what anybody may have sent. No display. */

#include <string.h>

#include "ui/html-text.h"
#include "ui/mail-decode.h"

/* Fed in pieces of @step octets: what is found may not depend on them. */
static PrMailOutline *
outline (const char *text, gsize size, gsize step)
{
  PrMailOutline *self = pr_mail_outline_new ();

  for (gsize at = 0; at < size; at += step)
    pr_mail_outline_feed (self, text + at, MIN (step, size - at), FALSE);
  pr_mail_outline_feed (self, NULL, 0, TRUE);
  return self;
}

static const PrMailPart *
part_at (PrMailOutline *self, guint index)
{
  GPtrArray *parts = pr_mail_outline_get_parts (self);

  g_assert_cmpuint (index, <, parts->len);
  return parts->pdata[index];
}

static const char *
header (PrMailOutline *self, const char *name)
{
  GPtrArray *headers = pr_mail_outline_get_headers (self);

  for (guint i = 0; i < headers->len; i++)
    {
      const PrMailHeader *one = headers->pdata[i];

      if (g_ascii_strcasecmp (one->name, name) == 0)
        return one->value;
    }
  return NULL;
}

static void
check_body (PrMailOutline *self, guint index, const char *text, const char *expected)
{
  const PrMailPart *part = part_at (self, index);
  g_autofree char *body = g_strndup (text + part->offset, part->size_octets);

  g_assert_true (part->ended);
  g_assert_cmpstr (body, ==, expected);
}

static void
test_plain (void)
{
  static const char text[] =
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nTo: a@x.test,\r\n b@x.test\r\n"
    "no header\r\nX-Odd\t : yes\r\n\r\nHello\r\n";

  for (gsize step = 1; step < sizeof text; step += 7)
    {
      g_autoptr (PrMailOutline) self = outline (text, sizeof text - 1, step);

      g_assert_cmpstr (header (self, "subject"), ==, "Grüße");
      g_assert_cmpstr (header (self, "to"), ==, "a@x.test, b@x.test");
      g_assert_cmpstr (header (self, "X-Odd"), ==, "yes");
      g_assert_cmpuint (pr_mail_outline_get_parts (self)->len, ==, 1);
      g_assert_cmpstr (part_at (self, 0)->type, ==, "text/plain");
      g_assert_false (part_at (self, 0)->attachment);
      check_body (self, 0, text, "Hello\r\n");
    }
}

static const char nested[] =
  "Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\npreamble\r\n--out\r\n"
  "Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\n\r\nplain\r\n--in\r\n"
  "Content-Type: text/html; charset=utf-8\r\n\r\n<p>html\r\n--in--\r\nepilogue\r\n--out \t\r\n"
  "Content-Type: application/pdf; name=\"=?utf-8?q?Z=C3=BC.pdf?=\"\r\n"
  "Content-Transfer-Encoding: BASE64\r\nContent-Disposition: attachment\r\n\r\n"
  "aGVsbG8=\r\n--outer is none\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n"
  "Subject: inner\r\n\r\n--in\r\n--out--\r\nthe end\r\n";

static void
test_nested (void)
{
  for (gsize step = 1; step < sizeof nested; step += 13)
    {
      g_autoptr (PrMailOutline) self = outline (nested, sizeof nested - 1, step);

      g_assert_cmpuint (pr_mail_outline_get_parts (self)->len, ==, 4);
      check_body (self, 0, nested, "plain");
      check_body (self, 1, nested, "<p>html");
      check_body (self, 2, nested, "aGVsbG8=\r\n--outer is none");
      check_body (self, 3, nested, "Subject: inner\r\n\r\n--in");
      g_assert_cmpuint (part_at (self, 0)->alternative, ==, 1);
      g_assert_cmpuint (part_at (self, 1)->alternative, ==, 1);
      g_assert_cmpuint (part_at (self, 2)->alternative, ==, 0);
      g_assert_cmpstr (part_at (self, 2)->name, ==, "Zü.pdf");
      g_assert_cmpstr (part_at (self, 2)->encoding, ==, "base64");
      g_assert_true (part_at (self, 2)->attachment);
      g_assert_true (part_at (self, 3)->attachment);
      g_assert_true (pr_mail_outline_is_known (self));
    }
}

/* One part needs no more than its header; of several each may be the last. */
static void
test_known (void)
{
  static const char single[] = "Content-Type: application/zip\r\n\r\nPK";
  g_autoptr (PrMailOutline) self = pr_mail_outline_new ();
  g_autoptr (PrMailOutline) several = pr_mail_outline_new ();

  pr_mail_outline_feed (self, "Subject: x\r\n", 12, FALSE);
  g_assert_false (pr_mail_outline_is_known (self));
  pr_mail_outline_feed (self, single, sizeof single - 1, FALSE);
  g_assert_true (pr_mail_outline_is_known (self));
  g_assert_false (part_at (self, 0)->ended);
  pr_mail_outline_feed (several, nested, sizeof nested - 20, FALSE);
  g_assert_false (pr_mail_outline_is_known (several));
}

/* A boundary in a header, none at all, one that nobody opened, an end in the middle. */
static void
test_broken (void)
{
  static const char *const texts[] = {
    "",
    "\r\n",
    "\r\n\r\n",
    ":\r\n: x\r\n x\r\n\r\n",
    "Content-Type: multipart/mixed; boundary=b",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n--b\r\n",
    "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n",
    "Content-Type: multipart/mixed\r\n\r\n--b\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n--b\r\n\r\n"
    "x\n--b--",
    "Content-Type: \r\nContent-Type: ;;;=\"\r\nContent-Disposition: \x01\xff\r\n\r\n\xff",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed;"
    " boundary=b\r\n\r\n--b\r\n--b--\r\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (gsize step = 1; step < 9; step++)
      {
        g_autoptr (PrMailOutline) self = outline (texts[i], strlen (texts[i]), step);
        GPtrArray *parts = pr_mail_outline_get_parts (self);

        for (guint j = 0; j < parts->len; j++)
          {
            const PrMailPart *part = parts->pdata[j];

            g_assert_true (part->ended);
            g_assert_cmpuint (part->offset + part->size_octets, <=, strlen (texts[i]));
          }
      }
}

/* However much is sent, little is kept. */
static void
test_bounds (void)
{
  g_autoptr (PrMailOutline) self = pr_mail_outline_new ();
  g_autoptr (PrMailOutline) deep = pr_mail_outline_new ();
  g_autofree char *line = g_strnfill (100000, 'x');

  for (guint i = 0; i < 5000; i++)
    pr_mail_outline_feed (self, "X-Many: yes\r\n", 13, FALSE);
  pr_mail_outline_feed (self, "X-Long: ", 8, FALSE);
  pr_mail_outline_feed (self, line, 100000, FALSE);
  pr_mail_outline_feed (self, "\r\n\r\n", 4, TRUE);
  g_assert_cmpuint (pr_mail_outline_get_headers (self)->len, <=, 200);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *part =
        g_strdup_printf ("Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);

      pr_mail_outline_feed (deep, part, strlen (part), FALSE);
    }
  for (guint i = 0; i < 1000; i++)
    pr_mail_outline_feed (deep, "\r\n\r\nx\r\n--b3\r\n", 13, FALSE);
  pr_mail_outline_feed (deep, "", 0, TRUE);
  g_assert_cmpuint (pr_mail_outline_get_parts (deep)->len, ==, 200);
}

static void
check_name (const char *name, const char *expected)
{
  g_autofree char *safe = pr_mail_file_name (name);

  g_assert_cmpstr (safe, ==, expected);
}

static void
test_file_names (void)
{
  g_autofree char *words = g_strnfill (300, 'n');
  g_autofree char *long_name = g_strconcat (words, ".tar.gz", NULL);
  g_autofree char *short_name = pr_mail_file_name (long_name);

  check_name (NULL, NULL);
  check_name ("", NULL);
  check_name ("..", NULL);
  check_name ("../../etc/passwd", "passwd");
  check_name ("C:\\temp\\a.txt", "a.txt");
  check_name (".profile", "profile");
  check_name ("a\nb\tc", "abc");
  check_name ("invoice\u202efdp.exe", "invoicefdp.exe");
  check_name ("a:b?.txt", "a-b-.txt");
  check_name ("x/", NULL);
  check_name ("\xff.txt", "\ufffd.txt");
  g_assert_cmpuint (strlen (short_name), <=, 120);
  g_assert_true (g_str_has_suffix (short_name, ".gz"));
}

/* ── Text ─────────────────────────────────────────────────────────────────────────────────── */

static void
check_text (const char *type, const char *charset, const char *encoding, const char *data,
            const char *expected)
{
  PrMailPart part = {
    .type = (char *) type,
    .charset = (char *) charset,
    .encoding = (char *) encoding,
  };
  g_autofree char *text = pr_mail_part_to_text (&part, data, strlen (data));

  g_assert_cmpstr (text, ==, expected);
}

static void
test_text (void)
{
  check_text ("text/plain", NULL, NULL, "", "");
  check_text ("text/plain", NULL, NULL, "a\r\nb\a\x1b[31m", "a\nb[31m");
  check_text ("text/plain", NULL, NULL, "gr\xfc\xdf", "grüß");
  check_text ("text/plain", "iso-8859-1", "quoted-printable", "gr=FC=DF=\r\ne", "grüße");
  check_text ("text/plain", "utf-8", "base64", "Z3LDvMOf", "grüß");
  check_text ("text/plain", "utf-8", "base64", "!!", "");
  check_text ("text/plain", "utf-8", "no-such", "x", "x");
  check_text ("text/plain", "no-such", NULL, "gr\xfc\xdf", "grüß");
  check_text ("text/plain", "utf-8", NULL, "half \xc3", "half \ufffd");
  check_text ("text/html", "utf-8", "quoted-printable", "<b>a</b>=20b", "a b");
}

static void
test_decoder (void)
{
  static const char encoded[] = "aGVsbG8s\r\nIHdvcmxk\r\n";

  for (gsize step = 1; step < sizeof encoded; step++)
    {
      g_autoptr (PrMailDecoder) decoder = pr_mail_decoder_new ("base64");
      g_autoptr (GString) out = g_string_new (NULL);

      for (gsize at = 0; at < sizeof encoded - 1; at += step)
        {
          gsize n = MIN (step, sizeof encoded - 1 - at);
          g_autoptr (GBytes) piece =
            pr_mail_decoder_step (decoder, encoded + at, n, at + n == sizeof encoded - 1);

          g_string_append_len (out, g_bytes_get_data (piece, NULL),
                               (gssize) g_bytes_get_size (piece));
        }
      g_assert_cmpstr (out->str, ==, "hello, world");
    }
  {
    PrMailPart part = { .encoding = (char *) "base64", .size_octets = 780 };

    g_assert_cmpuint (pr_mail_part_get_size (&part), ==, 570);
    part.encoding = NULL;
    g_assert_cmpuint (pr_mail_part_get_size (&part), ==, 780);
  }
}

static void
check_html (const char *html, const char *expected)
{
  g_autofree char *text = pr_html_to_text (html);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_html (void)
{
  check_html ("", "");
  check_html ("a  b\r\n c", "a b c");
  check_html ("<p>One</p><p>Two<br>lines</p>", "One\n\nTwo\nlines");
  check_html ("<ul><li>a<li>b</ul>c", "• a\n• b\n\nc");
  check_html ("<head><title>no</title><style>p{}</style></head><body>yes", "yes");
  check_html ("a<script>if (a < b) </b> evil ()</script >b", "ab");
  check_html ("a<!-- <p> -->b<!-- open", "ab");
  check_html ("&lt;b&gt; &amp;amp; &uuml;&#252;&#xFC; &bogus; & &#0;&#x202e;&#99999999;.",
              "<b> &amp; üüü &bogus; & .");
  check_html ("a&nbsp;&nbsp;b", "a b");
  check_html ("<a href=\"https://evil.test/\">your bank</a>", "your bank <https://evil.test/>");
  check_html ("<a href='https://x.test/'>https://x.test/</a>", "https://x.test/");
  check_html ("<a href=javascript:x()>click</a>", "click");
  check_html ("<img src=\"https://track.test/\" alt=\"A cat\">", "A cat");
  check_html ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc");
  check_html ("<pre>a\n  b</pre>", "a\n  b");
  check_html ("1 < 2 <3 <", "1 < 2 <3 <");
  check_html ("<p title=\"a > b\">x", "x");
  check_html ("<p title=\"open>x", "x");
  check_html ("<p", "");
  check_html ("</", "");
  check_html ("<script>never closed", "");
}

/* Pages made to be slow are not. The suite's own limit of time would tell. */
static void
test_html_hostile (void)
{
  static const char *const pieces[] = { "<",       "<a href='", "<p title=\"", "&",     "</",
                                        "<script", "<!--",      "<a href=x>",  "<pre>", "<li>" };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) page = g_string_new (NULL);
      g_autofree char *text = NULL;

      while (page->len < 400000)
        g_string_append (page, pieces[i]);
      g_string_append_c (page, '>');
      text = pr_html_to_text (page->str);
      g_assert_cmpuint (strlen (text), <=, 3 * page->len);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_test_add_func ("/ui/mail/plain", test_plain);
  g_test_add_func ("/ui/mail/nested", test_nested);
  g_test_add_func ("/ui/mail/known", test_known);
  g_test_add_func ("/ui/mail/broken", test_broken);
  g_test_add_func ("/ui/mail/bounds", test_bounds);
  g_test_add_func ("/ui/mail/file-names", test_file_names);
  g_test_add_func ("/ui/mail/text", test_text);
  g_test_add_func ("/ui/mail/decoder", test_decoder);
  g_test_add_func ("/ui/mail/html", test_html);
  g_test_add_func ("/ui/mail/html-hostile", test_html_hostile);

  return g_test_run ();
}
