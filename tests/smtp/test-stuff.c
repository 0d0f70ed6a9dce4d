/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "smtp/stuff.h"

static const struct
{
  const char *name, *in, *out;
} cases[] = {
  { "empty", "", ".\r\n" },
  { "line", "a\r\n", "a\r\n.\r\n" },
  { "no-end", "a", "a\r\n.\r\n" },
  { "dot", ".", "..\r\n.\r\n" },
  { "dot-line", ".\r\n", "..\r\n.\r\n" },
  { "dots", "..\r\n...\r\na.b\r\n", "...\r\n....\r\na.b\r\n.\r\n" },
  { "dot-behind-empty", "\r\n.a\r\n", "\r\n..a\r\n.\r\n" },
  { "bare-lf", "a\nb", "a\r\nb\r\n.\r\n" },
  { "bare-cr", "a\rb", "a\r\nb\r\n.\r\n" },
  { "cr-at-end", "a\r", "a\r\n.\r\n" },
  { "cr-cr-lf", "a\r\r\n", "a\r\n\r\n.\r\n" },
  { "lf-cr", "a\n\rb", "a\r\n\r\nb\r\n.\r\n" },
  { "smuggled-lf", "a\n.\nMAIL FROM:<x>", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n" },
  { "smuggled-cr", "a\r.\rb", "a\r\n..\r\nb\r\n.\r\n" },
  { "smuggled-mixed", "a\r\n.\nb\n.\r\n", "a\r\n..\r\nb\r\n..\r\n.\r\n" },
};

static void
append (PrStuffer *stuffer, const char *data, gsize len, GString *out)
{
  g_autofree char *piece = len > 0 ? g_memdup2 (data, len) : NULL; /* ASan sees its borders */

  pr_stuffer_append (stuffer, piece, len, out);
}

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].in) + 1; step++)
      {
        g_autoptr (GString) out = g_string_new (NULL);
        PrStuffer stuffer = { 0 };
        gsize len = strlen (cases[i].in);

        g_test_message ("%s by %" G_GSIZE_FORMAT, cases[i].name, step);
        for (gsize at = 0; at < len; at += step)
          append (&stuffer, cases[i].in + at, MIN (step, len - at), out);
        append (&stuffer, NULL, 0, out);
        pr_stuffer_finish (&stuffer, out);
        g_assert_cmpstr (out->str, ==, cases[i].out);
        g_assert_cmpint (stuffer.at, ==, PR_STUFFER_LINE_START);
      }
}

/* What a server makes of it (RFC 5321 §4.5.2): only CRLF "." CRLF ends the text. */
static GString *
unstuff (const GString *in)
{
  GString *out = g_string_new (NULL);
  const char *line = in->str, *end = in->str + in->len;

  while (line < end)
    {
      const char *lf = memchr (line, '\n', end - line);

      g_assert_nonnull (lf);
      g_assert_true (lf > line && lf[-1] == '\r');
      g_assert_null (memchr (line, '\r', lf - 1 - line));
      if (*line == '.' && lf - line == 2)
        {
          g_assert_true (lf + 1 == end); /* nothing behind the end, no end before it */
          return out;
        }
      g_string_append_len (out, *line == '.' ? line + 1 : line, lf + 1 - line - (*line == '.'));
      line = lf + 1;
    }
  g_assert_not_reached ();
}

/* The same repair of line ends, written the slow way. */
static GString *
repair (const GString *in)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < in->len; i++)
    if (in->str[i] == '\r')
      {
        g_string_append (out, "\r\n");
        if (i + 1 < in->len && in->str[i + 1] == '\n')
          i++;
      }
    else if (in->str[i] == '\n')
      g_string_append (out, "\r\n");
    else
      g_string_append_c (out, in->str[i]);
  if (out->len > 0 && out->str[out->len - 1] != '\n')
    g_string_append (out, "\r\n");
  return out;
}

static void
test_round_trip (void)
{
  static const char alphabet[] = { '.', '.', '\r', '\n', '\r', '\n', 'a', '\0', '\xff', ' ' };

  for (guint round = 0; round < 20000; round++)
    {
      g_autoptr (GString) in = g_string_new (NULL), out = g_string_new (NULL);
      g_autoptr (GString) expected = NULL, back = NULL;
      PrStuffer stuffer = { 0 };
      gsize len = g_test_rand_int_range (0, 40);

      for (gsize i = 0; i < len; i++)
        g_string_append_c (in, alphabet[g_test_rand_int_range (0, G_N_ELEMENTS (alphabet))]);
      for (gsize at = 0, n; at < len; at += n)
        {
          n = g_test_rand_int_range (1, 9);
          n = MIN (n, len - at);
          append (&stuffer, in->str + at, n, out);
        }
      pr_stuffer_finish (&stuffer, out);

      expected = repair (in);
      back = unstuff (out);
      g_assert_cmpmem (back->str, back->len, expected->str, expected->len);
    }
}

static void
test_bdat (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  pr_bdat_append ("a\n.\0", 4, FALSE, out);
  pr_bdat_append (NULL, 0, TRUE, out);
  pr_bdat_append ("x", 1, TRUE, out);
  g_assert_cmpmem (out->str, out->len, "BDAT 4\r\na\n.\0BDAT 0 LAST\r\nBDAT 1 LAST\r\nx", 39);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/stuff/cases", test_cases);
  g_test_add_func ("/stuff/round-trip", test_round_trip);
  g_test_add_func ("/stuff/bdat", test_bdat);
  return g_test_run ();
}
