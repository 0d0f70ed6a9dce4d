/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon.h"

#include <signal.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <glib/gstdio.h>

#include "control/client.h"
#include "wait.h"

static const char usual[] = "[server]\nhostname=relay.test\n"
                            "[listener main]\nlisten=127.0.0.1:0\ntls=off\n"
                            "[route wait]\nvia=hold\n";

/* A test that fails ends without clean-up: its service must not stay behind. */
static void
die_with_test (gpointer user_data)
{
#ifdef __linux__
  prctl (PR_SET_PDEATHSIG, SIGKILL);
#endif
}

void
daemon_set_up (Daemon *self, const char *config)
{
  g_autofree char *folder = g_dir_make_tmp ("postroom-ui-XXXXXX", NULL);

  self->home = pr_home_new (folder);
  g_assert_true (
    g_file_set_contents (self->home->config, config != NULL ? config : usual, -1, NULL));
}

void
daemon_start (Daemon *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *option = g_strconcat ("--home=", self->home->data, NULL);
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GDBusConnection) connection = NULL;

  g_subprocess_launcher_set_child_setup (launcher, die_with_test, NULL, NULL);
  self->process =
    g_subprocess_launcher_spawn (launcher, &error, g_getenv ("POSTROOMD"), option, NULL);
  g_assert_no_error (error);
  wait_for (NULL, (connection = pr_client_connect_sync (self->home, NULL)) != NULL,
            "an answer of the service");
}

void
daemon_stop (Daemon *self)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_send_signal (self->process, SIGTERM);
  g_assert_true (g_subprocess_wait_check (self->process, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&self->process);
}

void
daemon_kill (Daemon *self)
{
  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, NULL);
  g_clear_object (&self->process);
}

static void
remove_folder (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *entry = g_build_filename (path, name, NULL);

      if (g_remove (entry) != 0)
        remove_folder (entry);
    }
  g_rmdir (path);
}

void
daemon_tear_down (Daemon *self)
{
  if (self->process != NULL)
    daemon_stop (self);
  remove_folder (self->home->data);
  g_clear_pointer (&self->home, pr_home_free);
}

char *
daemon_add_mail (Daemon *self, const char *to)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = pr_client_connect_sync (self->home, &error);
  g_autoptr (GVariant) answer = NULL;
  char *id;

  g_assert_no_error (error);
  answer = pr_client_call_sync (connection, "Service1", "SendTestMail", g_variant_new ("(s)", to),
                                "(s)", &error);
  g_assert_no_error (error);
  g_variant_get (answer, "(s)", &id);
  return id;
}
