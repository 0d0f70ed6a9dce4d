/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/page.h"

G_BEGIN_DECLS

/* The first page: how things are, the last day, the routes and who sends. */
#define PR_TYPE_OVERVIEW_PAGE (pr_overview_page_get_type ())
G_DECLARE_FINAL_TYPE (PrOverviewPage, pr_overview_page, PR, OVERVIEW_PAGE, AdwBin)

G_END_DECLS
