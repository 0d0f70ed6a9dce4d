/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "smtp/reply.h"

G_BEGIN_DECLS

/**
 * What is known of mail providers: data/providers.json, compiled in. Nothing of it is kept in
 * memory but the providers that somebody holds; each call that looks for some reads the data anew
 * (some milliseconds), so hold what is needed often: a route holds its own (PrRouteConfig).
 *
 * A preset is a hint: the limits are the provider's word of the day it was checked. Immutable;
 * reference counted (atomic). Any thread. Strings are owned by the provider, texts are English.
 */
typedef enum
{
  PR_SIGN_IN_NONE, /* by network address */
  PR_SIGN_IN_PASSWORD,
  PR_SIGN_IN_APP_PASSWORD, /* made for one program */
  PR_SIGN_IN_TOKEN,        /* a key of a sending service; goes where a password goes */
  PR_SIGN_IN_OAUTH,
} PrSignInKind;

typedef struct
{
  PrSignInKind kind;
  char **steps;      /* NULL-terminated: how a person comes by it */
  char **mechanisms; /* NULL-terminated, words of `auth=`; empty: what the server offers */
  char *url;         /* nullable: where it is explained */
} PrProviderSignIn;

typedef enum
{
  PR_LOGIN_ADDRESS, /* the whole address */
  PR_LOGIN_LOCAL,   /* what stands before the @ */
  PR_LOGIN_LITERAL, /* always login_value */
  PR_LOGIN_OTHER,   /* login_words tell */
  PR_LOGIN_NONE,
} PrProviderLogin;

typedef struct
{
  char *host; /* may hold {NAME} of a parameter */
  guint16 port;
  PrTlsMode tls; /* IMPLICIT, REQUIRED, OPPORTUNISTIC */
} PrProviderHost;

/* What a person must add, such as a region. */
typedef struct
{
  char *name, *words;
  char *default_value; /* nullable */
  char *example;       /* nullable */
  char **values;       /* NULL-terminated; empty: any word */
} PrProviderParameter;

typedef struct
{
  char *authorize_url, *token_url;
  char *device_url;      /* nullable */
  char *revoke_url;      /* nullable: RFC 7009 */
  char **scopes;         /* NULL-terminated */
  char **program_scopes; /* NULL-terminated: of a program that signs in as itself */
  gboolean pkce;
  char *client; /* "own": the user's own client id; "closed": no new ones are given */
  char *words;  /* nullable */
} PrProviderOauth;

/* A way to send over HTTP. */
typedef struct
{
  char *via; /* "gmail-api", "graph" */
  /* NULL-terminated: instead of those of PrProviderOauth */
  char **scopes, **program_scopes;
  guint64 max_size_octets;
} PrProviderApi;

typedef enum
{
  PR_FROM_ANY,
  PR_FROM_ACCOUNT,  /* the account's own address only */
  PR_FROM_ALIASES,  /* and what the provider knows as such */
  PR_FROM_DOMAIN,   /* any of the account's domain */
  PR_FROM_VERIFIED, /* what was verified with the provider */
} PrFromPolicy;

typedef enum
{
  PR_ADVICE_NONE,      /* nothing is known of this reply: its code decides */
  PR_ADVICE_RETRY,     /* passing, whatever the code says */
  PR_ADVICE_HOLD,      /* wants a person to change something first */
  PR_ADVICE_BOUNCE,    /* final, whatever the code says */
  PR_ADVICE_SIGN_IN,   /* the route cannot sign in */
  PR_ADVICE_SLOW_DOWN, /* too much for now: nothing for this route for a while */
} PrAdviceKind;

typedef struct
{
  PrAdviceKind kind;
  const char *words;  /* what it means and what to do next; borrowed from the provider */
  const char *action; /* one word for a button: "app-password", "password", "sign-in", "wait",
                         "sender", "recipient", "message", "size", "settings", "account", "admin" */
  guint wait_s;       /* SLOW_DOWN: for so long */
} PrAdvice;

typedef struct _PrProviderRule PrProviderRule;

struct _PrProvider
{
  gatomicrefcount refs;
  char *id, *name, *kind; /* kind: "mailbox", "relay", "service" */
  char **domains;         /* of addresses there; NULL-terminated */
  PrProviderParameter *parameters;
  guint n_parameters;
  PrProviderHost *hosts; /* the preferred one first, at least one */
  guint n_hosts;
  PrProviderSignIn *sign_ins; /* the simplest first, at least one */
  guint n_sign_ins;
  PrProviderLogin login;
  char *login_value, *login_words; /* nullable */
  PrProviderOauth *oauth;          /* nullable */
  PrProviderApi *api;              /* nullable */
  PrRateLimit *limits;
  guint n_limits;
  /* 0: nothing is known */
  guint max_connections, max_recipients, max_messages_per_connection;
  guint64 max_size_octets;
  PrFromPolicy from;
  gboolean rewrites_from;       /* silently */
  gboolean refuses_null_sender; /* no bounce can go out this way */
  char *from_words;             /* nullable */
  char *help_url, *checked_on, *source, *confidence;
  PrProviderRule *rules; /* the first that fits counts */
  guint n_rules;
};

/* (transfer full) (nullable): NULL: there is none of that id. */
PrProvider *pr_provider_load (const char *id);
/* Also of NULL: nothing happens. */
PrProvider *pr_provider_ref (PrProvider *self);
void pr_provider_unref (PrProvider *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrProvider, pr_provider_unref)

/* All whose id, name or domains hold @text (without case); an address or its domain finds the
 * provider that it is at, and no other. "" or NULL: all. In the order of the data.
 * (transfer full) (element-type PrProvider) */
GPtrArray *pr_provider_search (const char *text);
/* The provider as it stands in the data, one JSON object; NULL: there is none. (transfer full) */
char *pr_provider_to_json (const char *id);

/* The user name for someone with @address; NULL: the provider's words tell how to find it.
 * (transfer full) */
char *pr_provider_make_username (const PrProvider *self, const char *address);
/* @text with {NAME} of each parameter replaced: by @value for the parameter @name (both nullable),
 * by its default for others. NULL: one has no value. (transfer full) */
char *pr_provider_fill (const PrProvider *self, const char *text, const char *name,
                        const char *value);

/* What @reply of the provider's server means. FALSE (and kind NONE) where nothing is known.
 * @self: (nullable). */
gboolean pr_provider_advise (const PrProvider *self, const PrReply *reply, PrAdvice *out);

G_END_DECLS
