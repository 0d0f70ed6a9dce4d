/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

/* Deletes one message that is not in hand any more. */
void pr_order_delete_now (PrRunner *runner, gint64 id);
/* Releases what was held because no route carried it, where one does now. */
void pr_order_release_routed (PrRunner *runner);

G_END_DECLS
