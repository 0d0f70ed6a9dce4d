/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PrToken: what a sign-in gave: an access token for some time and, mostly, a refresh token that
 * brings the next one. Its text form is kept as a secret of its route. Secrets are wiped.
 */
typedef struct
{
  char *access;      /* nullable: none at the moment */
  char *refresh;     /* nullable: a person must sign in when it ends */
  char *client_id;   /* nullable: whom it was given to */
  char *account;     /* nullable: who signed in, as the provider says */
  gint64 obtained_s; /* since the epoch, by our clock */
  gint64 expires_s;  /* of access; 0: the provider did not say */
} PrToken;

PrToken *pr_token_new (void);
void pr_token_free (PrToken *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrToken, pr_token_free)

/* (transfer full): free it with pr_secret_free(). */
char *pr_token_to_text (const PrToken *self);
/* NULL: this is no text of a token. */
PrToken *pr_token_from_text (const char *text);

/* How long before its end a token is not used any more, in seconds: clocks differ, mail takes
 * time. A minute, less for tokens that live shorter than ten. */
guint pr_token_get_margin_s (const PrToken *self);
/* It has an access token that is good now. */
gboolean pr_token_is_good (const PrToken *self, gint64 now_s);
/* It is time to ask for the next one, though this one may still be good: a fifth of its life, at
 * most five minutes, is left. */
gboolean pr_token_is_due (const PrToken *self, gint64 now_s);

G_END_DECLS
