/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "oauth/token.h"

G_BEGIN_DECLS

/**
 * What OAuth 2.0 says, as text: the addresses a browser is sent to, the forms that ask for tokens
 * and the answers to them. No input and no output. RFC 6749, 7636 (PKCE), 8252 (native programs),
 * 8628 (devices), 9207 (who answers), 9700 (what must be so).
 */

/* Who asks whom; all borrowed. */
typedef struct
{
  const char *client_id;
  const char *client_secret;         /* nullable: most programs on a desktop have none */
  const char *authorize, *token_url; /* authorize: nullable */
  const char *device, *revoke;       /* nullable */
  const char *issuer, *scopes;       /* nullable */
  const char *username;              /* nullable: who is to sign in */
} PrOauthClient;

/* (transfer full): a random text of 43 letters for state and PKCE (RFC 7636 §4.1). NULL: this
 * system has no random numbers. */
char *pr_oauth_make_random (void);
/* (transfer full): S256 of RFC 7636 §4.2. */
char *pr_oauth_make_challenge (const char *verifier);
/* In a time that does not tell where they differ. */
gboolean pr_oauth_is_equal (const char *a, const char *b);

/* (transfer full): where the browser goes. */
char *pr_oauth_make_authorize_url (const PrOauthClient *client, const char *redirect,
                                   const char *state, const char *verifier);
/* The forms for the token's address; wiped when freed (transfer full). */
GBytes *pr_oauth_ask_with_code (const PrOauthClient *client, const char *code, const char *redirect,
                                const char *verifier);
GBytes *pr_oauth_ask_with_refresh (const PrOauthClient *client, const char *refresh);
GBytes *pr_oauth_ask_with_device (const PrOauthClient *client, const char *device_code);
GBytes *pr_oauth_ask_alone (const PrOauthClient *client);      /* client credentials */
GBytes *pr_oauth_ask_for_device (const PrOauthClient *client); /* for the device's address */
/* RFC 7009 §2.1, for the address of revocation. @token: has a refresh or an access token. */
GBytes *pr_oauth_ask_to_revoke (const PrOauthClient *client, const PrToken *token);

/* What the browser brings back: the query of the redirect. (transfer full): the code. @state: what
 * was sent; @issuer: (nullable) who must have answered, and must say so (RFC 9207 §2.4). Errors:
 * PROTOCOL: this is no answer to our question, and another may come; AUTH: the provider or the
 * person said no. */
char *pr_oauth_read_redirect (const char *query, const char *state, const char *issuer,
                              GError **error);

/* An answer of the token's address. @body: need not be JSON. Errors:
 *
 * - %PR_ERROR_AUTH: refused for good: a person must sign in again (invalid_grant and its kin)
 * - %PR_ERROR_CONFIG: the client's own fault (invalid_client, invalid_scope, …)
 * - %PR_ERROR_TEMPORARY: later
 * - %PR_ERROR_PROTOCOL: no answer that can be read
 *
 * @verdict: (out) (optional): what a device that waits shall do. Words that a server may not choose
 * freely are cut and printable; never a token. */
typedef enum
{
  PR_OAUTH_FINAL,
  PR_OAUTH_PENDING,   /* ask again */
  PR_OAUTH_SLOW_DOWN, /* and from now on 5 s slower, RFC 8628 §3.5 */
} PrOauthVerdict;
PrToken *pr_oauth_read_token (guint status, const char *body, gsize len, gint64 now_s,
                              PrOauthVerdict *verdict, GError **error);

/* RFC 7009 §2.2: also of a token that was worth nothing already. Errors as above. */
gboolean pr_oauth_read_revocation (guint status, const char *body, gsize len, GError **error);

typedef struct
{
  char *device_code; /* a secret; wiped */
  char *user_code;
  char *url;  /* where to type it */
  char *full; /* nullable: the same with the code in it */
  guint interval_s;
  gint64 expires_s; /* since the epoch */
} PrOauthDevice;

/* RFC 8628 §3.2; errors as above. */
PrOauthDevice *pr_oauth_read_device (guint status, const char *body, gsize len, gint64 now_s,
                                     GError **error);
void pr_oauth_device_free (PrOauthDevice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrOauthDevice, pr_oauth_device_free)

G_END_DECLS
