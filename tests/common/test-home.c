/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/home.h"

static void
test_directory (void)
{
  g_autoptr (PrHome) home = pr_home_new ("/somewhere/./x");

  g_assert_cmpstr (home->data, ==, "/somewhere/x");
  g_assert_cmpstr (home->config, ==, "/somewhere/x/postroom.conf");
  g_assert_cmpstr (home->credentials, ==, "/somewhere/x/credentials");
  g_assert_cmpstr (home->control, ==, "/somewhere/x/control");
}

static void
test_xdg (void)
{
  g_autoptr (PrHome) home = pr_home_new (NULL);

  g_assert_true (g_str_has_prefix (home->data, g_get_user_data_dir ()));
  g_assert_true (g_str_has_prefix (home->config, g_get_user_config_dir ()));
  g_assert_true (g_str_has_suffix (home->control, "/postroom/control"));
  g_assert_true (home->is_default);
}

static void
test_flatpak (void)
{
  g_autofree char *before = g_strdup (g_getenv ("XDG_RUNTIME_DIR"));
  g_autoptr (PrHome) outside = NULL;
  g_autoptr (PrHome) inside = NULL;
  g_autoptr (PrHome) nowhere = NULL;

  g_setenv ("XDG_RUNTIME_DIR", "/run/user/7", TRUE);
  outside = pr_home_new (NULL);
  g_assert_cmpstr (outside->control, ==, "/run/user/7/postroom/control");

  g_setenv ("FLATPAK_ID", "org.example.App", TRUE);
  inside = pr_home_new (NULL);
  g_assert_cmpstr (inside->control, ==, "/run/user/7/app/org.example.App/postroom/control");
  g_assert_cmpstr (inside->data, ==, outside->data);

  g_unsetenv ("XDG_RUNTIME_DIR");
  nowhere = pr_home_new (NULL);
  g_assert_true (g_str_has_prefix (nowhere->control, nowhere->data));

  g_unsetenv ("FLATPAK_ID");
  if (before != NULL)
    g_setenv ("XDG_RUNTIME_DIR", before, TRUE);
}

static void
test_copy (void)
{
  g_autoptr (PrHome) home = pr_home_new ("/somewhere");
  g_autoptr (PrHome) copy = pr_home_copy (home);

  g_assert_cmpstr (copy->data, ==, home->data);
  g_assert_cmpstr (copy->config, ==, home->config);
  g_assert_cmpstr (copy->credentials, ==, home->credentials);
  g_assert_cmpstr (copy->control, ==, home->control);
  g_assert_false (copy->is_default);
}

static void
test_create (void)
{
  g_autofree char *top = g_dir_make_tmp ("home-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (top, "a", "b", NULL);
  g_autofree char *file = g_build_filename (top, "file", NULL);
  g_autoptr (PrHome) home = pr_home_new (path);
  g_autoptr (PrHome) wrong = pr_home_new (file);
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  g_assert_true (pr_home_create (home, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0700);
  g_assert_true (pr_home_create (home, &error)); /* again is fine */

  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_false (pr_home_create (wrong, &error));
  g_assert_error (error, PR_ERROR, PR_ERROR_PERMANENT);
  g_assert_nonnull (strstr (error->message, file));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/home/directory", test_directory);
  g_test_add_func ("/home/xdg", test_xdg);
  g_test_add_func ("/home/flatpak", test_flatpak);
  g_test_add_func ("/home/copy", test_copy);
  g_test_add_func ("/home/create", test_create);
  return g_test_run ();
}
