/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomd: the service. Options, signals, reload and words for the person who started it; all
 * else is the engine's. */

#include "config.h"

#include <libintl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>
#include <glib-unix.h>

#include "common/error.h"
#include "engine.h"
#include "service/control.h"
#include "service/desktop.h"
#include "service/log.h"
#include "service/supervisor.h"

#define STOP_GRACE_MS 10000

typedef struct
{
  GMainLoop *main_loop;   /* owned */
  char *directory;        /* owned, nullable: --home */
  PrHome *home;           /* owned */
  PrEngine *engine;       /* owned */
  PrReloader *reloader;   /* owned */
  PrControl *control;     /* owned */
  PrAutostart *autostart; /* owned, nullable: not on this system */
  PrDesktop *desktop;     /* owned, nullable: while running */
  gboolean stopping;
} Service;

/* ── Words ────────────────────────────────────────────────────────────────────────────────── */

static void
print_faults (GPtrArray *faults)
{
  for (guint i = 0; i < faults->len; i++)
    g_printerr ("%s\n", (const char *) faults->pdata[i]);
}

static void
warn_of_faults (GPtrArray *faults)
{
  for (guint i = 0; i < faults->len; i++)
    g_warning ("%s", (const char *) faults->pdata[i]);
}

static void
say_where_we_listen (Service *self)
{
  g_autoptr (GPtrArray) addresses = pr_server_get_addresses (pr_engine_get_server (self->engine));
  g_autofree char *list = NULL;

  g_ptr_array_add (addresses, NULL);
  list = g_strjoinv (" and ", (char **) addresses->pdata);
  g_message ("Postroom " PR_VERSION " takes mail on %s", list);
}

/* How postroomctl is called for this service: by name where the shell finds it, as it lies beside
 * us in a build tree. (transfer full) */
static char *
ctl_command (const Service *self)
{
  g_autofree char *installed = g_find_program_in_path ("postroomctl");
  g_autofree char *own = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = own != NULL ? g_path_get_dirname (own) : NULL;
  g_autofree char *beside =
    folder != NULL ? g_build_filename (folder, "postroomctl", NULL) : g_strdup ("postroomctl");

  return g_strconcat (installed != NULL ? "postroomctl" : beside,
                      self->directory != NULL ? " --home=" : "",
                      self->directory != NULL ? self->home->data : "", NULL);
}

/* For whoever started it by hand: what to do next. */
static void
say_what_next (Service *self)
{
  g_autoptr (GPtrArray) addresses = pr_server_get_addresses (pr_engine_get_server (self->engine));
  g_autofree char *ctl = NULL;

  if (!isatty (STDERR_FILENO) && g_getenv ("JOURNAL_STREAM") != NULL)
    return;

  ctl = ctl_command (self);
  if (pr_engine_get_config (self->engine)->routes->len == 0)
    g_printerr ("\nThere is no route yet, so mail is kept and nothing leaves. To send it by your "
                "provider, write\n"
                "into %s\n\n"
                "  [route default]\n"
                "  hosts=smtp.example.org:587\n"
                "  username=me@example.org\n\n"
                "then:  %s reload\n"
                "       %s route password default\n",
                self->home->config, ctl, ctl);
  g_printerr ("\nTry it:   swaks --server %s --from me@example.org --to you@example.org\n"
              "Look:     %s status, or queue, or log --follow\n"
              "Stop:     Ctrl+C (accepted mail stays queued)\n\n",
              (const char *) addresses->pdata[0], ctl);
}

/* ── Reload ───────────────────────────────────────────────────────────────────────────────── */

static void
on_reloaded (GPtrArray *faults, GPtrArray *warnings, gpointer user_data)
{
  pr_supervisor_ready ();
}

static gboolean
on_reload_signal (gpointer user_data)
{
  Service *self = user_data;

  if (!self->stopping)
    {
      pr_supervisor_reloading ();
      pr_reloader_reload (self->reloader, on_reloaded, self);
    }

  return G_SOURCE_CONTINUE;
}

/* ── Stop ─────────────────────────────────────────────────────────────────────────────────── */

static void
on_stopped (gpointer user_data)
{
  Service *self = user_data;

  g_main_loop_quit (self->main_loop);
}

static void
stop (gpointer user_data)
{
  Service *self = user_data;

  if (self->stopping)
    return;

  self->stopping = TRUE;
  g_message ("Stopping; accepted mail stays queued");
  pr_supervisor_stopping ();
  pr_engine_stop (self->engine, STOP_GRACE_MS, on_stopped, self);
}

static gboolean
on_stop_signal (gpointer user_data)
{
  stop (user_data);
  return G_SOURCE_CONTINUE;
}

/* ── Start ────────────────────────────────────────────────────────────────────────────────── */

static int
fail (const GError *error)
{
  g_printerr ("%s\n", error->message);
  return g_error_matches (error, PR_ERROR, PR_ERROR_BUSY) ? EX_TEMPFAIL : EX_CANTCREAT;
}

/* Builds everything; on failure says why and gives the exit code. */
static int
prepare (Service *self)
{
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (PrConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  if (!pr_home_create (self->home, &error))
    return fail (error);

  config = pr_config_load (self->home->config, &faults);
  if (config == NULL)
    {
      print_faults (faults);
      return EX_CONFIG;
    }

  self->engine = pr_engine_new (self->home, config, g_main_context_default (), &error);
  if (self->engine == NULL)
    return fail (error);

  self->reloader = pr_reloader_new (self->engine, self->home);
  self->control = pr_control_new (self->engine, self->home, self->reloader, &error);
  if (self->control == NULL)
    return fail (error);
  self->autostart = pr_autostart_new (self->home);
  pr_control_set_autostart (self->control, self->autostart);

  return EX_OK;
}

static int
run (Service *self)
{
  g_autoptr (GPtrArray) faults = NULL;

  pr_supervisor_adopt_sockets (self->engine);
  if (!pr_engine_start (self->engine, &faults))
    {
      print_faults (faults);
      g_printerr ("There is no address left to take mail on.\n");
      return EX_UNAVAILABLE;
    }

  warn_of_faults (faults);
  say_where_we_listen (self);
  say_what_next (self);

  self->desktop = pr_desktop_new (&(PrDesktopWorld){
    .engine = self->engine,
    .home = self->home,
    .reloader = self->reloader,
    .autostart = self->autostart,
    .quit = stop,
    .user_data = self,
  });
  pr_control_set_desktop (self->control, self->desktop);
  pr_supervisor_ready ();
  g_main_loop_run (self->main_loop);

  return EX_OK;
}

static gboolean
parse_options (int *argc, char ***argv, char **home)
{
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "home", 0, 0, G_OPTION_ARG_FILENAME, home,
      "Keep configuration, queue and control socket in DIR", "DIR" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Show the version and stop", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, "Takes mail by SMTP from printers, scripts and programs, "
                                         "keeps it safe and gets it delivered.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      g_printerr ("%s\nTry: postroomd --help\n", error->message);
      return FALSE;
    }
  if (*argc > 1)
    {
      g_printerr ("postroomd takes no argument \"%s\".\nTry: postroomd --help\n", (*argv)[1]);
      return FALSE;
    }
  if (version)
    {
      g_print ("postroomd " PR_VERSION "\n");
      exit (EX_OK);
    }

  return TRUE;
}

int
main (int argc, char *argv[])
{
  Service service = { 0 };
  int status;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, PR_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8"); /* the bus takes nothing else */
  textdomain (GETTEXT_PACKAGE);
  signal (SIGPIPE, SIG_IGN);
  umask (0077); /* mail, passwords and the control socket are their owner's alone */
  pr_log_init ();
  if (!parse_options (&argc, &argv, &service.directory))
    return EX_USAGE;

  service.home = pr_home_new (service.directory);
  service.main_loop = g_main_loop_new (NULL, FALSE);
  /* Before anybody can know that we are here; they are heard once the loop runs. */
  g_unix_signal_add (SIGTERM, on_stop_signal, &service);
  g_unix_signal_add (SIGINT, on_stop_signal, &service);
  g_unix_signal_add (SIGHUP, on_reload_signal, &service);
  status = prepare (&service);
  if (status == EX_OK)
    status = run (&service);

  g_clear_pointer (&service.control, pr_control_free);
  g_clear_pointer (&service.desktop, pr_desktop_free);
  g_clear_pointer (&service.autostart, pr_autostart_free);
  g_clear_pointer (&service.reloader, pr_reloader_free);
  g_clear_pointer (&service.engine, pr_engine_free);
  g_clear_pointer (&service.home, pr_home_free);
  g_free (service.directory);
  g_clear_pointer (&service.main_loop, g_main_loop_unref);

  return status;
}
