/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows in aligned columns. */

#include "ctl/table.h"

#define GAP 2 /* blanks between columns */

typedef struct
{
  char *text; /* owned */
  PrColor color;
} Cell;

struct _PrTable
{
  const PrTerminal *terminal; /* borrowed */
  const PrColumn *columns;    /* static */
  guint n_columns;
  GArray *cells; /* of Cell, row by row */
  guint *widths; /* NULL until the first page */
};

static void
clear_cell (gpointer data)
{
  g_free (((Cell *) data)->text);
}

PrTable *
pr_table_new (const PrTerminal *terminal, const PrColumn *columns)
{
  PrTable *self = g_new0 (PrTable, 1);

  self->terminal = terminal;
  self->columns = columns;
  while (columns[self->n_columns].title != NULL)
    self->n_columns++;
  self->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_array_set_clear_func (self->cells, clear_cell);

  return self;
}

void
pr_table_free (PrTable *self)
{
  g_array_unref (self->cells);
  g_free (self->widths);
  g_free (self);
}

void
pr_table_add_colored (PrTable *self, PrColor color, const char *text)
{
  Cell cell = { pr_text_printable (text), color };

  g_array_append_val (self->cells, cell);
}

void
pr_table_add (PrTable *self, const char *text)
{
  pr_table_add_colored (self, PR_COLOR_NONE, text);
}

void
pr_table_take (PrTable *self, char *text)
{
  pr_table_add (self, text);
  g_free (text);
}

/* ── Widths ───────────────────────────────────────────────────────────────────────────────── */

/* The widest column that may still shrink gives way, one column at a time. */
static void
shrink (PrTable *self, guint total)
{
  while (total > self->terminal->width)
    {
      guint widest = self->n_columns;

      for (guint i = 0; i < self->n_columns; i++)
        if (self->columns[i].min_columns > 0 && self->widths[i] > self->columns[i].min_columns &&
            (widest == self->n_columns || self->widths[i] > self->widths[widest]))
          widest = i;
      if (widest == self->n_columns)
        return;
      self->widths[widest]--;
      total--;
    }
}

static void
measure (PrTable *self)
{
  guint total = GAP * (self->n_columns - 1);

  self->widths = g_new0 (guint, self->n_columns);
  for (guint i = 0; i < self->n_columns; i++)
    self->widths[i] = pr_text_width (self->columns[i].title);
  for (guint i = 0; i < self->cells->len; i++)
    {
      guint *width = &self->widths[i % self->n_columns];

      *width = MAX (*width, pr_text_width (g_array_index (self->cells, Cell, i).text));
    }
  for (guint i = 0; i < self->n_columns; i++)
    total += self->widths[i];
  if (self->terminal->width > 0)
    shrink (self, total);
}

/* ── Lines ────────────────────────────────────────────────────────────────────────────────── */

static void
append_cell (PrTable *self, GString *out, guint column, const Cell *cell)
{
  guint width = self->widths[column];
  g_autofree char *text =
    self->terminal->width > 0 ? pr_text_fit (cell->text, width) : g_strdup (cell->text);
  guint used = pr_text_width (text);
  int blanks = used < width ? (int) (width - used) : 0;
  gboolean last = column + 1 == self->n_columns;

  if (self->columns[column].right)
    g_string_append_printf (out, "%*s", blanks, "");
  g_string_append_printf (out, "%s%s%s", pr_terminal_begin (self->terminal, cell->color), text,
                          pr_terminal_end (self->terminal, cell->color));
  if (!self->columns[column].right && !last)
    g_string_append_printf (out, "%*s", blanks, "");
  g_string_append (out, last ? "\n" : "  ");
}

/* No blanks at the end of a line. */
static void
end_line (GString *out)
{
  gsize len = out->len - 1;

  while (len > 0 && out->str[len - 1] == ' ')
    len--;
  g_string_truncate (out, len);
  g_string_append_c (out, '\n');
}

char *
pr_table_flush (PrTable *self)
{
  GString *out = g_string_new (NULL);

  g_assert (self->cells->len % self->n_columns == 0);
  if (self->cells->len == 0)
    return g_string_free (out, FALSE);

  if (self->widths == NULL)
    {
      measure (self);
      for (guint i = 0; i < self->n_columns; i++)
        append_cell (self, out, i, &(Cell){ (char *) self->columns[i].title, PR_COLOR_BOLD });
      end_line (out);
    }
  for (guint i = 0; i < self->cells->len; i++)
    {
      append_cell (self, out, i % self->n_columns, &g_array_index (self->cells, Cell, i));
      if ((i + 1) % self->n_columns == 0)
        end_line (out);
    }
  g_array_set_size (self->cells, 0);

  return g_string_free (out, FALSE);
}
