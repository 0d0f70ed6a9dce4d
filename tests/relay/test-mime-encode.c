/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay/mime-encode.h"

#include <gmime/gmime.h>
#include <string.h>

static const struct
{
  const char *in, *qp;
} cases[] = {
  { "", "" },
  { "abc", "abc" },
  { "a=b\r\n", "a=3Db\r\n" },
  { "a \r\nb\t\r\n \r\n", "a=20\r\nb=09\r\n=20\r\n" },
  { "a b  c ", "a b  c=20" },
  { "\303\274\r\n", "=C3=BC\r\n" },
  { "a\rb\nc\r\r\n", "a=0Db=0Ac=0D\r\n" },
  { " \rx\r", " =0Dx=0D" },
  { "\r\n\r\n", "\r\n\r\n" },
};

static void
test_qp_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step <= strlen (cases[i].in) + 1; step++)
      {
        PrMimeEncoder encoder = { 0 };
        g_autoptr (GString) out = g_string_new (NULL);
        gsize len = strlen (cases[i].in);

        for (gsize at = 0; at < len; at += step)
          pr_mime_encode_qp (&encoder, cases[i].in + at, MIN (step, len - at), out);
        pr_mime_encode_qp_end (&encoder, out);
        g_assert_cmpstr (out->str, ==, cases[i].qp);
      }
}

static GString *
decode (const GString *in, GMimeContentEncoding encoding)
{
  GMimeEncoding decoder;
  GString *out = g_string_sized_new (in->len + 16);

  g_mime_encoding_init_decode (&decoder, encoding);
  out->len = g_mime_encoding_step (&decoder, in->str, in->len, out->str);
  out->len += g_mime_encoding_flush (&decoder, "", 0, out->str + out->len);
  return out;
}

static void
check_lines (const GString *text)
{
  g_auto (GStrv) lines = g_strsplit (text->str, "\r\n", -1);

  for (char **line = lines; *line != NULL; line++)
    {
      gsize len = strlen (*line);

      g_assert_cmpuint (len, <=, 76);
      g_assert_null (strpbrk (*line, "\r\n"));
      g_assert_true (g_str_is_ascii (*line));
      if (len > 0)
        g_assert_true ((*line)[len - 1] != ' ' && (*line)[len - 1] != '\t');
    }
}

/* What another decoder makes of it is what went in. */
static void
test_round_trip (void)
{
  static const char octets[] = { 'a', 'b', ' ', '\t', '=', '\r', '\n', '\377', '\0', '.' };

  for (guint round = 0; round < 1000; round++)
    {
      g_autoptr (GString) in = g_string_new (NULL), qp = g_string_new (NULL);
      g_autoptr (GString) base64 = g_string_new (NULL), from_qp = NULL, from_base64 = NULL;
      PrMimeEncoder a = { 0 }, b = { 0 };
      gsize len = g_test_rand_int_range (0, 300);

      while (in->len < len)
        {
          if (g_test_rand_int_range (0, 10) == 0)
            g_string_append (in, "\r\n");
          else
            g_string_append_c (in, octets[g_test_rand_int_range (0, G_N_ELEMENTS (octets))]);
        }
      for (gsize at = 0, n; at < in->len; at += n)
        {
          n = g_test_rand_int_range (1, 50);
          n = MIN (n, in->len - at);
          pr_mime_encode_qp (&a, in->str + at, n, qp);
          pr_mime_encode_base64 (&b, in->str + at, n, base64);
        }
      pr_mime_encode_qp_end (&a, qp);
      pr_mime_encode_base64_end (&b, base64);

      check_lines (qp);
      check_lines (base64);
      from_qp = decode (qp, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
      from_base64 = decode (base64, GMIME_CONTENT_ENCODING_BASE64);
      g_assert_cmpmem (from_qp->str, from_qp->len, in->str, in->len);
      g_assert_cmpmem (from_base64->str, from_base64->len, in->str, in->len);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_mime_init ();
  g_test_add_func ("/mime-encode/qp-cases", test_qp_cases);
  g_test_add_func ("/mime-encode/round-trip", test_round_trip);
  return g_test_run ();
}
