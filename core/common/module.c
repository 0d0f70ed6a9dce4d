/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opens modules beside the program or in the folder they are installed in. */
#include "common/module.h"

#include <gmodule.h>

#include "common/error.h"
#include "config.h"

static char *folder; /* owned */

void
pr_module_set_folder (const char *path)
{
  g_free (folder);
  folder = g_strdup (path);
}

/* (transfer full) (nullable): the folder of the running program. */
static char *
find_program_folder (void)
{
#ifdef G_OS_WIN32
  return g_win32_get_package_installation_directory_of_module (NULL);
#else
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  return program != NULL ? g_path_get_dirname (program) : NULL;
#endif
}

char *
pr_module_find (const char *file)
{
  g_autofree char *beside = find_program_folder ();
  g_autofree char *near =
    beside != NULL ? g_build_filename (beside, PR_MODULE_FOLDER_BESIDE, NULL) : NULL;
  const char *folders[] = { folder, beside, near, PR_MODULE_FOLDER };

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = folders[i] != NULL ? g_build_filename (folders[i], file, NULL) : NULL;

      if (path != NULL && g_file_test (path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&path);
    }
  return NULL;
}

gpointer
pr_module_open (const char *name, const char *symbol, GError **error)
{
  g_autofree char *file = g_strdup_printf ("postroom-%s." G_MODULE_SUFFIX, name);
  g_autofree char *path = pr_module_find (file);
  GModule *module;
  gpointer found = NULL;

  g_return_val_if_fail (name != NULL && symbol != NULL, NULL);
  if (path == NULL)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED,
                   "the part postroom-%s of Postroom is not installed", name);
      return NULL;
    }
  /* GModule counts: a second opening of the same file is the same module. */
  module = g_module_open (path, G_MODULE_BIND_LOCAL);
  if (module == NULL || !g_module_symbol (module, symbol, &found) || found == NULL)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_UNSUPPORTED, "%s cannot be used: %s", path,
                   g_module_error ());
      g_clear_pointer (&module, g_module_close);
      return NULL;
    }
  g_module_make_resident (module);
  return found;
}
