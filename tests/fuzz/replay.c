/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Feeds every file of a corpus to a fuzz target, where there is no fuzzer to do it: each input that
 * once broke something is a test from then on. The target itself aborts when it is not content.
 */

#include "fuzz.h"

#include <glib.h>

static void
replay_file (gconstpointer data)
{
  g_autofree char *contents = NULL;
  g_autofree uint8_t *exact = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0;

  g_file_get_contents (data, &contents, &size, &error);
  g_assert_no_error (error);

  /* Without the NUL that GLib appends: the sanitizer then sees each read past the end. */
  exact = g_memdup2 (contents, size);
  g_assert_cmpint (LLVMFuzzerTestOneInput (exact, size), ==, 0);
}

static void
replay_nothing (void)
{
  g_assert_cmpint (LLVMFuzzerTestOneInput ((const uint8_t *) "", 0), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GDir) corpus = NULL;
  g_autoptr (GError) error = NULL;
  const char *name;

  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  if (argc != 2)
    g_printerr ("Usage: %s CORPUS-FOLDER\n", argv[0]);
  g_return_val_if_fail (argc == 2, 64);

  corpus = g_dir_open (argv[1], 0, &error);
  g_assert_no_error (error);
  g_test_add_func ("/replay/nothing", replay_nothing);
  while ((name = g_dir_read_name (corpus)) != NULL)
    {
      g_autofree char *path = g_strdup_printf ("/replay/%s", name);

      g_test_add_data_func_full (path, g_build_filename (argv[1], name, NULL), replay_file, g_free);
    }

  return g_test_run ();
}
