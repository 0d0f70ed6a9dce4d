/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "smtp/verdict.h"

G_BEGIN_DECLS

/**
 * Who may do what, by the [access] group of the configuration: pure functions of it, no state.
 * Verdicts carry static text. Nobody relays but clients of relay-networks and users who signed
 * in: pass that as @may_relay.
 */

/* At connect: deny-networks hear 554 5.7.1. */
PrVerdict pr_access_check_client (const PrConfig *config, const PrIp *client);
/* What somebody hears who may not send to other domains. */
#define PR_ACCESS_NO_RELAY                                                                         \
  "Relaying is not allowed from your address; ask the owner of this relay to allow it"

/* Whether the client's address alone lets it relay: in relay-networks and not in deny-networks. */
gboolean pr_access_may_relay (const PrConfig *config, const PrIp *client);
/* At MAIL: deny-senders. @sender: canonical, "" for the null sender. */
PrVerdict pr_access_check_sender (const PrConfig *config, const char *sender);
/* At RCPT: deny-recipients; then local-domains and postmaster for anyone (RFC 5321 §4.5.1), all
 * else for those who may relay. @recipient: canonical. */
PrVerdict pr_access_check_recipient (const PrConfig *config, gboolean may_relay,
                                     const char *recipient);

G_END_DECLS
