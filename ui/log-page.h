/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/page.h"

G_BEGIN_DECLS

/* PrLogPage: what happened, newest first; tracks a message, an address or a device. An item is what
 * is searched for. */
#define PR_TYPE_LOG_PAGE (pr_log_page_get_type ())
G_DECLARE_FINAL_TYPE (PrLogPage, pr_log_page, PR, LOG_PAGE, AdwBin)

G_END_DECLS
