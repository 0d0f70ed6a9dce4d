/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ctl/terminal.h"

G_BEGIN_DECLS

/**
 * PrTable: rows in aligned columns. On a terminal the columns that may shrink do, until a row
 * fits its width; elsewhere nothing is cut. Rows are printed in pages: the first page decides how
 * wide the columns are, so that a list of any size needs no memory.
 */
typedef struct _PrTable PrTable;

typedef struct
{
  const char *title;
  gboolean right;    /* aligned to the right: numbers */
  guint min_columns; /* shrinks down to this; 0: never shrinks */
} PrColumn;

/* @columns: static, ended by a NULL title. */
PrTable *pr_table_new (const PrTerminal *terminal, const PrColumn *columns);
void pr_table_free (PrTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrTable, pr_table_free)

/* The next cell, from left to right, row by row. Any text: it is made printable. */
void pr_table_add (PrTable *self, const char *text);
void pr_table_add_colored (PrTable *self, PrColor color, const char *text);
/* (transfer full) */
void pr_table_take (PrTable *self, char *text);
/* What was added since the last time, as lines; the titles come with the first. (transfer full) */
char *pr_table_flush (PrTable *self);

G_END_DECLS
