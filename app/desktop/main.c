/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroom: the desktop application. */

#include "desktop/application.h"
#include "desktop/language.h"

int
main (int argc, char *argv[])
{
  g_autoptr (PrApplication) application = NULL;

  pr_language_init ();
  application = pr_application_new ();

  return g_application_run (G_APPLICATION (application), argc, argv);
}
