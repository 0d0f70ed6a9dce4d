/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "config/config.h"
#include "oauth/flow.h"

G_BEGIN_DECLS

/* What of a route its tokens depend on: with another one of these they are worth nothing. Internal
 * to core/oauth; all owned. */
typedef struct
{
  char *client_id, *authorize, *token_url, *device, *revoke, *issuer, *scopes; /* nullable */
  char *username;
  char *flow;     /* "auto", "code", "device", "client-credentials" */
  char *ca_file;  /* nullable */
  char *account;  /* nullable: of the desktop, without "goa:" */
  gboolean alone; /* client credentials: no person */
} PrOauthSettings;

PrOauthSettings *pr_oauth_settings_new (const PrRouteConfig *route);
void pr_oauth_settings_free (PrOauthSettings *self);
gboolean pr_oauth_settings_equal (const PrOauthSettings *a, const PrOauthSettings *b);
/* All but the secret; borrowed from @self. */
void pr_oauth_settings_fill (const PrOauthSettings *self, PrOauthClient *out);

G_END_DECLS
