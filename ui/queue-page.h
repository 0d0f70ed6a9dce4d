/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "ui/page.h"

G_BEGIN_DECLS

/* PrQueuePage: the messages that wait. A PrPage; its items are message ids. */
#define PR_TYPE_QUEUE_PAGE (pr_queue_page_get_type ())
G_DECLARE_FINAL_TYPE (PrQueuePage, pr_queue_page, PR, QUEUE_PAGE, AdwBin)

G_END_DECLS
