/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "oauth/settings.h"

#include <string.h>

#define SCHEME "goa:"

PrOauthSettings *
pr_oauth_settings_new (const PrRouteConfig *route)
{
  PrOauthSettings *self = g_new0 (PrOauthSettings, 1);

  self->client_id = g_strdup (route->client_id);
  self->authorize = g_strdup (route->oauth_authorize);
  self->token_url = g_strdup (route->oauth_token);
  self->device = g_strdup (route->oauth_device);
  self->revoke = g_strdup (route->oauth_revoke);
  self->issuer = g_strdup (route->oauth_issuer);
  self->scopes = g_strdup (route->oauth_scopes);
  self->username = g_strdup (route->username);
  self->flow = g_strdup (route->oauth_flow);
  self->ca_file = g_strdup (route->ca_file);
  if (route->account != NULL)
    self->account = g_strdup (route->account + strlen (SCHEME));
  self->alone = g_str_equal (route->oauth_flow, "client-credentials");
  return self;
}

void
pr_oauth_settings_free (PrOauthSettings *self)
{
  g_free (self->client_id);
  g_free (self->authorize);
  g_free (self->token_url);
  g_free (self->device);
  g_free (self->revoke);
  g_free (self->issuer);
  g_free (self->scopes);
  g_free (self->username);
  g_free (self->flow);
  g_free (self->ca_file);
  g_free (self->account);
  g_free (self);
}

gboolean
pr_oauth_settings_equal (const PrOauthSettings *a, const PrOauthSettings *b)
{
  return g_strcmp0 (a->client_id, b->client_id) == 0 &&
         g_strcmp0 (a->authorize, b->authorize) == 0 &&
         g_strcmp0 (a->token_url, b->token_url) == 0 && g_strcmp0 (a->device, b->device) == 0 &&
         g_strcmp0 (a->revoke, b->revoke) == 0 && g_strcmp0 (a->issuer, b->issuer) == 0 &&
         g_strcmp0 (a->scopes, b->scopes) == 0 && g_strcmp0 (a->username, b->username) == 0 &&
         g_strcmp0 (a->flow, b->flow) == 0 && g_strcmp0 (a->ca_file, b->ca_file) == 0 &&
         g_strcmp0 (a->account, b->account) == 0;
}

void
pr_oauth_settings_fill (const PrOauthSettings *self, PrOauthClient *out)
{
  *out = (PrOauthClient){
    .client_id = self->client_id,
    .authorize = self->authorize,
    .token_url = self->token_url,
    .device = self->device,
    .revoke = self->revoke,
    .issuer = self->issuer,
    .scopes = self->scopes,
    .username = self->username,
  };
}
