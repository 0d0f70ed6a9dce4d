/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/mime-walk.h"

#include <gmime/gmime.h>
#include <string.h>

/* Everything that came out, and where it belongs. */
typedef struct
{
  GString *octets; /* owned: all, in order */
  GString *map;    /* owned: one letter for each octet: h for header, b for body, - for between */
  GString *log;    /* owned: what entities there were */
  gboolean in_body;
} Seen;

static void
see (Seen *self, const char *data, gsize len, char letter)
{
  g_assert_cmpuint (len, >, 0);
  g_string_append_len (self->octets, data, len);
  for (gsize i = 0; i < len; i++)
    g_string_append_c (self->map, letter);
}

static void
on_field (gpointer owner, const PrMimeEntity *entity, const char *text, gsize len, gsize name_len)
{
  see (owner, text, len, 'h');
}

static void
on_end_header (gpointer owner, const PrMimeEntity *entity)
{
  static const char *const encodings[] = { "7bit", "8bit", "binary", "qp", "base64", "other" };
  Seen *self = owner;

  g_assert_false (self->in_body);
  self->in_body = !entity->is_multipart && !entity->is_message;
  g_string_append_printf (self->log, "%u%s%s%s%s%s%s%s %s\n", entity->index,
                          entity->is_multipart ? " multipart" : "",
                          entity->is_message ? " message" : "", entity->is_opaque ? " opaque" : "",
                          entity->is_text ? " text" : "", entity->has_type ? " typed" : "",
                          entity->has_version ? " version" : "", entity->is_signed ? " signed" : "",
                          encodings[entity->encoding]);
}

static void
on_body (gpointer owner, const PrMimeEntity *entity, const char *data, gsize len)
{
  g_assert_true (((Seen *) owner)->in_body);
  see (owner, data, len, 'b');
}

static void
on_end_body (gpointer owner, const PrMimeEntity *entity)
{
  g_assert_true (((Seen *) owner)->in_body);
  ((Seen *) owner)->in_body = FALSE;
}

static void
on_between (gpointer owner, const char *data, gsize len)
{
  see (owner, data, len, '-');
}

static const PrMimeSink sink = { on_field, on_end_header, on_body, on_end_body, on_between };

static void
seen_clear (Seen *self)
{
  g_string_free (self->octets, TRUE);
  g_string_free (self->map, TRUE);
  g_string_free (self->log, TRUE);
}

static Seen
walk (const char *data, gsize len, gsize step)
{
  Seen seen = { g_string_new (NULL), g_string_new (NULL), g_string_new (NULL), FALSE };
  g_autoptr (PrMimeWalk) walk = pr_mime_walk_new (&sink, &seen);

  for (gsize at = 0; at < len; at += step)
    {
      gsize n = MIN (step, len - at);
      g_autofree char *piece = g_memdup2 (data + at, n);

      pr_mime_walk_feed (walk, piece, n);
    }
  pr_mime_walk_finish (walk);
  g_assert_false (seen.in_body);
  return seen;
}

#define MIXED "Content-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n"

static const struct
{
  const char *name, *in, *bodies, *log;
} cases[] = {
  { "plain", "Subject: x\r\n\r\nText\r\n", "Text\r\n", "0 text 7bit\n" },
  { "empty", "", "", "0 text 7bit\n" },
  { "no-header", "Hello world\r\n\r\nx", "Hello world\r\n\r\nx", "0 text 7bit\n" },
  { "8bit",
    "MIME-Version: 1.0\r\nContent-Type: image/png\r\ncontent-transfer-encoding:\r\n 8BIT "
    "\r\n\r\nx",
    "x", "0 typed version 8bit\n" },
  { "mixed",
    MIXED "pre\r\n--b 1\r\n\r\none\r\n--b 1 \r\nContent-Transfer-Encoding: base64\r\n\r\n"
          "two\r\n\r\n--b 1--\r\npost\r\n--b 1\r\n\r\nno\r\n",
    "one|two\r\n", "0 multipart typed 7bit\n1 text 7bit\n2 text base64\n" },
  { "unended", MIXED "--b 1\r\n\r\none\r\n", "one\r\n", "0 multipart typed 7bit\n1 text 7bit\n" },
  { "no-lines", MIXED "--b 1\r\n--b 1--", "", "0 multipart typed 7bit\n1 text 7bit\n" },
  { "almost", MIXED "--b 1\r\n\r\n--b 1x\r\n--b\r\n-\r\n--\r\nx--b 1\r\n--b 1--",
    "--b 1x\r\n--b\r\n-\r\n--\r\nx--b 1", "0 multipart typed 7bit\n1 text 7bit\n" },
  { "nested",
    MIXED "--b 1\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nA\r\n"
          "--c--\r\n--b 1\r\n\r\nB\r\n--b 1--\r\n",
    "A|B", "0 multipart typed 7bit\n1 multipart typed 7bit\n2 text 7bit\n3 text 7bit\n" },
  { "outer-ends-inner",
    MIXED "--b 1\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nA\r\n"
          "--b 1\r\n\r\nB\r\n--c\r\n--b 1--\r\n",
    "A|B\r\n--c", "0 multipart typed 7bit\n1 multipart typed 7bit\n2 text 7bit\n3 text 7bit\n" },
  { "signed",
    "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nA\r\n--s\r\n"
    "Content-Type: application/pgp-signature\r\n\r\nB\r\n--s--\r\n",
    "A|B", "0 multipart typed 7bit\n1 text signed 7bit\n2 typed signed 7bit\n" },
  { "message",
    MIXED "--b 1\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nA\r\n--b 1\r\n\r\nB\r\n"
          "--b 1--\r\n",
    "A|B", "0 multipart typed 7bit\n1 message typed 7bit\n2 text 7bit\n3 text 7bit\n" },
  { "digest",
    "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: y\r\n\r\nA\r\n--d--\r\n",
    "A", "0 multipart typed 7bit\n1 message 7bit\n2 text 7bit\n" },
  { "no-boundary", "Content-Type: multipart/mixed\r\n\r\n--\r\nx\r\n", "--\r\nx\r\n",
    "0 opaque typed 7bit\n" },
  { "encoded-container",
    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "x",
    "x", "0 opaque typed base64\n" },
  { "partial", "Content-Type: message/partial; number=1\r\n\r\nx", "x", "0 opaque typed 7bit\n" },
  { "header-breaks-off", MIXED "--b 1\r\nX: y\r\nText: no\r\nfield here\r\n--b 1--", "field here",
    "0 multipart typed 7bit\n1 text 7bit\n" },
  { "bare-lf", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n", "one",
    "0 multipart typed 7bit\n1 text 7bit\n" },
};

/* The body octets with "|" between bodies that are not neighbours. */
static char *
get_bodies (const Seen *seen)
{
  GString *out = g_string_new (NULL);
  char before = 0;

  for (gsize i = 0; i < seen->octets->len; i++)
    {
      if (seen->map->str[i] == 'b' && before != 'b' && out->len > 0)
        g_string_append_c (out, '|');
      before = seen->map->str[i];
      if (before == 'b')
        g_string_append_c (out, seen->octets->str[i]);
    }
  return g_string_free (out, FALSE);
}

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].in) + 1; step++)
      {
        Seen seen = walk (cases[i].in, strlen (cases[i].in), step);
        g_autofree char *bodies = get_bodies (&seen);

        g_test_message ("%s by %" G_GSIZE_FORMAT, cases[i].name, step);
        g_assert_cmpstr (seen.octets->str, ==, cases[i].in);
        g_assert_cmpstr (seen.log->str, ==, cases[i].log);
        g_assert_cmpstr (bodies, ==, cases[i].bodies);
        seen_clear (&seen);
      }
}

/* Whatever comes in comes out, told apart in the same way in every fragmentation. */
static void
test_random (void)
{
  static const char *const words[] = {
    MIXED,
    "--b 1\r\n",
    "--b 1--\r\n",
    "\r\n",
    "\r\n",
    "\n",
    "\r",
    "x",
    "--",
    "\377",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: multipart/signed; boundary=s\r\n\r\n",
    "--s\r\n",
    "--s--\r\n",
    "Content-Transfer-Encoding: 8bit\r\n",
    " ",
    ":",
    "",
  };

  for (guint round = 0; round < 1500; round++)
    {
      g_autoptr (GString) in = g_string_new (g_test_rand_bit () ? MIXED : "");
      Seen whole, pieces;

      for (int n = g_test_rand_int_range (0, 20); n > 0; n--)
        {
          const char *word = words[g_test_rand_int_range (0, G_N_ELEMENTS (words))];
          g_string_append_len (in, word, *word == '\0' ? 1 : strlen (word));
        }
      whole = walk (in->str, in->len, in->len + 1);
      pieces = walk (in->str, in->len, g_test_rand_int_range (1, 9));
      g_assert_cmpmem (whole.octets->str, whole.octets->len, in->str, in->len);
      g_assert_cmpmem (pieces.octets->str, pieces.octets->len, in->str, in->len);
      g_assert_cmpstr (whole.log->str, ==, pieces.log->str);
      g_assert_cmpstr (whole.map->str, ==, pieces.map->str);
      seen_clear (&whole);
      seen_clear (&pieces);
    }
}

/* Long lines, long fields and deep nesting cost no memory and lose nothing. */
static void
test_bounds (void)
{
  g_autoptr (GString) in = g_string_new ("X: ");
  Seen seen;

  for (guint i = 0; i < 200000; i++)
    g_string_append_c (in, 'x');
  g_string_append (in, "\r\n");
  for (guint i = 0; i < 200; i++)
    g_string_append_printf (in, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i,
                            i);
  g_string_append (in, "\r\n");
  for (guint i = 0; i < 200000; i++)
    g_string_append_c (in, 'y');
  g_string_append (in, "\r\n--b5--\r\n");

  for (gsize step = 1; step < 10000; step = step * 7 + 1)
    {
      seen = walk (in->str, in->len, step);
      g_assert_cmpmem (seen.octets->str, seen.octets->len, in->str, in->len);
      seen_clear (&seen);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/mime-walk/cases", test_cases);
  g_test_add_func ("/mime-walk/random", test_random);
  g_test_add_func ("/mime-walk/bounds", test_bounds);
  return g_test_run ();
}
