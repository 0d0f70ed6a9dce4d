/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/explain.h"

#include <string.h>

#include "common/error.h"
#include "guard/access.h"
#include "relay/rewrite.h"
#include "smtp/address.h"
#include "smtp/mailboxes.h"

static void
add (GVariantBuilder *facts, const char *key, const char *value)
{
  if (value != NULL)
    g_variant_builder_add (facts, "{sv}", key, g_variant_new_string (value));
}

/* The address in a From field, canonical. (transfer full) */
static char *
find_sender (const char *from, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

  if (*from == '\0')
    return g_strdup ("");
  if (!g_utf8_validate (from, -1, NULL) || strpbrk (from, "\r\n") != NULL ||
      !pr_mailboxes_parse (from, found) || found->len != 1)
    {
      g_set_error (error, PR_ERROR, PR_ERROR_CONFIG,
                   "“%s” is not a sender; type an address such as scan@example.org", from);
      return NULL;
    }
  return g_strdup (found->pdata[0]);
}

static char *
find_recipient (const char *to, GError **error)
{
  const char *fault = NULL;
  char *address = NULL;

  if (pr_address_parse (to, &address, &fault))
    return address;

  g_set_error (error, PR_ERROR, PR_ERROR_CONFIG, "“%s” is not an address mail can go to: %s", to,
               fault);
  return NULL;
}

/* ── Rewriting ────────────────────────────────────────────────────────────────────────────── */

/* What the recipient sees, before or after it. */
static void
add_rewriting (GVariantBuilder *facts, const char *from, const char *sender, const char *address)
{
  g_autoptr (PrHeaders) headers = pr_headers_new ("", 0);
  g_autofree char *new_from = NULL;
  g_autofree char *reply_to = NULL;

  pr_headers_append (headers, "From", from);
  if (address != NULL)
    pr_rewrite_headers (headers, address);
  new_from = pr_headers_get (headers, "From", 0);
  reply_to = pr_headers_get (headers, "Reply-To", 0);
  add (facts, "sender", address != NULL ? pr_rewrite_envelope (sender, address) : sender);
  add (facts, "from", new_from);
  add (facts, "reply-to", reply_to);
}

GVariant *
pr_explain_rewriting (const char *from, const char *address, GError **error)
{
  g_autofree char *sender = find_sender (from, error);
  g_autofree char *canonical = NULL;
  GVariantBuilder facts;

  if (sender == NULL)
    return NULL;
  if (*address != '\0' && (canonical = find_recipient (address, error)) == NULL)
    return NULL;

  g_variant_builder_init (&facts, G_VARIANT_TYPE_VARDICT);
  add_rewriting (&facts, from, sender, canonical);
  return g_variant_builder_end (&facts);
}

/* ── Routing ──────────────────────────────────────────────────────────────────────────────── */

static void
add_hosts (GVariantBuilder *facts, const PrRouteConfig *route)
{
  GVariantBuilder hosts;

  g_variant_builder_init (&hosts, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < route->n_hosts; i++)
    {
      g_autofree char *host =
        g_strdup_printf (strchr (route->hosts[i].host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                         route->hosts[i].host, route->hosts[i].port);

      g_variant_builder_add (&hosts, "s", host);
    }
  g_variant_builder_add (facts, "{sv}", "hosts", g_variant_builder_end (&hosts));
}

/* The routes above the one that takes it, and what they do not match. */
static void
add_passed (GVariantBuilder *facts, const PrConfig *config, const PrRouteConfig *taken,
            const char *recipient)
{
  GVariantBuilder passed;

  g_variant_builder_init (&passed, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < config->routes->len && config->routes->pdata[i] != taken; i++)
    {
      const PrRouteConfig *route = config->routes->pdata[i];

      g_variant_builder_add (&passed, "(ss)", route->name,
                             pr_patterns_match (route->recipients, recipient) ? "senders"
                                                                              : "recipients");
    }
  g_variant_builder_add (facts, "{sv}", "passed", g_variant_builder_end (&passed));
}

static const char *
find_refusal (const PrConfig *config, const char *sender, const char *recipient)
{
  PrVerdict verdict = pr_access_check_sender (config, sender);

  if (verdict.kind == PR_VERDICT_ACCEPT)
    verdict = pr_access_check_recipient (config, TRUE, recipient);
  return verdict.kind == PR_VERDICT_REFUSE ? verdict.text : NULL;
}

GVariant *
pr_explain (const PrConfig *config, const char *from, const char *to, GError **error)
{
  g_autofree char *sender = find_sender (from, error);
  g_autofree char *recipient = sender != NULL ? find_recipient (to, error) : NULL;
  const PrRouteConfig *route;
  GVariantBuilder facts;

  if (recipient == NULL)
    return NULL;

  route = pr_config_find_route (config, recipient, sender);
  g_variant_builder_init (&facts, G_VARIANT_TYPE_VARDICT);
  add (&facts, "refused", find_refusal (config, sender, recipient));
  add_passed (&facts, config, route, recipient);
  if (route != NULL)
    {
      add (&facts, "route", route->name);
      add (&facts, "via", pr_via_to_string (route->via));
      add_hosts (&facts, route);
    }
  add_rewriting (&facts, from, sender, route != NULL ? route->rewrite_sender : NULL);
  return g_variant_builder_end (&facts);
}
