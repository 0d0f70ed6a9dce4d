/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may do what. */

#include <string.h>

#include "guard/access.h"
#include "smtp/address.h"

PrVerdict
pr_access_check_client (const PrConfig *config, const PrIp *client)
{
  if (pr_networks_contain (config->deny_networks, client))
    return PR_CLOSE (554, "5.7.1", "Your address may not send mail here");

  return PR_ACCEPT;
}

gboolean
pr_access_may_relay (const PrConfig *config, const PrIp *client)
{
  return pr_networks_contain (config->relay_networks, client) &&
         !pr_networks_contain (config->deny_networks, client);
}

PrVerdict
pr_access_check_sender (const PrConfig *config, const char *sender)
{
  /* The null sender is how bounces travel (RFC 5321 §4.5.5): "*" must not mean them. */
  if (*sender != '\0' && pr_patterns_match (config->deny_senders, sender))
    return PR_REFUSE (550, "5.7.1", "This sender may not send mail here");

  return PR_ACCEPT;
}

/* RFC 5321 §4.5.1: postmaster, with our name or with none. */
static gboolean
is_our_postmaster (const PrConfig *config, const char *recipient)
{
  const char *domain = pr_address_domain (recipient);

  if (g_ascii_strncasecmp (recipient, "postmaster", 10) != 0)
    return FALSE;

  return recipient[10] == '\0' || (recipient[10] == '@' && domain == recipient + 11 &&
                                   g_ascii_strcasecmp (domain, config->hostname) == 0);
}

/* "a%b", "b!a", "\"a@b\"": some servers read another destination there. Whoever takes our local
 * mail may trust what we hand on, so from a stranger that would be relaying through them. */
static gboolean
names_another_way (const char *recipient)
{
  const char *domain = pr_address_domain (recipient);
  gsize len = *domain != '\0' ? (gsize) (domain - 1 - recipient) : strlen (recipient);

  return strcspn (recipient, "%!@") < len;
}

PrVerdict
pr_access_check_recipient (const PrConfig *config, gboolean may_relay, const char *recipient)
{
  if (pr_patterns_match (config->deny_recipients, recipient))
    return PR_REFUSE (550, "5.7.1", "Mail to this recipient is not taken here");

  if (may_relay || is_our_postmaster (config, recipient) ||
      (pr_patterns_match (config->local_domains, recipient) && !names_another_way (recipient)))
    return PR_ACCEPT;

  return PR_REFUSE (550, "5.7.1", PR_ACCESS_NO_RELAY);
}
