/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "net/web.h"
#include "oauth/flow.h"

G_BEGIN_DECLS

/**
 * PrRevoker: tells providers that a token shall be worth nothing any more (RFC 7009). Each is told
 * once; what is not answered in 20 seconds is given up. Internal to core/oauth.
 */
typedef struct _PrRevoker PrRevoker;

PrRevoker *pr_revoker_new (PrWeb *web); /* borrowed */
/* Who waits is told that Postroom ends. */
void pr_revoker_free (PrRevoker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrRevoker, pr_revoker_free)

/* @error: (nullable): NULL: the provider did so. Never from within pr_revoker_send(). */
typedef void (*PrRevoked) (const GError *error, gpointer user_data);
/* @client: with the address of revocation. @token: the one to be revoked: the refresh token, where
 * there is one (§2.1: what it brought goes with it). */
void pr_revoker_send (PrRevoker *self, const PrOauthClient *client, const PrToken *token,
                      const char *ca_file, PrRevoked done, gpointer user_data);

G_END_DECLS
