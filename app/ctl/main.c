/* SPDX-License-Identifier: GPL-3.0-or-later */
/* postroomctl: finds the command, reads its options, runs it. */

#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"

static struct
{
  char *home;
  gboolean json, help, version;
} globals;

static const GOptionEntry global_options[] = {
  { "home", 0, 0, G_OPTION_ARG_FILENAME, &globals.home, "The service of this home", "DIR" },
  { "json", 0, 0, G_OPTION_ARG_NONE, &globals.json, "One JSON document on standard output", NULL },
  { "help", 'h', 0, G_OPTION_ARG_NONE, &globals.help, "Show this", NULL },
  { "version", 0, 0, G_OPTION_ARG_NONE, &globals.version, "Show the version", NULL },
  G_OPTION_ENTRY_NULL,
};

/* ── Help ─────────────────────────────────────────────────────────────────────────────────── */

static char *
usage_of (const PrCommand *command)
{
  return g_strjoin (" ", command->group, command->verb != NULL ? command->verb : command->arguments,
                    command->verb != NULL ? command->arguments : NULL, NULL);
}

static void
print_options (const GOptionEntry *entries)
{
  for (; entries->long_name != NULL; entries++)
    {
      g_autofree char *name =
        g_strconcat ("--", entries->long_name, entries->arg_description != NULL ? "=" : NULL,
                     entries->arg_description, NULL);

      printf ("  %-20s %s\n", name, entries->description);
    }
}

/* @group: (nullable): only its commands. */
static void
print_commands (const char *group)
{
  for (const PrCommand *command = pr_commands_get (); command->group != NULL; command++)
    {
      g_autofree char *usage = usage_of (command);

      if (group != NULL && !g_str_equal (command->group, group))
        continue;
      if (strlen (usage) > 30)
        printf ("  %s\n  %-30s %s\n", usage, "", command->help);
      else
        printf ("  %-30s %s\n", usage, command->help);
    }
}

static void
print_help (void)
{
  puts ("postroomctl looks after a running postroomd.\n\nUsage: postroomctl [--home=DIR] [--json] "
        "COMMAND\n");
  print_commands (NULL);
  putchar ('\n');
  print_options (global_options);
  puts ("\nEach command has a --help of its own; man postroomctl has the rest.");
}

static void
print_command_help (const PrCommand *command)
{
  g_autofree char *usage = usage_of (command);

  printf ("Usage: postroomctl %s\n%s\n\n", usage, command->help);
  if (command->options != NULL)
    print_options (command->options);
  print_options (global_options);
}

/* ── Finding the command ──────────────────────────────────────────────────────────────────── */

/* @verb: (nullable). */
static const PrCommand *
find_command (const char *group, const char *verb)
{
  for (const PrCommand *command = pr_commands_get (); command->group != NULL; command++)
    if (g_str_equal (command->group, group) && g_strcmp0 (command->verb, verb) == 0)
      return command;

  return NULL;
}

static gboolean
has_verbs (const char *group)
{
  for (const PrCommand *command = pr_commands_get (); command->group != NULL; command++)
    if (g_str_equal (command->group, group) && command->verb != NULL)
      return TRUE;

  return FALSE;
}

/* Takes the words that name a command out of @argv (group at 1), wherever options stand between
 * them. NULL: it was said what is wrong. */
static const PrCommand *
take_command (int *argc, char **argv)
{
  const char *group = argv[1];
  const PrCommand *command = NULL;
  int at = 2;

  if (has_verbs (group))
    {
      while (at < *argc && argv[at][0] == '-')
        at++;
      command = at < *argc ? find_command (group, argv[at]) : NULL;
      if (command == NULL && at < *argc && (at == 2 || find_command (group, NULL) == NULL))
        {
          pr_ctl_misused ("There is no command \"%s %s\".", group, argv[at]);
          return NULL;
        }
      if (command != NULL)
        {
          memmove (argv + at, argv + at + 1, (gsize) (*argc - at) * sizeof *argv);
          (*argc)--;
        }
    }
  if (command == NULL && (command = find_command (group, NULL)) == NULL)
    {
      pr_ctl_misused (has_verbs (group) ? "The command \"%s\" needs another word."
                                        : "There is no command \"%s\".",
                      group);
      return NULL;
    }

  memmove (argv + 1, argv + 2, (gsize) (*argc - 1) * sizeof *argv);
  (*argc)--;
  return command;
}

/* "route --help" names no command, but asks for all of them. */
static gboolean
is_group_help (int argc, char **argv)
{
  gboolean asked = FALSE;

  if (!has_verbs (argv[1]) || find_command (argv[1], NULL) != NULL)
    return FALSE;
  for (int i = 2; i < argc; i++)
    {
      if (argv[i][0] != '-')
        return FALSE;
      asked = asked || g_str_equal (argv[i], "--help") || g_str_equal (argv[i], "-h");
    }
  return asked;
}

static void
print_group_help (const char *group)
{
  printf ("Usage: postroomctl %s COMMAND\n\n", group);
  print_commands (group);
  printf ("\nEach has a --help of its own: postroomctl %s COMMAND --help\n", group);
}

/* ── Options ──────────────────────────────────────────────────────────────────────────────── */

/* Options that stand before the command stop at its first word. */
static gboolean
parse (int *argc, char ***argv, const GOptionEntry *entries)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, entries == NULL);
  g_option_context_add_main_entries (context, global_options, NULL);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, argc, argv, &error))
    return TRUE;

  pr_ctl_misused ("%s.", error->message);
  return FALSE;
}

static gboolean
check_arguments (const PrCommand *command, int argc, char **argv)
{
  int n;

  /* "--" ends the options and is left where it stands. */
  if (argc > 1 && g_str_equal (argv[1], "--"))
    {
      memmove (argv + 1, argv + 2, (gsize) (argc - 1) * sizeof *argv);
      argc--;
    }
  n = argc - 1;
  if (n < command->min_args)
    pr_ctl_misused ("Something is missing: %s%s%s %s", command->group, command->verb ? " " : "",
                    command->verb ? command->verb : "", command->arguments);
  else if (command->max_args >= 0 && n > command->max_args)
    pr_ctl_misused ("\"%s\" is one word too many.", argv[1 + command->max_args]);
  else
    return TRUE;

  return FALSE;
}

/* ── Running ──────────────────────────────────────────────────────────────────────────────── */

/* A reader that has seen enough ("| head") needs no words. */
static gboolean
is_pipe (FILE *file)
{
  struct stat info;

  return fstat (fileno (file), &info) == 0 && S_ISFIFO (info.st_mode);
}

static int
run (const PrCommand *command, char **args)
{
  PrCtl ctl = { .json = globals.json };
  g_autoptr (PrHome) home = pr_home_new (globals.home);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  pr_terminal_init (&ctl.terminal);
  ctl.home = home;
  if (!command->offline)
    {
      ctl.connection = connection = pr_client_connect_sync (home, &error);
      if (connection == NULL)
        return pr_ctl_fail (error);
    }

  status = command->run (&ctl, args);
  if ((fflush (stdout) != 0 || ferror (stdout)) && !is_pipe (stdout))
    return pr_ctl_refuse ("Not everything could be written.");
  return status;
}

static const GOptionEntry no_options[] = { G_OPTION_ENTRY_NULL };

int
main (int argc, char *argv[])
{
  const PrCommand *command;

  setlocale (LC_ALL, "");
  if (!parse (&argc, &argv, NULL))
    return PR_EXIT_USAGE;
  if (globals.version)
    {
      puts ("postroomctl " PR_VERSION);
      return PR_EXIT_DONE;
    }
  if (argc < 2 && globals.help)
    {
      print_help ();
      return PR_EXIT_DONE;
    }
  if (argc < 2)
    return pr_ctl_misused ("What shall be done?");

  if (is_group_help (argc, argv))
    {
      print_group_help (argv[1]);
      return PR_EXIT_DONE;
    }
  command = take_command (&argc, argv);
  if (command == NULL ||
      !parse (&argc, &argv, command->options != NULL ? command->options : no_options))
    return PR_EXIT_USAGE;
  if (globals.help)
    {
      print_command_help (command);
      return PR_EXIT_DONE;
    }
  return check_arguments (command, argc, argv) ? run (command, argv + 1) : PR_EXIT_USAGE;
}
