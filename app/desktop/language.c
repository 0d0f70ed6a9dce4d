/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "desktop/language.h"

#include <locale.h>
#include <libintl.h>

/* build/app/postroom finds build/po/LANGUAGE/LC_MESSAGES/postroom.mo. NULL: not in a build tree.
 * (transfer full) */
static char *
find_beside (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program != NULL ? g_path_get_dirname (program) : NULL;
  g_autofree char *mark =
    folder != NULL ? g_build_filename (folder, "..", "build.ninja", NULL) : NULL;

  if (mark == NULL || !g_file_test (mark, G_FILE_TEST_EXISTS))
    return NULL;

  return g_build_filename (folder, "..", "po", NULL);
}

void
pr_language_init (void)
{
  g_autofree char *beside = find_beside ();

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, beside != NULL ? beside : PR_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}
