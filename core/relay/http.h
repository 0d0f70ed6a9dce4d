/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "relay/runner-private.h"

G_BEGIN_DECLS

/* Hops that are reached over HTTPS: the Gmail API and Microsoft Graph. A message goes in one
 * request, whatever the number of its recipients (relay/http-head.h), at most max-connections of
 * them at once; its octets come from the store as the network takes them. */

/* Takes what waits; the way is open. */
void pr_http_pump (PrHop *hop);
/* Gives back what the provider cannot have yet: its last octet has not left. */
void pr_http_cancel_all (PrRunner *runner);
/* The end: nothing is told or recorded any more. */
void pr_http_kill_all (PrRunner *runner);

G_END_DECLS
