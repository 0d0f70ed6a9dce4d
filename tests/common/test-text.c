/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

static void
test_append (void)
{
  g_autoptr (GString) out = g_string_new ("a");

  pr_text_append (out, NULL);
  g_assert_cmpstr (out->str, ==, "a");
  pr_text_append (out, "", "b%s", "", "c", NULL);
  g_assert_cmpstr (out->str, ==, "ab%sc");
}

static void
test_number (void)
{
  static const guint64 numbers[] = { 0, 9, 10, 250, 4294967296, G_MAXINT64, G_MAXUINT64 };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (GString) out = g_string_new ("n=");
      g_autofree char *expected = g_strdup_printf ("n=%" G_GUINT64_FORMAT, numbers[i]);

      pr_text_append_number (out, numbers[i]);
      g_assert_cmpstr (out->str, ==, expected);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/text/append", test_append);
  g_test_add_func ("/text/number", test_number);
  return g_test_run ();
}
