/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sends what g_message() and its like say to the journal when standard error is one, else to
 * standard error as "time level: words". Debug words only with G_MESSAGES_DEBUG. */
void pr_log_init (void);

G_END_DECLS
