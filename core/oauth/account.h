/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/loop.h"
#include "net/web.h"
#include "oauth/keep.h"
#include "oauth/oauth.h"
#include "oauth/revoke.h"
#include "oauth/settings.h"

G_BEGIN_DECLS

/**
 * PrOauthAccount: the token of one route: its states are those of oauth.h. Internal to core/oauth,
 * which says what its functions do: they have the names of PrOauth's.
 */
typedef struct _PrOauthAccount PrOauthAccount;

/* What accounts share; all borrowed. */
typedef struct
{
  PrLoop *loop;
  PrWeb *web;
  PrKeep *keep;
  PrRevoker *revoker;
  void (*changed) (const char *route, gpointer user_data); /* told soon: see PrOauthFunc */
  void (*reschedule) (gpointer user_data);                 /* somebody wants tokens again */
  gpointer user_data;
} PrOauthWorld;

/* @settings: (transfer full). Begins to read what is kept. */
PrOauthAccount *pr_oauth_account_new (const PrOauthWorld *world, const char *route,
                                      PrOauthSettings *settings);
/* Who waits for the disk is told all the same, by PrKeep. */
void pr_oauth_account_free (PrOauthAccount *self);

const PrOauthSettings *pr_oauth_account_get_settings (const PrOauthAccount *self);

PrOauthState pr_oauth_account_check (PrOauthAccount *self, const char **access, const char **why);
void pr_oauth_account_accept (PrOauthAccount *self, const char *access);
void pr_oauth_account_refuse (PrOauthAccount *self, const char *access, const char *said);
void pr_oauth_account_adopt (PrOauthAccount *self, PrToken *token, PrOauthDone done,
                             gpointer user_data);
void pr_oauth_account_sign_out (PrOauthAccount *self, PrOauthSignedOut done, gpointer user_data);
void pr_oauth_account_renew (PrOauthAccount *self);
PrOauthState pr_oauth_account_get_facts (const PrOauthAccount *self, PrOauthFacts *out);
void pr_oauth_account_fill_client (const PrOauthAccount *self, PrOauthClient *out);

gboolean pr_oauth_account_is_asking (const PrOauthAccount *self);
/* When it wants a token by itself, in real seconds; 0: never. */
gint64 pr_oauth_account_next_due_s (const PrOauthAccount *self);
/* Asks the provider; only when it is due. */
void pr_oauth_account_ask (PrOauthAccount *self);

G_END_DECLS
