/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users: what they sign in with, and what they may send as. */

#include <gmime/gmime.h>
#include <string.h>

#include "guard/users.h"
#include "smtp/address.h"
#include "smtp/headers.h"

#define MAX_AUTHORS 100

static PrSaslMechanisms
get_mechanisms (const PrConfig *config)
{
  PrSaslMechanisms mechanisms = 0;

  for (guint i = 0; i < config->users->len; i++)
    {
      const PrUserConfig *user = config->users->pdata[i];

      mechanisms |= PR_SASL_SCRAM_SHA_256 | PR_SASL_PLAIN | PR_SASL_LOGIN;
      if (user->scram_sha_1 != NULL)
        mechanisms |= PR_SASL_SCRAM_SHA_1;
      if (user->cram_md5 != NULL)
        mechanisms |= PR_SASL_CRAM_MD5;
    }

  return mechanisms;
}

PrAuthOffer
pr_users_get_offer (const PrConfig *config, const PrListenerConfig *listener,
                    const PrUserPath *path)
{
  PrSaslMechanisms mechanisms = get_mechanisms (config);
  gboolean may_show = path->is_secure || pr_ip_is_loopback (path->client) ||
                      pr_networks_contain (listener->plaintext_auth_networks, path->client);

  if (listener->auth == PR_AUTH_OFF || mechanisms == 0)
    return (PrAuthOffer){ 0 };

  if (path->has_binding)
    mechanisms |= PR_SASL_SCRAM_SHA_256_PLUS;
  if (may_show)
    return (PrAuthOffer){ mechanisms, 0 };

  return (PrAuthOffer){ mechanisms & ~PR_SASL_CLEAR_TEXT,
                        listener->tls != PR_TLS_OFF ? mechanisms & PR_SASL_CLEAR_TEXT : 0 };
}

const PrUserConfig *
pr_users_find (const PrConfig *config, const char *name)
{
  for (guint i = 0; i < config->users->len; i++)
    {
      const PrUserConfig *user = config->users->pdata[i];

      if (strcmp (user->name, name) == 0)
        return user;
    }

  return NULL;
}

static const char *
get_secret (const PrUserConfig *user, PrSaslMechanisms mechanism)
{
  return mechanism == PR_SASL_CRAM_MD5      ? user->cram_md5
         : mechanism == PR_SASL_SCRAM_SHA_1 ? user->scram_sha_1
                                            : user->secret;
}

/* Somebody who has it, always the same for the same name. */
static const char *
find_model (const PrConfig *config, PrSaslMechanisms mechanism, const char *name)
{
  guint n = config->users->len;
  guint start = n > 0 ? g_str_hash (name) % n : 0;

  for (guint i = 0; i < n; i++)
    {
      const char *secret = get_secret (config->users->pdata[(start + i) % n], mechanism);

      if (secret != NULL)
        return secret;
    }

  return NULL;
}

char *
pr_users_find_secret (const PrConfig *config, GBytes *key, PrSaslMechanisms mechanism,
                      const char *name)
{
  const PrUserConfig *user = pr_users_find (config, name);
  const char *secret = user != NULL ? get_secret (user, mechanism) : NULL;

  if (secret != NULL)
    return g_strdup (secret);
  /* As good as a password that nobody knows. */
  if (mechanism == PR_SASL_CRAM_MD5)
    return pr_sasl_make_up_secret (PR_SASL_SCRAM_SHA_256, name, NULL, key);

  return pr_sasl_make_up_secret (mechanism, name, find_model (config, mechanism, name), key);
}

gboolean
pr_users_is_same (const PrConfig *before, const PrConfig *after, const char *name)
{
  const PrUserConfig *old = pr_users_find (before, name);
  const PrUserConfig *new = pr_users_find (after, name);

  return old != NULL && new != NULL &&g_strcmp0 (old->secret, new->secret) == 0 &&
         g_strcmp0 (old->scram_sha_1, new->scram_sha_1) == 0 &&
         g_strcmp0 (old->cram_md5, new->cram_md5) == 0;
}

/* ── What a user may send as ──────────────────────────────────────────────────────────────── */

gboolean
pr_users_may_send_as_anybody (const PrUserConfig *user)
{
  return pr_patterns_match (user->senders, ""); /* only "*" matches that */
}

PrVerdict
pr_users_check_sender (const PrUserConfig *user, const char *sender)
{
  if (*sender == '\0' || pr_patterns_match (user->senders, sender))
    return PR_ACCEPT;

  return PR_REFUSE (550, "5.7.1",
                    "You may not send as this sender; the owner of this relay says which ones "
                    "you may use");
}

/* Groups resolved. What cannot be read as an address is not allowed. */
static gboolean
addresses_are_allowed (const PrUserConfig *user, InternetAddressList *list, guint *n)
{
  for (int i = 0; i < internet_address_list_length (list); i++)
    {
      InternetAddress *entry = internet_address_list_get_address (list, i);
      g_autofree char *address = NULL;
      const char *fault;

      if (++*n > MAX_AUTHORS)
        return FALSE;
      if (INTERNET_ADDRESS_IS_GROUP (entry))
        {
          InternetAddressList *members =
            internet_address_group_get_members (INTERNET_ADDRESS_GROUP (entry));

          if (members != NULL && !addresses_are_allowed (user, members, n))
            return FALSE;
          continue;
        }
      if (!pr_address_parse (internet_address_mailbox_get_addr (INTERNET_ADDRESS_MAILBOX (entry)),
                             &address, &fault) ||
          !pr_patterns_match (user->senders, address))
        return FALSE;
    }

  return TRUE;
}

PrVerdict
pr_users_check_authors (const PrUserConfig *user, const char *header, gsize len)
{
  static gsize made;
  g_autoptr (PrHeaders) headers = NULL;
  guint n_fields, n = 0;

  if (pr_users_may_send_as_anybody (user))
    return PR_ACCEPT;

  if (g_once_init_enter (&made))
    {
      g_mime_init ();
      g_once_init_leave (&made, 1);
    }

  headers = pr_headers_new (header, len);
  n_fields = pr_headers_count (headers, "From");
  if (len >= PR_HEADERS_MAX && !pr_headers_is_complete (headers))
    return PR_REFUSE (550, "5.7.1", "The header is too long to find out who wrote the message");
  for (guint i = 0; i < n_fields; i++)
    {
      g_autofree char *value = pr_headers_get (headers, "From", i);
      InternetAddressList *list = internet_address_list_parse (NULL, value);

      gboolean allowed = list != NULL && internet_address_list_length (list) > 0 &&
                         addresses_are_allowed (user, list, &n);

      g_clear_object (&list);
      if (!allowed)
        return PR_REFUSE (550, "5.7.1",
                          "You may not send with this From address; the owner of this relay says "
                          "which ones you may use");
    }

  return PR_ACCEPT;
}
