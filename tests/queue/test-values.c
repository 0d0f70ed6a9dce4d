/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept by name: written over, forgotten, listed by the start of the name, there again after
 * a restart. */
#include "queue-util.h"

typedef struct
{
  GString *text;
  gboolean done;
} Values;

static void
on_values (const PrStoreValue *values, guint n, const GError *error, gpointer user_data)
{
  Values *self = user_data;

  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (self->text, "%s=%s ", values[i].name, values[i].value);
  self->done = TRUE;
}

static void
assert_values (PrStore *store, const char *prefix, guint limit, const char *expected)
{
  Values values = { g_string_new (NULL), FALSE };

  pr_store_list_values (store, prefix, limit, on_values, &values);
  wait_for (&values.done, "the values");
  g_assert_cmpstr (values.text->str, ==, expected);
  g_string_free (values.text, TRUE);
}

static void
on_set (const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  *(gboolean *) user_data = TRUE;
}

static void
test_values (void)
{
  g_autofree char *home = make_home ();
  PrStore *store = open_store (home);
  gboolean done = FALSE;

  assert_values (store, "", 10, "");
  pr_store_set_value (store, "a/2", "two", NULL, NULL);
  pr_store_set_value (store, "a/1", "one", NULL, NULL);
  pr_store_set_value (store, "b/1", "%_'", NULL, NULL);
  pr_store_set_value (store, "a/2", "second", on_set, &done);
  wait_for (&done, "a value to be kept");
  assert_values (store, "a/", 10, "a/1=one a/2=second ");
  assert_values (store, "a/", 1, "a/1=one ");
  assert_values (store, "", 10, "a/1=one a/2=second b/1=%_' ");
  assert_values (store, "c", 10, "");
  pr_store_set_value (store, "a/1", NULL, NULL, NULL);
  pr_store_set_value (store, "never/there", NULL, NULL, NULL);
  pr_store_close (store);

  store = open_store (home);
  assert_values (store, "a/", 10, "a/2=second ");
  assert_values (store, "b/", 10, "b/1=%_' ");
  pr_store_close (store);
  remove_tree (home);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/values/all", test_values);
  return g_test_run ();
}
