/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What standard output is. */
typedef struct
{
  gboolean is_tty;
  gboolean has_colors; /* a terminal, and NO_COLOR is not set (no-color.org) */
  guint width;         /* columns; 0: as wide as it takes */
} PrTerminal;

typedef enum
{
  PR_COLOR_NONE,
  PR_COLOR_BOLD,
  PR_COLOR_FAINT,
  PR_COLOR_GOOD,
  PR_COLOR_WARNING,
  PR_COLOR_BAD,
} PrColor;

void pr_terminal_init (PrTerminal *self);
/* Escape sequences around what is coloured; "" where there are no colours. */
const char *pr_terminal_begin (const PrTerminal *self, PrColor color);
const char *pr_terminal_end (const PrTerminal *self, PrColor color);

/* How many columns @text takes: wide characters two, combining ones none. */
guint pr_text_width (const char *text);
/* @text in at most @width columns, cut with "…" where it is longer. (transfer full) */
char *pr_text_fit (const char *text, guint width);
/* @text (nullable) as one line that cannot act on a terminal. (transfer full) */
char *pr_text_printable (const char *text);

G_END_DECLS
