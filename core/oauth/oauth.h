/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "net/loop.h"
#include "net/web.h"
#include "oauth/flow.h"

G_BEGIN_DECLS

/**
 * PrOauth: the tokens of all routes that sign in with OAuth: kept among the secrets, fetched anew
 * before they end, one question at a time for each route, and asked for now and then although no
 * mail goes, because some lapse unused. One thread, the loop's.
 *
 *   unknown ──► read ──► good ◄──── refreshing ──► put off (asked again later)
 *                 │        │ due, refused ▲  │
 *                 │        └──────────────┘  └──► a person must sign in ──► good
 *                 └──► there is none ─────────────────────────┘
 *
 * No token appears in an error, an event or the log. A refresh token that replaces another one is
 * on the disk before it is used; where that cannot be, it is used all the same, as the one before
 * is worth nothing any more, and the disk is tried again.
 */
typedef struct _PrOauth PrOauth;

/* Whether @route signs in so: it has a client-id or an account of the desktop, and auth= does not
 * forbid it. */
gboolean pr_oauth_is_used (const PrRouteConfig *route);

/* @credentials: copied: the file of secrets. @web: borrowed. */
PrOauth *pr_oauth_new (PrLoop *loop, PrWeb *web, const char *credentials);
/* Waits for what is being written, and tries once more what could not be. Who waits for an answer
 * gets one: PR_ERROR_TEMPORARY. */
void pr_oauth_free (PrOauth *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrOauth, pr_oauth_free)
/* References it. Tokens of routes that did not change stay. */
void pr_oauth_set_config (PrOauth *self, PrConfig *config);

/* What pr_oauth_check() says of @route may be another thing. Never from within a call. */
typedef void (*PrOauthFunc) (const char *route, gpointer user_data);
guint pr_oauth_listen (PrOauth *self, PrOauthFunc func, gpointer user_data);
void pr_oauth_unlisten (PrOauth *self, guint token); /* not from within such a call */

/* The token of @route could not be kept, once more: @why (in words); or NULL: now it is. Never from
 * within a call. @func: (nullable): nobody wants to know any more. */
typedef void (*PrOauthUnkeptFunc) (const char *route, const char *why, gpointer user_data);
void pr_oauth_set_unkept_func (PrOauth *self, PrOauthUnkeptFunc func, gpointer user_data);

/* A provider is asked for a token just now. It may have spent a refresh token on its answer: who
 * ends now loses both. Listeners hear when that is over. */
gboolean pr_oauth_is_asking (const PrOauth *self);

typedef enum
{
  PR_OAUTH_READY,   /* here is a token */
  PR_OAUTH_WAIT,    /* one is being fetched: listen */
  PR_OAUTH_LATER,   /* it cannot be fetched now; asked for again later */
  PR_OAUTH_SIGN_IN, /* a person must sign in */
} PrOauthState;

/* A fresh access token for @route. @access: (out): of READY; @why: (out): of LATER and SIGN_IN, in
 * words. Both are valid until the next turn. LATER for a route that is not in use. */
PrOauthState pr_oauth_check (PrOauth *self, const char *route, const char **access,
                             const char **why);
/* A server took @access, or refused it: then another one is fetched, once; if that is refused too,
 * a person must sign in. @said: the server's words. */
void pr_oauth_accept (PrOauth *self, const char *route, const char *access);
void pr_oauth_refuse (PrOauth *self, const char *route, const char *access, const char *said);

typedef void (*PrOauthDone) (const GError *error, gpointer user_data);
/* A person signed in: keeps @token (transfer full) and then uses it. */
void pr_oauth_adopt (PrOauth *self, const char *route, PrToken *token, PrOauthDone done,
                     gpointer user_data);

/* How a sign-out went. */
typedef struct
{
  const GError *error;   /* nullable: it is kept here until that can be mended; told again later */
  gboolean asked;        /* the provider was asked to revoke the token (RFC 7009) … */
  const GError *refused; /* … and did not say that it did: nullable */
} PrOauthSignOutFacts;
typedef void (*PrOauthSignedOut) (const PrOauthSignOutFacts *facts, gpointer user_data);
/* Forgets the token of @route, and asks the provider to do so too, where it has an address for
 * that. */
void pr_oauth_sign_out (PrOauth *self, const char *route, PrOauthSignedOut done,
                        gpointer user_data);
/* The secrets of @route may be others: they are read anew. */
void pr_oauth_renew (PrOauth *self, const char *route);

typedef struct
{
  const char *account;          /* nullable: who signed in, as the provider said */
  const char *why;              /* nullable: why it is not READY */
  const char *unkept;           /* nullable: why what is known could not be written down */
  gint64 obtained_s, expires_s; /* of the access token; 0: not known */
  gboolean can_refresh;         /* the next one comes by itself */
} PrOauthFacts;
/* FALSE: @route does not sign in so. Asks nobody. */
gboolean pr_oauth_get_facts (PrOauth *self, const char *route, PrOauthState *state,
                             PrOauthFacts *out);

/* ── For sign-ins ─────────────────────────────────────────────────────────────────────────── */

/* Whom to ask for @route; borrowed until the next turn; FALSE: the route does not sign in so. */
gboolean pr_oauth_get_client (PrOauth *self, const char *route, PrOauthClient *out,
                              const char **flow, const char **ca_file);
PrWeb *pr_oauth_get_web (PrOauth *self);
PrLoop *pr_oauth_get_loop (PrOauth *self);

G_END_DECLS
