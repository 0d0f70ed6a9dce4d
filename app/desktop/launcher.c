/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "desktop/launcher.h"

#include <sysexits.h>
#include <unistd.h>
#include <glib/gi18n.h>

struct _PrLauncher
{
  PrHome *home;              /* owned */
  GSubprocess *service;      /* owned, nullable: while it runs */
  GCancellable *cancellable; /* owned */
  PrLauncherFailed failed;
  gpointer user_data;
};

/* A process of another session than ours: no terminal's end is its end. */
static void
leave_session (gpointer user_data)
{
  setsid ();
}

/* @name beside this program, as in a build tree and where both are installed; else as PATH says.
 * (transfer full) */
static char *
find_program (const char *name)
{
  g_autofree char *own = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = own != NULL ? g_path_get_dirname (own) : NULL;
  g_autofree char *beside = folder != NULL ? g_build_filename (folder, name, NULL) : NULL;

  return beside != NULL && g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE)
           ? g_steal_pointer (&beside)
           : g_strdup (name);
}

/* NULL: without --home. (transfer full) */
static char *
home_option (PrLauncher *self)
{
  return self->home->is_default ? NULL : g_strconcat ("--home=", self->home->data, NULL);
}

static void
on_faults_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *faults = NULL;
  g_autofree char *text = NULL;
  PrLauncher *self;

  g_subprocess_communicate_utf8_finish (G_SUBPROCESS (source), result, NULL, &faults, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the launcher may be gone */

  self = user_data;
  text = g_strdup_printf (
    _ ("The service does not start: %s"),
    faults != NULL && *g_strstrip (faults) != '\0' ? faults : _ ("its configuration is wrong"));
  self->failed (text, self->user_data);
}

/* The service has printed what is wrong; postroomctl says it again, to us. */
static void
ask_for_faults (PrLauncher *self)
{
  g_autofree char *program = find_program ("postroomctl");
  g_autofree char *option = home_option (self);
  g_autoptr (GSubprocess) ctl =
    g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE, NULL,
                      program, "config", "check", option, NULL);

  if (ctl != NULL)
    g_subprocess_communicate_utf8_async (ctl, NULL, self->cancellable, on_faults_read, self);
  else
    self->failed (_ ("The service does not start: its configuration is wrong"), self->user_data);
}

static void
tell_failure (PrLauncher *self, int status)
{
  g_autofree char *text = NULL;

  switch (status)
    {
    case EX_OK:
    case EX_TEMPFAIL: /* there is one already: it will answer */ return;
    case EX_CONFIG: ask_for_faults (self); return;
    case EX_CANTCREAT:
      text = g_strdup_printf (_ ("The service does not start: it cannot keep its files in %s. Is "
                                 "the disk full, or the folder another user's?"),
                              self->home->data);
      break;
    case EX_UNAVAILABLE:
      text = g_strdup (_ ("The service does not start: another program uses its addresses, or they "
                          "are not this computer's"));
      break;
    default: text = g_strdup_printf (_ ("The service stopped at once (%d)"), status); break;
    }
  self->failed (text, self->user_data);
}

static void
on_service_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GSubprocess *service = G_SUBPROCESS (source);
  g_autoptr (GError) error = NULL;
  PrLauncher *self;

  g_subprocess_wait_finish (service, result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the launcher may be gone */

  self = user_data;
  g_clear_object (&self->service);
  tell_failure (self, g_subprocess_get_if_exited (service) ? g_subprocess_get_exit_status (service)
                                                           : -g_subprocess_get_term_sig (service));
}

void
pr_launcher_start (PrLauncher *self)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *program = find_program ("postroomd");
  g_autofree char *option = home_option (self);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (self->service != NULL)
    return;

  g_subprocess_launcher_set_child_setup (launcher, leave_session, NULL, NULL);
  self->service = g_subprocess_launcher_spawn (launcher, &error, program, option, NULL);
  if (self->service != NULL)
    {
      g_subprocess_wait_async (self->service, self->cancellable, on_service_ended, self);
      return;
    }

  text = g_strdup_printf (_ ("The service cannot be started: %s. Is Postroom installed whole?"),
                          error->message);
  self->failed (text, self->user_data);
}

PrLauncher *
pr_launcher_new (const PrHome *home, PrLauncherFailed failed, gpointer user_data)
{
  PrLauncher *self = g_new0 (PrLauncher, 1);

  self->home = pr_home_copy (home);
  self->cancellable = g_cancellable_new ();
  self->failed = failed;
  self->user_data = user_data;
  return self;
}

void
pr_launcher_free (PrLauncher *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->service);
  pr_home_free (self->home);
  g_free (self);
}
