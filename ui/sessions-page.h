/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/page.h"

G_BEGIN_DECLS

/* PrSessionsPage: who is connected to us, to whom we are, and what is said. An item is a session's
 * number. */
#define PR_TYPE_SESSIONS_PAGE (pr_sessions_page_get_type ())
G_DECLARE_FINAL_TYPE (PrSessionsPage, pr_sessions_page, PR, SESSIONS_PAGE, AdwBin)

G_END_DECLS
