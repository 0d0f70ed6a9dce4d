/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/module.h"

#include "common/error.h"

static void
test_absent (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (pr_module_open ("no-such-part", "symbol", &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "postroom-no-such-part"));
}

/* The modules of the build lie beside the programs. */
static void
test_build (void)
{
  g_autofree char *folder = g_test_build_filename (G_TEST_BUILT, "..", "app", NULL);
  g_autoptr (GError) error = NULL;
  gpointer found;

  pr_module_set_folder (folder);
  found = pr_module_open ("web", "pr_web_backend", &error);
  g_assert_no_error (error);
  g_assert_nonnull (found);
  g_assert_true (pr_module_open ("web", "pr_web_backend", &error) == found);

  g_assert_null (pr_module_open ("web", "no_such_symbol", &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED);
  pr_module_set_folder (NULL);
}

static void
test_find (void)
{
  g_autofree char *folder = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "postroom-helper", NULL);
  g_autofree char *found = NULL;

  pr_module_set_folder (folder);
  g_assert_null (pr_module_find ("postroom-helper"));
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  found = pr_module_find ("postroom-helper");
  g_assert_cmpstr (found, ==, path);
  pr_module_set_folder (NULL);
}

static void
test_damaged (void)
{
  g_autofree char *folder = g_dir_make_tmp ("postroom-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "postroom-broken.so", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "no module", -1, NULL));
  pr_module_set_folder (folder);
  g_assert_null (pr_module_open ("broken", "symbol", &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, path));
  pr_module_set_folder (NULL);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/module/absent", test_absent);
  g_test_add_func ("/module/build", test_build);
  g_test_add_func ("/module/damaged", test_damaged);
  g_test_add_func ("/module/find", test_find);
  return g_test_run ();
}
