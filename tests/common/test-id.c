/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/error.h"
#include "common/id.h"

static void
test_increasing (void)
{
  PrIdSource source = { 0 };
  gint64 before = g_get_real_time ();
  gint64 last = pr_id_next (&source);

  g_assert_cmpint (last, >=, before);
  for (guint i = 0; i < 10000; i++)
    {
      gint64 id = pr_id_next (&source);

      g_assert_cmpint (id, >, last);
      last = id;
    }
}

/* A clock set back, or a restored database from a faster clock, must not repeat an id. */
static void
test_clock_set_back (void)
{
  gint64 future = g_get_real_time () + G_TIME_SPAN_DAY;
  PrIdSource source = { future };

  g_assert_cmpint (pr_id_next (&source), ==, future + 1);
  g_assert_cmpint (pr_id_next (&source), ==, future + 2);
}

static gint64
random_id (void)
{
  guint64 high = (guint32) g_test_rand_int (), low = (guint32) g_test_rand_int ();

  return (gint64) ((high << 32 | low) & PR_ID_MAX);
}

static void
test_text (void)
{
  char a[PR_ID_LEN + 1], b[PR_ID_LEN + 1];
  gint64 id;

  g_assert_cmpstr (pr_id_format (0, a), ==, "00000000000");
  g_assert_cmpstr (pr_id_format (31, a), ==, "0000000000z");
  g_assert_cmpstr (pr_id_format (PR_ID_MAX, a), ==, "zzzzzzzzzzz");
  for (guint i = 0; i < 10000; i++)
    {
      gint64 x = random_id ();
      gint64 y = random_id ();

      pr_id_format (x, a);
      pr_id_format (y, b);
      g_assert_true (pr_id_parse (a, &id));
      g_assert_cmpint (id, ==, x);
      g_assert_cmpint (x < y, ==, g_strcmp0 (a, b) < 0);
    }
  g_assert_true (pr_id_parse ("1KH3ZS5V8QG", &id));
  g_assert_cmpstr (pr_id_format (id, a), ==, "1kh3zs5v8qg");
}

static void
test_wrong_text (void)
{
  static const char *const wrong[] = { "",
                                       "0",
                                       "0000000000",
                                       "000000000000",
                                       "0000000000i",
                                       "0000000000u",
                                       "0000000000 ",
                                       " 0000000000",
                                       "-0000000001",
                                       "0000000000\xc3" };
  gint64 id = 7;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (pr_id_parse (wrong[i], &id));
  g_assert_false (pr_id_parse (NULL, &id));
  g_assert_cmpint (id, ==, 7);
}

static void
test_error_domain (void)
{
  g_assert_cmpstr (g_quark_to_string (PR_ERROR), ==, "pr-error-quark");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/id/increasing", test_increasing);
  g_test_add_func ("/id/clock-set-back", test_clock_set_back);
  g_test_add_func ("/id/text", test_text);
  g_test_add_func ("/id/wrong-text", test_wrong_text);
  g_test_add_func ("/error/domain", test_error_domain);
  return g_test_run ();
}
