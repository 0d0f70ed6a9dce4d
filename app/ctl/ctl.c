/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of postroomctl share: calls, words for what went wrong, secrets. */

#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_SECRET_OCTETS 1024

/* ── What went wrong ──────────────────────────────────────────────────────────────────────── */

static void
complain (const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);
  g_autofree char *shown = pr_text_printable (text);

  fflush (stdout);
  fprintf (stderr, "%s\n", shown);
}

int
pr_ctl_refuse (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  complain (format, args);
  va_end (args);
  return PR_EXIT_REFUSED;
}

int
pr_ctl_misused (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  complain (format, args);
  va_end (args);
  fputs ("Try: postroomctl --help\n", stderr);
  return PR_EXIT_USAGE;
}

int
pr_ctl_fail (const GError *error)
{
  pr_ctl_refuse ("%s", error->message);
  return error->domain == G_IO_ERROR ? PR_EXIT_NO_SERVICE : PR_EXIT_REFUSED;
}

GVariant *
pr_ctl_call (PrCtl *self, const char *interface, const char *method, GVariant *arguments,
             const char *reply, int *status)
{
  g_autoptr (GError) error = NULL;
  GVariant *answer =
    pr_client_call_sync (self->connection, interface, method, arguments, reply, &error);

  if (answer == NULL)
    *status = pr_ctl_fail (error);
  return answer;
}

/* ── Secrets ──────────────────────────────────────────────────────────────────────────────── */

void
pr_ctl_forget (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* A terminal shows nothing of what is typed; the old settings are in @before. */
static gboolean
hide_typing (struct termios *before)
{
  struct termios hidden;

  if (!isatty (STDIN_FILENO) || tcgetattr (STDIN_FILENO, before) != 0)
    return FALSE;

  hidden = *before;
  hidden.c_lflag &= ~(tcflag_t) ECHO;
  return tcsetattr (STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
}

/* NULL: nothing was given, or more than fits. */
static char *
read_line (const char *prompt)
{
  struct termios before;
  gboolean hidden = hide_typing (&before);
  char buffer[MAX_SECRET_OCTETS + 2] = "";
  char *secret = NULL;

  if (hidden)
    fputs (prompt, stderr);
  if (fgets (buffer, sizeof buffer, stdin) != NULL)
    {
      gsize len = strcspn (buffer, "\r\n");

      if (len > 0 && len <= MAX_SECRET_OCTETS)
        secret = g_strndup (buffer, len);
    }
  if (hidden)
    {
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
      fputs ("\n", stderr);
    }
  explicit_bzero (buffer, sizeof buffer);

  return secret;
}

char *
pr_ctl_read_secret (const char *prompt, gboolean twice)
{
  char *secret = read_line (prompt);
  char *again = NULL;
  gboolean same = TRUE;

  if (secret == NULL)
    {
      pr_ctl_refuse ("No password was given. It is the first line of standard input, at most %d "
                     "octets.",
                     MAX_SECRET_OCTETS);
      return NULL;
    }
  if (twice && isatty (STDIN_FILENO))
    {
      again = read_line ("Once more: ");
      same = g_strcmp0 (secret, again) == 0;
      pr_ctl_forget (again);
    }
  if (same)
    return secret;

  pr_ctl_forget (secret);
  pr_ctl_refuse ("These were two different passwords; nothing was changed.");
  return NULL;
}
