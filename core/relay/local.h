/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

/* Hops without a connection: discard and maildir. Takes what waits. */
void pr_local_pump (PrHop *hop);

G_END_DECLS
