/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dkim/tags.h"

#include <string.h>

static PrTags *
parse (const char *text)
{
  return pr_tags_parse (text, strlen (text));
}

static void
test_get (void)
{
  const char *text = " v = 1; bh=aGVs\r\n bG8=; b=;n=1 ; h=From : to:Subject;\r\n\t";
  g_autoptr (PrTags) tags = parse (text);
  g_autoptr (GBytes) hash = NULL, empty = NULL;
  gsize offset, len;
  guint64 number;

  g_assert_nonnull (tags);
  g_assert_cmpstr (pr_tags_get (tags, "v"), ==, "1");
  g_assert_cmpstr (pr_tags_get (tags, "b"), ==, "");
  g_assert_null (pr_tags_get (tags, "V"));
  g_assert_cmpstr (pr_tags_get_name (tags, 0), ==, "v");
  g_assert_cmpstr (pr_tags_get_name (tags, 4), ==, "h");
  g_assert_null (pr_tags_get_name (tags, 5));

  hash = pr_tags_get_base64 (tags, "bh");
  g_assert_cmpmem (g_bytes_get_data (hash, NULL), g_bytes_get_size (hash), "hello", 5);
  empty = pr_tags_get_base64 (tags, "b");
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
  g_assert_null (pr_tags_get_base64 (tags, "h"));

  g_assert_true (pr_tags_find (tags, "n", &offset, &len));
  g_assert_cmpmem (text + offset, len, "1 ", 2);
  g_assert_true (pr_tags_get_number (tags, "n", &number));
  g_assert_cmpuint (number, ==, 1);
  g_assert_false (pr_tags_get_number (tags, "h", &number));
  g_assert_false (pr_tags_get_number (tags, "b", &number));

  g_assert_true (pr_tags_has_word (tags, "h", "TO", FALSE));
  g_assert_false (pr_tags_has_word (tags, "h", "Cc", TRUE));
  g_assert_true (pr_tags_has_word (tags, "x", "y", TRUE));
}

static void
test_faults (void)
{
  const char *const bad[] = { "",    " ",       ";",      "v",      "v=1;;d=x", "=1",
                              "1=v", "v=1;v=2", "v=\x01", "v=1; d", "a-b=1" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (parse (bad[i]));
  g_assert_null (pr_tags_parse ("v=1\0;d=2", 8));
}

static void
test_bounded (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  PrTags *tags;

  for (guint i = 0; i < PR_TAGS_MAX; i++)
    g_string_append_printf (text, "t%u=1;", i);
  tags = parse (text->str);
  g_assert_nonnull (tags);
  pr_tags_free (tags);
  g_string_append (text, "more=1");
  g_assert_null (parse (text->str));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/tags/get", test_get);
  g_test_add_func ("/tags/faults", test_faults);
  g_test_add_func ("/tags/bounded", test_bounded);
  return g_test_run ();
}
