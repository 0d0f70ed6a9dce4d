/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "oauth/oauth.h"

G_BEGIN_DECLS

/**
 * PrConsents: people signing in, each attempt from its beginning to a token that is kept, or to the
 * reason why not. At most 16 are remembered, and one at a time goes on for each route. One thread.
 *
 *   browser:  waiting (for the browser, or a pasted address) ──► checking ──► done, failed
 *   device:   asking ──► waiting (asks again and again) ──────────────────► done, failed
 *   alone:    checking ───────────────────────────────────────────────────► done, failed
 */
typedef struct _PrConsents PrConsents;

typedef enum
{
  PR_CONSENT_ASKING,   /* for a code that a person can type */
  PR_CONSENT_WAITING,  /* for a person */
  PR_CONSENT_CHECKING, /* asks the provider for the token */
  PR_CONSENT_DONE,
  PR_CONSENT_FAILED, /* or cancelled, or nobody came in time */
} PrConsentState;

/* Borrowed until the next turn. */
typedef struct
{
  const char *route;
  PrConsentState state;
  const char *url;       /* nullable: where to go with a browser */
  const char *user_code; /* nullable: what to type there */
  const char *short_url; /* with user_code: where to type it by hand */
  const char *account;   /* nullable; of DONE: who signed in */
  const char *why;       /* of FAILED, in words */
  gint64 expires_s;      /* since the epoch: until then it waits */
} PrConsentFacts;

/* Attempt @id changed. Never from within a call. */
typedef void (*PrConsentsFunc) (guint id, gpointer user_data);

PrConsents *pr_consents_new (PrOauth *oauth, PrConsentsFunc func, gpointer user_data);
void pr_consents_free (PrConsents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrConsents, pr_consents_free)

/* @flow: "code", "device", or "auto": as the route has it. Returns its id; 0 with PR_ERROR_CONFIG:
 * the route cannot do that. */
guint pr_consents_start (PrConsents *self, const char *route, const char *flow, GError **error);
/* The address that a browser on another computer was sent to, where that could not be shown. */
gboolean pr_consents_paste (PrConsents *self, guint id, const char *url, GError **error);
void pr_consents_cancel (PrConsents *self, guint id);
/* FALSE: there is none of that id any more. */
gboolean pr_consents_get (PrConsents *self, guint id, PrConsentFacts *out);

G_END_DECLS
