/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "smtp/session.h"

G_BEGIN_DECLS

/**
 * Who may sign in, with what, and what for, by the [user NAME] groups: pure functions of the
 * configuration, no state.
 */

/* How a client has come. */
typedef struct
{
  const PrIp *client;
  gboolean is_secure;   /* TLS */
  gboolean has_binding; /* -PLUS is possible */
} PrUserPath;

/* What EHLO offers on @listener: nothing where auth=off or nobody could sign in; PLAIN and LOGIN
 * over TLS, from loopback and from plaintext-auth-networks; SCRAM-SHA-1 and CRAM-MD5 where at least
 * one user has the key for it. */
PrAuthOffer pr_users_get_offer (const PrConfig *config, const PrListenerConfig *listener,
                                const PrUserPath *path);
/* NULL: there is none. Borrowed. */
const PrUserConfig *pr_users_find (const PrConfig *config, const char *name);
/* What is kept of @name for @mechanism (see PrSaslServerWorld); made up by @key, like that of some
 * other user, for one who does not exist or may not use it. (transfer full) */
char *pr_users_find_secret (const PrConfig *config, GBytes *key, PrSaslMechanisms mechanism,
                            const char *name);
/* Whether what @name signed in with under @before still holds under @after. */
gboolean pr_users_is_same (const PrConfig *before, const PrConfig *after, const char *name);

/* senders=*, the default: nothing to check. */
gboolean pr_users_may_send_as_anybody (const PrUserConfig *user);
/* MAIL: `senders` of the user. The null sender is allowed: disposition notices have it (RFC 8098
 * §3). @sender: canonical. */
PrVerdict pr_users_check_sender (const PrUserConfig *user, const char *sender);
/* End of data: every address in From. @header: the header of the message, at its start. */
PrVerdict pr_users_check_authors (const PrUserConfig *user, const char *header, gsize len);

G_END_DECLS
