/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of the window's pages: one line each. */

#include "pages.h"

#include <glib/gi18n.h>

#include "log-page.h"
#include "overview-page.h"
#include "queue-page.h"
#include "sessions-page.h"

/* clang-format off */
const PrPageRow pr_pages[] = {
  { "overview", NC_ ("page", "Overview"), "go-home-symbolic", "<Alt>1",
    pr_overview_page_get_type },
  { "sessions", NC_ ("page", "Sessions"), "network-transmit-receive-symbolic", "<Alt>2",
    pr_sessions_page_get_type },
  { "queue", NC_ ("page", "Queue"), "mail-unread-symbolic", "<Alt>3", pr_queue_page_get_type },
  { "log", NC_ ("page", "Log"), "view-list-symbolic", "<Alt>4", pr_log_page_get_type },
};
/* clang-format on */

const guint pr_n_pages = G_N_ELEMENTS (pr_pages);

const PrPageRow *
pr_pages_find (const char *name)
{
  for (guint i = 0; i < pr_n_pages; i++)
    if (g_strcmp0 (pr_pages[i].name, name) == 0)
      return &pr_pages[i];

  return NULL;
}
