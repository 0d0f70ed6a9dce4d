/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "oauth/token.h"

G_BEGIN_DECLS

/**
 * Tokens of the desktop's own accounts: GNOME Online Accounts, over the session bus. It signs in,
 * keeps and refreshes; we ask for what it has. Internal to core/oauth.
 */
typedef struct _PrGoaCall PrGoaCall;

/* Exactly one of @token (transfer full) and @error is set: AUTH: a person must sign in there;
 * CONFIG: there is no such account, or it has no token; TEMPORARY: no answer. */
typedef void (*PrGoaFunc) (PrToken *token, const GError *error, gpointer user_data);

/* @id: of the account ("account_1700000000_0") or the address that signed in. @refused: a server
 * refused its last token: it is asked to make sure of its credentials first. */
PrGoaCall *pr_goa_get_token (GMainContext *context, const char *id, gboolean refused,
                             PrGoaFunc func, gpointer user_data);
void pr_goa_cancel (PrGoaCall *self); /* not once func was called */

G_END_DECLS
