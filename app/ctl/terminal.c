/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How wide text is on a terminal, and what colours it has. */

#include "ctl/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "common/redact.h"

#define DEFAULT_WIDTH 80
#define MIN_WIDTH 40

static const char *const sequences[] = {
  [PR_COLOR_NONE] = "",         [PR_COLOR_BOLD] = "\033[1m",     [PR_COLOR_FAINT] = "\033[2m",
  [PR_COLOR_GOOD] = "\033[32m", [PR_COLOR_WARNING] = "\033[33m", [PR_COLOR_BAD] = "\033[31m",
};

void
pr_terminal_init (PrTerminal *self)
{
  const char *no_color = g_getenv ("NO_COLOR");
  struct winsize size;

  *self = (PrTerminal){ .is_tty = isatty (STDOUT_FILENO) };
  if (!self->is_tty)
    return;

  self->has_colors =
    (no_color == NULL || *no_color == '\0') && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->width = DEFAULT_WIDTH;
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    self->width = MAX (size.ws_col, MIN_WIDTH);
}

const char *
pr_terminal_begin (const PrTerminal *self, PrColor color)
{
  return self->has_colors ? sequences[color] : "";
}

const char *
pr_terminal_end (const PrTerminal *self, PrColor color)
{
  return self->has_colors && color != PR_COLOR_NONE ? "\033[0m" : "";
}

static guint
char_width (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

guint
pr_text_width (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += char_width (g_utf8_get_char (text));
  return width;
}

char *
pr_text_fit (const char *text, guint width)
{
  const char *p = text;
  guint used = 0;

  if (pr_text_width (text) <= width)
    return g_strdup (text);
  if (width == 0)
    return g_strdup ("");

  for (; used + char_width (g_utf8_get_char (p)) <= width - 1; p = g_utf8_next_char (p))
    used += char_width (g_utf8_get_char (p));
  return g_strdup_printf ("%.*s…", (int) (p - text), text);
}

char *
pr_text_printable (const char *text)
{
  GString *out = g_string_new (NULL);

  if (text != NULL)
    pr_append_printable (out, text, strlen (text));
  return g_string_free (out, FALSE);
}
