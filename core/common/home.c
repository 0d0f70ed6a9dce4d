/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a Postroom keeps its things. */

#include <errno.h>
#include <glib/gstdio.h>

#include "common/error.h"
#include "common/home.h"

static char *
xdg_folder (const char *base)
{
  return g_build_filename (base, "postroom", NULL);
}

/* (transfer full) (nullable): for sockets; NULL: this system has no such folder. GLib would fall
 * back to the cache folder, which a cleaner may empty. */
static char *
runtime_folder (void)
{
  const char *folder = g_getenv ("XDG_RUNTIME_DIR");
  const char *flatpak = g_getenv ("FLATPAK_ID");
  g_autofree char *shared = NULL;

  if (folder == NULL)
    return NULL;
  if (flatpak == NULL)
    return xdg_folder (folder);

  /* Each start of a flatpak has a runtime folder of its own; this part of it they share, and the
   * system outside sees it too. */
  shared = g_build_filename (folder, "app", flatpak, NULL);
  return xdg_folder (shared);
}

PrHome *
pr_home_new (const char *directory)
{
  PrHome *self = g_new0 (PrHome, 1);
  g_autofree char *config = NULL;
  g_autofree char *runtime = NULL;

  self->is_default = directory == NULL;
  if (directory != NULL)
    {
      self->data = g_canonicalize_filename (directory, NULL);
      config = g_strdup (self->data);
      runtime = g_strdup (self->data);
    }
  else
    {
      self->data = xdg_folder (g_get_user_data_dir ());
      config = xdg_folder (g_get_user_config_dir ());
      runtime = runtime_folder ();
      if (runtime == NULL)
        runtime = g_strdup (self->data);
    }

  self->config = g_build_filename (config, "postroom.conf", NULL);
  self->credentials = g_build_filename (config, "credentials", NULL);
  self->control = g_build_filename (runtime, "control", NULL);

  return self;
}

PrHome *
pr_home_copy (const PrHome *self)
{
  PrHome *copy = g_new0 (PrHome, 1);

  copy->data = g_strdup (self->data);
  copy->config = g_strdup (self->config);
  copy->credentials = g_strdup (self->credentials);
  copy->control = g_strdup (self->control);
  copy->is_default = self->is_default;
  return copy;
}

void
pr_home_free (PrHome *self)
{
  g_free (self->data);
  g_free (self->config);
  g_free (self->credentials);
  g_free (self->control);
  g_free (self);
}

static gboolean
make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0700) == 0 && g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;

  g_set_error (error, PR_ERROR, PR_ERROR_PERMANENT, "The folder %s cannot be made: %s", path,
               errno != 0 ? g_strerror (errno) : "something else has that name");
  return FALSE;
}

gboolean
pr_home_create (const PrHome *self, GError **error)
{
  g_autofree char *config = g_path_get_dirname (self->config);
  g_autofree char *runtime = g_path_get_dirname (self->control);

  return make_folder (self->data, error) && make_folder (config, error) &&
         make_folder (runtime, error);
}
