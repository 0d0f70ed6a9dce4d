/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every page of the window fits a screen of 360 pixels, in each language. Needs a display. */

#include <locale.h>
#include <adwaita.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "ui/assistant.h"
#include "ui/connect-device.h"
#include "ui/pages.h"
#include "ui/settings-window.h"
#include "ui/window.h"

#define NARROWEST 360

static int
measure (GtkWidget *widget)
{
  int minimum;

  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  return minimum;
}

/* What is open only at times counts too. */
static void
reveal (GtkWidget *widget)
{
  if (GTK_IS_REVEALER (widget))
    gtk_revealer_set_reveal_child (GTK_REVEALER (widget), TRUE);
  else if (GTK_IS_ACTION_BAR (widget))
    gtk_action_bar_set_revealed (GTK_ACTION_BAR (widget), TRUE);
  else if (GTK_IS_SEARCH_BAR (widget))
    gtk_search_bar_set_search_mode (GTK_SEARCH_BAR (widget), TRUE);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    reveal (child);
}

/* Each page of its own stack counts, not the one that is shown alone. */
static void
reveal_pages (GtkWidget *widget)
{
  if (GTK_IS_STACK (widget))
    g_object_set (widget, "hhomogeneous", TRUE, "vhomogeneous", TRUE, NULL);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    reveal_pages (child);
}

/* Names what is wide, from the outside in. */
static void
explain (GtkWidget *widget, int depth)
{
  if (measure (widget) <= NARROWEST || depth > 40)
    return;

  g_test_message ("%*s%s %s: %d", depth, "", G_OBJECT_TYPE_NAME (widget),
                  gtk_widget_get_name (widget), measure (widget));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    explain (child, depth + 1);
}

static void
check (const char *what, GtkWidget *widget)
{
  int width = measure (widget);

  g_test_message ("%s: %d", what, width);
  if (width > NARROWEST)
    {
      explain (widget, 0);
      g_test_fail_printf ("%s needs %d pixels", what, width);
    }
}

static void
check_all (void)
{
  g_autofree char *folder = g_dir_make_tmp ("postroom-width-XXXXXX", NULL);
  g_autoptr (PrHome) home = pr_home_new (folder);
  g_autoptr (PrService) service = pr_service_new (home);
  PrWindow *window = pr_window_new (NULL, service);
  GtkWindow *dialogs[] = { pr_settings_window_new (NULL, service),
                           GTK_WINDOW (pr_assistant_new (NULL, service, NULL)),
                           GTK_WINDOW (pr_connect_device_new (NULL, service)) };

  for (guint i = 0; i < pr_n_pages; i++)
    {
      GtkWidget *page = g_object_new (pr_pages[i].get_type (), "service", service, NULL);

      g_object_ref_sink (page);
      reveal (page);
      check (pr_pages[i].name, page);
      g_object_unref (page);
    }
  reveal (GTK_WIDGET (window));
  check ("the window", gtk_widget_get_first_child (GTK_WIDGET (window)));
  for (guint i = 0; i < G_N_ELEMENTS (dialogs); i++)
    {
      if (i > 0) /* the settings' pages come and go by themselves */
        reveal_pages (GTK_WIDGET (dialogs[i]));
      check (gtk_window_get_title (dialogs[i]),
             gtk_widget_get_first_child (GTK_WIDGET (dialogs[i])));
      gtk_window_destroy (dialogs[i]);
    }
  gtk_window_destroy (GTK_WINDOW (window));
  g_rmdir (folder);
}

static void
test_plain (void)
{
  g_setenv ("LANGUAGE", "C", TRUE);
  check_all ();
}

static void
test_german (void)
{
  g_autofree char *folder =
    g_test_build_filename (G_TEST_BUILT, "..", "po", NULL); /* as the build lays it out */

  g_setenv ("LANGUAGE", "de", TRUE);
  bindtextdomain ("postroom", folder);
  if (g_str_equal (g_dgettext ("postroom", "Queue"), "Queue") &&
      g_str_equal (g_dpgettext2 ("postroom", "page", "Queue"), "Queue"))
    {
      g_test_skip ("there is no catalogue of German here");
      return;
    }
  check_all ();
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "C.UTF-8");
  bind_textdomain_codeset ("postroom", "UTF-8");
  g_test_init (&argc, &argv, NULL);
  adw_init ();
  g_test_add_func ("/desktop/width/plain", test_plain);
  g_test_add_func ("/desktop/width/german", test_german);

  return g_test_run ();
}
