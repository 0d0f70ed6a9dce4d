/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dkim/canon.h"

#include <string.h>

static void
hash_in_pieces (PrCanon canon, guint64 limit, const char *data, gsize step, guint8 *hash,
                guint64 *n_octets)
{
  g_autoptr (PrCanonBody) body = pr_canon_body_new (canon, limit);
  gsize len = strlen (data);

  for (gsize at = 0; at < len; at += step)
    pr_canon_body_feed (body, data + at, MIN (step, len - at));
  *n_octets = pr_canon_body_finish (body, hash);
}

static void
assert_body (PrCanon canon, guint64 limit, const char *data, const char *canonical)
{
  g_autofree char *wanted = NULL;
  gsize hashed = MIN (strlen (canonical), limit);

  wanted = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) canonical, hashed);
  for (gsize step = 1; step <= 64; step *= 4)
    {
      guint8 hash[PR_CANON_HASH_LEN];
      guint64 n_octets;
      g_autoptr (GString) hex = g_string_new (NULL);

      hash_in_pieces (canon, limit, data, step, hash, &n_octets);
      for (guint i = 0; i < sizeof hash; i++)
        g_string_append_printf (hex, "%02x", hash[i]);
      g_assert_cmpstr (hex->str, ==, wanted);
      g_assert_cmpuint (n_octets, ==, strlen (canonical));
    }
}

static void
test_body (void)
{
  static const struct
  {
    const char *data, *simple, *relaxed;
  } cases[] = {
    { "", "\r\n", "" },
    { "\r\n\r\n", "\r\n", "" },
    { " \t\r\n\r\n", " \t\r\n", "" },
    { " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n" }, /* §3.4.5 */
    { "no end", "no end\r\n", "no end\r\n" },
    { "a\r\n\r\n \r\nb", "a\r\n\r\n \r\nb\r\n", "a\r\n\r\n\r\nb\r\n" },
    { "a\rb\nc\r", "a\rb\nc\r\r\n", "a\rb\nc\r\r\n" },
    { "a\r\r\nb\r\n", "a\r\r\nb\r\n", "a\r\r\nb\r\n" },
    { "a \rb\r\n", "a \rb\r\n", "a \rb\r\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      assert_body (PR_CANON_SIMPLE, G_MAXUINT64, cases[i].data, cases[i].simple);
      assert_body (PR_CANON_RELAXED, G_MAXUINT64, cases[i].data, cases[i].relaxed);
      assert_body (PR_CANON_SIMPLE, 3, cases[i].data, cases[i].simple);
      assert_body (PR_CANON_RELAXED, 0, cases[i].data, cases[i].relaxed);
    }
}

/* Many empty lines are counted, not kept. */
static void
test_empty_lines (void)
{
  g_autoptr (GString) data = g_string_new ("a\r\n");

  for (guint i = 0; i < 1000; i++)
    g_string_append (data, "\r\n");
  assert_body (PR_CANON_RELAXED, G_MAXUINT64, data->str, "a\r\n");
  g_string_append (data, "b\r\n");
  assert_body (PR_CANON_RELAXED, G_MAXUINT64, data->str, data->str);
}

#define HEADER                                                                                     \
  "A: X \r\nB : Y\t\r\n\tZ  \r\nSubject: one\r\nno field\r\nsubject:two\r\n\r\nC: not this\r\n"

static void
test_split (void)
{
  g_autoptr (GArray) fields = pr_canon_split (HEADER, strlen (HEADER));

  g_assert_cmpuint (fields->len, ==, 4);
  g_assert_true (pr_canon_field_is (&g_array_index (fields, PrCanonField, 1), "b"));
  g_assert_false (pr_canon_field_is (&g_array_index (fields, PrCanonField, 1), "b "));
  g_assert_true (pr_canon_field_is (&g_array_index (fields, PrCanonField, 3), "SUBJECT"));
}

static void
test_fields (void)
{
  g_autoptr (GArray) fields = pr_canon_split (HEADER, strlen (HEADER));
  g_autoptr (GString) relaxed = g_string_new (NULL), simple = g_string_new (NULL);

  pr_canon_append_named (relaxed, fields, "a: B :x", PR_CANON_RELAXED); /* §3.4.5 */
  g_assert_cmpstr (relaxed->str, ==, "a:X\r\nb:Y Z\r\n");
  pr_canon_append_named (simple, fields, "A:B", PR_CANON_SIMPLE);
  g_assert_cmpstr (simple->str, ==, "A: X \r\nB : Y\t\r\n\tZ  \r\n");

  g_string_truncate (relaxed, 0);
  pr_canon_append_field (relaxed, &g_array_index (fields, PrCanonField, 1), PR_CANON_RELAXED);
  g_assert_cmpstr (relaxed->str, ==, "b:Y Z");
}

/* From the lowest up, each once; a name too many adds nothing (§5.4.2). */
static void
test_repeated_names (void)
{
  g_autoptr (GArray) fields = pr_canon_split (HEADER, strlen (HEADER));
  g_autoptr (GString) out = g_string_new (NULL);

  pr_canon_append_named (out, fields, "subject:subject:subject", PR_CANON_RELAXED);
  g_assert_cmpstr (out->str, ==, "subject:two\r\nsubject:one\r\n");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/canon/body", test_body);
  g_test_add_func ("/canon/empty-lines", test_empty_lines);
  g_test_add_func ("/canon/split", test_split);
  g_test_add_func ("/canon/fields", test_fields);
  g_test_add_func ("/canon/repeated-names", test_repeated_names);
  return g_test_run ();
}
