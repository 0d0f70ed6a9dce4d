/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ui/page.h"

G_BEGIN_DECLS

/* The window's pages, in their order. To add one: docs/hacking.md, "How to add a page". */
typedef struct
{
  const char *name;  /* "queue": of `win.page::queue` and --page=queue */
  const char *title; /* as C_ ("page", …); translated by the reader */
  const char *icon;
  const char *accelerator; /* "<Alt>1" */
  GType (*get_type) (void);
} PrPageRow;

extern const PrPageRow pr_pages[];
extern const guint pr_n_pages;

/* NULL: no page is called so. */
const PrPageRow *pr_pages_find (const char *name);

G_END_DECLS
